#include "bench/histogram.h"

#include <assert.h>

static const uint64_t value_max = (UINT64_C(1) << HISTOGRAM_VALUE_BITS) - 1;
static const uint64_t steps = UINT64_C(1) << HISTOGRAM_STEP_BITS;

/* Values below `steps` have buckets of their own; above, each doubling has `steps` of them. */
static uint32_t bucket_of(uint64_t value)
{
    if (value > value_max)
        value = value_max;
    if (value < steps)
        return (uint32_t)value;
    uint32_t shift = 63 - (uint32_t)__builtin_clzll(value) - HISTOGRAM_STEP_BITS;
    return ((shift + 1) << HISTOGRAM_STEP_BITS) + (uint32_t)((value >> shift) - steps);
}

static uint64_t bucket_end(uint32_t bucket)
{
    if (bucket < steps)
        return bucket;
    uint32_t shift = (bucket >> HISTOGRAM_STEP_BITS) - 1;
    uint64_t step = bucket & (steps - 1);
    return ((steps + step + 1) << shift) - 1;
}

void histogram_record(struct histogram *histogram, uint64_t value)
{
    histogram_record_many(histogram, value, 1);
}

void histogram_record_many(struct histogram *histogram, uint64_t value, uint64_t count)
{
    if (count == 0)
        return;
    histogram->buckets[bucket_of(value)] += count;
    histogram->count += count;
    if (value > histogram->maximum)
        histogram->maximum = value;
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++)
        into->buckets[i] += from->buckets[i];
    into->count += from->count;
    if (from->maximum > into->maximum)
        into->maximum = from->maximum;
}

uint64_t histogram_quantile(const struct histogram *histogram, uint32_t per_mille)
{
    assert(per_mille <= 1000);
    uint64_t wanted = (histogram->count * per_mille + 999) / 1000, seen = 0;
    for (uint32_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->buckets[i];
        if (seen >= wanted && seen > 0) {
            uint64_t end = bucket_end(i);
            return end < histogram->maximum ? end : histogram->maximum;
        }
    }
    return 0;
}
