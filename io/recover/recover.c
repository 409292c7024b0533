#include "io/recover/recover.h"

#include <stdarg.h>
#include <stdlib.h>
#include <time.h>

#include "io/recover/recover_inside.h"

static enum status open_reader(struct recover *recover);
static enum status scan(struct recover *recover, struct journal_scan_result *out_result);
static enum status check_end(struct recover *recover, const struct journal_scan_result *result);

enum status recover_open(const struct recover_settings *settings, struct recover **out_recover)
{
    struct recover *recover = calloc(1, sizeof *recover);
    if (recover == NULL)
        return STATUS_NO_MEMORY;
    recover->settings = *settings;
    recover->incarnation = 1;
    enum status status = generation_store_open(settings->journal_path, settings->spare_journal_path,
                                               &recover->store);
    if (status == STATUS_OK)
        status = recover_find_files(recover);
    if (status != STATUS_OK) {
        recover_close(recover);
        return status;
    }
    *out_recover = recover;
    return STATUS_OK;
}

void recover_close(struct recover *recover)
{
    for (uint32_t i = 0; i < recover->file_count; i++)
        if (recover->files[i].file >= 0 && !recover->files[i].is_adopted)
            recover_close_file(recover, recover->files[i].file);
    recover_apply_close(recover);
    free(recover->sidecar);
    free(recover->reader_files);
    free(recover->files);
    free(recover);
}

uint64_t recover_incarnation(const struct recover *recover)
{
    return recover->incarnation;
}

uint64_t recover_segment_count(const struct recover *recover)
{
    return recover->file_count;
}

static uint64_t monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

enum status recover_run(struct recover *recover, struct shard *shard, struct segments *segments,
                        struct recovery *out_recovery)
{
    struct journal_scan_result result = {0};
    uint64_t began_ns = monotonic_ns();
    recover->shard = shard;
    recover->segments = segments;
    enum status status = open_reader(recover);
    if (status != STATUS_OK)
        return status;
    status = recover_apply_begin(recover);
    if (status == STATUS_OK)
        status = recover_cases_begin(recover);
    if (status == STATUS_OK && recover->file_count > 0)
        status = scan(recover, &result);
    if (status == STATUS_OK)
        status = recover_apply_end(recover);
    if (status == STATUS_OK)
        status = recover_copy_tail(recover, &result);
    read_ahead_close(&recover->reader);
    if (status != STATUS_OK)
        return status;
    recover->figures.bytes = recover->reader.bytes_read;
    recover->figures.elapsed_ns = monotonic_ns() - began_ns;
    *out_recovery = (struct recovery){
        .start_position = segments_end_position(segments),
        .log_time_ms = result.log_time_ms,
        .last_checksum = result.last_checksum,
        .last_id = result.last_id,
        .last_generation = recover->last_generation,
        .last_manifest = recover->last_manifest,
        .cases_covered = recover->cases_from,
        .figures = recover->figures,
    };
    return STATUS_OK;
}

/* ---- reading ---- */

static enum status open_reader(struct recover *recover)
{
    recover->reader_files = calloc(recover->file_count + 1U, sizeof *recover->reader_files);
    if (recover->reader_files == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < recover->file_count; i++)
        recover->reader_files[i] =
            (struct read_ahead_file){recover->files[i].file, recover->files[i].size_bytes};
    return read_ahead_open(&recover->reader, recover->settings.disk, recover->reader_files,
                           recover->file_count);
}

/* Of the block before the one that is read. */
static enum status end_segment(struct recover *recover)
{
    if (recover->block.size_bytes > 0)
        recover_sidecar_end(recover, recover->block.checksum);
    return STATUS_OK;
}

static enum status note_block(void *context, const struct block_header *block)
{
    struct recover *recover = context;
    uint64_t segment = block->position / recover->settings.segment_bytes;
    enum status status = STATUS_OK;
    if (recover->block.size_bytes == 0 ||
        recover->block.position / recover->settings.segment_bytes != segment) {
        status = end_segment(recover);
        if (status == STATUS_OK)
            status = recover_adopt(recover, segment);
        if (status == STATUS_OK)
            status = recover_sidecar_begin(recover, segment);
    }
    if (status != STATUS_OK)
        return status;
    recover->block = *block;
    segments_note_block(recover->segments, block->position, block->size_bytes);
    recover->figures.blocks++;
    recover_progress(recover);
    return STATUS_OK;
}

static enum status note_record(void *context, const struct record_head *head, uint64_t position)
{
    return recover_apply(context, head, position);
}

static enum status scan(struct recover *recover, struct journal_scan_result *out_result)
{
    enum status status = recover_choose_first(recover);
    if (status == STATUS_OK)
        status = recover_skip_segments(recover);
    if (status == STATUS_OK)
        status = recover_skipped_identities(recover);
    if (status != STATUS_OK)
        return status;
    recover->block = (struct block_header){0};
    const struct journal_scan_settings settings = {
        .secret = recover->settings.secret,
        .segment_bytes = recover->settings.segment_bytes,
        .log_number = recover->settings.log_number,
        .first_segment = recover->files[recover->first_scanned].number,
        .last_segment = recover->files[recover->file_count - 1].number,
        .source = {.read = recover_read, .context = recover},
        .handler = {.block = note_block, .record = note_record, .context = recover},
    };
    status = journal_scan(&settings, out_result);
    if (status != STATUS_OK)
        return recover_say_scan(recover, status, out_result);
    recover_flush_identities(recover);
    status = check_end(recover, out_result);
    return status == STATUS_OK ? end_segment(recover) : status;
}

