/* Room in the log: what `sync: memory` recycles to have some, and what a disk must have written
 * first; segments and their checkpoints. Part of io/intake/append.h, cut out for its length. */
#include "io/intake/append.h"

#include "io/shard/shard.h"

/* ---- without a disk: the oldest block is recycled ---- */

/* Whoever still needs the record learns where it now lies. False if nobody needed it. */
static bool is_needed(struct shard *shard, const struct record *record)
{
    uint64_t index;
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++) {
        uint16_t destination = destinations[i] & (uint16_t)~RECORD_HELD;
        if (outlet_needs(&shard->outlets[destination], record->id, &index))
            return true;
    }
    return hold_needs(&shard->holds, record->id);
}

static void relocate(struct shard *shard, const struct record *record, uint64_t position)
{
    uint64_t index;
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++) {
        uint16_t destination = destinations[i] & (uint16_t)~RECORD_HELD;
        if (outlet_needs(&shard->outlets[destination], record->id, &index))
            outlet_relocate(&shard->outlets[destination], index, position);
    }
    hold_relocate(&shard->holds, record->id, position);
}

/* What destinations without groups keep goes when its block does. */
static void drop_retained(struct shard *shard, const struct record *record)
{
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++) {
        struct outlet *outlet = &shard->outlets[destinations[i] & (uint16_t)~RECORD_HELD];
        if (outlet->group_count == 0)
            outlet_drop_retained(outlet, record->id);
    }
}

static enum status copy_forward(struct shard *shard, const struct record *record)
{
    struct record_head *copy;
    uint64_t position;
    enum status status =
        journal_reserve(&shard->journal, record->head.size_bytes, &copy, &position);
    if (status != STATUS_OK)
        return status;
    memcpy(copy, record, record->head.size_bytes);
    copy->flags |= RECORD_COPIED;
    journal_commit_record(&shard->journal, copy);
    relocate(shard, record, position);
    shard->figures.copied_forward++;
    shard->figures.copied_forward_bytes += record->head.size_bytes;
    return STATUS_OK;
}

static enum status recycle_oldest(struct shard *shard)
{
    const struct journal_block *block = journal_oldest(&shard->journal);
    if (block == NULL || commit_oldest_position(&shard->commits) < journal_block_end(block))
        return STATUS_FULL;
    for (uint16_t i = 0; i < shard->generation->destination_count; i++) {
        outlet_trim(&shard->outlets[i]);
        outlet_squeeze(&shard->outlets[i]);
    }
    const uint64_t end = journal_records_end(block), next = journal_block_end(block);
    for (uint64_t p = journal_first_record(block); p < end;) {
        const struct record *record = journal_message(&shard->journal, p);
        if (is_needed(shard, record)) {
            enum status status = copy_forward(shard, record);
            if (status != STATUS_OK)
                return status; /* what was copied so far has moved; the block stays */
        }
        drop_retained(shard, record);
        p += record->head.size_bytes;
    }
    claims_forget_before(&shard->intake.claims, next);
    journal_keep_from(&shard->journal, next);
    return STATUS_OK;
}

/* The largest blocks that must find room at any time: two for the live records of the oldest block
 * while it is recycled, since what is copied may begin another block; one for the next record; and
 * one that the end of a segment may leave unused. */
enum { SPARE_BLOCKS = 4 };

