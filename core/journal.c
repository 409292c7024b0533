#include "core/journal.h"

#include <stdlib.h>

#include "core/fact.h"

static void check_settings(const struct journal_settings *settings)
{
    assert(settings->segment_bytes >= JOURNAL_SEGMENT_BYTES_MIN);
    assert(settings->segment_bytes % JOURNAL_PAGE_BYTES == 0);
    assert(settings->memory_bytes / settings->segment_bytes >= 2);
    assert(settings->block_bytes >= JOURNAL_BLOCK_BYTES_MIN);
    assert(settings->block_bytes <= JOURNAL_BLOCK_BYTES_MAX);
    assert(settings->block_bytes <= settings->segment_bytes / 4);
    assert(settings->block_bytes % JOURNAL_PAGE_BYTES == 0);
    assert(settings->start_position % settings->segment_bytes == 0);
}

enum status journal_open(struct journal *journal, const struct journal_settings *settings)
{
    check_settings(settings);
    uint64_t capacity = settings->memory_bytes / settings->segment_bytes * settings->segment_bytes;
    uint64_t places = 1;
    while (places < capacity / JOURNAL_PAGE_BYTES)
        places *= 2;
    struct region region;
    if (region_open(capacity + BYTES_PADDING, &region) != STATUS_OK)
        return STATUS_NO_MEMORY;
    struct journal_block *blocks = calloc(places, sizeof *blocks);
    if (blocks == NULL) {
        region_close(&region);
        return STATUS_NO_MEMORY;
    }
    uint64_t start = settings->start_position;
    *journal = (struct journal){
        .settings = *settings,
        .region = region,
        .memory = region.memory,
        .capacity = capacity,
        .blocks = blocks,
        .block_mask = places - 1,
        .cached_position = start,
        .kept_position = start,
        .end_position = start,
        .reach_position = start,
        .limit_position = settings->in_memory ? UINT64_MAX : start,
        .durable_position = start,
        .largest_block_bytes = settings->block_bytes,
        .last_checksum = settings->last_checksum,
        .last_id = settings->last_id,
    };
    return STATUS_OK;
}

void journal_close(struct journal *journal)
{
    if (journal->memory != NULL)
        region_close(&journal->region);
    free(journal->blocks);
    *journal = (struct journal){0};
}

/* ---- appending ---- */

uint32_t journal_record_bytes_max(const struct journal *journal)
{
    return journal->settings.segment_bytes / 4 - (uint32_t)sizeof(struct block_header);
}

static bool fits_open_block(const struct journal *journal, uint32_t size_bytes)
{
    return journal->is_open && journal->end_position + size_bytes <= journal->reach_position;
}

static uint64_t segment_end(const struct journal *journal, uint64_t position)
{
    return (position / journal->settings.segment_bytes + 1) * journal->settings.segment_bytes;
}

/* Where a block that begins with a record of this size would begin. */
static uint64_t next_block_position(const struct journal *journal, uint32_t size_bytes)
{
    uint64_t position = journal_round_up(journal->end_position, JOURNAL_PAGE_BYTES);
    if (position % journal->settings.segment_bytes == 0)
        return position + JOURNAL_PAGE_BYTES;
    uint64_t end = segment_end(journal, position);
    if (position + journal_block_bytes_for(size_bytes) <= end - JOURNAL_PAGE_BYTES)
        return position;
    return end + JOURNAL_PAGE_BYTES;
}

