/* Files of messages in memory, each message with the plan that a scan of it follows: its profile's,
 * out of the shipped ones, or of no profile one that taps nothing. An EDIFACT file of several
 * messages is as many samples of one body. */
#ifndef KOUAN_BENCH_SAMPLES_H
#define KOUAN_BENCH_SAMPLES_H

#include "routes/read/read.h"

enum { SAMPLE_BYTES_MAX = 64 * 1024 * 1024 };

struct sample {
    const char *path;
    struct bytes body;
    enum format format;
    const struct profile *profile; /* NULL: none recognises it */
    const struct plan *plan;
    uint32_t message;                 /* of the body, from 0 */
    const struct edifact_part *parts; /* of a body of several; else NULL */
};

struct samples {
    struct arena arena;
    struct profile_set profiles;
    struct reader reader;
    struct sample *items;
    uint32_t count, capacity;
    uint32_t formless_count; /* files that are neither XML, JSON nor EDIFACT: passed over */
    struct plan bare_plans[FORMAT_COUNT];
};

/* Without files yet. NO_MEMORY, UNSUPPORTED. */
MUST_CHECK enum status samples_open(struct samples *samples);
void samples_close(struct samples *samples);

/* A file, or all files below a folder, in the order of their names. On failure says so on stderr.
 */
bool samples_add(struct samples *samples, const char *path);

/* Scans a sample with its own plan; scans it for its form alone, with a plan that taps nothing;
 * reads it in all. The first of several of one body also pays for splitting it. */
enum status sample_scan(struct samples *samples, const struct sample *sample,
                        struct scan_fault *out_fault);
enum status sample_check(struct samples *samples, const struct sample *sample,
                         struct scan_fault *out_fault);
enum status sample_read(struct samples *samples, const struct sample *sample,
                        struct scan_fault *out_fault);

#endif
