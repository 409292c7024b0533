/* The index of the identity window: from a hash to the entries that may have it, in buckets of one
 * cache line. A part of core/window; nobody else's.
 *
 * A bucket has 12 slots, each an entry's number and a tag of 8 bits. An entry whose home bucket is
 * full lies in the first later bucket with room, and every bucket that it passed counts it; so a
 * search goes on only where something passed, and removal leaves no gravestones. A full
 * window has 8 entries a bucket; then 1 search in 13 looks at a second bucket.
 *
 * The hashes come from keyed digests, so that nobody can aim at a bucket. */
#ifndef KOUAN_CORE_WINDOW_INDEX_H
#define KOUAN_CORE_WINDOW_INDEX_H

#include <assert.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include "core/window.h"

enum {
    WINDOW_BUCKET_SLOTS = 12,
    WINDOW_BUCKET_ENTRIES = 8, /* entries of the window for each bucket */
    WINDOW_HASH_BITS = 36
};

struct window_bucket {
    _Alignas(64) uint8_t tags[WINDOW_BUCKET_SLOTS]; /* 0: the slot is free */
    uint32_t passed; /* entries that lie further on because this was full */
    uint32_t entries[WINDOW_BUCKET_SLOTS];
};
static_assert(sizeof(struct window_bucket) == 64, "a bucket is a cache line");
static_assert(WINDOW_ENTRIES_MAX / WINDOW_BUCKET_ENTRIES <= UINT64_C(1) << (64 - WINDOW_HASH_BITS),
              "a hash times the number of buckets must fit 64 bits");

struct window_index {
    struct window_bucket *buckets; /* zeroed, aligned to 64 */
    uint32_t bucket_count;
};

/* A search under way. */
struct window_search {
    uint32_t bucket, buckets_left, slots; /* a bit for each slot that is still to be given */
    uint8_t tag;
};

/* A hash is below 2^WINDOW_HASH_BITS, a tag is not 0. There must be room: the index has more slots
 * than the window has entries. */
void window_index_insert(struct window_index *index, uint64_t hash, uint8_t tag, uint32_t entry);

/* The entry must be there, inserted with a hash equal to this one. */
void window_index_remove(struct window_index *index, uint64_t hash, uint32_t entry);

/* Puts `to` into the slot of `from`, which must be there; the tag stays. */
void window_index_replace(struct window_index *index, uint64_t hash, uint32_t from, uint32_t to);

static inline uint32_t window_index_home(uint32_t bucket_count, uint64_t hash)
{
    return (uint32_t)((hash * bucket_count) >> WINDOW_HASH_BITS);
}

static inline void window_index_prefetch(const struct window_index *index, uint64_t hash)
{
    __builtin_prefetch(&index->buckets[window_index_home(index->bucket_count, hash)], 1);
}

/* For each byte of `bytes` that is equal to `tag` a bit, the first byte's the lowest. */
static inline uint32_t window_index_equal_bytes(uint64_t bytes, uint8_t tag)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), sevens = ones * 0x7F;
    uint64_t unequal = bytes ^ (ones * tag);
    uint64_t zero = ~(((unequal & sevens) + sevens) | unequal | sevens); /* 0x80 where equal */
    return (uint32_t)(((zero >> 7) * UINT64_C(0x0102040810204080)) >> 56);
}

/* A bit for each slot of the bucket with this tag; 0 asks for the free ones. */
static inline uint32_t window_index_slots_with_portable(const struct window_bucket *bucket,
                                                        uint8_t tag)
{
    uint64_t first;
    uint32_t rest;
    memcpy(&first, bucket->tags, sizeof first);
    memcpy(&rest, bucket->tags + sizeof first, sizeof rest);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    first = __builtin_bswap64(first);
    rest = __builtin_bswap32(rest);
#endif
    return window_index_equal_bytes(first, tag) | (window_index_equal_bytes(rest, tag) & 0xF) << 8;
}

static inline uint32_t window_index_slots_with(const struct window_bucket *bucket, uint8_t tag)
{
#if defined(__SSE2__)
    __m128i tags = _mm_load_si128((const __m128i *)bucket); /* and `passed`, cut off below */
    __m128i equal = _mm_cmpeq_epi8(tags, _mm_set1_epi8((char)tag));
    return (uint32_t)_mm_movemask_epi8(equal) & ((1U << WINDOW_BUCKET_SLOTS) - 1);
#else
    return window_index_slots_with_portable(bucket, tag);
#endif
}

/* A bit for each slot, free ones too, that holds the number of `entry`. Without branches: where an
 * entry stands cannot be predicted. */
static inline uint32_t window_index_slots_of_portable(const struct window_bucket *bucket,
                                                      uint32_t entry)
{
    uint32_t slots = 0;
    for (unsigned slot = 0; slot < WINDOW_BUCKET_SLOTS; slot++)
        slots |= (uint32_t)(bucket->entries[slot] == entry) << slot;
    return slots;
}

static inline uint32_t window_index_slots_of(const struct window_bucket *bucket, uint32_t entry)
{
#if defined(__SSE2__)
    const __m128i *lanes = (const __m128i *)(const void *)bucket->entries;
    __m128i wanted = _mm_set1_epi32((int)entry);
    uint32_t slots = 0;
    for (unsigned i = 0; i < WINDOW_BUCKET_SLOTS / 4; i++) {
        __m128i equal = _mm_cmpeq_epi32(_mm_load_si128(&lanes[i]), wanted);
        slots |= (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(equal)) << (4 * i);
    }
    return slots;
#else
    return window_index_slots_of_portable(bucket, entry);
#endif
}

/* The next candidate, or WINDOW_NO_ENTRY. The index must not change during a search. */
static inline uint32_t window_index_next(const struct window_index *index,
                                         struct window_search *search)
{
    while (search->slots == 0) {
        if (index->buckets[search->bucket].passed == 0 || search->buckets_left == 0)
            return WINDOW_NO_ENTRY;
        search->buckets_left--;
        search->bucket = search->bucket + 1 < index->bucket_count ? search->bucket + 1 : 0;
        search->slots = window_index_slots_with(&index->buckets[search->bucket], search->tag);
    }
    uint32_t slot = (uint32_t)__builtin_ctz(search->slots);
    search->slots &= search->slots - 1;
    return index->buckets[search->bucket].entries[slot];
}

/* Begins a search for the entries with this hash and tag; it also gives some with another hash: the
 * caller compares. */
static inline uint32_t window_index_first(const struct window_index *index, uint64_t hash,
                                          uint8_t tag, struct window_search *out_search)
{
    uint32_t home = window_index_home(index->bucket_count, hash);
    *out_search = (struct window_search){
        .bucket = home,
        .buckets_left = index->bucket_count - 1,
        .slots = window_index_slots_with(&index->buckets[home], tag),
        .tag = tag,
    };
    return window_index_next(index, out_search);
}

#endif