static uint64_t least(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

/* Takes the room of the blocks that it may overwrite. */
static void open_block(struct journal *journal, uint64_t position, uint64_t reach)
{
    uint64_t overwritten_to = reach > journal->capacity ? reach - journal->capacity : 0;
    assert(overwritten_to <= journal->kept_position);
    while (journal->first_block < journal->end_block &&
           journal->blocks[journal->first_block & journal->block_mask].position < overwritten_to)
        journal->first_block++;
    if (journal->cached_position < overwritten_to)
        journal->cached_position =
            journal->first_block < journal->end_block
                ? journal->blocks[journal->first_block & journal->block_mask].position
                : position;
    journal->round_position = position - position % journal->capacity;
    assert(journal->end_block - journal->first_block <= journal->block_mask);
    journal->blocks[journal->end_block++ & journal->block_mask] =
        (struct journal_block){.position = position, .used_bytes = sizeof(struct block_header)};
    struct block_header *header = (struct block_header *)(void *)journal_at(journal, position);
    *header = (struct block_header){.position = position};
    journal->end_position = position + sizeof *header;
    journal->reach_position = reach;
    journal->is_open = true;
}

enum status journal_reserve(struct journal *journal, uint32_t size_bytes,
                            struct record_head **out_head, uint64_t *out_position)
{
    assert(size_bytes >= sizeof(struct record_head) && size_bytes % RECORD_ALIGNMENT == 0);
    if (!fits_open_block(journal, size_bytes)) {
        if (size_bytes > journal_record_bytes_max(journal))
            return STATUS_TOO_BIG;
        uint32_t block_bytes = journal_block_bytes_for(size_bytes);
        uint64_t position = next_block_position(journal, size_bytes);
        uint64_t bound = least(journal->kept_position + journal->capacity, journal->limit_position);
        bound = least(bound, segment_end(journal, position) - JOURNAL_PAGE_BYTES);
        if (position + block_bytes > bound)
            return STATUS_FULL;
        journal_seal(journal, false);
        if (block_bytes > journal->largest_block_bytes)
            journal->largest_block_bytes = block_bytes;
        else
            block_bytes = journal->settings.block_bytes > block_bytes
                              ? journal->settings.block_bytes
                              : block_bytes;
        open_block(journal, position, least(position + block_bytes, bound));
    }
    struct record_head *head = journal_record(journal, journal->end_position);
    /* What a record may leave of its last bytes is padding, and the same whenever it is written. */
    memset((uint8_t *)head + size_bytes - RECORD_ALIGNMENT, 0, RECORD_ALIGNMENT);
    *out_head = head;
    *out_position = journal->end_position;
    return STATUS_OK;
}

static uint32_t destination_bit(uint16_t destination)
{
    return UINT32_C(1) << (destination % 32);
}

/* For the block's filter. */
static uint32_t destination_bits(const struct record_head *head)
{
    const void *whole = head;
    uint32_t bits = 0;
    switch ((enum record_kind)head->kind) {
    case RECORD_KIND_MESSAGE: {
        const struct record *record = whole;
        const uint16_t *destinations = record_destinations(record);
        for (uint16_t i = 0; i < record->destination_count; i++)
            bits |= destination_bit(destinations[i] & (uint16_t)~RECORD_HELD);
        return bits;
    }
    case RECORD_KIND_GROUP: return destination_bit(((const struct fact_group *)whole)->destination);
    case RECORD_KIND_SETTLED:
        return destination_bit(((const struct fact_settled *)whole)->destination);
    case RECORD_KIND_HOLD_END:
        return destination_bit(((const struct fact_hold_end *)whole)->destination);
    case RECORD_KIND_OUTLET:
        return destination_bit(((const struct fact_outlet *)whole)->destination);
    case RECORD_KIND_GENERATION:
    case RECORD_KIND_INTAKE:
    case RECORD_KIND_END: break;
    }
    return bits;
}

static struct journal_block *last_block(const struct journal *journal)
{
    assert(journal->end_block > journal->first_block);
    return &journal->blocks[(journal->end_block - 1) & journal->block_mask];
}

void journal_commit_record(struct journal *journal, const struct record_head *head)
{
    assert(head == journal_record(journal, journal->end_position));
    assert(head->kind > 0 && head->kind < RECORD_KIND_END);
    assert(journal->end_position + head->size_bytes <= journal->reach_position);
    struct journal_block *block = last_block(journal);
    struct block_header *header =
        (struct block_header *)(void *)((uint8_t *)(uintptr_t)head - block->used_bytes);
    block->used_bytes += head->size_bytes;
    header->record_count++;
    header->destinations |= destination_bits(head);
    journal->end_position += head->size_bytes;
    journal->record_count++;
    if (journal->settings.in_memory)
        journal->durable_position = journal->end_position;
}

bool journal_would_begin_segment(const struct journal *journal, uint32_t size_bytes)
{
    if (fits_open_block(journal, size_bytes))
        return false;
    uint64_t position = next_block_position(journal, size_bytes);
    return position % journal->settings.segment_bytes == JOURNAL_PAGE_BYTES;
}

void journal_begin_segment(struct journal *journal)
{
    journal_seal(journal, false);
    journal->end_position =
        journal_round_up(journal->end_position, journal->settings.segment_bytes);
    journal->reach_position = journal->end_position;
}

bool journal_is_limited(const struct journal *journal, uint32_t size_bytes)
{
    return !fits_open_block(journal, size_bytes) &&
           next_block_position(journal, size_bytes) + journal_block_bytes_for(size_bytes) >
               journal->limit_position;
}

uint64_t journal_room_bytes(const struct journal *journal)
{
    uint64_t end = journal_round_up(journal->end_position, JOURNAL_PAGE_BYTES);
    uint64_t bound = journal->kept_position + journal->capacity;
    return bound > end ? bound - end : 0;
}

enum { LOG_NUMBER_BITS = 8 };

struct record_id journal_next_id(struct journal *journal, uint64_t wall_ms)
{
    if (wall_ms > journal->last_id.ms)
        journal->last_id = (struct record_id){wall_ms, journal->settings.log_number};
    else
        journal->last_id.seq += UINT64_C(1) << LOG_NUMBER_BITS;
    return journal->last_id;
}

void journal_pass_id(struct journal *journal, struct record_id id)
{
    if (record_id_compare(id, journal->last_id) <= 0)
        return;
    uint64_t counter = id.seq >> LOG_NUMBER_BITS; /* of what may be another log */
    journal->last_id.ms = id.ms;
    journal->last_id.seq = counter << LOG_NUMBER_BITS | journal->settings.log_number;
}

/* ---- sealing and writing ---- */

void journal_set_time(struct journal *journal, uint64_t log_time_ms)
{
    assert(log_time_ms >= journal->log_time_ms);
    journal->log_time_ms = log_time_ms;
}

/* An empty block, right behind the last one: there is a page for it. */
static bool open_empty_block(struct journal *journal)
{
    uint64_t position = journal->end_position;
    if (position % journal->settings.segment_bytes == 0 ||
        position + JOURNAL_PAGE_BYTES > journal->kept_position + journal->capacity)
        return false;
    open_block(journal, position, position + JOURNAL_PAGE_BYTES);
    return true;
}

static void fill_header(struct journal *journal, struct journal_block *block)
{
    struct block_header *header = journal_block_header(journal, block);
    block->size_bytes = (uint32_t)journal_round_up(block->used_bytes, JOURNAL_PAGE_BYTES);
    memset((uint8_t *)header + block->used_bytes, 0, block->size_bytes - block->used_bytes);
    header->magic = JOURNAL_BLOCK_MAGIC;
    header->log_number = journal->settings.log_number;
    header->size_bytes = block->size_bytes;
    header->used_bytes = block->used_bytes;
    header->incarnation = journal->settings.incarnation;
    header->log_time_ms = journal->log_time_ms;
    header->watermark = journal->durable_position;
    header->last_id = journal->last_id;
    header->previous = journal->last_checksum;
}

bool journal_seal(struct journal *journal, bool even_if_empty)
{
    if (!journal->is_open && !(even_if_empty && open_empty_block(journal)))
        return false;
    struct journal_block *block = last_block(journal);
    fill_header(journal, block);
    if (!journal->settings.in_memory) {
        struct block_header *header = journal_block_header(journal, block);
        block_seal(&journal->settings.secret, header);
        journal->last_checksum = header->checksum;
    }
    journal->end_position = journal_block_end(block);
    journal->reach_position = journal->end_position;
    journal->is_open = false;
    if (journal->settings.in_memory)
        journal->durable_position = journal->end_position;
    return true;
}

const struct journal_block *journal_sealed_block(const struct journal *journal, uint64_t number)
{
    assert(number >= journal->first_block);
    if (number >= journal->end_block)
        return NULL;
    const struct journal_block *block = &journal->blocks[number & journal->block_mask];
    return block->size_bytes > 0 ? block : NULL;
}

void journal_set_durable(struct journal *journal, uint64_t position)
{
    assert(position >= journal->durable_position && position <= journal->end_position);
    journal->durable_position = position;
}

void journal_keep_from(struct journal *journal, uint64_t position)
{
    assert(position >= journal->kept_position && position <= journal->durable_position);
    journal->kept_position = position;
    while (journal->kept_block < journal->end_block &&
           journal->blocks[journal->kept_block & journal->block_mask].position < position)
        journal->kept_block++;
}

void journal_set_limit(struct journal *journal, uint64_t position)
{
    assert(position >= journal->limit_position);
    assert(position % journal->settings.segment_bytes == 0);
    journal->limit_position = position;
}

const struct journal_block *journal_oldest(const struct journal *journal)
{
    return journal_sealed_block(journal, journal->kept_block);
}
