/* The arithmetic of a race: a run's figures, medians, ratios and their intervals. */
#ifndef KOUAN_BENCH_RACE_FIGURES_H
#define KOUAN_BENCH_RACE_FIGURES_H

#include "bench/race/race.h"

/* `idle`: what the machine does by itself, CPU time a time. */
struct race_run race_figures_of_run(const struct cargo *cargo, const struct client_result *result,
                                    double idle);

/* The median, and the narrowest interval between two of the values, equally far from the ends, that
 * holds the median of what they are drawn from with 95 %; of fewer than six, that between the least
 * and the greatest. Sorts them. */
struct race_ratio race_figures_interval(double *values, uint32_t count);

/* Medians and ratios of all sides. */
void race_figures_finish(struct race *race);

#endif
