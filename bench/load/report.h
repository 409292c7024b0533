/* The tables at the end of a run, for people or as one JSON object, and the progress line. */
#ifndef KOUAN_BENCH_REPORT_H
#define KOUAN_BENCH_REPORT_H

#include <stdio.h>

#include "bench/load/load.h"

struct report {
    const struct load_settings *settings;
    const struct load_result *result;
};

void report_print(const struct report *report, FILE *out);
void report_print_json(const struct report *report, FILE *out);

/* Messages a second, and nanoseconds of CPU time a message. */
double report_rate(const struct report *report);
double report_ns_per_message(const struct report *report, uint64_t spent_ns);
/* Of the machine less this client, or of the server's process if another machine serves. */
uint64_t report_serving_ns(const struct report *report);

/* Sorts them. */
double report_median(double *values, uint32_t count);

/* On a terminal a line that is written over; else nothing. For load_settings.on_progress. */
void report_progress(void *context, const struct load_progress *progress);
void report_progress_end(void);

enum { REPORT_NUMBER_BYTES = 32 };
/* 1234567 -> "1,234,567"; returns `text`. */
char *report_number(uint64_t number, char text[REPORT_NUMBER_BYTES]);
/* 1234567 ns -> "1.23 ms". */
char *report_duration(uint64_t duration_ns, char text[REPORT_NUMBER_BYTES]);

#endif
