#include "core/decimal.h"

#include <string.h>

enum { FOUR_DIGITS = 10000, EIGHT_DIGITS = 100000000 };

/* Powers of ten, but 0 in place of 1, so that the value 0 counts as one digit. */
static const uint64_t least_with_digits[DECIMAL_U64_BYTES_MAX + 1] = {
    0,
    0,
    10U,
    100U,
    1000U,
    10000U,
    100000U,
    1000000U,
    10000000U,
    100000000U,
    1000000000U,
    10000000000U,
    100000000000U,
    1000000000000U,
    10000000000000U,
    100000000000000U,
    1000000000000000U,
    10000000000000000U,
    100000000000000000U,
    1000000000000000000U,
    10000000000000000000U,
};

const char decimal_pairs[200] = "00010203040506070809"
                                "10111213141516171819"
                                "20212223242526272829"
                                "30313233343536373839"
                                "40414243444546474849"
                                "50515253545556575859"
                                "60616263646566676869"
                                "70717273747576777879"
                                "80818283848586878889"
                                "90919293949596979899";

/* The number of bits bounds the digits from above: 1233 / 4096 is just over log10(2). The estimate
 * is right or one too many (Warren, Hacker's Delight, "Integer Log Base 10"). */
uint32_t decimal_digits_u64(uint64_t value)
{
    uint32_t bits = 64U - (uint32_t)__builtin_clzll(value | 1);
    uint32_t digits = (bits * 1233U >> 12) + 1;
    return digits - (value < least_with_digits[digits]);
}

static uint8_t *write_pair(uint8_t *out, uint32_t value)
{
    memcpy(out, &decimal_pairs[value * 2], 2);
    return out + 2;
}

/* Just four digits, with zeros in front. */
static uint8_t *write_four(uint8_t *out, uint32_t value)
{
    return write_pair(write_pair(out, value / 100), value % 100);
}

/* Below 100, without zeros in front. */
static uint8_t *write_two_at_most(uint8_t *out, uint32_t value)
{
    if (value >= 10)
        return write_pair(out, value);
    *out = (uint8_t)('0' + value);
    return out + 1;
}

static uint8_t *write_four_at_most(uint8_t *out, uint32_t value)
{
    if (value < 100)
        return write_two_at_most(out, value);
    return write_pair(write_two_at_most(out, value / 100), value % 100);
}

static uint8_t *write_eight_at_most(uint8_t *out, uint32_t value)
{
    if (value < FOUR_DIGITS)
        return write_four_at_most(out, value);
    return write_four(write_four_at_most(out, value / FOUR_DIGITS), value % FOUR_DIGITS);
}

static uint8_t *write_eight(uint8_t *out, uint32_t value)
{
    return write_four(write_four(out, value / FOUR_DIGITS), value % FOUR_DIGITS);
}

/* In groups of eight: the divisions in a group are of 32 bits and do not wait for each other. */
uint32_t decimal_write_u64(uint8_t *out, uint64_t value)
{
    uint8_t *end;
    if (value < EIGHT_DIGITS)
        return (uint32_t)(write_eight_at_most(out, (uint32_t)value) - out);
    uint64_t high = value / EIGHT_DIGITS;
    if (high < EIGHT_DIGITS)
        end = write_eight_at_most(out, (uint32_t)high);
    else
        end = write_eight(write_four_at_most(out, (uint32_t)(high / EIGHT_DIGITS)),
                          (uint32_t)(high % EIGHT_DIGITS));
    return (uint32_t)(write_eight(end, (uint32_t)(value % EIGHT_DIGITS)) - out);
}
