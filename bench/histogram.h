/* A log-linear histogram of durations: 64 steps to each doubling, so that a quantile is at most
 * 1/64 too high and never too low. Histograms are merged, never averaged. */
#ifndef KOUAN_BENCH_HISTOGRAM_H
#define KOUAN_BENCH_HISTOGRAM_H

#include <stdint.h>

enum {
    HISTOGRAM_STEP_BITS = 6,
    HISTOGRAM_VALUE_BITS = 42, /* in nanoseconds: 73 minutes; longer counts as that */
    HISTOGRAM_BUCKETS = (HISTOGRAM_VALUE_BITS - HISTOGRAM_STEP_BITS + 1) << HISTOGRAM_STEP_BITS
};

struct histogram {
    uint64_t buckets[HISTOGRAM_BUCKETS];
    uint64_t count, maximum; /* the maximum is exact */
};

/* A zeroed histogram is an empty one. */
void histogram_record(struct histogram *histogram, uint64_t value);
void histogram_record_many(struct histogram *histogram, uint64_t value, uint64_t count);
void histogram_merge(struct histogram *into, const struct histogram *from);

/* The least bucket end that `per_mille` of 1000 values do not exceed; 0 of an empty histogram. */
uint64_t histogram_quantile(const struct histogram *histogram, uint32_t per_mille);

#endif
