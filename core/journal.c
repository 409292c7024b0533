#include "core/journal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

enum status journal_open(struct journal *journal, uint32_t block_bytes, uint32_t block_count,
                         uint8_t log_number)
{
    assert(block_bytes >= JOURNAL_BLOCK_BYTES_MIN && block_bytes <= JOURNAL_BLOCK_BYTES_MAX);
    assert(block_count >= JOURNAL_BLOCKS_MIN && block_bytes % RECORD_ALIGNMENT == 0);
    size_t size = (size_t)block_bytes * block_count;
    void *memory = mmap(NULL, size + BYTES_PADDING, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return STATUS_NO_MEMORY;
    struct journal_block *blocks = calloc(block_count, sizeof *blocks);
    if (blocks == NULL) {
        munmap(memory, size + BYTES_PADDING);
        return STATUS_NO_MEMORY;
    }
    *journal = (struct journal){
        .memory = memory,
        .blocks = blocks,
        .block_bytes = block_bytes,
        .block_count = block_count,
        .log_number = log_number,
    };
    return STATUS_OK;
}

void journal_close(struct journal *journal)
{
    if (journal->memory != NULL)
        munmap(journal->memory,
               (size_t)journal->block_bytes * journal->block_count + BYTES_PADDING);
    free(journal->blocks);
    *journal = (struct journal){0};
}

static struct journal_block *block_of(const struct journal *journal, uint64_t position)
{
    return &journal->blocks[position / journal->block_bytes % journal->block_count];
}

static uint64_t block_start(const struct journal *journal, uint64_t position)
{
    return position - position % journal->block_bytes;
}

uint32_t journal_free_blocks(const struct journal *journal)
{
    uint64_t start = block_start(journal, journal->end_position);
    bool begun = journal->end_position > start;
    uint64_t kept = (start - journal->oldest_position) / journal->block_bytes + (begun ? 1 : 0);
    return journal->block_count - (uint32_t)kept;
}

enum status journal_reserve(struct journal *journal, uint32_t size_bytes,
                            struct record **out_record, uint64_t *out_position)
{
    assert(size_bytes >= sizeof(struct record) && size_bytes % RECORD_ALIGNMENT == 0);
    if (size_bytes > journal->block_bytes)
        return STATUS_TOO_BIG;
    uint64_t position = journal->end_position;
    uint64_t offset = position % journal->block_bytes;
    if (offset != 0 && offset + size_bytes > journal->block_bytes)
        position += journal->block_bytes - offset; /* the rest of this block stays unused */
    if (position % journal->block_bytes == 0) {
        uint64_t kept = (position - journal->oldest_position) / journal->block_bytes;
        if (kept == journal->block_count)
            return STATUS_FULL;
        *block_of(journal, position) = (struct journal_block){.position = position};
    }
    journal->end_position = position;
    *out_record = journal_record(journal, position);
    *out_position = position;
    return STATUS_OK;
}

void journal_commit_record(struct journal *journal, const struct record *record)
{
    assert(record == journal_record(journal, journal->end_position));
    struct journal_block *block = block_of(journal, journal->end_position);
    block->used_bytes += record->head.size_bytes;
    block->record_count++;
    assert(block->used_bytes <= journal->block_bytes);
    journal->end_position += record->head.size_bytes;
    journal->record_count++;
}

struct record_id journal_next_id(struct journal *journal, uint64_t wall_ms)
{
    enum { LOG_NUMBER_BITS = 8 };
    if (wall_ms > journal->last_id.ms)
        journal->last_id = (struct record_id){wall_ms, journal->log_number};
    else
        journal->last_id.seq += UINT64_C(1) << LOG_NUMBER_BITS;
    return journal->last_id;
}

const struct journal_block *journal_oldest(const struct journal *journal)
{
    if (journal->oldest_position >= block_start(journal, journal->end_position))
        return NULL;
    return block_of(journal, journal->oldest_position);
}

void journal_recycle_oldest(struct journal *journal)
{
    assert(journal_oldest(journal) != NULL);
    journal->oldest_position += journal->block_bytes;
}
