/* Runs of one scenario, Kouan's and those of its peers in turn: A B C, C B A, ..., each verified. A
 * side's figures are medians over its runs, its latencies those of all its runs merged; a peer's
 * ratio is the median of the pairs' ratios, with the interval that holds it with 95 % confidence.
 */
#ifndef KOUAN_BENCH_RACE_H
#define KOUAN_BENCH_RACE_H

#include "bench/peer.h"

enum { RACE_PAIRS_MAX = 50, RACE_SIDES_MAX = PEERS_MAX };

struct race_settings {
    struct peer_settings peer;                /* peer.scenario: what is run */
    const struct peer *sides[RACE_SIDES_MAX]; /* the first is Kouan */
    uint32_t side_count;
    uint32_t pair_count;
    double seconds; /* of a run, where the scenario does not say how many messages */
    uint64_t rate;  /* 0: as fast as it goes */
    uint64_t seed;
    uint32_t message_count; /* of a run; 0: the scenario's, or as many as `seconds` take */
    bool tells_runs;        /* each as it ends, on stderr */
    const volatile sig_atomic_t *stop;
};

struct race_run {
    double seconds;
    uint64_t messages, body_bytes;
    double messages_per_second;
    double cpu_ns; /* a message: the whole machine's, less its idle baseline and the client's */
    double process_cpu_ns; /* a message: the server's process */
    double client_cpu_ns;  /* a message */
};

struct race_ratio {
    double median, low, high; /* of Kouan's to the peer's */
};

struct race_side {
    const struct peer *peer;
    const char *durability;
    uint32_t run_count;
    struct race_run runs[RACE_PAIRS_MAX];
    struct histogram receipt_ns, delivery_ns; /* merged */
    struct race_run median;
    struct race_ratio rate_ratio, cpu_ratio, process_cpu_ratio; /* of peers */
};

struct race {
    const struct race_settings *settings;
    struct race_side sides[RACE_SIDES_MAX];
    uint32_t side_count;
};

/* The exit code; what went wrong is told on stderr. */
int race_run(const struct race_settings *settings, struct race *out_race);

#endif
