#include "io/audit/log_damage.h"

#include <stdlib.h>
#include <unistd.h>

#include "core/fact.h"

struct damage {
    const struct log_reader *reader;
    void (*found)(void *context, const struct record_head *head, uint64_t position);
    void *context;
    int file; /* of the segment at hand */
    uint8_t *memory;
    uint64_t capacity;
};

/* From `position` on, aligned as a block in memory is; how many bytes there are. */
static uint64_t fetch(struct damage *damage, uint64_t position, uint64_t bytes)
{
    if (bytes > damage->capacity) {
        uint8_t *memory = realloc(damage->memory, bytes);
        if (memory == NULL)
            return 0;
        damage->memory = memory;
        damage->capacity = bytes;
    }
    ssize_t got = pread(damage->file, damage->memory, bytes,
                        (off_t)(position % damage->reader->segment_bytes));
    return got > 0 ? (uint64_t)got : 0;
}

/* Its size, or that of a page if it is none. */
static uint64_t look_at_block(struct damage *damage, uint64_t position, uint64_t end)
{
    struct block_header header;
    if (fetch(damage, position, sizeof header) < sizeof header)
        return JOURNAL_PAGE_BYTES;
    memcpy(&header, damage->memory, sizeof header);
    if (header.magic != JOURNAL_BLOCK_MAGIC || header.position != position ||
        header.used_bytes < sizeof header || header.used_bytes > end - position)
        return JOURNAL_PAGE_BYTES;
    uint64_t got = fetch(damage, position, header.used_bytes);
    for (uint64_t offset = sizeof header; offset < got;) {
        const struct record_head *head =
            (const struct record_head *)(const void *)(damage->memory + offset);
        if (record_check(head, got - offset) != STATUS_OK)
            break;
        damage->found(damage->context, head, position + offset);
        offset += head->size_bytes;
    }
    return journal_round_up(header.used_bytes, JOURNAL_PAGE_BYTES);
}

void log_damage_look(const struct log_reader *reader, const struct log_gap *gap,
                     void (*found)(void *context, const struct record_head *head,
                                   uint64_t position),
                     void *context)
{
    struct damage damage = {.reader = reader, .found = found, .context = context};
    uint64_t size = reader->segment_bytes;
    for (uint64_t position = gap->from; position < gap->to;) {
        uint64_t end = (position / size + 1) * size;
        const struct log_segment *segment = log_reader_find(reader, position / size);
        damage.file = segment != NULL ? log_reader_open_segment(reader, segment) : -1;
        end = end < gap->to ? end : gap->to;
        while (damage.file >= 0 && position < end)
            position += look_at_block(&damage, position, end);
        if (damage.file >= 0)
            close(damage.file);
        position = end;
    }
    free(damage.memory);
}
