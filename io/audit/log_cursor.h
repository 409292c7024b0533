/* Finds blocks in a journal folder: the next page, from a position on, at which a block begins that
 * is as it was written. It knows nothing of chains and ends; io/audit/log_walk.h does. */
#ifndef KOUAN_IO_LOG_CURSOR_H
#define KOUAN_IO_LOG_CURSOR_H

#include "io/audit/log_reader.h"

struct log_cursor {
    const struct log_reader *reader;
    uint64_t position; /* where it looks next */
    uint64_t incarnation_min;
    int file; /* of segment `file_number`; -1: none is open */
    uint64_t file_number;
    uint8_t *memory; /* the bytes of that segment at [window, window + window_bytes) */
    uint64_t window, window_bytes, capacity;
};

MUST_CHECK enum status log_cursor_open(const struct log_reader *reader, uint64_t position,
                                       struct log_cursor *out_cursor);
void log_cursor_close(struct log_cursor *cursor);

/* The next block that stands; NULL: there is none. It is valid until the next call, and the
 * position is then behind it. */
const struct block_header *log_cursor_next(struct log_cursor *cursor);

/* Looks anew from `position` on, and reads anew what it had read. */
void log_cursor_move(struct log_cursor *cursor, uint64_t position);

/* The segment to begin at to meet the record of `id` and all behind it: ids rise along the log, but
 * for what was copied forward. There is a segment. */
uint64_t log_cursor_find_segment(const struct log_reader *reader, struct record_id id);

/* What stands at a position where no block does, in words; true if it looks like one that was being
 * written, or was written and changed since. */
bool log_cursor_describe(struct log_cursor *cursor, uint64_t position, char *out_text,
                         size_t capacity);

#endif
