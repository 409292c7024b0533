#include "core/decimal.h"

#include <string.h>

enum { EIGHT_DIGITS = 100000000 };

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

static const char pairs[] = "00010203040506070809"
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

static void write_pair(uint8_t *out, uint32_t value)
{
    memcpy(out, &pairs[value * 2], 2);
}

/* Just eight digits, with zeros in front. */
static void write_eight(uint8_t *out, uint32_t value)
{
    uint32_t high = value / 10000, low = value % 10000;
    write_pair(out, high / 100);
    write_pair(out + 2, high % 100);
    write_pair(out + 4, low / 100);
    write_pair(out + 6, low % 100);
}

/* In groups of eight from the end: the divisions in a group are of 32 bits and do not wait for each
 * other. */
uint32_t decimal_write_u64(uint8_t *out, uint64_t value)
{
    uint32_t digits = decimal_digits_u64(value);
    uint8_t *end = out + digits;
    for (; value >= EIGHT_DIGITS; value /= EIGHT_DIGITS) {
        end -= 8;
        write_eight(end, (uint32_t)(value % EIGHT_DIGITS));
    }
    uint32_t rest = (uint32_t)value;
    for (; rest >= 100; rest /= 100) {
        end -= 2;
        write_pair(end, rest % 100);
    }
    if (rest >= 10)
        write_pair(out, rest);
    else
        *out = (uint8_t)('0' + rest);
    return digits;
}
