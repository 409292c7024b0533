#include "core/window_index.h"

static uint32_t bucket_after(const struct window_index *index, uint32_t bucket)
{
    return bucket + 1 < index->bucket_count ? bucket + 1 : 0;
}

void window_index_insert(struct window_index *index, uint64_t hash, uint8_t tag, uint32_t entry)
{
    assert(tag != 0);
    uint32_t at = window_index_home(index->bucket_count, hash);
    for (uint32_t visited = 0; visited < index->bucket_count; visited++) {
        struct window_bucket *bucket = &index->buckets[at];
        uint32_t free_slots = window_index_slots_with(bucket, 0);
        if (free_slots != 0) {
            uint32_t slot = (uint32_t)__builtin_ctz(free_slots);
            bucket->tags[slot] = tag;
            bucket->entries[slot] = entry;
            return;
        }
        bucket->passed++;
        at = bucket_after(index, at);
    }
    assert(false); /* there are more slots than entries */
}

/* The slot of `entry` in the bucket, or WINDOW_BUCKET_SLOTS. */
static uint32_t slot_of(const struct window_bucket *bucket, uint32_t entry)
{
    uint32_t slots = window_index_slots_of(bucket, entry) & ~window_index_slots_with(bucket, 0);
    return slots != 0 ? (uint32_t)__builtin_ctz(slots) : WINDOW_BUCKET_SLOTS;
}

void window_index_remove(struct window_index *index, uint64_t hash, uint32_t entry)
{
    uint32_t at = window_index_home(index->bucket_count, hash);
    for (uint32_t visited = 0; visited < index->bucket_count; visited++) {
        struct window_bucket *bucket = &index->buckets[at];
        uint32_t slot = slot_of(bucket, entry);
        if (slot < WINDOW_BUCKET_SLOTS) {
            bucket->tags[slot] = 0;
            return;
        }
        assert(bucket->passed > 0);
        bucket->passed--;
        at = bucket_after(index, at);
    }
    assert(false); /* it is in the index */
}

void window_index_replace(struct window_index *index, uint64_t hash, uint32_t from, uint32_t to)
{
    uint32_t at = window_index_home(index->bucket_count, hash);
    for (uint32_t visited = 0; visited < index->bucket_count; visited++) {
        struct window_bucket *bucket = &index->buckets[at];
        uint32_t slot = slot_of(bucket, from);
        if (slot < WINDOW_BUCKET_SLOTS) {
            bucket->entries[slot] = to;
            return;
        }
        at = bucket_after(index, at);
    }
    assert(false); /* it is in the index */
}
