/* Listening sockets: TCP over IPv4 and IPv6, and Unix sockets; multishot accept. When descriptors
 * run out it stops accepting for a moment instead of spinning, and goes on when there is room. */
#ifndef KOUAN_IO_LISTENER_H
#define KOUAN_IO_LISTENER_H

#include <sys/socket.h>

#include "io/connection.h"

/* `127.0.0.1:7400`, `[::1]:7400`, `localhost:7400`, `*:7400`, `unix:/run/kouan.sock`. */
struct address {
    struct sockaddr_storage storage;
    socklen_t size;
    char text[128];
};

/* INVALID with a problem text (static or in `out_problem`). Port 0 is allowed: the kernel chooses.
 */
MUST_CHECK enum status address_parse(const char *text, struct address *out_address,
                                     char *out_problem, size_t problem_capacity);
bool address_is_local(const struct address *address); /* loopback or Unix */

struct listener;
/* Binds and listens. IO with a problem text: in use (by what, how to find out), not permitted ... A
 * stale Unix socket file of a dead server is replaced; a live one is not. Unix sockets get mode
 * 0660. */
MUST_CHECK enum status listener_open(struct loop *loop, struct transport *transport,
                                     const struct address *address, struct listener **out_listener,
                                     char *out_problem, size_t problem_capacity);
/* With the real port. */
const char *listener_address_text(const struct listener *listener);
/* Stops accepting; listener_is_stopped() tells when nothing is in flight and it may be closed. */
void listener_stop(struct listener *listener);
bool listener_is_stopped(const struct listener *listener);
void listener_close(struct listener *listener);

#endif
