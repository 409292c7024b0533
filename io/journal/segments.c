#include "io/journal/segments.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/journal/segments_inside.h"

static void begin_next_step(struct segments *segments);

/* ---- Opening and closing --------------------------------------------------------------------- */

static enum status remove_spares(struct segments *segments)
{
    for (unsigned i = 0; i < SPARES_MAX; i++) {
        struct disk_request request = {.action = DISK_REMOVE};
        segments_name_spare(i, request.name);
        int32_t result = disk_run(segments->settings.disk, &request);
        if (result < 0 && result != -ENOENT)
            return STATUS_IO;
    }
    return STATUS_OK;
}

static void free_memory(struct segments *segments)
{
    free(segments->zeros);
    free(segments->header_page);
    free(segments->starts);
    free(segments->entries);
    free(segments);
}

enum status segments_open(const struct segments_settings *settings, struct segments **out_segments)
{
    assert(settings->segments_max >= 2 && settings->segment_bytes % JOURNAL_PAGE_BYTES == 0);
    struct segments *segments = calloc(1, sizeof *segments);
    if (segments == NULL)
        return STATUS_NO_MEMORY;
    segments->settings = *settings;
    segments->words_each = (settings->segment_bytes / JOURNAL_PAGE_BYTES + 63) / 64;
    segments->entries = calloc(settings->segments_max, sizeof *segments->entries);
    segments->starts =
        calloc((size_t)settings->segments_max * segments->words_each, sizeof *segments->starts);
    segments->header_page = aligned_alloc(JOURNAL_PAGE_BYTES, JOURNAL_PAGE_BYTES);
    segments->zeros = aligned_alloc(JOURNAL_PAGE_BYTES, ZERO_CHUNK_BYTES);
    enum status status = STATUS_NO_MEMORY;
    if (segments->entries != NULL && segments->starts != NULL && segments->header_page != NULL &&
        segments->zeros != NULL) {
        memset(segments->zeros, 0, ZERO_CHUNK_BYTES);
        status = remove_spares(segments);
    }
    if (status != STATUS_OK) {
        free_memory(segments);
        return status;
    }
    *out_segments = segments;
    return STATUS_OK;
}

static void close_file(struct segments *segments, int file)
{
    struct disk_request request = {.action = DISK_CLOSE, .file = file};
    disk_run(segments->settings.disk, &request);
}

void segments_close(struct segments *segments)
{
    segments->is_closing = true;
    while (segments_are_busy(segments))
        segments->settings.disk->wait(segments->settings.disk);
    for (uint64_t n = segments->going_number; n < segments->end_number; n++)
        close_file(segments, segments_entry(segments, n)->file);
    for (unsigned i = 0; i < SPARES_MAX; i++)
        if (segments->spares[i].state == SPARE_READY || segments->spares[i].has_file)
            close_file(segments, segments->spares[i].file);
    for (uint32_t i = 0; i < segments->left_file_count; i++)
        close_file(segments, segments->left_files[i]);
    free_memory(segments);
}

/* ---- The table ------------------------------------------------------------------------------- */

static struct segment *add_entry(struct segments *segments, struct segment segment)
{
    assert(segment.number == segments->end_number);
    struct segment *entry = segments_entry(segments, segment.number);
    uint64_t slot = segment.number % segments->settings.segments_max;
    segment.starts = segments->starts + slot * segments->words_each;
    segment.end_bytes = JOURNAL_PAGE_BYTES;
    memset(segment.starts, 0, segments->words_each * sizeof *segment.starts);
    *entry = segment;
    segments->end_number++;
    return entry;
}

enum status segments_adopt(struct segments *segments, const struct segment *segment)
{
    if (segments->end_number == 0)
        segments->going_number = segments->first_number = segments->end_number = segment->number;
    if (segment->number != segments->end_number)
        return STATUS_CORRUPT;
    if (!segments_have_room(segments))
        return STATUS_FULL;
    add_entry(segments, *segment);
    return STATUS_OK;
}

struct segment *segments_find(struct segments *segments, uint64_t number)
{
    bool is_there = number >= segments->first_number && number < segments->end_number;
    return is_there ? segments_entry(segments, number) : NULL;
}

struct segment *segments_oldest(struct segments *segments)
{
    return segments_find(segments, segments->first_number);
}

