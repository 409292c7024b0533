#include "core/journal_scan.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fact.h"

/* What is read at a time, beside what is left of the time before. */
enum { READ_BYTES = 8 * 1024 * 1024 };

struct scan {
    const struct journal_scan_settings *settings;
    struct journal_scan_result *result;
    /* A window on one segment: `held` bytes from `offset` on. */
    uint8_t *memory;
    size_t capacity, held;
    uint64_t segment, offset;
    bool at_end;       /* the file has no more */
    uint64_t position; /* where the next block would begin; where the log ceases to be right */
    bool is_begun;     /* behind `position` is something that was being written */
    bool is_damaged;   /* and something says that it was on stable storage */
};

static enum status scan_segments(struct scan *scan);

enum status journal_scan(const struct journal_scan_settings *settings,
                         struct journal_scan_result *out_result)
{
    struct journal_scan_result result = {0};
    struct scan scan = {.settings = settings, .result = &result, .segment = UINT64_MAX};
    assert(settings->segment_bytes >= JOURNAL_SEGMENT_BYTES_MIN);
    assert(settings->segment_bytes % JOURNAL_PAGE_BYTES == 0);
    assert(settings->first_segment <= settings->last_segment);
    scan.capacity = settings->segment_bytes / 4 / JOURNAL_PAGE_BYTES * JOURNAL_PAGE_BYTES;
    scan.capacity += READ_BYTES;
    if (scan.capacity > settings->segment_bytes)
        scan.capacity = settings->segment_bytes;
    scan.memory = aligned_alloc(JOURNAL_PAGE_BYTES, scan.capacity + JOURNAL_PAGE_BYTES);
    enum status status = STATUS_NO_MEMORY;
    if (scan.memory != NULL)
        status = scan_segments(&scan);
    free(scan.memory);
    *out_result = result;
    return status;
}

/* ---- bytes ---- */

static uint64_t segment_start(const struct scan *scan, uint64_t segment)
{
    return segment * scan->settings->segment_bytes;
}

/* Moves the window on, so that it begins at `offset`; keeps what it has of it already. It then has
 * `size_bytes`, or all that the file has. */
static enum status read_from(struct scan *scan, uint64_t segment, uint64_t offset,
                             size_t size_bytes)
{
    size_t kept = 0;
    if (segment == scan->segment && offset >= scan->offset && offset < scan->offset + scan->held) {
        kept = (size_t)(scan->offset + scan->held - offset);
        memmove(scan->memory, scan->memory + (offset - scan->offset), kept);
        kept -= kept % JOURNAL_PAGE_BYTES; /* an odd end is read again */
    }
    size_t wanted = journal_round_up(size_bytes, JOURNAL_PAGE_BYTES) - kept;
    if (wanted < READ_BYTES)
        wanted = READ_BYTES;
    if (wanted > scan->capacity - kept)
        wanted = scan->capacity - kept;
    uint64_t left = scan->settings->segment_bytes - offset - kept;
    if (wanted > left)
        wanted = (size_t)left;
    int64_t got = 0;
    if (wanted > 0)
        got = scan->settings->source.read(scan->settings->source.context, segment, offset + kept,
                                          scan->memory + kept, wanted);
    if (got < 0) {
        scan->result->bad_position = segment_start(scan, segment) + offset + kept;
        snprintf(scan->result->reason, sizeof scan->result->reason,
                 "segment %" PRIu64 " cannot be read at offset %" PRIu64, segment, offset + kept);
        return STATUS_IO;
    }
    assert((uint64_t)got <= wanted);
    scan->segment = segment;
    scan->offset = offset;
    scan->held = kept + (size_t)got;
    scan->at_end = (uint64_t)got < wanted || left == wanted;
    return STATUS_OK;
}

/* The bytes at `position`, at least `size_bytes` of them unless the file ends before. */
static enum status look_at(struct scan *scan, uint64_t position, size_t size_bytes,
                           struct bytes *out_bytes)
{
    uint64_t segment = position / scan->settings->segment_bytes;
    uint64_t offset = position % scan->settings->segment_bytes;
    assert(size_bytes <= scan->capacity);
    bool is_held = segment == scan->segment && offset >= scan->offset &&
                   (scan->at_end || offset + size_bytes <= scan->offset + scan->held);
    if (!is_held) {
        enum status status = read_from(scan, segment, offset, size_bytes);
        if (status != STATUS_OK)
            return status;
    }
    uint64_t end = scan->offset + scan->held;
    *out_bytes = bytes_make(scan->memory + (offset < end ? offset - scan->offset : 0),
                            offset < end ? (size_t)(end - offset) : 0);
    return STATUS_OK;
}

/* ---- what is right ---- */

/* The block at `position`, if it is as it was written, where it was written, and not of an earlier
 * incarnation; else NULL. */
