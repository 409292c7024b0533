/* The real disk: one folder, through the loop's io_uring. Names are relative to the folder's
 * descriptor, symbolic links are not followed, files are made with mode 0600. What this kernel's
 * ring cannot do is done by a plain system call and answered in the same turn. Memory: the
 * caller's; it allocates nothing. The loop's thread only. */
#ifndef KOUAN_IO_DISK_RING_H
#define KOUAN_IO_DISK_RING_H

#include "io/journal/disk.h"

struct disk_ring {
    struct disk disk; /* first: what it is handed on as */
    struct loop *loop;
    int folder;
    bool only_reads;
    bool has_truncate;               /* in the ring: since kernel 6.9 */
    uint32_t in_flight;              /* requests that are not answered */
    uint64_t answered;               /* ever */
    struct disk_request *first_late; /* done by a plain system call, to be answered */
    struct deferral answer_late;
};

/* Finds out by writing a page to a file of its own (removed again) whether O_DIRECT is to be had in
 * `folder`, which stays the caller's. IO with *out_error set: nothing can be made there; a full
 * disk is not an error. */
MUST_CHECK enum status disk_ring_init(struct disk_ring *ring, struct loop *loop, int folder,
                                      int *out_error);

/* For a folder that was left: its files are only read, and their names removed. It looks at
 * nothing, so that a disk that lets nothing be written is no reason not to start. */
void disk_ring_init_left(struct disk_ring *ring, struct loop *loop, int folder);

/* Nothing may be under way. */
void disk_ring_deinit(struct disk_ring *ring);

#endif