/* From a place to the end of what was begun behind it, by what block headers say of themselves; at
 * least a page. */
static uint64_t measure_torn(struct recover *recover, uint64_t position)
{
    uint64_t segment_bytes = recover->settings.segment_bytes;
    uint64_t segment = position / segment_bytes, end = position + JOURNAL_PAGE_BYTES;
    struct block_header block;
    for (uint64_t p = position; p / segment_bytes == segment; p += JOURNAL_PAGE_BYTES) {
        int64_t size = recover_read(recover, segment, p % segment_bytes, &block, sizeof block);
        if (size != (int64_t)sizeof block)
            break;
        if (block.magic == JOURNAL_BLOCK_MAGIC && block.position == p &&
            block.size_bytes <= segment_bytes && p + block.size_bytes > end)
            end = p + block.size_bytes;
    }
    return end - position;
}

static enum status check_end(struct recover *recover, const struct journal_scan_result *result)
{
    if (result->end == JOURNAL_DAMAGED)
        return recover_say_damage(recover, result->bad_position, result->reason);
    if (result->blocks == 0 && recover->files[0].number > 0)
        return recover_say_damage(recover, result->bad_position,
                                  "this is the log's oldest segment, and not one block of it is as "
                                  "it was written");
    if (result->end == JOURNAL_TORN) {
        recover->figures.torn_bytes = measure_torn(recover, result->bad_position);
        snprintf(recover->figures.torn_reason, sizeof recover->figures.torn_reason, "%s",
                 result->reason);
    }
    return STATUS_OK;
}

/* ---- small things ---- */

enum status recover_adopt(struct recover *recover, uint64_t number)
{
    struct recover_file *file = recover_file(recover, number);
    const struct segment segment = {
        .number = number,
        .file = file->file,
        .size_bytes = file->size_bytes,
        .first_ms = file->header.log_time_ms,
        .is_left = recover->settings.has_moved && !file->is_in_spare,
    };
    enum status status = segments_adopt(recover->segments, &segment);
    if (status != STATUS_OK)
        return recover_say(recover, status, "%s: segment %016" PRIx64 " finds no place: %s",
                           recover->settings.path, number, status_text(status));
    file->is_adopted = true;
    return STATUS_OK;
}

void recover_manifest(const struct config *config, struct sha256 *out_manifest)
{
    struct arena arena;
    arena_init(&arena);
    generation_store_manifest(&arena, config, out_manifest);
    arena_deinit(&arena);
}

uint64_t recover_choose_generation(const struct recovery *const *logs, uint16_t count,
                                   const struct sha256 *manifest)
{
    uint64_t last = 0;
    bool goes_on = true;
    for (uint16_t i = 0; i < count; i++)
        if (logs[i]->last_generation > last)
            last = logs[i]->last_generation;
    for (uint16_t i = 0; i < count; i++)
        if (logs[i]->last_generation == last &&
            memcmp(&logs[i]->last_manifest, manifest, sizeof *manifest) != 0)
            goes_on = false;
    return last > 0 && goes_on ? last : last + 1;
}

enum status recover_store_generation(struct recover *recover, uint64_t number, char *out_problem,
                                     size_t problem_capacity)
{
    const struct recover_settings *settings = &recover->settings;
    struct generation_store store = recover->store;
    enum status status = STATUS_OK;
    if (settings->has_moved) /* the folder that was left may let nothing be written */
        status = generation_store_open(settings->spare_journal_path, NULL, &store);
    return status == STATUS_OK ? generation_store_put(&store, recover->shard->config, number,
                                                      out_problem, problem_capacity)
                               : status;
}

void recover_progress(const struct recover *recover)
{
    if (recover->settings.progress == NULL)
        return;
    struct recover_figures figures = recover->figures;
    figures.bytes = recover->reader.bytes_read;
    recover->settings.progress(recover->settings.context, &figures);
}

enum status recover_say(const struct recover *recover, enum status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(recover->settings.out_problem, recover->settings.problem_capacity, format, arguments);
    va_end(arguments);
    return status;
}

enum status recover_say_place(const struct recover *recover, enum status status, uint64_t position,
                              const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    uint64_t segment_bytes = recover->settings.segment_bytes;
    return recover_say(recover, status, "%s/%016" PRIx64 ".segment, byte %" PRIu64 ": %s",
                       recover_path(recover, position / segment_bytes), position / segment_bytes,
                       position % segment_bytes, text);
}

enum status recover_say_damage(const struct recover *recover, uint64_t position, const char *reason)
{
    uint64_t segment_bytes = recover->settings.segment_bytes;
    return recover_say(
        recover, STATUS_CORRUPT,
        "%s/%016" PRIx64 ".segment, byte %" PRIu64 ": %s. This is damage, not a torn "
        "end: bring the file back, or `kouan journal repair` copies what verifies to "
        "a new journal and lists what is lost",
        recover_path(recover, position / segment_bytes), position / segment_bytes,
        position % segment_bytes, reason);
}

enum status recover_say_scan(const struct recover *recover, enum status status,
                             const struct journal_scan_result *result)
{
    if (result->reason[0] != '\0')
        recover_say_place(recover, status, result->bad_position, "%s", result->reason);
    return status;
}
