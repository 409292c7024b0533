/* One scenario at rising loads: first as fast as it goes, then at parts of that, each side by its
 * own capacity, messages sent when they are due whatever becomes of those before. The knee is the
 * highest load that the server keeps up with before its latencies leave the ground. */
#ifndef KOUAN_BENCH_SWEEP_H
#define KOUAN_BENCH_SWEEP_H

#include <jansson.h>
#include <stdio.h>

#include "bench/race/race.h"

enum { SWEEP_LOADS = 7, SWEEP_KNEE_NONE = SWEEP_LOADS };

/* 100 is the capacity itself, as fast as it goes. */
extern const uint32_t sweep_percents[SWEEP_LOADS];

/* One side through all loads; `races` in the order of sweep_percents, each of that side alone. */
struct sweep_side {
    struct race races[SWEEP_LOADS];
    uint32_t knee; /* index of its load, or SWEEP_KNEE_NONE if even the lowest was too much */
};

struct sweep {
    struct race_settings settings; /* a copy, changed from race to race */
    struct race_settings of_races[RACE_SIDES_MAX][SWEEP_LOADS];
    struct sweep_side sides[RACE_SIDES_MAX];
    uint32_t side_count;
};

/* The exit code; what went wrong is told on stderr. */
int sweep_run(const struct race_settings *settings, struct sweep *out_sweep);

void sweep_print(const struct sweep *sweep, FILE *out);
/* As result_json has it, of the capacity, with `knee` {load_percent, messages_per_second,
 * latency_us} and `points`, each with its load_percent; the same for each peer. */
json_t *sweep_json(const struct sweep *sweep);

/* By the rates asked for and had, and p99s, from the lowest load up. */
uint32_t sweep_find_knee(const double *asked, const double *had, const uint64_t *p99_ns,
                         uint32_t count);

#endif
