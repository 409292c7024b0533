#include "io/recall/run_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum status run_cache_open(struct run_cache *cache, uint64_t memory_bytes, void *owner)
{
    *cache = (struct run_cache){0};
    enum status status = page_pool_open(&cache->pool, memory_bytes);
    if (status != STATUS_OK)
        return status;
    cache->runs = calloc(RUN_CACHE_RUNS_MAX, sizeof *cache->runs);
    cache->sorted = calloc(RUN_CACHE_RUNS_MAX, sizeof *cache->sorted);
    if (cache->runs == NULL || cache->sorted == NULL) {
        run_cache_close(cache);
        return STATUS_NO_MEMORY;
    }
    for (uint32_t i = RUN_CACHE_RUNS_MAX; i > 0; i--) {
        cache->runs[i - 1] = (struct run){.owner = owner, .newer = cache->free};
        cache->free = &cache->runs[i - 1];
    }
    return STATUS_OK;
}

void run_cache_close(struct run_cache *cache)
{
    page_pool_close(&cache->pool);
    free(cache->runs);
    free(cache->sorted);
    *cache = (struct run_cache){0};
}

/* How many runs begin at or before the position. */
static uint32_t count_up_to(const struct run_cache *cache, uint64_t position)
{
    uint32_t low = 0, high = cache->run_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (cache->sorted[middle]->start <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct run *run_cache_find(const struct run_cache *cache, uint64_t position)
{
    uint32_t count = count_up_to(cache, position);
    return count > 0 && position < cache->sorted[count - 1]->end ? cache->sorted[count - 1] : NULL;
}

uint64_t run_cache_next_start(const struct run_cache *cache, uint64_t position)
{
    uint32_t count = count_up_to(cache, position);
    return count < cache->run_count ? cache->sorted[count]->start : UINT64_MAX;
}

/* ---- by the last use ---- */

static void unlink_use(struct run_cache *cache, struct run *run)
{
    *(run->older != NULL ? &run->older->newer : &cache->oldest) = run->newer;
    *(run->newer != NULL ? &run->newer->older : &cache->newest) = run->older;
}

static void link_newest(struct run_cache *cache, struct run *run)
{
    run->older = cache->newest;
    run->newer = NULL;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = run;
    cache->newest = run;
}

void run_cache_note_use(struct run_cache *cache, struct run *run)
{
    run->used = true;
    if (run == cache->newest)
        return;
    unlink_use(cache, run);
    link_newest(cache, run);
}

/* ---- coming and going ---- */

void run_cache_drop(struct run_cache *cache, struct run *run)
{
    uint32_t place = count_up_to(cache, run->start) - 1;
    assert(cache->sorted[place] == run && !run->reading && run->waiters == 0);
    cache->run_count--;
    memmove(&cache->sorted[place], &cache->sorted[place + 1],
            (cache->run_count - place) * sizeof(struct run *));
    unlink_use(cache, run);
    page_pool_give(&cache->pool, run->memory, run->end - run->start);
    run->memory = NULL;
    run->newer = cache->free;
    cache->free = run;
}

/* False if all that is left must stay. */
static bool give_one_up(struct run_cache *cache, bool spares_unused)
{
    for (struct run *run = cache->oldest; run != NULL; run = run->newer) {
        if (run->reading || run->waiters > 0 || (spares_unused && !run->used))
            continue;
        run_cache_drop(cache, run);
        return true;
    }
    return false;
}

struct run *run_cache_add(struct run_cache *cache, uint64_t start, uint64_t end, bool spares_unused)
{
    void *memory;
    if (!page_pool_could_hold(&cache->pool, end - start))
        return NULL;
    while (cache->free == NULL || (memory = page_pool_take(&cache->pool, end - start)) == NULL)
        if (!give_one_up(cache, spares_unused))
            return NULL;
    uint32_t place = count_up_to(cache, start);
    assert(place == 0 || cache->sorted[place - 1]->end <= start);
    assert(place == cache->run_count || cache->sorted[place]->start >= end);
    struct run *run = cache->free;
    cache->free = run->newer;
    *run = (struct run){
        .start = start, .end = end, .memory = memory, .reading = true, .owner = run->owner};
    memmove(&cache->sorted[place + 1], &cache->sorted[place],
            (cache->run_count - place) * sizeof(struct run *));
    cache->sorted[place] = run;
    cache->run_count++;
    link_newest(cache, run);
    return run;
}
