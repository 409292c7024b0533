/* Base64 (RFC 4648, section 4) as messages hold it: with blanks and line ends anywhere, strict
 * otherwise. */
#ifndef KOUAN_ROUTES_BASE64_H
#define KOUAN_ROUTES_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decodes in place: never more comes out than went in. NULL, and how many bytes came out; or why
 * not, and where, and then what `text` holds is unspecified. */
const char *base64_decode(uint8_t *text, size_t size, size_t *out_size, size_t *out_bad);

bool base64_is_blank(uint8_t byte);

#endif
