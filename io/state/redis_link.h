/* A link to a Redis, over the loop's ring; hiredis formats commands and reads replies.
 * Write-behind: what is to be there is asked of a source, item by item, as it is at that moment,
 * when there is room for it, so nothing queues up while Redis is slow or away. Memory is bounded:
 * one buffer out, one in, and COMMANDS_MAX commands without a reply.
 *
 * Redis is a copy, never asked for what Kouan decides. Whenever it may have lost something (a new
 * connection, an error, the marker gone: flushed, or restarted empty), the source is told to offer
 * all anew. One line on stderr for each change of state. One thread, the loop's; figures may be
 * read by any. */
#ifndef KOUAN_IO_REDIS_LINK_H
#define KOUAN_IO_REDIS_LINK_H

#include <stdatomic.h>

#include "io/config/config.h"
#include "io/loop/loop.h"

struct redis_link;

/* What offers items. */
struct redis_source {
    /* Once a second: looks what has changed, and lets the sweep take one step. */
    void (*tick)(void *context);
    /* Puts the command of the next item that is due into the link. False: none is due. */
    bool (*next)(void *context, struct redis_link *link);
    /* All is due. */
    void (*refill)(void *context);
    bool (*is_refilled)(const void *context);
    void *context;
};

enum redis_state {
    REDIS_CONNECTING,
    REDIS_REFILLING, /* what it may have lost is written */
    REDIS_READY,
    REDIS_REFUSES, /* it answers with errors */
    REDIS_HANGS,   /* it does not answer in time */
    REDIS_AWAY,    /* it cannot be reached, or has ended the connection */
    REDIS_STATES
};
const char *redis_state_name(enum redis_state state);

struct redis_figures {
    _Atomic uint64_t state; /* enum redis_state */
    _Atomic uint64_t commands, bytes, errors, connections, refills, in_flight;
    _Atomic uint64_t current_ns; /* when all that was due was there, last; or the start */
};

/* The configuration outlives it. NO_MEMORY. */
MUST_CHECK enum status redis_link_open(struct loop *loop, const struct config_redis *config,
                                       uint64_t epoch, const struct redis_source *source,
                                       struct redis_link **out_link);
/* Turns the loop until nothing is in flight. NULL, too. */
void redis_link_close(struct redis_link *link);
const struct redis_figures *redis_link_figures(const struct redis_link *link);

/* For a source, within `next`: one command, of up to REDIS_COMMAND_BYTES_MAX as it is formatted. */
enum { REDIS_COMMAND_BYTES_MAX = 64 * 1024, REDIS_ARGUMENTS_MAX = 160 };
void redis_link_command(struct redis_link *link, const struct bytes *arguments, uint32_t count);
/* What every key begins with; and since when this server writes, which a newer one supersedes. */
const char *redis_link_prefix(const struct redis_link *link);
uint64_t redis_link_epoch(const struct redis_link *link);

#endif
