/* A router that does nothing: what it receives it sends on, on Kouan's own loop. The machine's
 * limit for any router, since it has no work but the kernel's and its own loop's:
 *
 *   recv -> step over the commands -> a receipt of Kouan's size for each -> send to each subscriber
 *
 * Who sends commands (RESP arrays) publishes; who sends `SUBSCRIBE` and a line's end gets `+OK` and
 * then all whole commands as they came, from the buffers into which the kernel received them; only
 * one that straddles two of these is copied. Nothing is read, kept, logged or acknowledged. While a
 * subscriber does not take what comes, the publishers wait for buffers. One thread. */
#ifndef KOUAN_BENCH_NULL_ROUTER_H
#define KOUAN_BENCH_NULL_ROUTER_H

#include <stddef.h>

#include "core/status.h"

enum { NULL_ROUTER_SUBSCRIBERS_MAX = 16, NULL_ROUTER_COMMAND_BYTES_MAX = 32 * 1024 };

#define NULL_ROUTER_SUBSCRIBE "SUBSCRIBE\r\n"
#define NULL_ROUTER_RECEIPT   "$17\r\n1764000000000-256\r\n"

struct null_router;

/* Listens on a free port of 127.0.0.1. What is wrong is said in `out_problem`. */
MUST_CHECK enum status null_router_open(struct null_router **out_router, char *out_problem,
                                        size_t problem_capacity);
const char *null_router_address(const struct null_router *router);

/* Serves for ever. */
_Noreturn void null_router_serve(struct null_router *router);

#endif
