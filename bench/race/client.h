/* What drives one server through one run: publishes a cargo, consumes what comes of it and has it
 * all verified. One implementation a protocol: client_resp (Kouan, redis-server, the null router),
 * client_nats, client_jetstream. Independent of the server's code. */
#ifndef KOUAN_BENCH_CLIENT_H
#define KOUAN_BENCH_CLIENT_H

#include <signal.h>

#include "bench/histogram.h"
#include "bench/race/proof.h"
#include "bench/usage.h"

struct peer;

struct client_settings {
    const struct peer *peer;
    const struct scenario *scenario;
    const struct cargo *cargo;
    struct proof *proof;
    const char *address;  /* as struct server has it */
    pid_t server;         /* whose CPU time is told */
    uint64_t rate;        /* messages a second over all; 0: as fast as it goes */
    uint32_t patience_ms; /* without any progress */
    const volatile sig_atomic_t *stop;
};

/* From the first message to the last acknowledgement. Times of a message run from the moment at
 * which it was to be sent (with a rate), or was sent. */
struct client_result {
    uint64_t elapsed_ns;
    struct usage usage; /* in that time */
    struct histogram receipt_ns, delivery_ns;
    uint64_t acknowledged_count;
    uint64_t far_bytes;                      /* that a far reader at its side got meanwhile */
    uint64_t reloads_taken, reloads_refused; /* meanwhile */
    bool is_interrupted, is_out_of_patience;
    char problem[160]; /* or "" */
};

struct client {
    const char *name;
    /* OK also if the proof is not whole: interrupted, out of patience or with findings. */
    enum status (*run)(const struct client_settings *settings, struct client_result *out_result);
};

extern const struct client client_resp, client_nats, client_jetstream;

#endif
