/* Reading a log from its segments: verifies every block, tells a torn tail from damage, and hands
 * the records over in order. Knows no file: bytes come through `read`. For recovery, the tools and
 * the tests. One owner thread.
 *
 * A block is right if its checksum is, it lies at its own position, it names the checksum of the
 * block before it, and it is of no earlier incarnation. A segment goes on where the one before it
 * ends if its header names the last block's checksum; what lies between the two is then unused, or
 * of a use before. Where the log ceases to be right, everything behind is looked at: if a block
 * there says that the place was on stable storage (by its watermark), the log is damaged; if none
 * does, what is missing was still being written, and nobody was told of it. */
#ifndef KOUAN_CORE_JOURNAL_SCAN_H
#define KOUAN_CORE_JOURNAL_SCAN_H

#include "core/journal_format.h"

enum journal_scan_end {
    JOURNAL_CLEAN,  /* nothing follows the last block */
    JOURNAL_TORN,   /* what follows the last whole block was being written */
    JOURNAL_DAMAGED /* a block that was durable is not as it was written, or is missing */
};

struct journal_scan_source {
    /* Copies up to `capacity` bytes of a segment from `offset` on; gives how many there are, fewer
     * only at the end of the file, 0 also if there is none; -1: they cannot be read. Memory, offset
     * and capacity are whole pages. */
    int64_t (*read)(void *context, uint64_t segment, uint64_t offset, void *memory,
                    size_t capacity);
    void *context;
};

/* Either may be NULL. A status other than OK ends the scan. What they are given is theirs until
 * they return. */
struct journal_scan_handler {
    /* The header of a segment whose blocks follow. */
    enum status (*segment)(void *context, const struct segment_header *header);
    /* A verified block; its records follow by `record`. */
    enum status (*block)(void *context, const struct block_header *block);
    /* Each record is checked (core/fact.h) before it comes here. */
    enum status (*record)(void *context, const struct record_head *head, uint64_t position);
    void *context;
};

struct journal_scan_settings {
    struct digest_secret secret;
    uint32_t segment_bytes;
    uint16_t log_number;
    uint64_t first_segment, last_segment; /* numbers, both included */
    struct journal_scan_source source;
    struct journal_scan_handler handler;
};

enum { JOURNAL_SCAN_REASON_BYTES = 256 };

struct journal_scan_result {
    enum journal_scan_end end;
    uint64_t end_position; /* behind the last good block: the log is right up to here */
    uint64_t bad_position; /* TORN, DAMAGED: where it ceases to be right */
    uint64_t watermark;    /* the highest that was read, behind a bad place too */
    struct digest last_checksum;
    struct record_id last_id;
    uint64_t log_time_ms, incarnation;
    uint64_t blocks, records, bytes;        /* bytes: of the blocks, with their padding */
    char reason[JOURNAL_SCAN_REASON_BYTES]; /* TORN, DAMAGED, or a failure: for people */
};

/* From the first block of the first segment on. OK with a result, whatever its `end` is. Else, with
 * a reason: UNSUPPORTED: a segment of another version, secret, size or log; IO: bytes cannot be
 * read, at bad_position; NO_MEMORY; or the handler's status. */
MUST_CHECK enum status journal_scan(const struct journal_scan_settings *settings,
                                    struct journal_scan_result *out_result);

#endif
