/* Runs of one scenario, Kouan's and those of its peers in turn: A B C, C B A, ..., each verified
 * whole, after a warm-up of each. A side's figures are medians over its runs, its latencies those
 * of all its runs merged; a peer's ratios are medians of the ratios of the pairs, with an interval.
 */
#ifndef KOUAN_BENCH_RACE_H
#define KOUAN_BENCH_RACE_H

#include "bench/disk/disk_probe.h"
#include "bench/peers/peer.h"

enum { RACE_PAIRS_MAX = 50, RACE_SIDES_MAX = PEERS_MAX };

struct race_settings {
    struct peer_settings peer;                /* peer.scenario: what is run */
    const struct peer *sides[RACE_SIDES_MAX]; /* the first is Kouan */
    uint32_t side_count;
    uint32_t pair_count;
    double seconds;         /* of a run, where nothing else says how many messages */
    uint64_t rate;          /* messages a second; 0: as fast as it goes */
    uint64_t seed;          /* of the first run; each has one of its own */
    uint32_t message_count; /* of a run; 0: the scenario's, or as many as `seconds` take */
    bool is_smoke;          /* no warm-up, and no look at the idle machine and the disk */
    bool tells_runs;        /* each as it ends, on stderr */
    const volatile sig_atomic_t *stop;
};

struct race_run {
    double seconds, messages, bytes; /* of bodies */
    double messages_per_second;
    double cpu_ns;         /* a message: the machine's, less what it does idle and the client's; 0
                              where that cannot be: the machine was not quiet */
    double process_cpu_ns; /* a message: the server's process */
    double client_cpu_ns;  /* a message, both ends */
    double far_bytes_per_second; /* that a far reader got meanwhile; 0: there was none */
    double p99_ns;               /* of the receipts; of the deliveries where there are none */
};

/* `confidence`: how sure it is that the interval holds the median, at least 0.95 if there are
 * enough pairs (six). */
struct race_ratio {
    double median, low, high, confidence;
};

struct race_side {
    const struct peer *peer;
    struct server server;
    uint32_t message_count; /* of a run */
    uint64_t reloads_taken, reloads_refused;
    uint32_t run_count;
    struct race_run runs[RACE_PAIRS_MAX];
    struct histogram receipt_ns, delivery_ns; /* merged */
    struct race_run median;                   /* each figure's own */
    struct race_ratio rate_ratio, cpu_ratio, process_cpu_ratio,
        p99_ratio; /* Kouan's to the peer's */
};

struct race {
    const struct race_settings *settings;
    struct scenario scenario;
    struct race_side sides[RACE_SIDES_MAX];
    uint32_t side_count;
    struct disk_probe probe;
    struct histogram disk_ns; /* of durable scenarios: one page after another, on the disk itself */
    uint64_t next_seed, rate; /* as in the settings, or by the scenario's load */
};

/* The exit code; what went wrong is told on stderr. To be closed whatever it is. */
int race_run(const struct race_settings *settings, struct race *out_race);
void race_close(struct race *race);

/* The receipts' times; those of the deliveries where a server gives no receipts. */
const struct histogram *race_side_latency(const struct race_side *side);

#endif
