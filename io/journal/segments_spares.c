#include <errno.h>
#include <string.h>

#include "io/journal/segments_inside.h"

static void end_make_step(struct disk_request *request, int32_t result);
static void undo_make(struct segments_work *work, int error, const char *step);
static void end_give_up_step(struct disk_request *request, int32_t result);
static void start_give_up(struct segments *segments);
static void note_first(struct segments *segments);
static void end_note_first_step(struct disk_request *request, int32_t result);
static void stop_giving_up(struct segments *segments, int error, enum disk_action action);
static void give_sidecar_up(struct segments *segments);

static void name_first(uint64_t number, char out_name[DISK_NAME_BYTES])
{
    snprintf(out_name, DISK_NAME_BYTES, "%016" PRIx64 ".first", number);
}

struct spare *segments_spare_in(struct segments *segments, enum spare_state state)
{
    for (unsigned i = 0; i < SPARES_MAX; i++)
        if (segments->spares[i].state == state)
            return &segments->spares[i];
    return NULL;
}

static unsigned spare_index(const struct segments *segments, const struct spare *spare)
{
    return (unsigned)(spare - segments->spares);
}

bool segments_is_prepared(const struct segments *segments)
{
    if (!segments_have_room(segments))
        return false;
    for (unsigned i = 0; i < SPARES_MAX; i++)
        if (segments->spares[i].state == SPARE_READY)
            return true;
    return false;
}

static void say_ready(struct segments *segments)
{
    if (segments->is_closing || !segments_is_prepared(segments))
        return;
    segments->is_wanted = false;
    segments->settings.ready(segments->settings.context);
}

static void say_failed(struct segments *segments, int error, const char *step)
{
    if (segments->is_closing)
        return;
    segments->is_wanted = false;
    segments->settings.failed(segments->settings.context, error, step);
}

/* ---- Making one ------------------------------------------------------------------------------ */

static void make(struct segments_work *work, enum disk_action action)
{
    struct segments *segments = work->segments;
    struct disk_request *request = &work->request;
    request->action = action;
    request->file = work->spare->file;
    request->offset = 0;
    if (action == DISK_ALLOCATE)
        request->allocate_bytes = segments->settings.segment_bytes;
    if (action == DISK_WRITE) {
        uint64_t left = segments->settings.segment_bytes - segments->zeroed_bytes;
        request->memory = segments->zeros;
        request->offset = segments->zeroed_bytes;
        request->size_bytes = left < ZERO_CHUNK_BYTES ? (uint32_t)left : ZERO_CHUNK_BYTES;
    }
    work->is_busy = true;
    segments_submit(segments, work, end_make_step);
}

void segments_prepare(struct segments *segments)
{
    if (segments_is_prepared(segments) || segments->is_closing)
        return;
    segments->is_wanted = true;
    if (segments->make.is_busy || segments->give_up.is_busy)
        return;
    if (!segments_have_room(segments)) {
        say_failed(segments, EDQUOT, "journal_size");
        return;
    }
    if (segments_spare_in(segments, SPARE_MAKING) != NULL) {
        segments_make_on(segments);
        return;
    }
    struct spare *spare = segments_spare_in(segments, SPARE_NONE);
    if (spare == NULL)
        return; /* one is being begun; when it stands, its place is free */
    *spare = (struct spare){.state = SPARE_MAKING};
    segments->zeroed_bytes = 0;
    segments->make = (struct segments_work){.segments = segments, .spare = spare};
    segments_name_spare(spare_index(segments, spare), segments->make.request.name);
    make(&segments->make, DISK_CREATE);
}

/* Up to where it is to be written with zeros by now. */
static uint64_t zeros_due(const struct segments *segments)
{
    uint64_t all = segments->settings.segment_bytes;
    if (!segments->is_written)
        return all;
    const struct segment *last = segments_entry(segments, segments->end_number - 1);
    uint64_t due = last->end_bytes * ZERO_PACE + ZERO_LEAD_BYTES;
    return due < all ? due : all;
}

void segments_make_on(struct segments *segments)
{
    struct segments_work *work = &segments->make;
    if (work->spare == NULL || work->spare->state != SPARE_MAKING || work->is_busy ||
        segments->is_closing)
        return;
    if (segments->zeroed_bytes == segments->settings.segment_bytes)
        make(work, DISK_SYNC);
    else if (segments->zeroed_bytes < zeros_due(segments))
        make(work, DISK_WRITE);
}

static const char *const step_names[] = {
    [DISK_CREATE] = "create",
    [DISK_ALLOCATE] = "allocate",
    [DISK_WRITE] = "write zeros",
    [DISK_SYNC] = "sync",
    [DISK_SYNC_FOLDER] = "sync the folder",
    [DISK_RENAME] = "rename",
    [DISK_REMOVE] = "remove",
    [DISK_CLOSE] = "close",
};

static void end_make_step(struct disk_request *request, int32_t result)
{
    struct segments_work *work = segments_work_of(request);
    struct segments *segments = work->segments;
    enum disk_action action = request->action;
    work->is_busy = false;
    if (action == DISK_CLOSE || action == DISK_REMOVE) {
        undo_make(work, work->error, work->failed_step);
        return;
    }
    if (action == DISK_ALLOCATE && result == -EOPNOTSUPP)
        result = 0; /* the zeros will find out */
    if (action == DISK_WRITE && result >= 0 && result != (int32_t)request->size_bytes)
        result = -EIO;
    if (result < 0) {
        undo_make(work, -result, step_names[action]);
        return;
    }
    if (action == DISK_CREATE) {
        work->spare->file = result;
        work->spare->has_file = true;
        if (!segments->is_closing)
            make(work, DISK_ALLOCATE);
    } else if (action == DISK_SYNC) {
        *work->spare = (struct spare){.state = SPARE_READY, .file = work->spare->file};
        say_ready(segments);
    } else {
        if (action == DISK_WRITE)
            segments->zeroed_bytes += request->size_bytes;
        segments_make_on(segments);
    }
}

