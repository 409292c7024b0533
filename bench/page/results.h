/* The result files of a folder (perf/results): JSON that `kouan-bench run`, `sweep` and `micro`
 * wrote, in the order of their names, which begin with the time of the run. Owns all of it. */
#ifndef KOUAN_BENCH_RESULTS_H
#define KOUAN_BENCH_RESULTS_H

#include <jansson.h>
#include <stdint.h>

#include "core/status.h"

enum { RESULTS_MAX = 4096, RESULT_NAME_BYTES = 128 };

enum result_kind {
    RESULT_RUN,    /* one scenario, once */
    RESULT_POINTS, /* one scenario, point by point */
    RESULT_SWEEP,  /* point by point of the load */
    RESULT_MICRO
};

struct result {
    char name[RESULT_NAME_BYTES]; /* of the file, without its folder and `.json` */
    json_t *root;
    enum result_kind kind;
    const char *scenario, *machine, *kernel, *commit; /* "" where it does not say */
};

struct results {
    struct result *items;
    uint32_t count;
};

/* A file that is no JSON object, or too many of them: INVALID, and told on stderr with its place. A
 * folder that is not there is IO. */
MUST_CHECK enum status results_open(const char *folder, struct results *out_results);
void results_close(struct results *results);

/* The newest of a kind and scenario (NULL: any); NULL if there is none. */
const struct result *results_newest(const struct results *results, enum result_kind kind,
                                    const char *scenario);

/* A number by its path, `latency_us.p99`; NAN if it is not there. */
double result_number(const json_t *object, const char *path);
/* "" if it is not there. */
const char *result_text(const json_t *object, const char *name);

#endif
