#include <errno.h>
#include <stdlib.h>

#include "io/recover/recover_inside.h"
#include "io/recover/sidecar_reader.h"

#define COPY_NAME "last.tmp" /* what is left of it goes at the next start */

enum { COPY_BYTES = 4 * 1024 * 1024 };

static enum status copy_file(struct recover *recover, const struct recover_file *from, int to,
                             uint64_t size_bytes);
static enum status run(const struct recover *recover, struct disk_request *request,
                       const char *step);
static enum status verify_copy(struct recover *recover, uint64_t number, int file,
                               uint64_t size_bytes, const struct journal_scan_result *result);

static enum status replace(struct recover *recover, struct recover_file *last, int copy,
                           uint64_t size_bytes)
{
    struct disk_request rename = {.action = DISK_RENAME, .name = COPY_NAME};
    struct disk_request sync_folder = {.action = DISK_SYNC_FOLDER};
    segment_name(last->number, rename.new_name);
    enum status status = run(recover, &rename, "rename the copy of the last segment");
    if (status == STATUS_OK)
        status = run(recover, &sync_folder, "sync the folder");
    if (status != STATUS_OK)
        return status;
    struct segment *segment = segments_find(recover->segments, last->number);
    recover_close_file(recover, last->file);
    last->size_bytes = segment->size_bytes = size_bytes;
    last->file = segment->file = copy;
    return STATUS_OK;
}

static enum status copy_last(struct recover *recover, const struct journal_scan_result *result)
{
    uint64_t segment_bytes = recover->settings.segment_bytes;
    uint64_t number = (result->end_position - 1) / segment_bytes;
    uint64_t size_bytes = result->end_position - number * segment_bytes;
    struct recover_file *last = recover_file(recover, number);
    /* As long as what survived, and shorter than one that was made to be written: a copy already.
     */
    if (last->size_bytes == size_bytes && size_bytes < segment_bytes)
        return STATUS_OK;
    struct disk_request create = {.action = DISK_CREATE, .name = COPY_NAME};
    enum status status = run(recover, &create, "make a copy of the last segment");
    if (status != STATUS_OK)
        return status;
    struct disk_request sync = {.action = DISK_SYNC, .file = create.result};
    status = copy_file(recover, last, create.result, size_bytes);
    if (status == STATUS_OK)
        status = run(recover, &sync, "sync the copy of the last segment");
    if (status == STATUS_OK)
        status = verify_copy(recover, number, create.result, size_bytes, result);
    if (status == STATUS_OK)
        status = replace(recover, last, create.result, size_bytes);
    if (status != STATUS_OK)
        recover_close_file(recover, create.result);
    return status;
}

/* Behind the end nothing was durable: the log goes on there, in fresh files. The last first, so
 * that no gap is ever left. */
static enum status remove_after(struct recover *recover, uint64_t end_position)
{
    struct disk_request sync_folder = {.action = DISK_SYNC_FOLDER};
    enum status status = STATUS_OK;
    bool removed = false;
    for (uint32_t i = recover->file_count; i > 0 && status == STATUS_OK; i--) {
        struct recover_file *file = &recover->files[i - 1];
        char name[DISK_NAME_BYTES];
        if (end_position > file->number * recover->settings.segment_bytes)
            break;
        recover_close_file(recover, file->file);
        file->file = -1;
        segment_name(file->number, name);
        status = recover_remove(recover, name);
        sidecar_name(file->number, name);
        if (status == STATUS_OK)
            status = recover_remove(recover, name);
        removed = true;
    }
    if (removed && status == STATUS_OK)
        status = run(recover, &sync_folder, "sync the folder");
    return status;
}

enum status recover_copy_tail(struct recover *recover, const struct journal_scan_result *result)
{
    if (recover->file_count == 0)
        return STATUS_OK;
    if (result->blocks == 0)
        return remove_after(recover, recover->files[0].number * recover->settings.segment_bytes);
    enum status status = copy_last(recover, result);
    return status == STATUS_OK ? remove_after(recover, result->end_position) : status;
}

/* ---- copying ---- */

static enum status run(const struct recover *recover, struct disk_request *request,
                       const char *step)
{
    int32_t result = disk_run(recover->settings.disk, request);
    if (result >= 0)
        return STATUS_OK;
    return recover_say(recover, result == -ENOSPC ? STATUS_FULL : STATUS_IO, "%s: cannot %s: %s%s",
                       recover_current_path(recover), step, strerror(-result),
                       result == -ENOSPC ? "; make room: what survived of the last segment is "
                                           "written anew before the log goes on"
                                         : "");
}

static enum status copy_part(struct recover *recover, const struct recover_file *from, int to,
                             uint64_t offset, void *memory, uint32_t size)
{
    struct disk_request write = {.action = DISK_WRITE_SYNC,
                                 .file = to,
                                 .memory = memory,
                                 .offset = offset,
                                 .size_bytes = size};
    if (recover_read(recover, from->number, offset, memory, size) != (int64_t)size)
        return recover_say_place(recover, STATUS_IO,
                                 from->number * recover->settings.segment_bytes + offset,
                                 "it cannot be read a second time");
    enum status status = run(recover, &write, "write the copy of the last segment");
    if (status == STATUS_OK && write.result != (int32_t)size)
        status = recover_say(recover, STATUS_IO,
                             "%s: the copy of the last segment was written in part only; look for "
                             "room on the disk, and for a limit on the size of files. The segment "
                             "is as it was",
                             recover_current_path(recover));
    return status;
}

static enum status copy_file(struct recover *recover, const struct recover_file *from, int to,
                             uint64_t size_bytes)
{
    void *memory = aligned_alloc(JOURNAL_PAGE_BYTES, COPY_BYTES);
    enum status status = memory != NULL ? STATUS_OK : STATUS_NO_MEMORY;
    for (uint64_t offset = 0; offset < size_bytes && status == STATUS_OK; offset += COPY_BYTES) {
        uint64_t left = size_bytes - offset;
        status = copy_part(recover, from, to, offset, memory,
                           left < COPY_BYTES ? (uint32_t)left : (uint32_t)COPY_BYTES);
    }
    free(memory);
    return status;
}

/* ---- looking at the copy ---- */

static int64_t read_copy(void *context, uint64_t segment, uint64_t offset, void *memory,
                         size_t capacity)
{
    (void)segment;
    return read_ahead_copy(context, 0, offset, memory, capacity);
}

/* What was verified when it was read first is what lies in the copy now. */
static enum status verify_copy(struct recover *recover, uint64_t number, int file,
                               uint64_t size_bytes, const struct journal_scan_result *result)
{
    const struct read_ahead_file files = {file, size_bytes};
    struct read_ahead reader;
    struct journal_scan_result again = {0};
    enum status status = read_ahead_open(&reader, recover->settings.disk, &files, 1);
    if (status != STATUS_OK)
        return status;
    const struct journal_scan_settings settings = {
        .secret = recover->settings.secret,
        .segment_bytes = recover->settings.segment_bytes,
        .log_number = recover->settings.log_number,
        .first_segment = number,
        .last_segment = number,
        .source = {.read = read_copy, .context = &reader},
    };
    status = journal_scan(&settings, &again);
    read_ahead_close(&reader);
    if (status != STATUS_OK)
        return recover_say_scan(recover, status, &again);
    if (again.end_position != result->end_position ||
        !digest_equal(again.last_checksum, result->last_checksum))
        return recover_say(recover, STATUS_IO,
                           "%s: the copy of the last segment reads otherwise than the segment did: "
                           "this disk cannot be relied on",
                           recover_current_path(recover));
    return STATUS_OK;
}