/* Closes and removes it, so that it takes no room, and then says what was wrong. */
static void undo_make(struct segments_work *work, int error, const char *step)
{
    struct segments *segments = work->segments;
    work->error = error;
    work->failed_step = step;
    if (work->spare->has_file) {
        work->spare->has_file = false;
        make(work, DISK_CLOSE);
    } else if (work->request.action != DISK_REMOVE) {
        make(work, DISK_REMOVE);
    } else {
        work->spare->state = SPARE_NONE;
        say_failed(segments, error, step);
    }
}

/* ---- Giving one up --------------------------------------------------------------------------- */

void segments_give_up_oldest(struct segments *segments)
{
    assert(segments_count(segments) > 0);
    segments->first_number++;
    if (!segments->give_up.is_busy && !segments->is_stuck)
        start_give_up(segments);
}

/* One after the other, each with its folder synced: no crash leaves a gap in the log, and none
 * finds an old name on what is already used again. */
static void start_give_up(struct segments *segments)
{
    segments->give_up = (struct segments_work){.is_busy = true};
    if (segments->settings.has_moved)
        note_first(segments);
    else
        give_sidecar_up(segments);
}

/* The disk that was left may not let go of its files, among them those of numbers that were written
 * anew: from which number on there is a log stands beside those that go on, before one goes. */
static void note_first(struct segments *segments)
{
    struct segments_work *work = &segments->give_up;
    work->request.action = DISK_RENAME;
    name_first(segments->going_number, work->request.name);
    name_first(segments->going_number + 1, work->request.new_name);
    segments_submit(segments, work, end_note_first_step);
}

static void end_note_first_step(struct disk_request *request, int32_t result)
{
    struct segments_work *work = segments_work_of(request);
    struct segments *segments = work->segments;
    enum disk_action action = request->action;
    request->action = DISK_SYNC_FOLDER;
    if (action == DISK_RENAME && result == -ENOENT) {
        request->action = DISK_CREATE;
        name_first(segments->going_number + 1, request->name);
    } else if (action == DISK_CREATE && result >= 0) {
        request->action = DISK_CLOSE;
        request->file = result;
    } else if (result < 0 && action != DISK_CLOSE) {
        stop_giving_up(segments, -result, action);
        return;
    } else if (action == DISK_SYNC_FOLDER) {
        give_sidecar_up(segments);
        return;
    }
    segments_submit(segments, work, end_note_first_step);
}

static void stop_giving_up(struct segments *segments, int error, enum disk_action action)
{
    segments->give_up.is_busy = false;
    segments->is_stuck = true;
    say_failed(segments, error, step_names[action]);
}

static void give_sidecar_up(struct segments *segments)
{
    struct segments_work *work = &segments->give_up;
    work->request.action = DISK_REMOVE;
    snprintf(work->request.name, sizeof work->request.name, "%016" PRIx64 ".identities",
             segments->going_number);
    segments_submit(segments, work, end_give_up_step);
}

/* Its name goes: for a spare's, if one is of use, or for good. */
static void give_name_up(struct segments *segments, struct segments_work *work)
{
    const struct segment *segment = segments_entry(segments, segments->going_number);
    struct spare *spare = segments_spare_in(segments, SPARE_NONE);
    work->is_sidecar_gone = true;
    work->request.action = DISK_REMOVE;
    segment_name(segment->number, work->request.name);
    if (!segment->is_left && segment->size_bytes == segments->settings.segment_bytes &&
        spare != NULL && segments_spare_in(segments, SPARE_READY) == NULL) {
        *spare = (struct spare){.state = SPARE_TAKEN, .file = segment->file};
        work->spare = spare;
        work->request.action = DISK_RENAME;
        segments_name_spare(spare_index(segments, spare), work->request.new_name);
    }
    segments_submit(segments, work, end_give_up_step);
}

static void give_up_next_step(struct segments_work *work, enum disk_action action)
{
    work->request.action = action;
    work->request.file = segments_entry(work->segments, work->segments->going_number)->file;
    segments_submit(work->segments, work, end_give_up_step);
}

static void end_give_up(struct segments_work *work)
{
    struct segments *segments = work->segments;
    work->is_busy = false;
    if (work->spare != NULL)
        work->spare->state = SPARE_READY;
    segments->going_number++;
    if (segments->going_number < segments->first_number && !segments->is_closing)
        start_give_up(segments);
    if (segments_is_prepared(segments))
        say_ready(segments);
    else if (segments->is_wanted)
        segments_prepare(segments);
}

static void end_give_up_step(struct disk_request *request, int32_t result)
{
    struct segments_work *work = segments_work_of(request);
    enum disk_action action = request->action;
    bool is_done = result == 0 || (result == -ENOENT && action == DISK_REMOVE);
    if (!is_done && action != DISK_CLOSE) {
        stop_giving_up(work->segments, -result, action);
    } else if (!work->is_sidecar_gone) {
        give_name_up(work->segments, work);
    } else if (action == DISK_RENAME || action == DISK_REMOVE) {
        give_up_next_step(work, DISK_SYNC_FOLDER);
    } else if (action == DISK_SYNC_FOLDER && work->spare == NULL) {
        give_up_next_step(work, DISK_CLOSE);
    } else {
        end_give_up(work);
    }
}
