#include "io/journal/sidecars.h"

#include <errno.h>
#include <stddef.h>

static const uint64_t no_segment = UINT64_MAX;

static void let_wait(struct sidecars *sidecars);
static void start_writing(struct sidecars *sidecars, struct digest last_block);

enum status sidecars_open(const struct sidecars_settings *settings, struct sidecars *out_sidecars)
{
    struct region region;
    size_t bytes = sidecar_bytes_max(settings->segment_bytes);
    enum status status = region_open(2 * bytes, &region);
    if (status != STATUS_OK)
        return status;
    *out_sidecars = (struct sidecars){
        .settings = *settings,
        .region = region,
        .noting = region.memory,
        .waiting = (struct sidecar_header *)((uint8_t *)region.memory + bytes),
        .noting_segment = no_segment,
        .waiting_segment = no_segment,
        .file = -1,
    };
    return STATUS_OK;
}

void sidecars_close(struct sidecars *sidecars)
{
    assert(!sidecars->is_writing);
    region_close(&sidecars->region);
}

/* ---- Noting ---------------------------------------------------------------------------------- */

void sidecars_note(struct sidecars *sidecars, const struct sidecar_identity *identity)
{
    const struct sidecars_settings *settings = &sidecars->settings;
    uint64_t start = sidecars->noting_segment * settings->segment_bytes;
    if (sidecars->noting_segment == no_segment ||
        identity->position - start >= settings->segment_bytes) {
        if (sidecars->noting_segment != no_segment)
            let_wait(sidecars);
        uint64_t segment = identity->position / settings->segment_bytes;
        sidecar_begin(sidecars->noting, settings->log_number, segment, settings->segment_bytes);
        sidecars->noting_segment = segment;
    }
    sidecar_add(sidecars->noting, &settings->secret, identity);
}

/* Until its end is told. If the one before it is not written yet, it is left out. */
static void let_wait(struct sidecars *sidecars)
{
    struct sidecar_header *free_memory = sidecars->waiting;
    if (sidecars->waiting_segment == no_segment) {
        sidecars->waiting = sidecars->noting;
        sidecars->waiting_segment = sidecars->noting_segment;
        sidecars->noting = free_memory;
    } else {
        sidecars->figures.left_out++;
    }
    sidecars->noting_segment = no_segment;
}

void sidecars_end_segment(struct sidecars *sidecars, uint64_t segment_number,
                          struct digest last_block)
{
    if (sidecars->noting_segment == segment_number)
        let_wait(sidecars);
    if (sidecars->waiting_segment == segment_number && !sidecars->is_writing)
        start_writing(sidecars, last_block);
}

/* ---- Writing: make it under another name, write, sync, close, rename, sync the folder -------- */

static void make(struct disk_request *request, int32_t result);
static void write_on(struct disk_request *request, int32_t result);
static void count_written(struct disk_request *request, int32_t result);
static void let_go(struct disk_request *request, int32_t result);
static void name(struct disk_request *request, int32_t result);
static void sync_name(struct disk_request *request, int32_t result);
static void end(struct disk_request *request, int32_t result);

static struct sidecars *sidecars_of(struct disk_request *request)
{
    return (struct sidecars *)(void *)((uint8_t *)request - offsetof(struct sidecars, request));
}

/* The names are those of the sidecar, and the one under which it is written. */
static void ask(struct sidecars *sidecars, enum disk_action action,
                void (*done)(struct disk_request *request, int32_t result))
{
    struct disk_request *request = &sidecars->request;
    request->action = action;
    request->file = sidecars->file;
    request->done = done;
    snprintf(request->name, sizeof request->name, "%s", SIDECAR_NEW_NAME);
    sidecar_name(sidecars->waiting_segment, request->new_name);
    disk_submit(sidecars->settings.disk, request);
}

/* True if it failed, at this step or before. */
static bool has_failed(struct sidecars *sidecars, int32_t result)
{
    if (result < 0 && !sidecars->has_failed) {
        sidecars->has_failed = true;
        sidecars->figures.error = -result;
    }
    return sidecars->has_failed;
}

/* One of that name may be left of a run that ended here: it goes first. */
static void start_writing(struct sidecars *sidecars, struct digest last_block)
{
    sidecars->bytes = sidecar_seal(sidecars->waiting, &sidecars->settings.secret, last_block);
    sidecars->done_bytes = 0;
    sidecars->has_failed = false;
    sidecars->is_writing = true;
    ask(sidecars, DISK_REMOVE, make);
}

static void make(struct disk_request *request, int32_t result)
{
    (void)result; /* most often there was none */
    ask(sidecars_of(request), DISK_CREATE, write_on);
}

static void write_piece(struct sidecars *sidecars)
{
    uint64_t rest = sidecars->bytes - sidecars->done_bytes;
    sidecars->request.memory = (uint8_t *)sidecars->waiting + sidecars->done_bytes;
    sidecars->request.offset = sidecars->done_bytes;
    sidecars->request.size_bytes =
        (uint32_t)(rest < SIDECAR_WRITE_BYTES ? rest : SIDECAR_WRITE_BYTES);
    ask(sidecars, DISK_WRITE, count_written);
}

static void write_on(struct disk_request *request, int32_t result)
{
    struct sidecars *sidecars = sidecars_of(request);
    sidecars->file = result < 0 ? -1 : result;
    if (has_failed(sidecars, result))
        end(request, 0);
    else
        write_piece(sidecars);
}

static void count_written(struct disk_request *request, int32_t result)
{
    struct sidecars *sidecars = sidecars_of(request);
    bool is_short = result >= 0 && (uint32_t)result < request->size_bytes;
    if (has_failed(sidecars, is_short ? -ENOSPC : result)) {
        let_go(request, 0);
        return;
    }
    sidecars->done_bytes += request->size_bytes;
    if (sidecars->done_bytes < sidecars->bytes)
        write_piece(sidecars);
    else
        ask(sidecars, DISK_SYNC, let_go);
}

static void let_go(struct disk_request *request, int32_t result)
{
    struct sidecars *sidecars = sidecars_of(request);
    (void)has_failed(sidecars, result);
    ask(sidecars, DISK_CLOSE, name);
}

static void name(struct disk_request *request, int32_t result)
{
    struct sidecars *sidecars = sidecars_of(request);
    sidecars->file = -1;
    if (has_failed(sidecars, result))
        ask(sidecars, DISK_REMOVE, end);
    else
        ask(sidecars, DISK_RENAME, sync_name);
}

static void sync_name(struct disk_request *request, int32_t result)
{
    struct sidecars *sidecars = sidecars_of(request);
    if (has_failed(sidecars, result))
        ask(sidecars, DISK_REMOVE, end);
    else
        ask(sidecars, DISK_SYNC_FOLDER, end);
}

static void end(struct disk_request *request, int32_t result)
{
    struct sidecars *sidecars = sidecars_of(request);
    if (has_failed(sidecars, result)) {
        sidecars->figures.failed++;
        sidecars->figures.left_out++;
    } else {
        sidecars->figures.written++;
        sidecars->figures.bytes += sidecars->bytes;
    }
    sidecars->waiting_segment = no_segment;
    sidecars->is_writing = false;
}
