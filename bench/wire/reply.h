/* RESP2 replies as a client reads them: one item at a time, in place, from bytes that may end
 * anywhere. */
#ifndef KOUAN_BENCH_REPLY_H
#define KOUAN_BENCH_REPLY_H

#include "core/bytes.h"
#include "core/status.h"

enum reply_kind {
    REPLY_SIMPLE,
    REPLY_ERROR,
    REPLY_INTEGER,
    REPLY_BULK,
    REPLY_ARRAY, /* the head only; its items follow */
    REPLY_NULL   /* of a bulk string or an array */
};

struct reply {
    enum reply_kind kind;
    struct bytes text; /* SIMPLE, ERROR, BULK: a view of the input */
    int64_t integer;   /* INTEGER; ARRAY: how many items */
};

/* Reads the item at `*at` and moves `*at` past it. INCOMPLETE if it does not end in the input,
 * INVALID if it is not RESP2; `*at` then stays. */
MUST_CHECK enum status reply_read(struct bytes input, size_t *at, struct reply *out_reply);

/* A record's id, `<ms>-<seq>`. */
struct record_id {
    uint64_t ms, seq;
};

static inline bool record_id_is_below(struct record_id a, struct record_id b)
{
    return a.ms < b.ms || (a.ms == b.ms && a.seq < b.seq);
}

static inline bool record_id_is_equal(struct record_id a, struct record_id b)
{
    return a.ms == b.ms && a.seq == b.seq;
}

bool record_id_parse(struct bytes text, struct record_id *out_id);

#endif
