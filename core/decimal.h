/* Unsigned 64-bit numbers as decimal text, for the hot path: no locale, no format string, no NUL.
 * The other way is bytes_parse_u64(). */
#ifndef KOUAN_CORE_DECIMAL_H
#define KOUAN_CORE_DECIMAL_H

#include <stdint.h>
#include <string.h>

enum { DECIMAL_U64_BYTES_MAX = 20 };

/* How many digits `value` has: 1 .. DECIMAL_U64_BYTES_MAX. */
uint32_t decimal_digits_u64(uint64_t value);

/* Writes just the digits of `value` and returns how many they are. */
uint32_t decimal_write_u64(uint8_t *out, uint64_t value);

/* 00 01 ... 99, for who writes two digits without a call. */
extern const char decimal_pairs[200];

/* The digits of a number that stays the same for a while. Zeroed: none yet. */
struct decimal_text {
    uint64_t value;
    uint32_t size;
    uint8_t digits[DECIMAL_U64_BYTES_MAX];
};

static inline void decimal_text_set(struct decimal_text *text, uint64_t value)
{
    if (text->value == value && text->size != 0)
        return;
    text->value = value;
    text->size = decimal_write_u64(text->digits, value);
}

/* Returns the place behind them. Those of a time in milliseconds are 13, and copied without a call.
 */
static inline uint8_t *decimal_text_put(uint8_t *out, const struct decimal_text *text)
{
    uint32_t size = text->size;
    if (size >= 8 && size <= 16) {
        uint64_t first, last;
        memcpy(&first, text->digits, sizeof first);
        memcpy(&last, text->digits + size - sizeof last, sizeof last);
        memcpy(out, &first, sizeof first);
        memcpy(out + size - sizeof last, &last, sizeof last);
    } else {
        memcpy(out, text->digits, size);
    }
    return out + size;
}

#endif
