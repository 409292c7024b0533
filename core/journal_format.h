/* The journal on disk: segments, blocks, and the head that all records share. docs/journal.md has
 * it byte by byte. All numbers are little-endian; every struct here is written as it lies in
 * memory.
 *
 * A log is one sequence of bytes, addressed by position: an absolute offset that only grows. It is
 * cut into segments of equal size, each a file. A segment begins with one page for its header;
 * blocks follow, page after page. A block is what one write makes durable: a header and whole
 * records, padded with zeros to a page. No record crosses a block, no block a segment; a block is
 * as large as what it holds, so a record larger than the usual block has a block of its own. Where
 * a block no longer fits its segment, the rest of the segment stays unused.
 *
 * A block's checksum covers all of its used bytes but the checksum itself, and names the checksum
 * of the block before it: the log is a chain. Its watermark says up to where the log was on stable
 * storage when the block was sealed: damage below a watermark that was read is damage; above all of
 * them it is a torn tail. */
#ifndef KOUAN_CORE_JOURNAL_FORMAT_H
#define KOUAN_CORE_JOURNAL_FORMAT_H

#include <assert.h>

#include "core/digest.h"
#include "core/record.h"
#include "core/status.h"

#define JOURNAL_SEGMENT_MAGIC UINT64_C(0x31474553554f4b00) /* "\0KOUSEG1" */
#define JOURNAL_BLOCK_MAGIC   UINT32_C(0x4b4c424b)         /* "KBLK" */

enum {
    JOURNAL_VERSION = 1,
    JOURNAL_PAGE_BYTES = 4096, /* the unit of alignment, of memory and of the disk */
    JOURNAL_SEGMENT_BYTES_MIN = 64 * 1024,
    JOURNAL_LOGS_MAX = 256
};

/* The first page of a segment; the rest of the page is zero. */
struct segment_header {
    struct digest checksum; /* keyed with `secret`, of all that follows, to the end of the struct */
    uint64_t magic;
    uint32_t version;
    uint32_t segment_bytes;
    uint64_t number;      /* it holds the positions [number * segment_bytes, + segment_bytes) */
    uint64_t incarnation; /* of the server that began it: counts its starts */
    uint64_t log_time_ms; /* when it was begun */
    uint64_t wall_ms;
    struct digest previous; /* the checksum of the last block before it, which its first block
                               names, too; 0 at the first of a log */
    uint16_t log_number, log_count;
    uint32_t reserved;
    struct digest_secret secret; /* of the installation */
};
static_assert(sizeof(struct segment_header) == 88 + DIGEST_SECRET_BYTES, "no padding");

struct block_header {
    struct digest checksum; /* of the used bytes behind it: [16, used_bytes) */
    uint32_t magic;
    uint16_t log_number;
    uint16_t flags; /* 0 so far */
    uint64_t position;
    uint32_t size_bytes; /* with the padding: a multiple of JOURNAL_PAGE_BYTES */
    uint32_t used_bytes; /* with this header */
    uint32_t record_count;
    uint32_t destinations; /* bit (destination % 32) of every record that names one: a filter */
    uint64_t incarnation;
    uint64_t log_time_ms;     /* a clock that only the running server moves: what ages ages by it */
    uint64_t watermark;       /* all below this position was durable */
    struct record_id last_id; /* the greatest id in the log up to and with this block */
    struct digest previous;   /* the checksum of the block before it */
};
static_assert(sizeof(struct block_header) == 104, "no padding, and what follows stays aligned");

static inline uint64_t journal_round_up(uint64_t bytes, uint64_t to)
{
    return (bytes + to - 1) / to * to;
}

/* What the padded block of one record of `record_bytes` takes. */
static inline uint32_t journal_block_bytes_for(uint32_t record_bytes)
{
    return (uint32_t)journal_round_up(sizeof(struct block_header) + record_bytes,
                                      JOURNAL_PAGE_BYTES);
}

/* Fills in the checksum of a header whose other fields are set. */
void segment_header_seal(struct segment_header *header);
/* OK; CORRUPT: the checksum or the magic is wrong; UNSUPPORTED: another version, by a header that
 * is else as it was written. */
MUST_CHECK enum status segment_header_check(const struct segment_header *header);

/* Fills in the checksum of a block whose header and records are in place. */
void block_seal(const struct digest_secret *secret, struct block_header *block);

/* Looks at `available_bytes` that may be the block at `position`: INCOMPLETE if they end before its
 * used bytes do, CORRUPT if it is none (or of another position), OK if its checksum is right. */
MUST_CHECK enum status block_check(const struct digest_secret *secret,
                                   const struct block_header *block, size_t available_bytes,
                                   uint64_t position);

#endif
