#include "io/net/chunk.h"

#include <assert.h>
#include <sanitizer/asan_interface.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { ALIGNMENT = 64, HUGE_PAGE_BYTES = 2 * 1024 * 1024 };

static uint8_t *reserve(size_t size_bytes, bool touch);

enum status chunk_pool_open(struct chunk_pool *pool, uint32_t count, uint32_t capacity_bytes,
                            bool touch)
{
    assert(count > 0 && capacity_bytes > 0);
    size_t unaligned = (size_t)capacity_bytes + BYTES_PADDING;
    size_t stride = (unaligned + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct chunk *chunks = calloc(count, sizeof *chunks);
    uint8_t *memory = chunks != NULL ? reserve(stride * count, touch) : NULL;
    if (memory == NULL) {
        free(chunks);
        return STATUS_NO_MEMORY;
    }
    *pool = (struct chunk_pool){
        .chunks = chunks, .memory = memory, .memory_bytes = stride * count, .count = count};
    for (uint32_t i = count; i-- > 0;) {
        chunks[i] = (struct chunk){
            .pool = pool, .data = memory + i * stride, .capacity = capacity_bytes, .index = i};
        ASAN_POISON_MEMORY_REGION(chunks[i].data, chunks[i].capacity);
        chunk_pool_keep(pool, &chunks[i]);
    }
    return STATUS_OK;
}

static uint8_t *reserve(size_t size_bytes, bool touch)
{
    void *memory = mmap(NULL, size_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return NULL;
    if (!touch)
        return memory;
    if (size_bytes >= HUGE_PAGE_BYTES)
        madvise(memory, size_bytes, MADV_HUGEPAGE); /* a wish: without it all works, slower */
    if (madvise(memory, size_bytes, MADV_POPULATE_WRITE) != 0) {
        munmap(memory, size_bytes);
        return NULL;
    }
    return memory;
}

void chunk_pool_close(struct chunk_pool *pool)
{
    if (pool->memory != NULL) {
        ASAN_UNPOISON_MEMORY_REGION(pool->memory, pool->memory_bytes);
        munmap(pool->memory, pool->memory_bytes);
    }
    free(pool->chunks);
    *pool = (struct chunk_pool){0};
}

struct chunk *chunk_take(struct chunk_pool *pool)
{
    struct chunk *chunk = pool->free;
    if (chunk == NULL)
        return NULL;
    pool->free = chunk->next;
    pool->free_count--;
    chunk_revive(chunk);
    return chunk;
}

void chunk_revive(struct chunk *chunk)
{
    assert(chunk->references == 0);
    chunk->next = NULL;
    chunk->references = 1;
    chunk->start = chunk->used = 0;
    ASAN_UNPOISON_MEMORY_REGION(chunk->data, chunk->capacity);
}

void chunk_return(struct chunk *chunk)
{
    assert(chunk->references > 0);
    if (--chunk->references > 0)
        return;
    ASAN_POISON_MEMORY_REGION(chunk->data, chunk->capacity);
    if (chunk->pool->reclaim != NULL)
        chunk->pool->reclaim(chunk->pool, chunk);
    else
        chunk_pool_keep(chunk->pool, chunk);
}

void chunk_pool_keep(struct chunk_pool *pool, struct chunk *chunk)
{
    assert(chunk->pool == pool && chunk->references == 0);
    chunk->next = pool->free;
    pool->free = chunk;
    pool->free_count++;
}

void chunk_append(struct chunk *chunk, const uint8_t *data, size_t size)
{
    assert(size <= chunk->capacity - chunk->used);
    memcpy(chunk->data + chunk->used, data, size);
    chunk->used += (uint32_t)size;
}
