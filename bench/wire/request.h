/* RESP commands as a client writes them, into memory that has room for them. */
#ifndef KOUAN_BENCH_REQUEST_H
#define KOUAN_BENCH_REQUEST_H

#include "core/bytes.h"

enum {
    REQUEST_HEAD_BYTES_MAX = 16,      /* `*<count>` or `$<size>` with CRLF */
    REQUEST_ARGUMENT_BYTES_ADDED = 18 /* around an argument */
};

/* Each returns how many bytes it wrote. */
size_t request_write_head(uint8_t *out, uint64_t argument_count);
size_t request_write_argument(uint8_t *out, struct bytes argument);

/* A whole command of words, separated in `words` by single spaces. `capacity` must do. */
size_t request_write_words(uint8_t *out, size_t capacity, const char *words);

#endif
