/* Listening sockets: TCP over IPv4 and IPv6, and Unix sockets; multishot accept. When descriptors
 * run out it stops accepting for a moment instead of spinning, and goes on when there is room. */
#ifndef KOUAN_IO_LISTENER_H
#define KOUAN_IO_LISTENER_H

#include <sys/socket.h>

#include "io/net/connection.h"

/* `127.0.0.1:7400`, `[::1]:7400`, `localhost:7400`, `*:7400`, `unix:/run/kouan.sock`. */
struct address {
    struct sockaddr_storage storage;
    socklen_t size;
    char text[128];
    mode_t mode; /* of a Unix socket's file; 0: 0660 */
};

/* INVALID with a problem text. Names are not looked up. Port 0 is allowed: the kernel chooses. */
MUST_CHECK enum status address_parse(const char *text, struct address *out_address,
                                     char *out_problem, size_t problem_capacity);
bool address_is_local(const struct address *address); /* loopback or Unix */
/* As address_parse reads it; IPv4 peers of a socket for both as IPv4. */
void address_format(const struct sockaddr *name, char *out_text, size_t capacity);

struct listener;
/* Binds and listens. IO with a problem text: in use (how to find out by whom), not permitted ...
 * `*` is IPv6 and IPv4, or IPv4 alone where there is no IPv6. A stale Unix socket file of a dead
 * server is replaced; a live one is not. Unix sockets get mode 0660. */
MUST_CHECK enum status listener_open(struct loop *loop, struct transport *transport,
                                     const struct address *address, struct listener **out_listener,
                                     char *out_problem, size_t problem_capacity);
/* Who is to have accepted sockets in place of the transport. False: the transport shall. From any
 * thread listener_peer_text then says whose they are. */
struct listener_taker {
    bool (*take)(void *context, const struct listener *listener, int descriptor);
    void *context;
};
void listener_set_taker(struct listener *listener, const struct listener_taker *taker);
/* As of a connection: 127.0.0.1:5301, or unix:... */
void listener_peer_text(const struct listener *listener, int descriptor, char *out_text,
                        size_t capacity);
/* With the real port. */
const char *listener_address_text(const struct listener *listener);
/* Stops accepting; listener_is_stopped() tells when nothing is in flight and it may be closed. */
void listener_stop(struct listener *listener);
bool listener_is_stopped(const struct listener *listener);

struct listener_figures {
    uint64_t pauses; /* for want of descriptors or memory */
    int last_error;  /* the errno of the last one, 0: none */
};
void listener_figures(const struct listener *listener, struct listener_figures *out_figures);
void listener_close(struct listener *listener); /* takes the Unix socket's file away, too */

#endif
