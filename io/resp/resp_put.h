/* Pieces of a reply, for who has measured it and has the room: no bound is looked at. Each returns
 * the place behind what it wrote. Most of what a reply is made of is short, and copied without a
 * call. */
#ifndef KOUAN_IO_RESP_PUT_H
#define KOUAN_IO_RESP_PUT_H

#include "core/bytes.h"
#include "core/decimal.h"

/* With two words that overlap. */
#define RESP_PUT_TWO(word)                                                                         \
    do {                                                                                           \
        word first_, last_;                                                                        \
        memcpy(&first_, data, sizeof first_);                                                      \
        memcpy(&last_, data + size - sizeof last_, sizeof last_);                                  \
        memcpy(out, &first_, sizeof first_);                                                       \
        memcpy(out + size - sizeof last_, &last_, sizeof last_);                                   \
    } while (0)

struct resp_put_16 {
    uint8_t bytes[16];
};
struct resp_put_32 {
    uint8_t bytes[32];
};

static inline uint8_t *resp_put(uint8_t *out, const uint8_t *data, size_t size)
{
    if (size > 64)
        memcpy(out, data, size);
    else if (size > 32)
        RESP_PUT_TWO(struct resp_put_32);
    else if (size >= 16)
        RESP_PUT_TWO(struct resp_put_16);
    else if (size >= 8)
        RESP_PUT_TWO(uint64_t);
    else if (size >= 4)
        RESP_PUT_TWO(uint32_t);
    else
        for (size_t i = 0; i < size; i++)
            out[i] = data[i];
    return out + size;
}

#undef RESP_PUT_TWO

static inline uint8_t *resp_put_end(uint8_t *out)
{
    memcpy(out, "\r\n", 2);
    return out + 2;
}

/* Most heads have one or two digits. */
static inline size_t resp_head_bytes(uint64_t value)
{
    return 1 + (value < 10 ? 1 : value < 100 ? 2 : decimal_digits_u64(value)) + 2;
}

/* `$256` and CRLF. */
static inline uint8_t *resp_put_head(uint8_t *out, char mark, uint64_t value)
{
    *out++ = (uint8_t)mark;
    if (value >= 100)
        return resp_put_end(out + decimal_write_u64(out, value));
    if (value >= 10) {
        memcpy(out, &decimal_pairs[value * 2], 2);
        return resp_put_end(out + 2);
    }
    *out = (uint8_t)('0' + value);
    return resp_put_end(out + 1);
}

static inline size_t resp_bulk_bytes(size_t size)
{
    return resp_head_bytes(size) + size + 2;
}

static inline uint8_t *resp_put_bulk(uint8_t *out, struct bytes bytes)
{
    out = resp_put_head(out, '$', bytes.size);
    return resp_put_end(resp_put(out, bytes.data, bytes.size));
}

/* `<ms>-<seq>` is so long. */
static inline size_t resp_id_bytes(const struct decimal_text *ms, uint64_t seq)
{
    return ms->size + 1 + decimal_digits_u64(seq);
}

/* An id as a bulk string, of resp_id_bytes. */
static inline uint8_t *resp_put_id(uint8_t *out, size_t id_bytes, const struct decimal_text *ms,
                                   uint64_t seq)
{
    out = resp_put_head(out, '$', id_bytes);
    out = decimal_text_put(out, ms);
    *out++ = '-';
    return resp_put_end(out + decimal_write_u64(out, seq));
}

#endif
