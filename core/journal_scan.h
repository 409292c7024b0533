/* Reading a log from its segments: verifies every block, tells a torn tail from damage, and hands
 * the records over in order. Knows no file: bytes come through `read`. For recovery, the tools and
 * the tests. One owner thread. */
#ifndef KOUAN_CORE_JOURNAL_SCAN_H
#define KOUAN_CORE_JOURNAL_SCAN_H

#include "core/journal_format.h"

enum scan_end {
    SCAN_CLEAN,  /* the last block is whole, and zeros or older writing follow */
    SCAN_TORN,   /* what follows the last whole block was being written: nobody was told of it */
    SCAN_DAMAGED /* a block that was durable is not as it was written, or is missing */
};

struct scan_source {
    /* Copies up to `capacity` bytes of a segment from `offset` on; gives how many there are, fewer
     * only at the file's end; -1: they cannot be read. */
    int64_t (*read)(void *context, uint64_t segment, uint64_t offset, void *memory,
                    size_t capacity);
    void *context;
};

struct scan_handler {
    /* A verified block; its records follow by `record`. */
    enum status (*block)(void *context, const struct block_header *block);
    /* Each record is checked (core/fact.h) before it comes here. */
    enum status (*record)(void *context, const struct record_head *head, uint64_t position);
    void *context;
};

struct scan_settings {
    struct digest_secret secret;
    uint64_t segment_bytes;
    uint64_t first_segment,
        last_segment; /* numbers; those between may be missing only if damaged */
    struct scan_source source;
    struct scan_handler handler;
    bool whole_segments; /* look at what lies behind a bad block in all later segments, too */
};

struct scan_result {
    enum scan_end end;
    uint64_t end_position; /* behind the last good block: where the log goes on */
    uint64_t bad_position; /* TORN, DAMAGED: where it ceases to be right */
    uint64_t watermark;    /* the highest that was read */
    struct digest last_checksum;
    struct record_id last_id;
    uint64_t log_time_ms, incarnation;
    uint64_t blocks, records, bytes;
    char reason[160]; /* TORN, DAMAGED: what is wrong, for people */
};

/* From the first block of the first segment on. OK with a result, whatever its `end` is; else the
 * handler's status, IO, or NO_MEMORY. */
MUST_CHECK enum status journal_scan(const struct scan_settings *settings,
                                    struct scan_result *out_result);

#endif
