/* Messages that were decided once more on their way from the loader's thread to the shard whose log
 * they belong to (io/reroute/reroute_write.h). Who waits is the loader, until all that was written
 * is on stable storage and on offer: so who reads the log afterwards finds it. */
#ifndef KOUAN_IO_SERVER_REROUTE_H
#define KOUAN_IO_SERVER_REROUTE_H

#include <pthread.h>

#include "io/reroute/reroute_write.h"

struct server;
struct seat;

struct rerouting {
    pthread_mutex_t lock; /* of what follows, and of the items */
    pthread_cond_t is_done;
    struct reroute_item *items; /* NULL: there are none */
    uint32_t count, next;       /* of them, the first without a fate */
    uint16_t log;
    uint64_t commit_end; /* of the log's commits, when all of them have a fate */
    bool is_over;        /* a shard has ended */
};

void server_reroute_open(struct server *server);
void server_reroute_close(struct server *server);
/* A shard's loop has ended. */
void server_reroute_end(struct server *server);

/* On the seat's own thread, when its loop was woken, and in each turn while it has work here. */
void server_reroute_go_on(struct seat *seat);

/* From the loader's thread. False: the server ends, and what became of them the log says. */
MUST_CHECK bool server_reroute(struct server *server, uint16_t log, struct reroute_item *items,
                               uint32_t count);

#endif
