#include "core/decimal.h"

#include <string.h>

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

uint32_t decimal_write_u64(uint8_t *out, uint64_t value)
{
    uint32_t digits = decimal_digits_u64(value);
    uint8_t *end = out + digits;
    while (value >= 100) {
        end -= 2;
        memcpy(end, &pairs[value % 100 * 2], 2);
        value /= 100;
    }
    if (value >= 10)
        memcpy(out, &pairs[value * 2], 2);
    else
        *out = (uint8_t)('0' + value);
    return digits;
}
