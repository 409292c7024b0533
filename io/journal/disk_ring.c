#include "io/journal/disk_ring.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/journal_format.h"

enum {
    FILE_MODE = 0600,
    OPERATION_FTRUNCATE = 55, /* IORING_OP_FTRUNCATE: newer than liburing 2.3's headers */
    FUSE_MAGIC = 0x65735546   /* of statfs: its direct writes do not heed RWF_DSYNC */
};

#define PROBE_NAME "probe"

static enum status find_mode(int folder, enum disk_mode *out_mode, int *out_error);
static bool ring_has_truncate(void);
static void submit(struct disk *disk, struct disk_request *request);
static void wait_for_answer(struct disk *disk);
static void answer_late(struct loop *loop, struct deferral *deferral);

/* ---- Opening and closing --------------------------------------------------------------------- */

enum status disk_ring_init(struct disk_ring *ring, struct loop *loop, int folder, int *out_error)
{
    enum disk_mode mode;
    enum status status = find_mode(folder, &mode, out_error);
    if (status != STATUS_OK)
        return status;
    *ring = (struct disk_ring){
        .disk = {.mode = mode, .submit = submit, .wait = wait_for_answer},
        .loop = loop,
        .folder = folder,
        .has_truncate = ring_has_truncate(),
        .answer_late = {.run = answer_late},
    };
    return STATUS_OK;
}

void disk_ring_init_left(struct disk_ring *ring, struct loop *loop, int folder)
{
    *ring = (struct disk_ring){
        .disk = {.mode = DISK_MODE_PLAIN, .submit = submit, .wait = wait_for_answer},
        .loop = loop,
        .folder = folder,
        .only_reads = true,
        .has_truncate = ring_has_truncate(),
        .answer_late = {.run = answer_late},
    };
}

void disk_ring_deinit(struct disk_ring *ring)
{
    assert(ring->in_flight == 0);
    loop_undefer(ring->loop, &ring->answer_late);
}

/* 0 or an errno. */
static int try_direct_write(int file)
{
    void *page = aligned_alloc(JOURNAL_PAGE_BYTES, JOURNAL_PAGE_BYTES);
    if (page == NULL)
        return ENOMEM;
    memset(page, 0, JOURNAL_PAGE_BYTES);
    struct iovec part = {.iov_base = page, .iov_len = JOURNAL_PAGE_BYTES};
    ssize_t written = pwritev2(file, &part, 1, 0, RWF_DSYNC);
    int error = written < 0 ? errno : 0;
    free(page);
    return error;
}

/* Whether a file of the kernel's on the disk under `device` begins with `word`. */
static bool queue_says(dev_t device, const char *name, const char *word)
{
    static const char *const places[] = {"", "/.."}; /* of a whole disk; of a part of one */
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        char path[128], text[16] = "";
        snprintf(path, sizeof path, "/sys/dev/block/%u:%u%s/queue/%s", major(device), minor(device),
                 places[i], name);
        int file = open(path, O_RDONLY | O_CLOEXEC);
        if (file < 0)
            continue;
        ssize_t size = read(file, text, sizeof text - 1);
        close(file);
        return size > 0 && strncmp(text, word, strlen(word)) == 0;
    }
    return false;
}

/* Where the disk must empty its cache, the kernel leaves the end of a write with RWF_DSYNC to a
 * worker that is bound to the processor which the disk interrupts: whoever computes there holds it
 * up, often until the next tick. An fdatasync is done by a worker of our own ring, on whichever
 * processor is free, and with our slices (io/loop/slice.h). */
static bool must_flush(int file)
{
    struct stat info;
    return fstat(file, &info) == 0 && queue_says(info.st_dev, "write_cache", "write back") &&
           queue_says(info.st_dev, "fua", "0");
}

static enum status find_mode(int folder, enum disk_mode *out_mode, int *out_error)
{
    int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
    enum disk_mode mode = DISK_MODE_DIRECT;
    int file = openat(folder, PROBE_NAME, flags | O_DIRECT, FILE_MODE);
    if (file < 0 && errno == EINVAL) {
        mode = DISK_MODE_PLAIN;
        file = openat(folder, PROBE_NAME, flags, FILE_MODE);
    }
    if (file < 0) {
        *out_error = errno;
        return STATUS_IO;
    }
    struct statfs info;
    int error = 0;
    if (fstatfs(file, &info) != 0)
        error = errno;
    else if ((uint64_t)info.f_type == FUSE_MAGIC)
        mode = DISK_MODE_PLAIN;
    if (error == 0 && mode == DISK_MODE_DIRECT)
        error = try_direct_write(file);
    if (error == EINVAL || error == EOPNOTSUPP) {
        mode = DISK_MODE_PLAIN;
        error = 0;
    }
    if (mode == DISK_MODE_DIRECT && must_flush(file))
        mode = DISK_MODE_FLUSH;
    close(file);
    unlinkat(folder, PROBE_NAME, 0); /* the next start removes what stays */
    if (error != 0 && error != ENOSPC && error != EDQUOT) {
        *out_error = error;
        return STATUS_IO;
    }
    *out_mode = mode;
    return STATUS_OK;
}

