/* SHA-256 (FIPS 180-4, by libcrypto): what names the files of a generation beside the log. */
#ifndef KOUAN_IO_SHA256_H
#define KOUAN_IO_SHA256_H

#include "core/bytes.h"

enum { SHA256_BYTES = 32, SHA256_TEXT_BYTES = 2 * SHA256_BYTES };

struct sha256 {
    uint8_t bytes[SHA256_BYTES];
};

struct sha256 sha256_of(struct bytes content);

/* Hexadecimal, lower case. */
struct sha256_text {
    char text[SHA256_TEXT_BYTES + 1];
};
struct sha256_text sha256_format(const uint8_t digest[SHA256_BYTES]);
bool sha256_parse(struct bytes text, struct sha256 *out_digest);

#endif
