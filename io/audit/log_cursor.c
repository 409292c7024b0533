#include "io/audit/log_cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WINDOW_BYTES = 4 * 1024 * 1024 };

static const struct block_header *block_at(struct log_cursor *cursor, uint64_t position);

enum status log_cursor_open(const struct log_reader *reader, uint64_t position,
                            struct log_cursor *out_cursor)
{
    uint8_t *memory = malloc(WINDOW_BYTES);
    if (memory == NULL)
        return STATUS_NO_MEMORY;
    *out_cursor = (struct log_cursor){.reader = reader,
                                      .position = position,
                                      .file = -1,
                                      .memory = memory,
                                      .capacity = WINDOW_BYTES};
    return STATUS_OK;
}

static void close_file(struct log_cursor *cursor)
{
    if (cursor->file >= 0)
        close(cursor->file);
    cursor->file = -1;
    cursor->window_bytes = 0;
}

void log_cursor_close(struct log_cursor *cursor)
{
    close_file(cursor);
    free(cursor->memory);
    cursor->memory = NULL;
}

void log_cursor_move(struct log_cursor *cursor, uint64_t position)
{
    cursor->position = position;
    cursor->window_bytes = 0;
}

/* The first segment at or behind `number`; NULL: there is none. */
static const struct log_segment *segment_from(const struct log_reader *reader, uint64_t number)
{
    for (uint32_t i = 0; i < reader->segment_count; i++)
        if (reader->segments[i].number >= number)
            return &reader->segments[i];
    return NULL;
}

const struct block_header *log_cursor_next(struct log_cursor *cursor)
{
    uint64_t size = cursor->reader->segment_bytes;
    const struct log_segment *segment;
    while ((segment = segment_from(cursor->reader, cursor->position / size)) != NULL) {
        uint64_t start = segment->number * size;
        if (cursor->position < start + JOURNAL_PAGE_BYTES)
            cursor->position = start + JOURNAL_PAGE_BYTES;
        uint64_t file_end = start + (segment->file_bytes < size ? segment->file_bytes : size);
        while (cursor->position < file_end) {
            const struct block_header *block = block_at(cursor, cursor->position);
            if (block != NULL) {
                cursor->position += block->size_bytes;
                return block;
            }
            cursor->position += JOURNAL_PAGE_BYTES;
        }
        cursor->position = start + size;
    }
    return NULL;
}

/* ---- bytes ---- */

static bool open_file(struct log_cursor *cursor, uint64_t number)
{
    if (cursor->file >= 0 && cursor->file_number == number)
        return true;
    close_file(cursor);
    const struct log_segment *segment = log_reader_find(cursor->reader, number);
    if (segment == NULL)
        return false;
    cursor->file = log_reader_open_segment(cursor->reader, segment);
    cursor->file_number = number;
    return cursor->file >= 0;
}

static bool grow(struct log_cursor *cursor, uint64_t bytes)
{
    if (bytes <= cursor->capacity)
        return true;
    uint8_t *memory = realloc(cursor->memory, bytes);
    if (memory == NULL)
        return false;
    cursor->memory = memory;
    cursor->capacity = bytes;
    return true;
}

/* The bytes from `position` on, at least `bytes` of them unless the file ends before; how many
 * there are. A disk that cannot read one page may read the next. */
static uint64_t fetch(struct log_cursor *cursor, uint64_t position, uint64_t bytes,
                      const uint8_t **out_data)
{
    uint64_t size = cursor->reader->segment_bytes;
    if (!open_file(cursor, position / size) || !grow(cursor, bytes))
        return 0;
    if (position < cursor->window || position + bytes > cursor->window + cursor->window_bytes) {
        cursor->window = position;
        cursor->window_bytes = 0;
        uint64_t wanted = size - position % size;
        wanted = wanted < cursor->capacity ? wanted : cursor->capacity;
        ssize_t got = 0;
        do {
            got = pread(cursor->file, cursor->memory + cursor->window_bytes,
                        wanted - cursor->window_bytes,
                        (off_t)(position % size + cursor->window_bytes));
            cursor->window_bytes += got > 0 ? (uint64_t)got : 0;
        } while ((got > 0 && cursor->window_bytes < wanted) || (got < 0 && errno == EINTR));
    }
    *out_data = cursor->memory + (position - cursor->window);
    return cursor->window + cursor->window_bytes - position;
}

