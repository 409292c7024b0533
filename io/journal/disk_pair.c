#include "io/journal/disk_pair.h"

#include <assert.h>
#include <errno.h>

static void submit(struct disk *disk, struct disk_request *request);
static void wait_for_answer(struct disk *disk);
static void end_part(struct disk_request *request, int32_t result);

void disk_pair_init(struct disk_pair *pair, struct disk *own, struct disk *spare)
{
    *pair = (struct disk_pair){
        .disk = {.mode = own->mode, .submit = submit, .wait = wait_for_answer},
        .parts = {own, spare},
    };
}

void disk_pair_move(struct disk_pair *pair)
{
    assert(pair->parts[DISK_SPARE] != NULL);
    pair->current = DISK_SPARE;
    pair->disk.mode = pair->parts[DISK_SPARE]->mode;
}

bool disk_pair_is_busy(const struct disk_pair *pair)
{
    return pair->in_flight[DISK_OWN] > 0 || pair->in_flight[DISK_SPARE] > 0;
}

static struct disk_pair *pair_of(struct disk *disk)
{
    return (struct disk_pair *)disk;
}

/* ---- Files ----------------------------------------------------------------------------------- */

static bool is_spare_file(const struct disk_pair *pair, int file)
{
    assert(file >= 0 && file < DISK_PAIR_FILES_MAX);
    return (pair->spare_files[file / 64] >> file % 64 & 1) != 0;
}

static void note_file(struct disk_pair *pair, int file, enum disk_part part)
{
    assert(file >= 0 && file < DISK_PAIR_FILES_MAX);
    uint64_t bit = UINT64_C(1) << file % 64;
    if (part == DISK_SPARE)
        pair->spare_files[file / 64] |= bit;
    else
        pair->spare_files[file / 64] &= ~bit;
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void hand_on(struct disk_pair *pair, struct disk_request *request, enum disk_part part)
{
    pair->in_flight[part]++;
    disk_submit(pair->parts[part], request);
}

/* What is asked first. */
static enum disk_part first_part(const struct disk_pair *pair, const struct disk_request *request)
{
    switch (request->action) {
    case DISK_OPEN:
    case DISK_CREATE:
    case DISK_RENAME: return pair->current;
    case DISK_REMOVE: return DISK_OWN;
    case DISK_SYNC_FOLDER: return pair->is_own_changed ? DISK_OWN : pair->current;
    case DISK_ALLOCATE:
    case DISK_READ:
    case DISK_WRITE:
    case DISK_WRITE_SYNC:
    case DISK_SYNC:
    case DISK_TRUNCATE:
    case DISK_CLOSE: break;
    }
    return is_spare_file(pair, request->file) ? DISK_SPARE : DISK_OWN;
}

static void submit(struct disk *disk, struct disk_request *request)
{
    struct disk_pair *pair = pair_of(disk);
    request->front = disk;
    request->front_done = request->done;
    request->done = end_part;
    hand_on(pair, request, first_part(pair, request));
}

/* What has to be asked of the other one, too, after this answer; else DISK_PARTS. */
static enum disk_part next_part(struct disk_pair *pair, const struct disk_request *request,
                                enum disk_part part, int32_t result)
{
    if (pair->current == DISK_OWN)
        return DISK_PARTS;
    if (request->action == DISK_OPEN && part == DISK_SPARE && result == -ENOENT)
        return DISK_OWN;
    if (request->action == DISK_REMOVE && part == DISK_OWN) {
        pair->is_own_changed |= result == 0;
        pair->left_behind += result < 0 && result != -ENOENT;
        return DISK_SPARE;
    }
    if (request->action == DISK_SYNC_FOLDER && part == DISK_OWN) {
        pair->is_own_changed = false;
        return DISK_SPARE;
    }
    return DISK_PARTS;
}

static void end_part(struct disk_request *request, int32_t result)
{
    struct disk_pair *pair = pair_of(request->front);
    enum disk_part part = request->disk == pair->parts[DISK_OWN] ? DISK_OWN : DISK_SPARE;
    assert(pair->in_flight[part] > 0);
    pair->in_flight[part]--;
    enum disk_part next = next_part(pair, request, part, result);
    if (next != DISK_PARTS) {
        hand_on(pair, request, next);
        return;
    }
    if ((request->action == DISK_OPEN || request->action == DISK_CREATE) && result >= 0)
        note_file(pair, result, part);
    request->done = request->front_done;
    request->disk = request->front;
    request->done(request, result);
}

static void wait_for_answer(struct disk *disk)
{
    struct disk_pair *pair = pair_of(disk);
    enum disk_part part = pair->in_flight[DISK_OWN] > 0 ? DISK_OWN : DISK_SPARE;
    assert(pair->in_flight[part] > 0);
    pair->parts[part]->wait(pair->parts[part]);
}