uint64_t segments_count(const struct segments *segments)
{
    return segments->end_number - segments->first_number;
}

uint64_t segments_end_position(const struct segments *segments)
{
    return segments->end_number * segments->settings.segment_bytes;
}

uint64_t segments_limit_position(const struct segments *segments)
{
    uint64_t number = segments->end_number + (segments_is_prepared(segments) ? 1 : 0);
    return number * segments->settings.segment_bytes;
}

uint64_t segments_bytes(const struct segments *segments)
{
    uint64_t bytes = 0;
    for (uint64_t n = segments->going_number; n < segments->end_number; n++)
        bytes += segments_entry(segments, n)->size_bytes;
    for (unsigned i = 0; i < SPARES_MAX; i++)
        if (segments->spares[i].state != SPARE_NONE)
            bytes += segments->settings.segment_bytes;
    return bytes;
}

/* ---- Blocks ---------------------------------------------------------------------------------- */

void segments_note_block(struct segments *segments, uint64_t position, uint32_t size_bytes)
{
    uint64_t number = position / segments->settings.segment_bytes;
    uint64_t offset = position % segments->settings.segment_bytes;
    struct segment *segment = segments_find(segments, number);
    assert(segment != NULL && offset >= segment->end_bytes);
    uint64_t page = offset / JOURNAL_PAGE_BYTES;
    segment->starts[page / 64] |= UINT64_C(1) << page % 64;
    segment->end_bytes = offset + size_bytes;
    segments_make_on(segments);
}

/* The last page up to `page` at which a block starts; 0 (the header's): none. */
static uint64_t last_start(const struct segment *segment, uint64_t page)
{
    uint64_t word = page / 64;
    uint64_t bits = segment->starts[word] & UINT64_MAX >> (63 - page % 64);
    while (bits == 0 && word > 0)
        bits = segment->starts[--word];
    return bits == 0 ? 0 : word * 64 + 63 - (uint64_t)__builtin_clzll(bits);
}

/* The first page from `page` on at which a block starts, or where the blocks end. */
static uint64_t next_start(const struct segment *segment, uint64_t page)
{
    uint64_t end = segment->end_bytes / JOURNAL_PAGE_BYTES;
    if (page >= end)
        return end;
    uint64_t word = page / 64;
    uint64_t bits = segment->starts[word] & UINT64_MAX << page % 64;
    while (bits == 0 && (word + 1) * 64 < end)
        bits = segment->starts[++word];
    return bits == 0 ? end : word * 64 + (uint64_t)__builtin_ctzll(bits);
}

bool segments_block_range(const struct segments *segments, uint64_t position, uint32_t size_bytes,
                          uint64_t *out_start, uint64_t *out_end)
{
    uint64_t number = position / segments->settings.segment_bytes;
    uint64_t offset = position % segments->settings.segment_bytes;
    if (size_bytes == 0 || number < segments->first_number || number >= segments->end_number)
        return false;
    const struct segment *segment = segments_entry(segments, number);
    if (offset + size_bytes > segment->end_bytes)
        return false;
    uint64_t first = last_start(segment, offset / JOURNAL_PAGE_BYTES);
    if (first == 0)
        return false;
    uint64_t last_page = (offset + size_bytes - 1) / JOURNAL_PAGE_BYTES;
    uint64_t start = number * segments->settings.segment_bytes;
    *out_start = start + first * JOURNAL_PAGE_BYTES;
    *out_end = start + next_start(segment, last_page + 1) * JOURNAL_PAGE_BYTES;
    return true;
}

/* ---- Going on in the next one ---------------------------------------------------------------- */

static void fill_header(struct segments *segments, uint64_t number, struct digest previous,
                        uint64_t log_time_ms, uint64_t wall_ms)
{
    struct segment_header header = {
        .magic = JOURNAL_SEGMENT_MAGIC,
        .version = JOURNAL_VERSION,
        .segment_bytes = segments->settings.segment_bytes,
        .number = number,
        .incarnation = segments->settings.incarnation,
        .log_time_ms = log_time_ms,
        .wall_ms = wall_ms,
        .previous = previous,
        .log_number = segments->settings.log_number,
        .log_count = segments->settings.log_count,
        .secret = segments->settings.secret,
    };
    segment_header_seal(&header);
    memset(segments->header_page, 0, JOURNAL_PAGE_BYTES);
    memcpy(segments->header_page, &header, sizeof header);
}

