/* The log of one shard in memory: a ring of blocks as they lie on disk (core/journal_format.h),
 * reserved and touched at start. With a disk it holds what is being written, and keeps what was
 * written last until its room is needed; without one (`sync: memory`) it is the log.
 *
 *   reserve -> commit_record -> (more of them) -> seal -> [written] -> durable -> ... ->
 * overwritten
 *
 * A position is an absolute offset of the log; the byte at position p is at p % capacity in memory.
 * The capacity is a whole number of segments, and no block crosses a segment, so none crosses the
 * ring's end. The first page of each segment is its header's, and stays unused here; its last page
 * is only for an empty block, so that one always fits behind the last record (journal_seal).
 *
 * Opening a block takes the room of the oldest ones, down to `kept_position`, which the owner
 * moves: with a disk up to what is durable, without one past what it copied forward. What lies
 * below is in memory all the same until it is overwritten (journal_has). One owner thread. */
#ifndef KOUAN_CORE_JOURNAL_H
#define KOUAN_CORE_JOURNAL_H

#include "core/journal_format.h"
#include "core/region.h"

enum { JOURNAL_BLOCK_BYTES_MIN = 4096, JOURNAL_BLOCK_BYTES_MAX = 16 * 1024 * 1024 };

struct journal_settings {
    uint64_t memory_bytes;  /* rounded down to whole segments, at least two of them */
    uint32_t segment_bytes; /* whole pages, JOURNAL_SEGMENT_BYTES_MIN or more */
    uint32_t block_bytes;   /* whole pages; a block is sealed when the next record would make it
                               larger, at most a quarter of a segment */
    uint8_t log_number;
    bool in_memory; /* there is no disk: everything is durable at once, no block is checksummed */
    struct digest_secret secret;
    uint64_t incarnation;
    /* Where the log goes on: */
    uint64_t start_position; /* where a segment begins; 0 for a new log */
    struct digest last_checksum;
    struct record_id last_id;
};

/* A block in memory; its header lies at its position. */
struct journal_block {
    uint64_t position;
    uint32_t size_bytes; /* 0: not sealed yet */
    uint32_t used_bytes; /* with its header */
};

struct journal {
    struct journal_settings settings;
    struct region region;
    uint8_t *memory; /* in it */
    uint64_t capacity;
    uint64_t round_position; /* where the memory was begun anew for the last block; a multiple of
                                the capacity */
    struct journal_block *blocks; /* number & block_mask */
    uint64_t block_mask;
    uint64_t first_block, kept_block, end_block; /* numbers: in memory are [first, end), to keep are
                                                    [kept, end); the last may be open */
    uint64_t cached_position;                    /* all from here on is in memory */
    uint64_t kept_position;                      /* nothing from here on is overwritten */
    uint64_t end_position;        /* where the next record goes, if it fits the open block */
    uint64_t reach_position;      /* where the open block must end */
    bool is_open;                 /* the last block is: it has records, and is not sealed */
    uint64_t limit_position;      /* blocks lie below it: up to here there are segments */
    uint64_t durable_position;    /* all below is on stable storage */
    uint64_t log_time_ms;         /* goes into the blocks; see journal_set_time */
    uint32_t largest_block_bytes; /* so far; at least settings.block_bytes */
    struct digest last_checksum;  /* of the last sealed block */
    struct record_id last_id;
    uint64_t record_count; /* appended since the start */
};

/* NO_MEMORY if the memory is not to be had. */
MUST_CHECK enum status journal_open(struct journal *journal,
                                    const struct journal_settings *settings);
void journal_close(struct journal *journal);

/* ---- appending ---- */

/* The largest record that fits: its block is at most a quarter of a segment. */
uint32_t journal_record_bytes_max(const struct journal *journal);

/* Room for one record of `size_bytes`, aligned as records are, at `*out_position`. The record
 * counts only after journal_commit_record, which must follow at once. Seals the open block if the
 * record does not fit it. TOO_BIG: larger than journal_record_bytes_max FULL: bytes that are to be
 * kept stand in the way, or the limit does (journal_is_limited) */
