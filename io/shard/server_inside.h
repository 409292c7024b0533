/* The server from inside, for its own modules only: server.c opens and closes, server_seat.c is
 * what each thread does. */
#ifndef KOUAN_IO_SERVER_INSIDE_H
#define KOUAN_IO_SERVER_INSIDE_H

#include <pthread.h>
#include <sched.h>

#include "io/front/control.h"
#include "io/reload/server_swap.h"
#include "io/shard/server.h"
#include "io/shard/server_reroute.h"
#include "io/state/minutes.h"
#include "io/state/redis_minutes.h"

enum { SEAT_PROBLEM_BYTES = 1024 };

/* A shard and its thread. */
struct seat {
    struct server *server;
    uint16_t index;
    pthread_t thread;
    bool has_thread;
    struct shard *shard;
    struct shard_settings settings;
    char problem[SEAT_PROBLEM_BYTES];
    uint32_t connections_given; /* by the first shard's thread */
    struct recover_figures recovered;
    pthread_mutex_t window_lock; /* while logs are read: several bring identities back */
    uint32_t window_time_s;      /* under it */
    uint64_t swap_number;        /* of the last step of a swap that it has taken */
};

struct server {
    struct server_settings settings;
    struct shard_family family; /* of several shards */
    struct journal_folders folders;
    struct shard_log_start start;
    cpu_set_t processors; /* to be pinned to; none: threads are not */
    struct minutes minutes;
    struct redis_link *redis; /* on the first shard's thread; NULL: none */
    struct redis_minutes *redis_minutes;
    struct seat *seats;
    struct shard **shards; /* in the same order */
    uint16_t count;
    pthread_mutex_t lock; /* of what follows, down to the blank line, and of `recovered` */
    pthread_cond_t met;
    uint16_t expected, arrived; /* at the next meeting */
    uint64_t meetings;
    bool has_failed; /* the start, of one of them */
    bool went_well;  /* until the last meeting */

    struct swap swap;
    struct rerouting rerouting;
    struct control control;
    _Atomic bool log_has_failed, is_to_stop;
};

void server_seat_init(struct server *server, uint16_t index);
/* On its own thread. False: one of them has failed, and its seat says why. */
bool server_seat_start(struct seat *seat);
void server_seat_run(struct seat *seat);
void server_seat_end(struct seat *seat);
/* So many come to the next meeting, and the start has failed. */
void server_expect(struct server *server, uint16_t count);
/* Any thread, while the loops are: the first shard looks for the loader's answer. */
void server_wake_first(struct server *server);
/* Of a log that is read: each goes to its owner's window. Any thread. */
void server_restore_identities(struct shard_family *family, const struct window_restored *items,
                               uint32_t count);

#endif
