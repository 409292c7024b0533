#include "io/state/case_snapshot.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "io/shard/shard.h"
#include "io/state/case_snapshot_inside.h"

enum {
    PAGES_AT_ONCE = 64, /* copied in a turn */
    NS_PER_S = 1000000000
};
#define EVERY_NS (UINT64_C(10) * NS_PER_S)
#define AGAIN_NS (UINT64_C(1) * NS_PER_S) /* after one that failed */

static void begin(struct case_snapshots *snapshots);
static void begin_writing(struct case_snapshots *snapshots);

enum status case_snapshots_open(struct shard *shard, struct disk *disk, uint64_t covered_position,
                                struct case_snapshots *out_snapshots)
{
    struct case_snapshot_header *header = aligned_alloc(JOURNAL_PAGE_BYTES, JOURNAL_PAGE_BYTES);
    size_t bytes = case_image_bytes_max(cases_table(shard->cases));
    void *copy = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (header == NULL || copy == MAP_FAILED) {
        free(header);
        if (copy != MAP_FAILED)
            munmap(copy, bytes);
        return STATUS_NO_MEMORY;
    }
    memset(header, 0, JOURNAL_PAGE_BYTES);
    *out_snapshots = (struct case_snapshots){.shard = shard,
                                             .disk = disk,
                                             .copy = copy,
                                             .copy_bytes = bytes,
                                             .header = header,
                                             .covered_position = covered_position,
                                             .file = -1};
    return STATUS_OK;
}

void case_snapshots_close(struct case_snapshots *snapshots)
{
    assert(case_snapshots_is_idle(snapshots));
    if (snapshots->copy == NULL)
        return;
    if (snapshots->state == CASE_SNAPSHOT_COPIES)
        case_image_end(cases_table(snapshots->shard->cases));
    munmap(snapshots->copy, snapshots->copy_bytes);
    free(snapshots->header);
    *snapshots = (struct case_snapshots){0};
}

/* ---- when ---- */

bool case_snapshots_cover(struct case_snapshots *snapshots, uint64_t position)
{
    if (snapshots->covered_position >= position)
        return true;
    if (snapshots->wanted_position < position)
        snapshots->wanted_position = position;
    return false;
}

/* All messages before it have been told, and are durable. */
static uint64_t told_position(const struct shard *shard)
{
    uint64_t oldest = commit_oldest_position(&shard->commits);
    uint64_t durable = shard->journal.durable_position;
    return oldest < durable ? oldest : durable; /* WINDOW_NO_POSITION is greater than all */
}

static bool is_due(const struct case_snapshots *snapshots)
{
    const struct shard *shard = snapshots->shard;
    uint64_t since_ns = loop_now_ns(shard->loop) - snapshots->begun_ns;
    if (shard->stopping || (snapshots->has_failed && since_ns < AGAIN_NS))
        return false;
    if (snapshots->wanted_position > snapshots->covered_position)
        return told_position(shard) >= snapshots->wanted_position;
    return since_ns >= EVERY_NS &&
           told_position(shard) >=
               snapshots->covered_position + shard->journal.settings.segment_bytes;
}

void case_snapshots_run(struct case_snapshots *snapshots)
{
    if (snapshots->state == CASE_SNAPSHOT_RESTS && is_due(snapshots))
        begin(snapshots);
    if (snapshots->state != CASE_SNAPSHOT_COPIES)
        return;
    if (case_image_copy(cases_table(snapshots->shard->cases), PAGES_AT_ONCE))
        begin_writing(snapshots);
    else
        shard_wake(snapshots->shard);
}

static void begin(struct case_snapshots *snapshots)
{
    struct shard *shard = snapshots->shard;
    snapshots->begun_ns = loop_now_ns(shard->loop);
    *snapshots->header = case_snapshot_make_header(shard->number, told_position(shard));
    case_image_begin(cases_table(shard->cases), snapshots->copy);
    snapshots->state = CASE_SNAPSHOT_COPIES;
}

/* ---- writing: make it under another name, write, sync, close, rename, sync the folder -------- */

static void make(struct disk_request *request, int32_t result);
static void write_on(struct disk_request *request, int32_t result);
static void count_written(struct disk_request *request, int32_t result);
static void sync_file(struct disk_request *request, int32_t result);
static void let_go(struct disk_request *request, int32_t result);
static void name(struct disk_request *request, int32_t result);
static void sync_name(struct disk_request *request, int32_t result);
static void end(struct disk_request *request, int32_t result);

static struct case_snapshots *snapshots_of(struct disk_request *request)
{
    return (struct case_snapshots *)(void *)((uint8_t *)request -
                                             offsetof(struct case_snapshots, request));
}

static void ask(struct case_snapshots *snapshots, enum disk_action action,
                void (*done)(struct disk_request *request, int32_t result))
{
    struct disk_request *request = &snapshots->request;
    request->action = action;
    request->file = snapshots->file;
    request->done = done;
    snprintf(request->name, sizeof request->name, "%s", CASE_SNAPSHOT_NEW_NAME);
    snprintf(request->new_name, sizeof request->new_name, "%s", CASE_SNAPSHOT_NAME);
    disk_submit(snapshots->disk, request);
}

