/* The log of one shard, held in memory: a ring of blocks, reserved and touched at start.
 *
 * A position is an absolute offset that only grows; records lie one after the other within a block
 * and never straddle two. The oldest block is recycled only when the next append needs its room;
 * its owner first copies forward what somebody still needs (journal_oldest, journal_next_record)
 * and forgets the rest. One owner thread. */
#ifndef KOUAN_CORE_JOURNAL_H
#define KOUAN_CORE_JOURNAL_H

#include "core/record.h"

enum {
    JOURNAL_BLOCK_BYTES_MIN = 64 * 1024,
    JOURNAL_BLOCK_BYTES_MAX = 64 * 1024 * 1024,
    JOURNAL_BLOCKS_MIN = 8
};

struct journal_block {
    uint64_t position; /* of its first byte */
    uint32_t used_bytes, record_count;
};

struct journal {
    uint8_t *memory;
    struct journal_block
        *blocks; /* block_count of them, by (position / block_bytes) % block_count */
    uint32_t block_bytes, block_count;
    uint64_t oldest_position; /* of the oldest block that is kept */
    uint64_t end_position;    /* where the next record goes, if it fits its block */
    uint64_t record_count;    /* appended, ever */
    uint8_t log_number;
    struct record_id last_id;
};

MUST_CHECK enum status journal_open(struct journal *journal, uint32_t block_bytes,
                                    uint32_t block_count, uint8_t log_number);
void journal_close(struct journal *journal);

/* The largest record that fits. */
static inline uint32_t journal_record_bytes_max(const struct journal *journal)
{
    return journal->block_bytes;
}

/* Room for one record of `size_bytes` (as record_size says). FULL: the oldest block must be
 * recycled first. The record counts only after journal_commit_record, which must follow at once. */
MUST_CHECK enum status journal_reserve(struct journal *journal, uint32_t size_bytes,
                                       struct record **out_record, uint64_t *out_position);
void journal_commit_record(struct journal *journal, const struct record *record);

/* The next id: milliseconds that never run backwards, whatever `wall_ms` does. */
struct record_id journal_next_id(struct journal *journal, uint64_t wall_ms);

static inline struct record *journal_record(const struct journal *journal, uint64_t position)
{
    uint64_t capacity = (uint64_t)journal->block_bytes * journal->block_count;
    return (struct record *)(void *)(journal->memory + position % capacity);
}

static inline bool journal_has(const struct journal *journal, uint64_t position)
{
    return position >= journal->oldest_position && position < journal->end_position;
}

/* Blocks that can still be filled before one must be recycled. */
uint32_t journal_free_blocks(const struct journal *journal);

/* The oldest kept block, NULL if only the one being written is left. Walk its records with
 *   for (p = block->position; p < block->position + block->used_bytes; p +=
 * record->head.size_bytes) */
const struct journal_block *journal_oldest(const struct journal *journal);

/* Gives the oldest block's room back. Everything that pointed into it must be gone. */
void journal_recycle_oldest(struct journal *journal);

#endif
