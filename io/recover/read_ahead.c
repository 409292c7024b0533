#include "io/recover/read_ahead.h"

#include <stdlib.h>
#include <string.h>

static void fill(struct read_ahead *reader);
static struct read_ahead_chunk *find_chunk(struct read_ahead *reader, uint32_t file,
                                           uint64_t offset);
static void begin_at(struct read_ahead *reader, uint32_t file, uint64_t offset);

enum status read_ahead_open(struct read_ahead *reader, struct disk *disk,
                            const struct read_ahead_file *files, uint32_t file_count)
{
    uint8_t *memory =
        aligned_alloc(JOURNAL_PAGE_BYTES, (size_t)READ_AHEAD_CHUNKS * READ_AHEAD_CHUNK_BYTES);
    if (memory == NULL)
        return STATUS_NO_MEMORY;
    *reader = (struct read_ahead){
        .disk = disk, .files = files, .file_count = file_count, .memory = memory};
    return STATUS_OK;
}

static struct read_ahead_chunk *chunk_at(struct read_ahead *reader, uint64_t number)
{
    return &reader->chunks[number % READ_AHEAD_CHUNKS];
}

static void drop_first(struct read_ahead *reader)
{
    struct read_ahead_chunk *chunk = chunk_at(reader, reader->first);
    while (chunk->in_flight)
        reader->disk->wait(reader->disk);
    reader->first++;
}

static void drop_all(struct read_ahead *reader)
{
    while (reader->first < reader->end)
        drop_first(reader);
}

void read_ahead_close(struct read_ahead *reader)
{
    drop_all(reader);
    free(reader->memory);
}

int64_t read_ahead_copy(struct read_ahead *reader, uint32_t file, uint64_t offset, void *memory,
                        size_t capacity)
{
    uint64_t size = reader->files[file].size_bytes;
    size_t wanted = offset >= size ? 0 : capacity;
    if (wanted > size - offset)
        wanted = (size_t)(size - offset);
    for (size_t copied = 0; copied < wanted;) {
        struct read_ahead_chunk *chunk = find_chunk(reader, file, offset + copied);
        if (chunk->failed)
            return -1;
        size_t skipped = (size_t)(offset + copied - chunk->offset);
        size_t part = chunk->size_bytes - skipped;
        if (part > wanted - copied)
            part = wanted - copied;
        memcpy((uint8_t *)memory + copied, (uint8_t *)chunk->request.memory + skipped, part);
        copied += part;
    }
    return (int64_t)wanted;
}

/* The chunk with this byte, read. */
static struct read_ahead_chunk *find_chunk(struct read_ahead *reader, uint32_t file,
                                           uint64_t offset)
{
    bool is_on_its_way = false;
    for (uint64_t i = reader->first; i < reader->end && !is_on_its_way; i++) {
        struct read_ahead_chunk *chunk = chunk_at(reader, i);
        is_on_its_way = chunk->file == file && offset >= chunk->offset &&
                        offset - chunk->offset < READ_AHEAD_CHUNK_BYTES;
        while (is_on_its_way && reader->first < i)
            drop_first(reader);
    }
    if (!is_on_its_way)
        begin_at(reader, file, offset);
    fill(reader);
    struct read_ahead_chunk *chunk = chunk_at(reader, reader->first);
    while (chunk->in_flight)
        reader->disk->wait(reader->disk);
    return chunk;
}

static void begin_at(struct read_ahead *reader, uint32_t file, uint64_t offset)
{
    drop_all(reader);
    reader->next_file = file;
    reader->next_offset = offset / JOURNAL_PAGE_BYTES * JOURNAL_PAGE_BYTES;
}

static void note_read(struct disk_request *request, int32_t result)
{
    struct read_ahead_chunk *chunk =
        (struct read_ahead_chunk *)(void *)((char *)request -
                                            offsetof(struct read_ahead_chunk, request));
    chunk->in_flight = false;
    /* Less than the file had when it was opened is nothing to go on with. */
    chunk->failed = result < 0 || (uint32_t)result < chunk->size_bytes;
    if (!chunk->failed)
        chunk->owner->bytes_read += chunk->size_bytes;
}

static void fill(struct read_ahead *reader)
{
    while (reader->end - reader->first < READ_AHEAD_CHUNKS &&
           reader->next_file < reader->file_count) {
        const struct read_ahead_file *file = &reader->files[reader->next_file];
        if (reader->next_offset >= file->size_bytes) {
            reader->next_file++;
            reader->next_offset = 0;
            continue;
        }
        uint64_t left = file->size_bytes - reader->next_offset;
        uint64_t number = reader->end++;
        struct read_ahead_chunk *chunk = chunk_at(reader, number);
        *chunk = (struct read_ahead_chunk){
            .owner = reader,
            .file = reader->next_file,
            .offset = reader->next_offset,
            .size_bytes =
                left < READ_AHEAD_CHUNK_BYTES ? (uint32_t)left : (uint32_t)READ_AHEAD_CHUNK_BYTES,
            .in_flight = true,
        };
        chunk->request = (struct disk_request){
            .action = DISK_READ,
            .file = file->file,
            .memory = reader->memory + number % READ_AHEAD_CHUNKS * (size_t)READ_AHEAD_CHUNK_BYTES,
            .offset = reader->next_offset,
            .size_bytes = (uint32_t)journal_round_up(chunk->size_bytes, JOURNAL_PAGE_BYTES),
            .done = note_read,
        };
        reader->next_offset += READ_AHEAD_CHUNK_BYTES;
        disk_submit(reader->disk, &chunk->request);
    }
}
