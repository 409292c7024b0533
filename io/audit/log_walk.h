/* The blocks of a journal folder that are as they were written, in order, past whatever damage lies
 * between: for the tools, which want to know of every place, where recovery (core/journal_scan.h)
 * ends at the first.
 *
 * The chain decides. A block is the next one if its checksum and its position are right and it
 * names the checksum of the last; what lies between two blocks that do not is a gap. A gap that no
 * later block's watermark covers was never durable: it is torn, the log ends there, and what
 * follows was told to nobody. While a server writes on, the walk ends with what is there, and
 * segments that retention takes meanwhile are passed over. */
#ifndef KOUAN_IO_LOG_WALK_H
#define KOUAN_IO_LOG_WALK_H

#include "io/audit/log_reader.h"

enum { LOG_REASON_BYTES = 160 };

/* A place that is not as it was written: [from, to); empty where two blocks that meet do not belong
 * together. */
struct log_gap {
    uint64_t from, to;
    struct record_id after, before; /* ids between these two, both left out, may be lost */
    bool loses_blocks; /* false: a segment's header, or one record in a block that is right */
    char reason[LOG_REASON_BYTES];
};

/* Any may be NULL. Those that give a status end the walk with it unless OK. */
struct log_handler {
    enum status (*block)(void *context, const struct block_header *block);
    /* Each is checked (core/fact.h); `block` is the one it stands in. */
    enum status (*record)(void *context, const struct record_head *head, uint64_t position,
                          const struct block_header *block);
    enum status (*gap)(void *context, const struct log_gap *gap);
    void *context;
};

struct log_walk {
    uint64_t blocks, records, bytes; /* bytes: of blocks, padding included */
    uint64_t start_position, end_position;
    uint64_t watermark;
    uint64_t first_time_ms, last_time_ms; /* of the log's clock */
    uint64_t incarnation;
    struct record_id last_id;
    struct digest last_checksum;
    uint64_t gaps;       /* that lose blocks */
    uint64_t bad_places; /* those, and the others */
    bool is_torn;        /* bytes behind the end were being written */
    char torn_reason[LOG_REASON_BYTES];
};

/* From the first block of segment `from_number`, or of the first one there is behind it. OK with
 * what was found, whatever that is; a handler's status; NO_MEMORY. */
MUST_CHECK enum status log_walk(const struct log_reader *reader, uint64_t from_number,
                                const struct log_handler *handler, struct log_walk *out_walk);

#endif
