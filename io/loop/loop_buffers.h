/* The ring of receive buffers that the kernel takes from by itself (provided buffers). Part of the
 * loop, which owns it. A buffer is the kernel's until a completion names it, then a chunk with one
 * reference, and the kernel's again when the last reference is returned. */
#ifndef KOUAN_IO_LOOP_BUFFERS_H
#define KOUAN_IO_LOOP_BUFFERS_H

#include <liburing.h>

#include "io/net/chunk.h"

enum { LOOP_BUFFERS_MAX = 32768, LOOP_BUFFER_GROUP = 0 };

struct loop_buffers {
    struct chunk_pool pool;
    struct io_uring_buf_ring *ring; /* pool.count entries, shared with the kernel */
    uint32_t out_count;
    bool returned; /* since somebody last cleared this */
};

/* `count` is a power of two up to LOOP_BUFFERS_MAX. On failure `*out_error` is an errno. */
MUST_CHECK enum status loop_buffers_open(struct loop_buffers *buffers, struct io_uring *ring,
                                         uint32_t count, int *out_error);
void loop_buffers_close(struct loop_buffers *buffers); /* after the ring is gone */

struct chunk *loop_buffers_take(struct loop_buffers *buffers, uint32_t completion_flags);

#endif
