/* A race's figures as a table for people. */
#ifndef KOUAN_BENCH_RACE_TEXT_H
#define KOUAN_BENCH_RACE_TEXT_H

#include <stdio.h>

#include "bench/race/race.h"

void race_text_print_heading(FILE *out);

/* One run as it ends. */
void race_text_print_run(const struct race_side *side, const struct race_run *run,
                         const struct client_result *result, FILE *out);

/* One side's medians under a name of the caller's. */
void race_text_print_line(const char *name, const struct race_side *side, FILE *out);

/* The medians of all sides, and the ratios. `label` may be "". */
void race_text_print(const struct race *race, const char *label, FILE *out);

#endif