MUST_CHECK enum status journal_reserve(struct journal *journal, uint32_t size_bytes,
                                       struct record_head **out_head, uint64_t *out_position);

/* Reads the head's size, and the destinations of the record, for the block's header. */
void journal_commit_record(struct journal *journal, const struct record_head *head);

/* Would a record of this size be the first of its segment? Then the checkpoint comes before it:
 * journal_begin_segment, the facts, and the record. */
bool journal_would_begin_segment(const struct journal *journal, uint32_t size_bytes);

/* Seals the open block; what is reserved next begins the next segment. Nothing, if it would
 * anyway. */
void journal_begin_segment(struct journal *journal);

/* Is the limit, rather than kept bytes, in the way of a record of this size? */
bool journal_is_limited(const struct journal *journal, uint32_t size_bytes);

/* Bytes for blocks before kept ones stand in the way, whatever the limit is. */
uint64_t journal_room_bytes(const struct journal *journal);

/* The next id: milliseconds that never run backwards, whatever `wall_ms` does. */
struct record_id journal_next_id(struct journal *journal, uint64_t wall_ms);
/* The next id will be above `id`. */
void journal_pass_id(struct journal *journal, struct record_id id);

/* ---- sealing and writing ---- */

/* The log's time, which never falls: blocks sealed from now on carry it. */
void journal_set_time(struct journal *journal, uint64_t log_time_ms);

/* Are there records in no sealed block yet? */
static inline bool journal_has_open_records(const struct journal *journal)
{
    return journal->is_open;
}

/* Seals the open block, or, with `even_if_empty` and no block open, an empty one behind the last.
 * True if it sealed one. No empty block is written where no block is before it in the segment. */
bool journal_seal(struct journal *journal, bool even_if_empty);

/* The sealed block with this number, NULL if it is not sealed yet: for who writes them in order,
 * beginning with 0. It must not be overwritten yet. */
const struct journal_block *journal_sealed_block(const struct journal *journal, uint64_t number);

/* All below `position` is on stable storage. */
void journal_set_durable(struct journal *journal, uint64_t position);

/* What lies below `position`, where a block begins or the log ends, may be overwritten. */
void journal_keep_from(struct journal *journal, uint64_t position);

/* Blocks may lie up to `position`, where a segment ends; it never falls. */
void journal_set_limit(struct journal *journal, uint64_t position);

/* The oldest block that is to be kept, NULL if it is still open or there is none. */
const struct journal_block *journal_oldest(const struct journal *journal);

/* ---- reading ---- */

/* Where a block ends, and where those after it begin, if they are of its segment. */
static inline uint64_t journal_block_end(const struct journal_block *block)
{
    return block->position + block->size_bytes;
}

/* Mostly of the last round or the one before, which takes no division. */
static inline uint8_t *journal_at(const struct journal *journal, uint64_t position)
{
    uint64_t offset = position - journal->round_position;
    if (offset >= journal->capacity)
        offset += journal->capacity;
    if (offset >= journal->capacity)
        offset = position % journal->capacity;
    return journal->memory + offset;
}

static inline bool journal_has(const struct journal *journal, uint64_t position)
{
    return position >= journal->cached_position && position < journal->end_position;
}

static inline struct record_head *journal_record(const struct journal *journal, uint64_t position)
{
    return (struct record_head *)(void *)journal_at(journal, position);
}

/* Where it is known that the record is a message. */
static inline const struct record *journal_message(const struct journal *journal, uint64_t position)
{
    return (const struct record *)(void *)journal_at(journal, position);
}

static inline struct block_header *journal_block_header(const struct journal *journal,
                                                        const struct journal_block *block)
{
    return (struct block_header *)(void *)journal_at(journal, block->position);
}

/* The positions of a block's records: from the first, each behind the one before, below the end.
 *   for (p = journal_first_record(b); p < journal_records_end(b); p += journal_record(j, p)->size)
 */
static inline uint64_t journal_first_record(const struct journal_block *block)
{
    return block->position + sizeof(struct block_header);
}

static inline uint64_t journal_records_end(const struct journal_block *block)
{
    return block->position + block->used_bytes;
}

#endif
