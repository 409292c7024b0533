#include "bench/histogram.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "bench/random.h"

static int by_value(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

Test(histogram, empty_has_no_quantiles)
{
    static struct histogram histogram;
    cr_assert_eq(histogram_quantile(&histogram, 0), 0);
    cr_assert_eq(histogram_quantile(&histogram, 500), 0);
    cr_assert_eq(histogram_quantile(&histogram, 1000), 0);
}

Test(histogram, small_values_are_exact)
{
    static struct histogram histogram;
    for (uint64_t value = 0; value < 64; value++)
        histogram_record(&histogram, value);
    cr_assert_eq(histogram_quantile(&histogram, 500), 31);
    cr_assert_eq(histogram_quantile(&histogram, 1000), 63);
    cr_assert_eq(histogram.count, 64);
}

/* Alone in a histogram, the maximum bounds the answer: so each value is its own quantile; beside a
 * greater one it may be at most 1/64 too high, and never too low. */
Test(histogram, each_bucket_holds_its_values)
{
    for (uint32_t bits = 0; bits < HISTOGRAM_VALUE_BITS; bits++)
        for (int64_t near = -2; near <= 2; near++) {
            uint64_t value = (UINT64_C(1) << bits) + (uint64_t)near;
            if ((int64_t)value < 0 || value >> HISTOGRAM_VALUE_BITS != 0)
                continue;
            struct histogram *histogram = calloc(1, sizeof *histogram);
            histogram_record(histogram, value);
            histogram_record(histogram, UINT64_MAX);
            uint64_t found = histogram_quantile(histogram, 500);
            cr_assert(found >= value && found - value <= value / 64, "%lu -> %lu", value, found);
            free(histogram);
        }
}

Test(histogram, quantiles_match_sorted_values)
{
    enum { COUNT = 20000 };
    static uint64_t values[COUNT];
    static struct histogram histogram;
    struct random random;
    random_seed(&random, 5);
    for (int i = 0; i < COUNT; i++) {
        values[i] = random_next(&random) >> (22 + random_below(&random, 40));
        histogram_record(&histogram, values[i]);
    }
    qsort(values, COUNT, sizeof *values, by_value);
    static const uint32_t per_milles[] = {1, 10, 250, 500, 900, 990, 999, 1000};
    for (size_t i = 0; i < sizeof per_milles / sizeof *per_milles; i++) {
        uint64_t exact = values[COUNT / 1000 * per_milles[i] - 1];
        uint64_t found = histogram_quantile(&histogram, per_milles[i]);
        cr_assert(found >= exact && found - exact <= exact / 64, "%u: %lu for %lu", per_milles[i],
                  found, exact);
    }
    cr_assert_eq(histogram.maximum, values[COUNT - 1]);
}

Test(histogram, merging_is_recording_both)
{
    static struct histogram parts[2], whole;
    struct random random;
    random_seed(&random, 6);
    for (int i = 0; i < 1000; i++) {
        uint64_t value = random_next(&random) >> 30;
        histogram_record(&parts[i % 2], value);
        histogram_record(&whole, value);
    }
    histogram_merge(&parts[0], &parts[1]);
    cr_assert_eq(memcmp(&parts[0], &whole, sizeof whole), 0);
}
