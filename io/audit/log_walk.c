#include "io/audit/log_walk.h"

#include <stdio.h>

#include "core/fact.h"
#include "io/audit/log_cursor.h"

struct walker {
    const struct log_reader *reader;
    const struct log_handler *handler;
    struct log_cursor cursor;
    struct log_walk walk;
    uint64_t headers_told; /* segments up to this number were looked at for wrong headers */
};

static enum status take_block(struct walker *walker, const struct block_header *block);
/* Where the next block should be: behind the last, or, if the next segment's header names that one
 * as the last of its own, at that segment's beginning. */
static uint64_t next_position(const struct walker *walker)
{
    const struct log_walk *walk = &walker->walk;
    uint64_t size = walker->reader->segment_bytes;
    uint64_t number = (walk->end_position + size - 1) / size;
    const struct log_segment *segment = log_reader_find(walker->reader, number);
    return walk->blocks > 0 && segment != NULL && segment->header_status == STATUS_OK &&
                   digest_equal(segment->header.previous, walk->last_checksum)
               ? number * size + JOURNAL_PAGE_BYTES
               : walk->end_position;
}

static enum status meet_gap(struct walker *walker, const struct block_header *block,
                            bool *out_goes_on);
static enum status tell_headers(struct walker *walker, uint64_t below_number);
static void look_behind(struct walker *walker);

/* The first one begins its segment; what it names as the one before may be gone. */
static bool follows(const struct log_walk *walk, const struct block_header *block)
{
    return walk->blocks == 0 ? block->position == walk->end_position
                             : digest_equal(block->previous, walk->last_checksum);
}

static uint64_t first_position(const struct log_reader *reader, uint64_t from_number)
{
    for (uint32_t i = 0; i < reader->segment_count; i++)
        if (reader->segments[i].number >= from_number)
            return reader->segments[i].number * reader->segment_bytes + JOURNAL_PAGE_BYTES;
    return from_number * reader->segment_bytes + JOURNAL_PAGE_BYTES;
}

enum status log_walk(const struct log_reader *reader, uint64_t from_number,
                     const struct log_handler *handler, struct log_walk *out_walk)
{
    struct walker walker = {.reader = reader, .handler = handler, .headers_told = from_number};
    walker.walk.end_position = first_position(reader, from_number);
    enum status status = log_cursor_open(reader, walker.walk.end_position, &walker.cursor);
    if (status != STATUS_OK)
        return status;
    bool goes_on = true;
    while (goes_on && status == STATUS_OK) {
        const struct block_header *block = log_cursor_next(&walker.cursor);
        if (block == NULL)
            break;
        if (!follows(&walker.walk, block))
            status = meet_gap(&walker, block, &goes_on);
        else
            status = take_block(&walker, block);
    }
    if (status == STATUS_OK)
        status = tell_headers(&walker, UINT64_MAX);
    if (status == STATUS_OK && goes_on)
        look_behind(&walker);
    log_cursor_close(&walker.cursor);
    if (status == STATUS_OK)
        *out_walk = walker.walk;
    return status;
}

/* ---- what stands ---- */

static enum status tell_gap(struct walker *walker, const struct log_gap *gap)
{
    walker->walk.gaps += gap->loses_blocks;
    walker->walk.bad_places++;
    return walker->handler->gap != NULL ? walker->handler->gap(walker->handler->context, gap)
                                        : STATUS_OK;
}

/* A record that cannot be, in a block that is right: what wrote it was wrong. */
static enum status tell_bad_record(struct walker *walker, const struct block_header *block,
                                   uint32_t offset, uint32_t number)
{
    struct log_gap gap = {.from = block->position + offset,
                          .to = block->position + block->used_bytes,
                          .after = walker->walk.last_id,
                          .before = record_id_after(block->last_id)};
    snprintf(gap.reason, sizeof gap.reason, "record %u of its block is none that can be", number);
    return tell_gap(walker, &gap);
}

static enum status take_records(struct walker *walker, const struct block_header *block)
{
    uint32_t offset = sizeof *block, number = 1;
    for (; offset < block->used_bytes; number++) {
        const struct record_head *head =
            (const struct record_head *)(const void *)((const uint8_t *)block + offset);
        if (record_check(head, block->used_bytes - offset) != STATUS_OK)
            return tell_bad_record(walker, block, offset, number);
        walker->walk.records++;
        if (walker->handler->record != NULL) {
            enum status status = walker->handler->record(walker->handler->context, head,
                                                         block->position + offset, block);
            if (status != STATUS_OK)
                return status;
        }
        offset += head->size_bytes;
    }
    if (number - 1 != block->record_count)
        return tell_bad_record(walker, block, offset, number);
    return STATUS_OK;
}