static const struct block_header *block_at(struct log_cursor *cursor, uint64_t position)
{
    const uint8_t *data;
    uint64_t size = cursor->reader->segment_bytes;
    if (fetch(cursor, position, JOURNAL_PAGE_BYTES, &data) < sizeof(struct block_header))
        return NULL;
    struct block_header header;
    memcpy(&header, data, sizeof header);
    if (header.magic != JOURNAL_BLOCK_MAGIC || header.position != position ||
        header.size_bytes > size - position % size || header.used_bytes > header.size_bytes)
        return NULL;
    uint64_t available = fetch(cursor, position, header.used_bytes, &data);
    if (available < sizeof header)
        return NULL;
    const struct block_header *block = (const struct block_header *)(const void *)data;
    return block_check(&cursor->reader->secret, block, available, position) == STATUS_OK &&
                   block->incarnation >= cursor->incarnation_min
               ? block
               : NULL;
}

/* ---- where to begin ---- */

/* A segment begins behind the ids below the last one of its first block. */
static bool begins_before(struct log_cursor *cursor, const struct log_segment *segment,
                          struct record_id id)
{
    log_cursor_move(cursor, segment->number * cursor->reader->segment_bytes);
    const struct block_header *block = log_cursor_next(cursor);
    return block != NULL && record_id_compare(block->last_id, id) < 0;
}

uint64_t log_cursor_find_segment(const struct log_reader *reader, struct record_id id)
{
    struct log_cursor cursor;
    uint32_t first = 0, behind = reader->segment_count;
    if (log_cursor_open(reader, 0, &cursor) != STATUS_OK)
        return reader->segments[0].number;
    while (behind - first > 1) {
        uint32_t middle = first + (behind - first) / 2;
        if (begins_before(&cursor, &reader->segments[middle], id))
            first = middle;
        else
            behind = middle;
    }
    log_cursor_close(&cursor);
    return reader->segments[first].number;
}

/* ---- what else there may be ---- */

bool log_cursor_describe(struct log_cursor *cursor, uint64_t position, char *out_text,
                         size_t capacity)
{
    const uint8_t *data;
    struct block_header header;
    uint64_t number = position / cursor->reader->segment_bytes;
    const struct log_segment *segment = log_reader_find(cursor->reader, number);
    close_file(cursor);
    if (segment == NULL) {
        snprintf(out_text, capacity, "segment %" PRIu64 " is missing", number);
        return false;
    }
    if (!open_file(cursor, number)) {
        snprintf(out_text, capacity, "segment %" PRIu64 " cannot be opened: %s", number,
                 strerror(errno));
        return false;
    }
    errno = 0;
    uint64_t got = fetch(cursor, position, JOURNAL_PAGE_BYTES, &data);
    if (got < sizeof header) {
        snprintf(out_text, capacity, "%s",
                 errno != 0 ? strerror(errno) : "the segment's file ends here");
        return false;
    }
    memcpy(&header, data, sizeof header);
    if (header.magic == JOURNAL_BLOCK_MAGIC && header.position == position) {
        snprintf(out_text, capacity,
                 "a block of %" PRIu32 " records in %" PRIu32 " bytes whose checksum is wrong",
                 header.record_count, header.used_bytes);
        return true;
    }
    bool is_zero = true;
    for (size_t i = 0; i < got && i < JOURNAL_PAGE_BYTES; i++)
        is_zero = is_zero && data[i] == 0;
    snprintf(out_text, capacity, "%s",
             is_zero ? "zeros where a block was"
             : header.magic == JOURNAL_BLOCK_MAGIC
                 ? "an older block, from before this file was used again"
                 : "bytes that are no block");
    return !is_zero && header.magic != JOURNAL_BLOCK_MAGIC;
}
