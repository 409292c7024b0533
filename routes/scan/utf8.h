/* UTF-8 beyond the plain check of core/bytes.h. */
#ifndef KOUAN_ROUTES_UTF8_H
#define KOUAN_ROUTES_UTF8_H

#include "core/bytes.h"

/* Writes a code point (at most 0x10FFFF, no surrogate); returns the number of bytes. */
size_t utf8_encode(uint32_t code_point, uint8_t out[4]);

/* The first byte of the first ill-formed sequence; NULL if the text is well-formed. */
const uint8_t *utf8_find_bad(struct bytes text);

/* Past well-formed characters of three bytes, as those of Chinese are. */
const uint8_t *utf8_pass_three_byte_characters(const uint8_t *at, const uint8_t *end);

#endif