static bool ring_has_truncate(void)
{
    struct io_uring_probe *probe = io_uring_get_probe();
    bool has = probe != NULL && io_uring_opcode_supported(probe, OPERATION_FTRUNCATE);
    io_uring_free_probe(probe);
    return has;
}

/* ---- Requests -------------------------------------------------------------------------------- */

static void prepare(const struct disk_ring *ring, struct disk_request *request,
                    struct io_uring_sqe *submission);
static void complete(struct loop *loop, struct operation *operation, int32_t result,
                     uint32_t flags);

static struct disk_ring *ring_of(struct disk *disk)
{
    return (struct disk_ring *)disk;
}

static void truncate_at_once(struct disk_ring *ring, struct disk_request *request)
{
    int result = ftruncate(request->file, (off_t)request->offset);
    request->result = result == 0 ? 0 : -errno;
    request->next = ring->first_late;
    ring->first_late = request;
    loop_defer(ring->loop, &ring->answer_late);
}

static void submit(struct disk *disk, struct disk_request *request)
{
    struct disk_ring *ring = ring_of(disk);
    ring->in_flight++;
    request->is_syncing = false;
    request->operation.complete = complete;
    if (request->action == DISK_TRUNCATE && !ring->has_truncate)
        truncate_at_once(ring, request);
    else
        prepare(ring, request, loop_submission(ring->loop, &request->operation));
}

static int open_flags(const struct disk_ring *ring)
{
    return (ring->only_reads ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW |
           (ring->disk.mode != DISK_MODE_PLAIN ? O_DIRECT : 0);
}

static void prepare(const struct disk_ring *ring, struct disk_request *request,
                    struct io_uring_sqe *submission)
{
    switch (request->action) {
    case DISK_OPEN:
        io_uring_prep_openat(submission, ring->folder, request->name, open_flags(ring), 0);
        break;
    case DISK_CREATE:
        io_uring_prep_openat(submission, ring->folder, request->name,
                             open_flags(ring) | O_CREAT | O_EXCL, FILE_MODE);
        break;
    case DISK_ALLOCATE:
        io_uring_prep_fallocate(submission, request->file, 0, (off_t)request->offset,
                                (off_t)request->allocate_bytes);
        break;
    case DISK_READ:
        io_uring_prep_read(submission, request->file, request->memory, request->size_bytes,
                           request->offset);
        break;
    case DISK_WRITE:
    case DISK_WRITE_SYNC:
        io_uring_prep_write(submission, request->file, request->memory, request->size_bytes,
                            request->offset);
        if (request->action == DISK_WRITE_SYNC && ring->disk.mode == DISK_MODE_DIRECT)
            submission->rw_flags = RWF_DSYNC;
        break;
    case DISK_SYNC: io_uring_prep_fsync(submission, request->file, 0); break;
    case DISK_SYNC_FOLDER: io_uring_prep_fsync(submission, ring->folder, 0); break;
    case DISK_RENAME:
        io_uring_prep_renameat(submission, ring->folder, request->name, ring->folder,
                               request->new_name, 0);
        break;
    case DISK_TRUNCATE:
        io_uring_prep_rw(OPERATION_FTRUNCATE, submission, request->file, NULL, 0, request->offset);
        break;
    case DISK_REMOVE: io_uring_prep_unlinkat(submission, ring->folder, request->name, 0); break;
    case DISK_CLOSE: io_uring_prep_close(submission, request->file); break;
    }
}

static void answer(struct disk_ring *ring, struct disk_request *request, int32_t result)
{
    assert(ring->in_flight > 0);
    ring->in_flight--;
    ring->answered++;
    request->done(request, result);
}

static void complete(struct loop *loop, struct operation *operation, int32_t result, uint32_t flags)
{
    (void)flags;
    struct disk_request *request =
        (struct disk_request *)(void *)((uint8_t *)operation -
                                        offsetof(struct disk_request, operation));
    struct disk_ring *ring = ring_of(request->disk);
    if (request->is_syncing) {
        answer(ring, request, result < 0 ? result : request->result);
    } else if (result == -EINTR && request->action != DISK_CLOSE) {
        prepare(ring, request, loop_submission(loop, operation));
    } else if (request->action == DISK_WRITE_SYNC && ring->disk.mode != DISK_MODE_DIRECT &&
               result == (int32_t)request->size_bytes) {
        request->result = result;
        request->is_syncing = true;
        io_uring_prep_fsync(loop_submission(loop, operation), request->file, IORING_FSYNC_DATASYNC);
    } else {
        answer(ring, request, result);
    }
}

static void answer_late(struct loop *loop, struct deferral *deferral)
{
    (void)loop;
    struct disk_ring *ring =
        (struct disk_ring *)(void *)((uint8_t *)deferral - offsetof(struct disk_ring, answer_late));
    while (ring->first_late != NULL) {
        struct disk_request *request = ring->first_late;
        ring->first_late = request->next;
        answer(ring, request, request->result);
    }
}

static void wait_for_answer(struct disk *disk)
{
    struct disk_ring *ring = ring_of(disk);
    assert(ring->in_flight > 0);
    for (uint64_t before = ring->answered; ring->answered == before;)
        loop_turn(ring->loop);
}