static void end_begin_step(struct disk_request *request, int32_t result);

void segments_begin(struct segments *segments, struct digest previous, uint64_t log_time_ms,
                    uint64_t wall_ms, struct segment_content content,
                    void (*begun)(void *context, int32_t result), void *context)
{
    assert(segments_is_prepared(segments) && !segments->begin.is_busy);
    struct spare *spare = segments_spare_in(segments, SPARE_READY);
    uint64_t number = segments->end_number;
    add_entry(segments, (struct segment){.number = number,
                                         .file = spare->file,
                                         .size_bytes = segments->settings.segment_bytes,
                                         .first_ms = log_time_ms});
    fill_header(segments, number, previous, log_time_ms, wall_ms);
    segments->is_written = true;
    segments->begun = begun;
    segments->begun_context = context;
    segments->content = content;
    struct segments_work *work = &segments->begin;
    *work = (struct segments_work){.is_busy = true, .spare = spare};
    work->request = (struct disk_request){.action = DISK_WRITE_SYNC,
                                          .file = spare->file,
                                          .memory = segments->header_page,
                                          .size_bytes = JOURNAL_PAGE_BYTES};
    segment_name(number, work->request.new_name);
    segments_name_spare((unsigned)(spare - segments->spares), work->request.name);
    spare->state = SPARE_TAKEN;
    segments_submit(segments, work, end_begin_step);
}

bool segments_is_beginning(const struct segments *segments)
{
    return segments->begin.is_busy;
}

static void end_begin_step(struct disk_request *request, int32_t result)
{
    struct segments_work *work = segments_work_of(request);
    struct segments *segments = work->segments;
    if (request->action == DISK_WRITE_SYNC && result >= 0)
        result = result == (int32_t)request->size_bytes ? 0 : -EIO;
    if (result == 0 && request->action != DISK_SYNC_FOLDER) {
        begin_next_step(segments);
        return;
    }
    if (request->action == DISK_SYNC_FOLDER)
        *work->spare = (struct spare){.state = SPARE_NONE};
    work->is_busy = false;
    segments->begun(segments->begun_context, result);
    if (segments->is_wanted)
        segments_prepare(segments);
}

static void begin_next_step(struct segments *segments)
{
    struct disk_request *request = &segments->begin.request;
    if (segments->content.size_bytes > 0) {
        request->memory = segments->content.memory;
        request->offset = JOURNAL_PAGE_BYTES;
        request->size_bytes = segments->content.size_bytes;
        segments->content.size_bytes = 0;
    } else {
        request->action = request->action == DISK_WRITE_SYNC ? DISK_RENAME : DISK_SYNC_FOLDER;
    }
    segments_submit(segments, &segments->begin, end_begin_step);
}

/* ---- Going on elsewhere ---------------------------------------------------------------------- */

bool segments_are_busy(const struct segments *segments)
{
    return segments->make.is_busy || segments->give_up.is_busy || segments->begin.is_busy;
}

static void leave_file(struct segments *segments, int file)
{
    assert(segments->left_file_count < LEFT_FILES_MAX);
    segments->left_files[segments->left_file_count++] = file;
}

void segments_move(struct segments *segments, uint64_t number)
{
    assert(!segments_are_busy(segments) && segments->left_file_count == 0);
    assert(number >= segments->first_number && number <= segments->end_number);
    for (unsigned i = 0; i < SPARES_MAX; i++) {
        struct spare *spare = &segments->spares[i];
        /* One that is taken has its file in the table. */
        if (spare->state == SPARE_READY || spare->has_file)
            leave_file(segments, spare->file);
        *spare = (struct spare){.state = SPARE_NONE};
    }
    for (uint64_t n = number; n < segments->end_number; n++)
        leave_file(segments, segments_entry(segments, n)->file);
    segments->end_number = number;
    for (uint64_t n = segments->going_number; n < segments->end_number; n++)
        segments_entry(segments, n)->is_left = true;
    segments->settings.has_moved = true;
    segments->make = (struct segments_work){0};
    segments->is_written = segments->is_wanted = segments->is_stuck = false;
    segments_prepare(segments);
}
