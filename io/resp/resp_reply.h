/* Replies as a client reads them, RESP2 and RESP3, in place and strict: what redis-server and
 * Kouan send is accepted, what neither may send is refused. A codec without sockets, without
 * allocation, without recursion.
 *
 * First measure: resp_reply_measure() finds the size of the next whole reply, in bytes that may
 * come one at a time. Then walk: a cursor over the measured bytes yields its items in the order in
 * which they are written; an aggregate is followed by its children (a map by two for each pair).
 * Views point into the caller's bytes, which have BYTES_PADDING readable bytes behind them. */
#ifndef KOUAN_IO_RESP_REPLY_H
#define KOUAN_IO_RESP_REPLY_H

#include "core/bytes.h"
#include "core/status.h"

enum {
    RESP_REPLY_LINE_BYTES_MAX = 64 * 1024, /* of +, -, ( and , lines */
    RESP_REPLY_ITEMS_MAX = 1024 * 1024,    /* of one reply, nested ones counted */
    RESP_REPLY_BYTES_MAX = 512 * 1024 * 1024
};

enum resp_type {
    RESP_SIMPLE,
    RESP_ERROR,
    RESP_INTEGER,
    RESP_BULK,
    RESP_NULL, /* $-1, *-1 and _ */
    RESP_BOOLEAN,
    RESP_DOUBLE,
    RESP_BIG_NUMBER,
    RESP_BULK_ERROR,
    RESP_VERBATIM,
    RESP_ARRAY,
    RESP_MAP,
    RESP_SET,
    RESP_PUSH,
    RESP_ATTRIBUTE /* pairs of metadata; the item that it belongs to follows them */
};

struct resp_item {
    enum resp_type type;
    uint32_t count;    /* aggregates: children; maps and attributes: pairs */
    int64_t integer;   /* integers; booleans: 0 or 1 */
    struct bytes text; /* strings, errors, numbers as they are written; verbatim: without `txt:` */
};

/* Where an unfinished reply stands. Zeroed before each reply; OK leaves it zeroed for the next. */
struct resp_reply_parser {
    size_t offset;
    uint64_t items_left, items;
};

/* OK: the reply that begins `input` has `*out_size` bytes and may be walked. INCOMPLETE: it has at
 * least `*out_needed`, which is more than input.size; call again with the same start and more.
 * INVALID: not a reply, TOO_BIG: past a bound above; the connection is of no further use. */
MUST_CHECK enum status resp_reply_measure(struct resp_reply_parser *parser, struct bytes input,
                                          size_t *out_size, size_t *out_needed);

struct resp_cursor {
    struct bytes rest;
};

/* `reply` was measured, or is the rest of one that was: the cursor asserts that it is well formed.
 */
static inline struct resp_cursor resp_cursor_make(struct bytes reply)
{
    return (struct resp_cursor){reply};
}

/* The next item; false at the end. */
bool resp_cursor_next(struct resp_cursor *cursor, struct resp_item *out_item);

/* Steps over the children of `item`, which was yielded last, and theirs. */
void resp_cursor_leave(struct resp_cursor *cursor, const struct resp_item *item);

/* Children of an item, 0 for a scalar; an attribute's do not include the item that follows. */
uint64_t resp_item_children(const struct resp_item *item);

#endif