static enum status find_block(struct scan *scan, uint64_t position,
                              const struct block_header **out_block)
{
    struct bytes bytes;
    const struct journal_scan_settings *settings = scan->settings;
    uint64_t left = settings->segment_bytes - position % settings->segment_bytes;
    *out_block = NULL;
    enum status status = look_at(scan, position, JOURNAL_PAGE_BYTES, &bytes);
    const struct block_header *block = (const void *)bytes.data;
    if (status != STATUS_OK || bytes.size < sizeof *block || block->position != position ||
        block->magic != JOURNAL_BLOCK_MAGIC || block->log_number != settings->log_number ||
        block->incarnation < scan->result->incarnation || block->size_bytes > left ||
        block->size_bytes > settings->segment_bytes / 4)
        return status;
    status = look_at(scan, position, block->size_bytes, &bytes);
    block = (const void *)bytes.data;
    if (status == STATUS_OK &&
        block_check(&settings->secret, block, bytes.size, position) == STATUS_OK)
        *out_block = block;
    return status;
}

static enum status refuse(struct scan *scan, uint64_t segment, const char *why)
{
    scan->result->bad_position = segment_start(scan, segment);
    snprintf(scan->result->reason, sizeof scan->result->reason, "segment %" PRIu64 " %s", segment,
             why);
    return STATUS_UNSUPPORTED;
}

/* The header of a segment, if it was begun; else NULL. */
static enum status find_segment(struct scan *scan, uint64_t number,
                                const struct segment_header **out_header)
{
    struct bytes bytes;
    const struct journal_scan_settings *settings = scan->settings;
    *out_header = NULL;
    enum status status =
        look_at(scan, segment_start(scan, number), sizeof(struct segment_header), &bytes);
    const struct segment_header *header = (const void *)bytes.data;
    if (status != STATUS_OK || bytes.size < sizeof *header)
        return status;
    status = segment_header_check(header);
    if (status == STATUS_UNSUPPORTED)
        return refuse(scan, number, "is of another version of the format");
    if (status != STATUS_OK || header->number != number)
        return STATUS_OK;
    if (memcmp(&header->secret, &settings->secret, sizeof header->secret) != 0)
        return refuse(scan, number, "was written with another secret: it is of another log");
    if (header->log_number != settings->log_number)
        return refuse(scan, number, "is of a log with another number");
    if (header->segment_bytes != settings->segment_bytes)
        return refuse(scan, number, "is of a log with segments of another size");
    *out_header = header;
    return STATUS_OK;
}

/* ---- what is wrong ---- */

/* Something at the end of what is right was begun, and is not whole: it says that it lies here, or
 * what lies before it. */
static bool is_begun_block(const struct scan *scan, struct bytes bytes)
{
    const struct block_header *block = (const void *)bytes.data;
    const struct digest none = {0};
    if (bytes.size >= sizeof *block)
        return block->position == scan->position ||
               (digest_equal(block->previous, scan->result->last_checksum) &&
                !digest_equal(block->previous, none));
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] != 0)
            return true;
    return false;
}

static void describe(struct scan *scan, const struct block_header *witness, const char *what)
{
    struct journal_scan_result *result = scan->result;
    uint64_t segment_bytes = scan->settings->segment_bytes, bad = result->bad_position;
    int size = snprintf(result->reason, sizeof result->reason,
                        "%s at position %" PRIu64 " (segment %" PRIu64 ", offset %" PRIu64 ")",
                        what, bad, bad / segment_bytes, bad % segment_bytes);
    if (witness != NULL)
        snprintf(result->reason + size, sizeof result->reason - (size_t)size,
                 "; the block at %" PRIu64 " says that all below %" PRIu64 " was on stable storage",
                 witness->position, witness->watermark);
}

/* Looks at what is there from `from` to the end of its segment. */
static enum status look_behind(struct scan *scan, uint64_t from)
{
    struct journal_scan_result *result = scan->result;
    uint64_t end = segment_start(scan, from / scan->settings->segment_bytes + 1);
    for (uint64_t p = from; p < end && !scan->is_damaged;) {
        const struct block_header *block;
        enum status status = find_block(scan, p, &block);
        if (status != STATUS_OK)
            return status;
        if (block == NULL) {
            p += JOURNAL_PAGE_BYTES;
            continue;
        }
        p += block->size_bytes;
        scan->is_begun = true;
        if (block->watermark > result->watermark)
            result->watermark = block->watermark;
        if (block->watermark > result->bad_position) {
            describe(scan, block, "what was written is not there, or not as it was written,");
            scan->is_damaged = true;
        }
    }
    return STATUS_OK;
}

