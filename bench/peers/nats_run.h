/* What the two NATS clients (client_nats.c, client_jetstream.c) share: connections through libnats,
 * messages sent at their times, and the proof, which several threads of libnats want to tell of
 * what has come: all below is under one lock. */
#ifndef KOUAN_BENCH_NATS_RUN_H
#define KOUAN_BENCH_NATS_RUN_H

#include <nats/nats.h>
#include <pthread.h>

#include "bench/race/client.h"
#include "bench/race/schedule.h"

/* libnats makes two threads a connection. */
enum { NATS_PUBLISHERS_MAX = 64, NATS_CONSUMERS_MAX = 64 };

struct nats_run {
    const struct client_settings *settings;
    struct client_result *result;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* of who waits for messages under way to come through */
    struct schedule schedule;
    uint64_t sent, answered, delivered, acknowledged;
    bool is_over;    /* consumers end */
    bool is_waiting; /* somebody waits for `changed` */
    struct usage before;
    uint32_t publisher_count, consumer_count; /* all consumers of all destinations */
    natsConnection *publishers[NATS_PUBLISHERS_MAX], *consumers[NATS_CONSUMERS_MAX];
};

/* Within 5 s, and never again by itself. */
natsStatus nats_run_connect(const char *address, natsConnection **out_connection);

/* Connects all; on failure `result->problem` says why. To be closed whatever it returns. */
MUST_CHECK enum status nats_run_open(struct nats_run *run, const struct client_settings *settings,
                                     struct client_result *result);
void nats_run_close(struct nats_run *run);

/* Sends all messages, streams in turn, each at its time, not more under way than the scenario has
 * in flight; then waits until `is_done`. OK also if it was interrupted or ran out of patience. */
struct nats_flow {
    natsStatus (*publish)(struct nats_run *run, natsConnection *connection, uint32_t index);
    uint64_t (*under_way)(const struct nats_run *run); /* under the lock */
    bool (*is_done)(const struct nats_run *run);       /* under the lock */
};
MUST_CHECK enum status nats_run_publish(struct nats_run *run, const struct nats_flow *flow);

/* For callbacks, which take the lock themselves. */
void nats_run_answer(struct nats_run *run, uint32_t index, struct record_id id);
void nats_run_refuse(struct nats_run *run, uint32_t index, struct bytes error);
void nats_run_deliver(struct nats_run *run, uint32_t consumer, struct record_id id,
                      struct bytes body);
void nats_run_acknowledge(struct nats_run *run);

/* From the first message to now, by the clocks and by the books. */
void nats_run_measure(struct nats_run *run);

/* IO, with what libnats says as the problem. */
MUST_CHECK enum status nats_run_fail(struct nats_run *run, const char *what, natsStatus status);

#endif
