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

/* Two numbers by turns, the first of which is 0, as a text without digits has it. */
Test(decimal, a_text_is_that_of_the_number_it_was_set_to_last)
{
    static const uint64_t values[] = {0,          1764000000000, 0,       7, 7,
                                      UINT64_MAX, 1764000000000, 12345678};
    struct decimal_text text = {0};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char expected[32];
        int size = snprintf(expected, sizeof expected, "%" PRIu64, values[i]);
        uint8_t actual[DECIMAL_U64_BYTES_MAX + 1];
        memset(actual, '#', sizeof actual);
        decimal_text_set(&text, values[i]);
        cr_assert_eq(decimal_text_put(actual, &text), actual + size);
        cr_assert(memcmp(actual, expected, (size_t)size) == 0, "text of %s", expected);
        cr_assert_eq(actual[size], '#', "a byte past %s", expected);
    }
}
