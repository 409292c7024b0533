/* The ids in a server's replies, read in place. Ids of one millisecond come in runs, so the last
 * one's milliseconds are kept as they were written, and compared. */
#ifndef KOUAN_BENCH_RECEIPT_H
#define KOUAN_BENCH_RECEIPT_H

#include "bench/wire/reply.h"

enum { RECEIPT_MS_DIGITS = 13 }; /* from 2001 to 2286 */

struct receipt_reader {
    uint64_t ms_text[2]; /* its first and its last eight digits */
    uint64_t ms;
};

static inline uint64_t receipt_load(const uint8_t *at)
{
    uint64_t bytes;
    memcpy(&bytes, at, sizeof bytes);
    return bytes;
}

/* Eight digits at once: pairs, then fours, then all (little-endian, the first digit lowest). */
static inline bool receipt_read_eight(uint64_t text, uint64_t *out_number)
{
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    uint64_t digits = text - zeros;
    if (((digits + UINT64_C(0x7676767676767676)) | digits) & UINT64_C(0x8080808080808080))
        return false;
    digits = (digits * 10 + (digits >> 8)) & UINT64_C(0x00ff00ff00ff00ff);
    digits = (digits * 100 + (digits >> 16)) & UINT64_C(0x0000ffff0000ffff);
    *out_number = (digits * 10000 + (digits >> 32)) & UINT64_C(0xffffffff);
    return true;
}

/* Reads `$<size> <ms>-<seq>` with both line ends at `*at`, of a seq of up to eight digits. OK, and
 * `*at` moves behind it; INCOMPLETE; or INVALID if it is something else, which may be right. */
static inline enum status receipt_read(struct receipt_reader *reader, struct bytes input,
                                       size_t *at, struct record_id *out_id)
{
    enum { HEAD = 5, SEQ_AT = HEAD + RECEIPT_MS_DIGITS + 1, LEAST = SEQ_AT + 3, EIGHT = 8 };
    const uint8_t *text = input.data + *at;
    size_t left = input.size - *at;
    if (left < LEAST)
        return left > 0 && text[0] != '$' ? STATUS_INVALID : STATUS_INCOMPLETE;
    size_t size = (size_t)(text[1] - '0') * 10 + (size_t)(text[2] - '0');
    size_t seq_digits = size - RECEIPT_MS_DIGITS - 1;
    if (text[0] != '$' || text[3] != '\r' || seq_digits - 1 >= EIGHT || text[SEQ_AT - 1] != '-')
        return STATUS_INVALID;
    if (left < HEAD + size + 2)
        return STATUS_INCOMPLETE;
    uint64_t ms_text[2] = {receipt_load(text + HEAD),
                           receipt_load(text + HEAD + RECEIPT_MS_DIGITS - EIGHT)};
    if (ms_text[0] != reader->ms_text[0] || ms_text[1] != reader->ms_text[1]) {
        if (!bytes_parse_u64(bytes_make(text + HEAD, RECEIPT_MS_DIGITS), &reader->ms))
            return STATUS_INVALID;
        memcpy(reader->ms_text, ms_text, sizeof ms_text);
    }
    /* The bytes before the seq are taken for leading zeros. */
    unsigned before = (unsigned)(EIGHT - seq_digits) * 8;
    uint64_t seq, seq_text = receipt_load(text + HEAD + size - EIGHT);
    if (before > 0)
        seq_text = (seq_text >> before << before) |
                   (UINT64_C(0x3030303030303030) & ((UINT64_C(1) << before) - 1));
    if (text[HEAD + size] != '\r' || !receipt_read_eight(seq_text, &seq))
        return STATUS_INVALID;
    *out_id = (struct record_id){reader->ms, seq};
    *at += HEAD + size + 2;
    return STATUS_OK;
}

#endif
