#include "io/recall/page_pool.h"

#include <assert.h>
#include <stdlib.h>

#include "core/journal_format.h"

enum { WORD_BITS = 64 };

static uint32_t pages_of(uint64_t size_bytes)
{
    return (uint32_t)((size_bytes + JOURNAL_PAGE_BYTES - 1) / JOURNAL_PAGE_BYTES);
}

enum status page_pool_open(struct page_pool *pool, uint64_t size_bytes)
{
    *pool = (struct page_pool){.page_count = pages_of(size_bytes)};
    pool->free_count = pool->page_count;
    pool->taken = calloc(pool->page_count / WORD_BITS + 1, sizeof *pool->taken);
    if (pool->taken == NULL)
        return STATUS_NO_MEMORY;
    enum status status = region_open((size_t)pool->page_count * JOURNAL_PAGE_BYTES, &pool->region);
    if (status != STATUS_OK)
        page_pool_close(pool);
    return status;
}

void page_pool_close(struct page_pool *pool)
{
    if (pool->region.memory != NULL)
        region_close(&pool->region);
    free(pool->taken);
    *pool = (struct page_pool){0};
}

static bool is_taken(const struct page_pool *pool, uint32_t page)
{
    return (pool->taken[page / WORD_BITS] >> page % WORD_BITS & 1) != 0;
}

static void mark(struct page_pool *pool, uint32_t first, uint32_t count, bool taken)
{
    for (uint32_t page = first; page < first + count; page++) {
        assert(is_taken(pool, page) != taken);
        pool->taken[page / WORD_BITS] ^= UINT64_C(1) << page % WORD_BITS;
    }
}

void *page_pool_take(struct page_pool *pool, uint64_t size_bytes)
{
    uint32_t count = pages_of(size_bytes), free = 0;
    if (count == 0 || count > pool->free_count)
        return NULL;
    for (uint32_t page = 0; page < pool->page_count; page++) {
        if (page % WORD_BITS == 0 && pool->taken[page / WORD_BITS] == UINT64_MAX) {
            page += WORD_BITS - 1;
            free = 0;
            continue;
        }
        free = is_taken(pool, page) ? 0 : free + 1;
        if (free < count)
            continue;
        uint32_t first = page + 1 - count;
        mark(pool, first, count, true);
        pool->free_count -= count;
        return (uint8_t *)pool->region.memory + (size_t)first * JOURNAL_PAGE_BYTES;
    }
    return NULL;
}

void page_pool_give(struct page_pool *pool, void *memory, uint64_t size_bytes)
{
    size_t offset = (size_t)((uint8_t *)memory - (uint8_t *)pool->region.memory);
    uint32_t count = pages_of(size_bytes);
    assert(offset % JOURNAL_PAGE_BYTES == 0);
    mark(pool, (uint32_t)(offset / JOURNAL_PAGE_BYTES), count, false);
    pool->free_count += count;
}