static enum status take_block(struct walker *walker, const struct block_header *block)
{
    struct log_walk *walk = &walker->walk;
    enum status status = tell_headers(walker, block->position / walker->reader->segment_bytes + 1);
    if (status == STATUS_OK && walker->handler->block != NULL)
        status = walker->handler->block(walker->handler->context, block);
    if (status == STATUS_OK)
        status = take_records(walker, block);
    if (walk->blocks++ == 0) {
        walk->start_position = block->position;
        walk->first_time_ms = block->log_time_ms;
    }
    walk->bytes += block->size_bytes;
    walk->end_position = block->position + block->size_bytes;
    walk->watermark = block->watermark > walk->watermark ? block->watermark : walk->watermark;
    walk->last_time_ms = block->log_time_ms;
    walk->incarnation = block->incarnation;
    walk->last_checksum = block->checksum;
    walk->last_id = block->last_id;
    walker->cursor.incarnation_min = block->incarnation;
    return status;
}

/* ---- what does not ---- */

/* Headers of segments on the way that are wrong, though their blocks may be right. */
static enum status tell_headers(struct walker *walker, uint64_t below_number)
{
    const struct log_reader *reader = walker->reader;
    for (uint32_t i = 0; i < reader->segment_count; i++) {
        const struct log_segment *segment = &reader->segments[i];
        if (segment->number < walker->headers_told || segment->number >= below_number ||
            segment->header_status == STATUS_OK || !log_reader_is_there(reader, segment))
            continue;
        uint64_t start = segment->number * reader->segment_bytes;
        struct log_gap gap = {.from = start, .to = start + JOURNAL_PAGE_BYTES};
        snprintf(gap.reason, sizeof gap.reason, "the segment's header: %s",
                 status_text(segment->header_status));
        enum status status = tell_gap(walker, &gap);
        if (status != STATUS_OK)
            return status;
    }
    walker->headers_told = below_number;
    return STATUS_OK;
}

/* Was the log durable beyond `position`? Then what is wrong there is damage. */
static bool is_below_watermark(struct walker *walker, uint64_t from, uint64_t position)
{
    const struct block_header *block;
    log_cursor_move(&walker->cursor, from);
    while ((block = log_cursor_next(&walker->cursor)) != NULL)
        if (block->watermark > position)
            return true;
    return false;
}

/* Retention has taken segments from the log's beginning while it was read: all up to this one. */
static bool is_given_up(const struct walker *walker, uint64_t from, uint64_t to)
{
    const struct log_reader *reader = walker->reader;
    uint64_t last = to / reader->segment_bytes;
    bool any = false;
    for (uint32_t i = 0; i < reader->segment_count; i++) {
        const struct log_segment *segment = &reader->segments[i];
        if (segment->number >= last)
            break;
        if (log_reader_is_there(reader, segment))
            return false;
        any = any || segment->number >= from / reader->segment_bytes;
    }
    return any;
}

/* The first id in it that no record of an earlier segment has: the block after a gap tells what may
 * be lost. The largest: it has none. */
static struct record_id first_id(const struct block_header *block)
{
    for (uint32_t offset = sizeof *block; offset < block->used_bytes;) {
        const struct record_head *head =
            (const struct record_head *)(const void *)((const uint8_t *)block + offset);
        if (record_check(head, block->used_bytes - offset) != STATUS_OK)
            break;
        if (head->kind == RECORD_KIND_MESSAGE && (head->flags & RECORD_COPIED) == 0)
            return ((const struct record *)(const void *)head)->id;
        offset += head->size_bytes;
    }
    return record_id_after(block->last_id);
}

static enum status meet_gap(struct walker *walker, const struct block_header *block,
                            bool *out_goes_on)
{
    struct log_walk *walk = &walker->walk;
    struct log_gap gap = {.from = next_position(walker),
                          .to = block->position,
                          .after = walk->last_id,
                          .before = first_id(block),
                          .loses_blocks = true};
    bool damaged = is_below_watermark(walker, gap.to, gap.from);
    /* What was read may have been older than what lay behind it: look once more. */
    log_cursor_move(&walker->cursor, gap.from);
    block = log_cursor_next(&walker->cursor);
    if (block != NULL && follows(walk, block))
        return take_block(walker, block);
    log_cursor_describe(&walker->cursor, gap.from, gap.reason, sizeof gap.reason);
    if (block == NULL || !damaged) {
        walk->is_torn = true;
        snprintf(walk->torn_reason, sizeof walk->torn_reason, "%s", gap.reason);
        *out_goes_on = false;
        return STATUS_OK;
    }
    log_cursor_move(&walker->cursor, gap.to);
    block = log_cursor_next(&walker->cursor);
    if (block == NULL)
        return STATUS_OK; /* gone since: so is the rest */
    if (gap.from == gap.to)
        snprintf(gap.reason, sizeof gap.reason,
                 "the block here is whole, but is not the one that followed");
    if (!is_given_up(walker, gap.from, gap.to)) {
        enum status status = tell_gap(walker, &gap);
        if (status != STATUS_OK)
            return status;
    }
    return take_block(walker, block);
}

static void look_behind(struct walker *walker)
{
    struct log_walk *walk = &walker->walk;
    uint64_t position = next_position(walker), size = walker->reader->segment_bytes;
    if (position % size == 0 || log_reader_find(walker->reader, position / size) == NULL)
        return;
    walk->is_torn =
        log_cursor_describe(&walker->cursor, position, walk->torn_reason, sizeof walk->torn_reason);
}
