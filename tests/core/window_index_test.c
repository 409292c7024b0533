#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/window_index.h"
#include "random.h"

enum { BUCKETS = 64, ITEMS = BUCKETS * WINDOW_BUCKET_SLOTS };

struct item {
    bool present;
    uint64_t hash;
    uint8_t tag;
};

static struct window_index open_index(void)
{
    struct window_index index = {.bucket_count = BUCKETS};
    size_t size = BUCKETS * sizeof *index.buckets;
    index.buckets = aligned_alloc(_Alignof(struct window_bucket), size);
    cr_assert_not_null(index.buckets);
    memset(index.buckets, 0, size);
    return index;
}

static bool search_gives(const struct window_index *index, const struct item *item, uint32_t entry)
{
    struct window_search search;
    uint32_t times = 0;
    for (uint32_t found = window_index_first(index, item->hash, item->tag, &search);
         found != WINDOW_NO_ENTRY; found = window_index_next(index, &search))
        times += found == entry;
    cr_assert_leq(times, 1);
    return times == 1;
}

static void check(const struct window_index *index, const struct item *items)
{
    for (uint32_t i = 0; i < ITEMS; i++)
        cr_assert_eq(search_gives(index, &items[i], i), items[i].present, "entry %u", i);
}

static void check_empty(const struct window_index *index)
{
    for (uint32_t i = 0; i < BUCKETS; i++) {
        cr_assert_eq(index->buckets[i].passed, 0);
        cr_assert_eq(window_index_slots_with(&index->buckets[i], 0), 0xFFF);
    }
}

/* `homes`: into how few buckets the hashes go; with 1, all of them lie in one long row. */
static void play(uint64_t seed, uint32_t homes)
{
    struct window_index index = open_index();
    struct random random = {seed};
    static struct item items[ITEMS];
    for (uint32_t i = 0; i < ITEMS; i++)
        items[i] = (struct item){.present = false, .tag = 1};
    for (uint32_t step = 0; step < 6000; step++) {
        uint32_t i = random_below(&random, ITEMS);
        if (items[i].present && random_below(&random, 10) == 0) {
            uint32_t to = random_below(&random, ITEMS);
            if (items[to].present)
                continue;
            window_index_replace(&index, items[i].hash, i, to);
            items[to] = items[i];
            items[i].present = false;
        } else if (items[i].present) {
            window_index_remove(&index, items[i].hash, i);
            items[i].present = false;
        } else {
            uint64_t home = BUCKETS - 1 - random_below(&random, homes);
            items[i].hash = ((home << WINDOW_HASH_BITS) / BUCKETS) + random_below(&random, 1000);
            items[i].tag = (uint8_t)(1 + random_below(&random, step % 2 ? 255 : 3));
            items[i].present = true;
            window_index_insert(&index, items[i].hash, items[i].tag, i);
        }
        if (step % 211 == 0)
            check(&index, items);
    }
    for (uint32_t i = 0; i < ITEMS; i++) /* every slot of every bucket */
        if (!items[i].present) {
            items[i] = (struct item){.present = true, .hash = 0, .tag = 9};
            window_index_insert(&index, 0, 9, i);
        }
    check(&index, items);
    for (uint32_t i = 0; i < ITEMS; i++)
        window_index_remove(&index, items[i].hash, i);
    check_empty(&index);
    free(index.buckets);
}

Test(window_index, finds_what_is_in_it_and_nothing_else)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        play(seed, BUCKETS);
        play(seed, 7);
        play(seed, 1);
    }
}

Test(window_index, every_way_to_find_slots_gives_the_same)
{
    struct random random = {5};
    for (uint32_t step = 0; step < 20000; step++) {
        struct window_bucket bucket;
        uint32_t expected = 0, kinds = step % 2 ? 256 : 3;
        uint8_t wanted = (uint8_t)random_below(&random, kinds);
        memset(&bucket, 0, sizeof bucket);
        for (uint32_t i = 0; i < WINDOW_BUCKET_SLOTS; i++) {
            bucket.tags[i] = (uint8_t)random_below(&random, kinds);
            expected |= (uint32_t)(bucket.tags[i] == wanted) << i;
        }
        uint32_t holding = 0, entry = random_below(&random, 4) - 2;
        for (uint32_t i = 0; i < WINDOW_BUCKET_SLOTS; i++) {
            bucket.entries[i] = random_below(&random, 4) - 2;
            holding |= (uint32_t)(bucket.entries[i] == entry) << i;
        }
        bucket.passed = (uint32_t)random_u64(&random);
        cr_assert_eq(window_index_slots_of_portable(&bucket, entry), holding);
        cr_assert_eq(window_index_slots_of(&bucket, entry), holding);
        cr_assert_eq(window_index_slots_with_portable(&bucket, wanted), expected);
        cr_assert_eq(window_index_slots_with(&bucket, wanted), expected);
    }
}

Test(window_index, homes_are_buckets_up_to_the_largest_window)
{
    const uint64_t last_hash = (UINT64_C(1) << WINDOW_HASH_BITS) - 1;
    const uint64_t most = WINDOW_ENTRIES_MAX / WINDOW_BUCKET_ENTRIES;
    const uint64_t counts[] = {1, 2, 3, 128, 1000003, most - 1, most};
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        uint32_t count = (uint32_t)counts[i];
        cr_assert_eq(window_index_home(count, 0), 0);
        cr_assert_eq(window_index_home(count, last_hash), count - 1);
        cr_assert_eq(window_index_home(count, last_hash / 2 + 1), count / 2);
    }
}
