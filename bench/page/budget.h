/* perf/budget.csv: what each stage of a message may cost, and what was measured, by which command:
 *
 *   stage,budget_ns,measured_ns,instructions,measured_by
 *
 * A number may be missing: not measured yet. No cell has a comma or quotes. */
#ifndef KOUAN_BENCH_BUDGET_H
#define KOUAN_BENCH_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

enum { BUDGET_STAGES_MAX = 64, BUDGET_TEXT_BYTES = 128 };

struct budget_stage {
    char name[BUDGET_TEXT_BYTES], measured_by[BUDGET_TEXT_BYTES];
    double budget_ns, measured_ns, instructions; /* NAN: missing */
};

struct budget {
    struct budget_stage stages[BUDGET_STAGES_MAX];
    uint32_t count;
};

/* INVALID with file and line on stderr. */
MUST_CHECK enum status budget_read(const char *path, struct budget *out_budget);

#endif