/* Looks at all segments from `segment` on. */
static enum status look_at_later(struct scan *scan, uint64_t segment)
{
    for (uint64_t n = segment; n <= scan->settings->last_segment && !scan->is_damaged; n++) {
        const struct segment_header *header;
        enum status status = find_segment(scan, n, &header);
        scan->is_begun |= header != NULL;
        if (status == STATUS_OK)
            status = look_behind(scan, segment_start(scan, n) + JOURNAL_PAGE_BYTES);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

/* The log is right up to scan->position, and `next_segment` does not continue it: is that its end?
 */
static enum status judge(struct scan *scan, uint64_t next_segment)
{
    struct journal_scan_result *result = scan->result;
    enum status status = STATUS_OK;
    struct bytes bytes;
    result->bad_position = scan->position;
    if (scan->position % scan->settings->segment_bytes != 0) {
        status = look_at(scan, scan->position, JOURNAL_PAGE_BYTES, &bytes);
        if (status != STATUS_OK)
            return status;
        scan->is_begun = is_begun_block(scan, bytes);
        status = look_behind(scan, scan->position);
    }
    if (status == STATUS_OK)
        status = look_at_later(scan, next_segment);
    if (status != STATUS_OK)
        return status;
    if (scan->is_damaged) {
        result->end = JOURNAL_DAMAGED;
    } else if (scan->is_begun) {
        result->end = JOURNAL_TORN;
        describe(scan, NULL, "what was being written ends unfinished");
    }
    return STATUS_OK;
}

/* A block that is as it was written, and yet holds what no writer writes. */
static enum status accuse(struct scan *scan, const struct block_header *block, const char *what)
{
    scan->result->end = JOURNAL_DAMAGED;
    scan->result->bad_position = block->position;
    describe(scan, NULL, what);
    return STATUS_CORRUPT;
}

/* ---- in order ---- */

/* CORRUPT if one of them is none, with the result's reason. */
static enum status check_records(struct scan *scan, const struct block_header *block)
{
    const uint8_t *start = (const uint8_t *)block;
    uint32_t at = sizeof *block, count = 0;
    while (at < block->used_bytes) {
        const struct record_head *head = (const void *)(start + at);
        if (record_check(head, block->used_bytes - at) != STATUS_OK)
            return accuse(scan, block, "there is something that is no record in the block");
        at += head->size_bytes;
        count++;
    }
    if (count != block->record_count)
        return accuse(scan, block, "there are more or fewer records than the block says");
    return STATUS_OK;
}

static enum status hand_over(struct scan *scan, const struct block_header *block)
{
    const struct journal_scan_handler *handler = &scan->settings->handler;
    enum status status = STATUS_OK;
    if (handler->block != NULL)
        status = handler->block(handler->context, block);
    const uint8_t *start = (const uint8_t *)block;
    for (uint32_t at = sizeof *block; handler->record != NULL && at < block->used_bytes;) {
        const struct record_head *head = (const void *)(start + at);
        if (status == STATUS_OK)
            status = handler->record(handler->context, head, block->position + at);
        if (status != STATUS_OK)
            return status;
        at += head->size_bytes;
    }
    return status;
}

static void count_block(struct journal_scan_result *result, const struct block_header *block)
{
    result->end_position = block->position + block->size_bytes;
    if (block->watermark > result->watermark)
        result->watermark = block->watermark;
    result->last_checksum = block->checksum;
    result->last_id = block->last_id;
    result->log_time_ms = block->log_time_ms;
    result->incarnation = block->incarnation;
    result->blocks++;
    result->records += block->record_count;
    result->bytes += block->size_bytes;
}

/* The blocks of the segment that scan->position lies in, as far as they are right. */
static enum status scan_blocks(struct scan *scan)
{
    uint64_t end = segment_start(scan, scan->position / scan->settings->segment_bytes + 1);
    while (scan->position < end) {
        const struct block_header *block;
        enum status status = find_block(scan, scan->position, &block);
        if (status != STATUS_OK || block == NULL ||
            !digest_equal(block->previous, scan->result->last_checksum))
            return status;
        status = check_records(scan, block);
        if (status == STATUS_OK)
            status = hand_over(scan, block);
        if (status != STATUS_OK)
            return status;
        count_block(scan->result, block);
        scan->position = scan->result->end_position;
    }
    return STATUS_OK;
}

static enum status scan_segments(struct scan *scan)
{
    const struct journal_scan_settings *settings = scan->settings;
    const struct journal_scan_handler *handler = &settings->handler;
    struct journal_scan_result *result = scan->result;
    scan->position = segment_start(scan, settings->first_segment);
    result->end_position = scan->position;
    for (uint64_t n = settings->first_segment; n <= settings->last_segment; n++) {
        const struct segment_header *header;
        enum status status = find_segment(scan, n, &header);
        if (status != STATUS_OK)
            return status;
        bool is_first = n == settings->first_segment;
        if (header == NULL || (!is_first && !digest_equal(header->previous, result->last_checksum)))
            return judge(scan, n);
        result->last_checksum = header->previous;
        if (handler->segment != NULL)
            status = handler->segment(handler->context, header);
        scan->position = segment_start(scan, n) + JOURNAL_PAGE_BYTES;
        if (status == STATUS_OK)
            status = scan_blocks(scan);
        if (status == STATUS_CORRUPT && result->end == JOURNAL_DAMAGED)
            return STATUS_OK;
        if (status != STATUS_OK)
            return status;
    }
    return judge(scan, settings->last_segment + 1);
}