/* True if it failed, at this step or before. */
static bool has_failed(struct case_snapshots *snapshots, int32_t result)
{
    if (result < 0 && !snapshots->has_failed) {
        snapshots->has_failed = true;
        snapshots->error = -result;
    }
    return snapshots->has_failed;
}

static void begin_writing(struct case_snapshots *snapshots)
{
    enum status status =
        case_image_sections(snapshots->copy, CASE_IMAGE_PAGE_BYTES, snapshots->header->sections,
                            &snapshots->header->image_bytes);
    assert(status == STATUS_OK);
    case_image_end(cases_table(snapshots->shard->cases));
    snapshots->state = CASE_SNAPSHOT_WRITES;
    snapshots->has_failed = false;
    snapshots->section = 0;
    snapshots->section_offset = 0;
    snapshots->file_offset = JOURNAL_PAGE_BYTES;
    ask(snapshots, DISK_REMOVE, make);
}

static void make(struct disk_request *request, int32_t result)
{
    (void)result; /* most often there was none */
    ask(snapshots_of(request), DISK_CREATE, write_on);
}

/* The next piece; the header when all are there. */
static void write_piece(struct case_snapshots *snapshots)
{
    struct case_snapshot_header *header = snapshots->header;
    struct disk_request *request = &snapshots->request;
    while (snapshots->section < CASE_IMAGE_SECTIONS &&
           snapshots->section_offset == header->sections[snapshots->section].size_bytes) {
        snapshots->section++;
        snapshots->section_offset = 0;
    }
    if (snapshots->section == CASE_IMAGE_SECTIONS) {
        case_snapshot_seal(header, &snapshots->shard->secret);
        request->memory = header;
        request->offset = 0;
        request->size_bytes = JOURNAL_PAGE_BYTES;
        ask(snapshots, DISK_WRITE, sync_file);
        return;
    }
    const struct case_image_section *section = &header->sections[snapshots->section];
    uint64_t rest = section->size_bytes - snapshots->section_offset;
    request->memory = snapshots->copy + section->offset + snapshots->section_offset;
    request->offset = snapshots->file_offset;
    request->size_bytes =
        (uint32_t)(rest < CASE_SNAPSHOT_PIECE_BYTES ? rest : CASE_SNAPSHOT_PIECE_BYTES);
    case_snapshot_add_piece(header, &snapshots->shard->secret,
                            bytes_make(request->memory, request->size_bytes));
    ask(snapshots, DISK_WRITE, count_written);
}

static void write_on(struct disk_request *request, int32_t result)
{
    struct case_snapshots *snapshots = snapshots_of(request);
    snapshots->file = result < 0 ? -1 : result;
    if (has_failed(snapshots, result))
        end(request, 0);
    else
        write_piece(snapshots);
}

static int32_t whole(const struct disk_request *request, int32_t result)
{
    return result >= 0 && (uint32_t)result < request->size_bytes ? -ENOSPC : result;
}

static void count_written(struct disk_request *request, int32_t result)
{
    struct case_snapshots *snapshots = snapshots_of(request);
    if (has_failed(snapshots, whole(request, result))) {
        let_go(request, 0);
        return;
    }
    snapshots->section_offset += request->size_bytes;
    snapshots->file_offset += request->size_bytes;
    write_piece(snapshots);
}

static void sync_file(struct disk_request *request, int32_t result)
{
    struct case_snapshots *snapshots = snapshots_of(request);
    if (has_failed(snapshots, whole(request, result)))
        let_go(request, 0);
    else
        ask(snapshots, DISK_SYNC, let_go);
}

static void let_go(struct disk_request *request, int32_t result)
{
    struct case_snapshots *snapshots = snapshots_of(request);
    (void)has_failed(snapshots, result);
    ask(snapshots, DISK_CLOSE, name);
}

static void name(struct disk_request *request, int32_t result)
{
    struct case_snapshots *snapshots = snapshots_of(request);
    snapshots->file = -1;
    if (has_failed(snapshots, result))
        ask(snapshots, DISK_REMOVE, end);
    else
        ask(snapshots, DISK_RENAME, sync_name);
}

static void sync_name(struct disk_request *request, int32_t result)
{
    struct case_snapshots *snapshots = snapshots_of(request);
    if (has_failed(snapshots, result))
        ask(snapshots, DISK_REMOVE, end);
    else
        ask(snapshots, DISK_SYNC_FOLDER, end);
}

static void end(struct disk_request *request, int32_t result)
{
    struct case_snapshots *snapshots = snapshots_of(request);
    struct shard *shard = snapshots->shard;
    if (has_failed(snapshots, result)) {
        snapshots->failed++;
        if (!snapshots->has_warned)
            fprintf(stderr,
                    "kouan: %s/%s cannot be written: %s; it is tried again, and a start reads more "
                    "of the log until it can be\n",
                    log_disk_path(&shard->log.disk), CASE_SNAPSHOT_NAME,
                    strerror(snapshots->error));
        snapshots->has_warned = true;
    } else {
        snapshots->written++;
        snapshots->has_warned = false;
        snapshots->covered_position = snapshots->header->position;
    }
    madvise(snapshots->copy, snapshots->copy_bytes, MADV_DONTNEED);
    snapshots->state = CASE_SNAPSHOT_RESTS;
    retention_look_now(shard); /* it may have waited for it */
}
