/* What was read back of the log: runs of whole neighbouring blocks, each read at once, found by
 * position. Bounded by its pool; the longest unused run goes first, never one that is being read or
 * waited for. Part of io/recall/recall.h, which does the reading. */
#ifndef KOUAN_IO_RUN_CACHE_H
#define KOUAN_IO_RUN_CACHE_H

#include "core/journal_format.h"
#include "io/journal/disk.h"
#include "io/recall/page_pool.h"

enum {
    RUN_BYTES_MAX = 1024 * 1024, /* a single block may be larger */
    RUN_PAGES_MAX = RUN_BYTES_MAX / JOURNAL_PAGE_BYTES,
    RUN_CACHE_RUNS_MAX = 4096
};

struct run {
    uint64_t start, end; /* positions, of one segment */
    uint8_t *memory;
    uint64_t checked[RUN_PAGES_MAX / 64]; /* a bit a page: the block that begins here is right */
    uint32_t waiters;                     /* asks that it will answer */
    bool reading;
    bool bad;  /* something of it is not as it was written: goes when nobody waits for it */
    bool used; /* somebody found something in it */
    struct disk_request request;
    bool waited; /* this read had to wait for leave */
    void *owner;
    struct run *newer, *older; /* by the last use; `newer` also links the free ones */
};

struct run_cache {
    struct page_pool pool;
    struct run *runs, *free;
    struct run **sorted; /* by start */
    uint32_t run_count;
    struct run *oldest, *newest;
};

MUST_CHECK enum status run_cache_open(struct run_cache *cache, uint64_t memory_bytes, void *owner);
void run_cache_close(struct run_cache *cache); /* a zeroed one too */

/* The run that holds the position; NULL: none. */
struct run *run_cache_find(const struct run_cache *cache, uint64_t position);
/* Where the first run behind the position begins; UINT64_MAX: there is none. */
uint64_t run_cache_next_start(const struct run_cache *cache, uint64_t position);

/* A new run, marked as being read; it overlaps no other. NULL: no room can be made; with
 * `spares_unused` what nobody has looked at yet is not given up for it. */
struct run *run_cache_add(struct run_cache *cache, uint64_t start, uint64_t end,
                          bool spares_unused);
void run_cache_note_use(struct run_cache *cache, struct run *run);
void run_cache_drop(struct run_cache *cache, struct run *run);

#endif
