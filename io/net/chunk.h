/* Reference-counted pieces of buffer memory from pools reserved at start: receive buffers, the
 * carries of half commands, and output. One thread. A chunk's data has BYTES_PADDING readable bytes
 * past capacity. Under AddressSanitizer the data of a chunk that nobody holds is poisoned. */
#ifndef KOUAN_IO_CHUNK_H
#define KOUAN_IO_CHUNK_H

#include "core/bytes.h"
#include "core/status.h"

enum { CHUNK_RECEIVE_BYTES = 64 * 1024 };

struct chunk {
    struct chunk_pool *pool;
    struct chunk *next; /* in whatever list its one owner keeps */
    uint8_t *data;
    uint32_t capacity;
    uint32_t references;
    uint32_t index; /* in its pool */
    uint32_t start; /* the owner's: what is used begins here */
    uint32_t used;  /* the owner's: and ends here */
};

struct chunk_pool {
    struct chunk *chunks, *free;
    uint8_t *memory;
    size_t memory_bytes;
    uint32_t count, free_count;
    /* Called instead of putting on the free list, where not NULL: the kernel's buffer ring, or
     * somebody who wants to know and then calls chunk_pool_keep(). */
    void (*reclaim)(struct chunk_pool *pool, struct chunk *chunk);
    void *context;
};

/* Reserves address space for all; `touch` faults the pages in now. */
MUST_CHECK enum status chunk_pool_open(struct chunk_pool *pool, uint32_t count,
                                       uint32_t capacity_bytes, bool touch);
void chunk_pool_close(struct chunk_pool *pool); /* a zeroed or closed one too */

/* One reference, nothing is used; NULL when the pool is empty. */
struct chunk *chunk_take(struct chunk_pool *pool);

/* For `reclaim` and what stands behind it: puts a chunk without references on the free list; gives
 * one that is on no free list its first reference. */
void chunk_pool_keep(struct chunk_pool *pool, struct chunk *chunk);
void chunk_revive(struct chunk *chunk);

static inline void chunk_borrow(struct chunk *chunk)
{
    chunk->references++;
}
void chunk_return(struct chunk *chunk);

/* Behind what is used; it must fit. */
void chunk_append(struct chunk *chunk, const uint8_t *data, size_t size);

#endif
