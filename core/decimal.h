/* Unsigned 64-bit numbers as decimal text, for the hot path: no locale, no format string, no NUL.
 * The other way is bytes_parse_u64(). */
#ifndef KOUAN_CORE_DECIMAL_H
#define KOUAN_CORE_DECIMAL_H

#include <stdint.h>

enum { DECIMAL_U64_BYTES_MAX = 20 };

/* How many digits `value` has: 1 .. DECIMAL_U64_BYTES_MAX. */
uint32_t decimal_digits_u64(uint64_t value);

/* Writes just the digits of `value` and returns how many they are. */
uint32_t decimal_write_u64(uint8_t *out, uint64_t value);

#endif