static enum status recycle(struct shard *shard, uint32_t block_bytes)
{
    const struct journal *journal = &shard->journal;
    uint64_t tries_max = journal->end_block - journal->kept_block;
    if (block_bytes < journal->largest_block_bytes)
        block_bytes = journal->largest_block_bytes;
    for (uint64_t i = 0; i <= tries_max; i++) {
        if (journal_room_bytes(journal) >= SPARE_BLOCKS * (uint64_t)block_bytes)
            return STATUS_OK;
        enum status status = recycle_oldest(shard);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_FULL;
}

/* ---- with a disk: what is not durable yet stands in the way, or the last segment's end ---- */

uint64_t append_reserve_bytes(const struct journal *journal)
{
    return journal->settings.segment_bytes / 8;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

/* What it is to be short of so many bytes of memory: more than that is only had when groups are
 * less behind, and their checkpoint is smaller. */
static enum status is_short_of(const struct journal *journal, uint64_t bytes)
{
    return bytes > journal->capacity - journal->settings.segment_bytes ? STATUS_FULL
                                                                       : STATUS_INCOMPLETE;
}

/* Bytes of memory that are passed over and written where a record of `record_bytes` begins the
 * segment at `begin`: its checkpoint comes first. */
static uint64_t measure_entrance(const struct shard *shard, uint64_t begin, uint64_t record_bytes)
{
    return begin - shard->journal.end_position +
           2 * (facts_checkpoint_bytes_max(shard) + record_bytes) +
           SPARE_BLOCKS * (uint64_t)shard->journal.largest_block_bytes;
}

/* Room in memory and below the limit for records of so many bytes together, which may lie in
 * several blocks, and `spare_bytes` more below the limit. */
static enum status has_room(const struct shard *shard, uint64_t size_bytes, uint64_t spare_bytes)
{
    const struct journal *journal = &shard->journal;
    uint64_t segment_bytes = journal->settings.segment_bytes;
    uint64_t record_bytes = least(size_bytes, journal_record_bytes_max(journal));
    uint64_t block_bytes =
        most(journal->largest_block_bytes, journal_block_bytes_for((uint32_t)record_bytes));
    /* What is too much for any log to promise is written as far as it goes. */
    uint64_t memory_bytes =
        least(2 * size_bytes + SPARE_BLOCKS * block_bytes, journal->capacity / 2);
    uint64_t file_bytes = least(2 * size_bytes, segment_bytes / 2) + 2 * JOURNAL_PAGE_BYTES;
    uint64_t end = journal_round_up(journal->end_position, JOURNAL_PAGE_BYTES);
    uint64_t begin = journal_round_up(end, segment_bytes);
    if (end + file_bytes > begin) /* the next segment may begin with one of them */
        memory_bytes = most(memory_bytes, measure_entrance(shard, begin, record_bytes));
    if (journal_room_bytes(journal) < memory_bytes)
        return is_short_of(journal, memory_bytes);
    if (end + file_bytes + spare_bytes <= journal->limit_position)
        return STATUS_OK;
    return shard->log.segment_error != 0 ? STATUS_FULL : STATUS_INCOMPLETE;
}

enum status append_has_message_room(const struct shard *shard, uint64_t size_bytes)
{
    if (!shard->facts.are_kept)
        return STATUS_OK; /* each makes it by itself */
    enum status status = retention_has_message_room(shard);
    return status != STATUS_OK ? status
                               : has_room(shard, size_bytes, append_reserve_bytes(&shard->journal));
}

enum status append_has_fact_room(const struct shard *shard, uint64_t size_bytes)
{
    return shard->facts.are_kept ? has_room(shard, size_bytes, 0) : STATUS_OK;
}

/* A record that would be the first of its segment comes behind the segment's checkpoint. */
static enum status enter_segment(struct shard *shard, uint32_t size_bytes)
{
    struct journal *journal = &shard->journal;
    if (!shard->facts.are_kept || shard->facts.in_checkpoint ||
        !journal_would_begin_segment(journal, size_bytes))
        return STATUS_OK;
    uint64_t segment_bytes = journal->settings.segment_bytes;
    uint64_t begin = journal_round_up(journal->end_position, segment_bytes);
    if (begin + segment_bytes > journal->limit_position)
        return shard->log.segment_error != 0 ? STATUS_FULL : STATUS_INCOMPLETE;
    uint64_t memory_bytes = measure_entrance(shard, begin, size_bytes);
    if (journal_room_bytes(journal) < memory_bytes)
        return is_short_of(journal, memory_bytes);
    journal_begin_segment(journal);
    retention_note_end(&shard->retention, begin / segment_bytes, journal->last_id);
    facts_write_checkpoint(shard);
    return STATUS_OK;
}

/* ---- both ---- */

enum status append_make_room(struct shard *shard, uint32_t size_bytes)
{
    if (!shard->facts.are_kept)
        return recycle(shard, journal_block_bytes_for(size_bytes));
    return append_has_message_room(shard, size_bytes);
}

enum status append_reserve(struct shard *shard, uint32_t size_bytes, struct record_head **out_head,
                           uint64_t *out_position)
{
    enum status status = enter_segment(shard, size_bytes);
    if (status != STATUS_OK)
        return status;
    return journal_reserve(&shard->journal, size_bytes, out_head, out_position);
}

enum status append_fact(struct shard *shard, uint32_t size_bytes, struct record_head **out_head)
{
    uint64_t position;
    return append_reserve(shard, size_bytes, out_head, &position);
}

void append_fact_end(struct shard *shard, const struct record_head *head)
{
    journal_commit_record(&shard->journal, head);
    shard->facts.written++;
    shard_log_wake(shard);
}
