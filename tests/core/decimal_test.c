#include "core/decimal.h"

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Beside printf, and with a fence behind the digits. */
static void check(uint64_t value)
{
    char expected[32];
    uint8_t actual[DECIMAL_U64_BYTES_MAX + 1];
    int size = snprintf(expected, sizeof expected, "%" PRIu64, value);
    memset(actual, '#', sizeof actual);
    cr_assert_eq(decimal_digits_u64(value), (uint32_t)size, "digits of %s", expected);
    cr_assert_eq(decimal_write_u64(actual, value), (uint32_t)size, "size of %s", expected);
    cr_assert(memcmp(actual, expected, (size_t)size) == 0, "text of %s", expected);
    for (size_t i = (size_t)size; i < sizeof actual; i++)
        cr_assert_eq(actual[i], '#', "a byte past %s", expected);
}

Test(decimal, small_numbers)
{
    for (uint64_t value = 0; value <= 20000; value++)
        check(value);
}

Test(decimal, both_sides_of_each_power_of_ten_and_two)
{
    uint64_t power = 1;
    for (int i = 0; i < DECIMAL_U64_BYTES_MAX; i++, power *= 10) {
        check(power - 1);
        check(power);
        check(power + 1);
    }
    for (int bit = 0; bit < 64; bit++) {
        check((UINT64_C(1) << bit) - 1);
        check(UINT64_C(1) << bit);
    }
    check(UINT64_MAX);
}

Test(decimal, numbers_of_all_magnitudes)
{
    uint64_t state = 20240607;
    for (int i = 0; i < 200000; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        check(state >> (state & 63));
    }
}
