/* One page of all that was measured: HTML that needs nothing else, readable without scripts, in
 * light and dark, on paper. Sections stand in an order in which they answer questions; every plot
 * and table names its run. */
#ifndef KOUAN_BENCH_REPORT_PAGE_H
#define KOUAN_BENCH_REPORT_PAGE_H

#include <stdio.h>

#include "bench/page/budget.h"
#include "bench/page/results.h"

void report_page_print(const struct results *results, const struct budget *budget, FILE *out);

/* ---- its sections, each nothing without results (bench/page/report_goals.c, report_sections.c)
 * ---- */

void report_print_goals(const struct results *results, FILE *out);
void report_print_peers(const struct results *results, FILE *out);
void report_print_load(const struct results *results, FILE *out);
void report_print_growth(const struct results *results, FILE *out);
void report_print_stages(const struct results *results, FILE *out);
void report_print_history(const struct results *results, FILE *out);

/* `Run 20261124-2310-d10891c-wire, AMD EPYC, 2 cores, Linux 6.18, commit d10891c`, as a caption. */
void report_print_run(const struct result *result, FILE *out);

#endif
