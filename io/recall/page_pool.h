/* Memory in whole pages from a region reserved and touched at start: for pieces of very different
 * size, each contiguous, that the disk reads into. First fit over a bitmap; who gives back must say
 * how much. One thread. */
#ifndef KOUAN_IO_PAGE_POOL_H
#define KOUAN_IO_PAGE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "core/region.h"

struct page_pool {
    struct region region;
    uint64_t *taken; /* a bit a page */
    uint32_t page_count, free_count;
};

/* `size_bytes` rounded up to pages of JOURNAL_PAGE_BYTES. */
MUST_CHECK enum status page_pool_open(struct page_pool *pool, uint64_t size_bytes);
void page_pool_close(struct page_pool *pool); /* a zeroed or closed one too */

/* NULL: so much is not free in one piece. */
void *page_pool_take(struct page_pool *pool, uint64_t size_bytes);
void page_pool_give(struct page_pool *pool, void *memory, uint64_t size_bytes);

static inline bool page_pool_could_hold(const struct page_pool *pool, uint64_t size_bytes)
{
    return size_bytes <= pool->region.size_bytes;
}

#endif
