/* The disk as the journal sees it: a folder of files, and a dozen things that can be done to them,
 * asked for now and answered later. Injected: the real one goes through the loop's ring
 * (io/journal/disk_ring.h); tests have one that records what was asked, plays any legal outcome,
 * and fails on demand (tests/io/fake_disk.h).
 *
 * A request is embedded in its owner and is the disk's from disk_submit until `done` was called, on
 * the loop's thread, never from within disk_submit. Memory that is written or read is aligned to
 * JOURNAL_PAGE_BYTES, and so are sizes and offsets. Requests that are under way at the same time
 * may take effect in any order. */
#ifndef KOUAN_IO_DISK_H
#define KOUAN_IO_DISK_H

#include <stdint.h>

#include "core/status.h"
#include "io/loop/loop.h"

enum disk_action {
    DISK_OPEN,        /* `name`; result: the file */
    DISK_CREATE,      /* `name`, which must not be there, mode 0600; result: the file */
    DISK_ALLOCATE,    /* `allocate_bytes` at `offset`, so that blocks for them are surely there */
    DISK_READ,        /* result: bytes read */
    DISK_WRITE,       /* not on stable storage before a DISK_SYNC; result: bytes written */
    DISK_WRITE_SYNC,  /* on stable storage when done; result: bytes written */
    DISK_SYNC,        /* the file's data, and its size */
    DISK_SYNC_FOLDER, /* names made, changed or removed */
    DISK_RENAME,      /* `name` to `new_name`, in place of what is there */
    DISK_TRUNCATE,    /* to `offset` */
    DISK_REMOVE,      /* `name` */
    DISK_CLOSE
};

enum { DISK_NAME_BYTES = 64 };

struct disk_request {
    enum disk_action action;
    int file;
    void *memory;
    uint64_t offset, allocate_bytes;
    uint32_t size_bytes; /* of what is read or written */
    char name[DISK_NAME_BYTES], new_name[DISK_NAME_BYTES];
    /* `result` as the kernel gives it: a count, a file or 0, or -errno. A write or read that is
     * shorter than `size_bytes` comes as its count: it is the owner's to call it a failure. */
    void (*done)(struct disk_request *request, int32_t result);
    /* The disk's: */
    struct disk *disk;
    struct operation operation;
    struct disk_request *next;
    int32_t result;
    bool is_syncing, is_answered;
    /* Of a disk in front of it (io/journal/disk_pair.h): */
    struct disk *front;
    void (*front_done)(struct disk_request *request, int32_t result);
};

/* How a DISK_WRITE_SYNC comes to stable storage. */
enum disk_mode {
    DISK_MODE_DIRECT, /* O_DIRECT, one write with RWF_DSYNC, on a disk that can write through */
    DISK_MODE_FLUSH,  /* O_DIRECT, a write, then fdatasync: the disk must empty its cache */
    DISK_MODE_PLAIN,  /* a write through the page cache, then fdatasync: no O_DIRECT is to be had */
    DISK_MODES
};
const char *disk_mode_name(enum disk_mode mode);

struct disk {
    enum disk_mode mode;
    void (*submit)(struct disk *disk, struct disk_request *request);
    /* Carries on until something was answered: for the start and the end, when nothing else runs.
     */
    void (*wait)(struct disk *disk);
};

static inline void disk_submit(struct disk *disk, struct disk_request *request)
{
    request->disk = disk;
    disk->submit(disk, request);
}

/* Submits and waits; the result. For the start and the end, when nothing else runs. Sets `done`. */
int32_t disk_run(struct disk *disk, struct disk_request *request);

#endif
