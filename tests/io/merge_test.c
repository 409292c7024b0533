#include "io/delivery/merge.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/core/random.h"

/* Random replies of several shards, and what one shard that has all of it would reply, by the
 * plainest way: put everything together, sort, take from the front. */

enum { PARTS_MAX = 6, ENTRIES_MAX = 40, MEMORY_BYTES = 64 * 1024, SCRATCH = 4096 };

/* ---- parts ---- */

struct scene {
    uint8_t memory[PARTS_MAX + 2][MEMORY_BYTES + BYTES_PADDING];
    struct resp_writer writers[PARTS_MAX], merged, expected;
    struct bytes parts[PARTS_MAX];
    struct merge_named scratch[SCRATCH];
    uint32_t count;
    uint8_t protocol;
};

static struct scene *open_scene(struct random *seed)
{
    struct scene *scene = calloc(1, sizeof *scene);
    cr_assert_not_null(scene);
    scene->count = 1 + (uint32_t)(random_u64(seed) % PARTS_MAX);
    scene->protocol = random_u64(seed) % 2 == 0 ? 2 : 3;
    for (uint32_t i = 0; i < scene->count; i++)
        resp_writer_init(&scene->writers[i], scene->protocol, scene->memory[i], MEMORY_BYTES);
    resp_writer_init(&scene->merged, scene->protocol, scene->memory[PARTS_MAX], MEMORY_BYTES);
    resp_writer_init(&scene->expected, scene->protocol, scene->memory[PARTS_MAX + 1], MEMORY_BYTES);
    return scene;
}

static struct merge merge_of(struct scene *scene)
{
    for (uint32_t i = 0; i < scene->count; i++)
        scene->parts[i] = bytes_make(scene->writers[i].data, scene->writers[i].needed);
    return (struct merge){scene->parts, scene->count, scene->scratch, SCRATCH};
}

static void close_as_expected(struct scene *scene)
{
    struct bytes merged = bytes_make(scene->merged.data, scene->merged.needed);
    struct bytes expected = bytes_make(scene->expected.data, scene->expected.needed);
    cr_assert(bytes_equal(merged, expected), "merged:\n%.*s\nexpected:\n%.*s", (int)merged.size,
              (const char *)merged.data, (int)expected.size, (const char *)expected.data);
    free(scene);
}

Test(merge, lists_one_behind_the_other)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct random random = {seed};
        struct scene *scene = open_scene(&random);
        uint32_t total = 0, counts[PARTS_MAX];
        for (uint32_t i = 0; i < scene->count; i++)
            total += counts[i] = random_below(&random, 4);
        resp_write_array(&scene->expected, total);
        for (uint32_t i = 0; i < scene->count; i++) {
            resp_write_array(&scene->writers[i], counts[i]);
            for (uint32_t k = 0; k < counts[i]; k++) {
                resp_write_map(&scene->writers[i], 1);
                resp_write_bulk_format(&scene->writers[i], "%u", i);
                resp_write_integer(&scene->writers[i], k);
                resp_write_map(&scene->expected, 1);
                resp_write_bulk_format(&scene->expected, "%u", i);
                resp_write_integer(&scene->expected, k);
            }
        }
        struct merge merge = merge_of(scene);
        merge_lists(&merge, &scene->merged);
        close_as_expected(scene);
    }
}

/* ---- entries ---- */

struct entry {
    struct record_id id;
    uint32_t part, size;
    bool hidden; /* its part did not say it */
};

struct entries {
    struct entry items[PARTS_MAX * ENTRIES_MAX];
    uint32_t count;
    uint64_t cut;
    uint32_t sure; /* so many are before all that may be hidden, by what the parts say */
};

static void write_entry(struct resp_writer *writer, const struct entry *entry)
{
    static const char filler[] = "0123456789012345678901234567890123456789";
    resp_write_array(writer, 2);
    resp_write_id(writer, entry->id.ms, entry->id.seq);
    resp_write_array(writer, 2);
    resp_write_bulk_text(writer, "body");
    resp_write_bulk(writer, bytes_make(filler, entry->size));
}

static int compare(const void *a, const void *b)
{
    return record_id_compare(((const struct entry *)a)->id, ((const struct entry *)b)->id);
}

static const struct entry *entry_at(const struct entries *all, uint32_t n, bool is_falling)
{
    return &all->items[is_falling ? all->count - 1 - n : n];
}

/* Behind the last entry that a cut part says, anything may come. */
static void count_sure(struct entries *all, uint32_t parts, bool is_falling)
{
    all->sure = all->count;
    for (uint32_t p = 0; p < parts; p++) {
        uint32_t behind_last = 0;
        for (uint32_t n = 0; n < all->count; n++) {
            const struct entry *entry = entry_at(all, n, is_falling);
            if (entry->part == p && !entry->hidden)
                behind_last = n + 1;
        }
        if ((all->cut >> p & 1) != 0 && behind_last < all->sure)
            all->sure = behind_last;
    }
}

/* Each part has ids of its own log, in order; some say only the first ones. */
static struct entries make_entries(struct scene *scene, struct random *seed, bool is_falling)
{
    struct entries all = {.count = 0};
    for (uint32_t p = 0; p < scene->count; p++) {
        struct record_id id = {1000 + random_u64(seed) % 4, p};
        uint32_t count = (uint32_t)(random_u64(seed) % ENTRIES_MAX), said = count;
        struct entry *mine = &all.items[all.count];
        if (random_u64(seed) % 3 == 0) {
            said = count > 0 ? (uint32_t)(random_u64(seed) % count) : 0;
            all.cut |= (uint64_t)(said < count) << p;
        }
        for (uint32_t i = 0; i < count; i++) {
            if (random_u64(seed) % 4 == 0)
                id = (struct record_id){id.ms + 1 + random_u64(seed) % 3, p};
            else
                id.seq += 256;
            mine[i] = (struct entry){id, p, (uint32_t)(random_u64(seed) % 40), false};
        }
        for (uint32_t i = 0; i < count; i++)
            mine[i].hidden = is_falling ? i < count - said : i >= said;
        resp_write_array(&scene->writers[p], said);
        for (uint32_t i = 0; i < said; i++)
            write_entry(&scene->writers[p], &mine[is_falling ? count - 1 - i : i]);
        all.count += count;
    }
    qsort(all.items, all.count, sizeof *all.items, compare);
    count_sure(&all, scene->count, is_falling);
    return all;
}

Test(merge, entries_as_one_log_would_show_them)
{
    struct random seed = {1};
    for (int round = 0; round < 2000; round++) {
        bool is_falling = random_u64(&seed) % 2 == 0;
        struct scene *scene = open_scene(&seed);
        struct entries all = make_entries(scene, &seed, is_falling);
        const struct merge_limits limits = {.count = random_u64(&seed) % 60,
                                            .bytes_max = UINT64_MAX,
                                            .cut = all.cut,
                                            .is_falling = is_falling};
        struct merge merge = merge_of(scene);
        merge_entries(&merge, &limits, &scene->merged);
        uint32_t shown = 0;
        while (shown < all.sure && shown < limits.count)
            shown++;
        resp_write_array(&scene->expected, shown);
        for (uint32_t i = 0; i < shown; i++)
            write_entry(&scene->expected, entry_at(&all, i, is_falling));
        close_as_expected(scene);
    }
}

Test(merge, entries_up_to_so_many_bytes_but_one_at_least)
{
    struct random seed = {2};
    struct scene *scene = open_scene(&seed);
    scene->count = 1;
    resp_write_array(&scene->writers[0], 2);
    for (uint32_t i = 0; i < 2; i++)
        write_entry(&scene->writers[0], &(struct entry){{5, i << 8}, 0, 10, false});
    struct merge merge = merge_of(scene);
    const struct merge_limits limits = {.count = 10, .bytes_max = 1};
    merge_entries(&merge, &limits, &scene->merged);
    resp_write_array(&scene->expected, 1);
    write_entry(&scene->expected, &(struct entry){{5, 0}, 0, 10, false});
    close_as_expected(scene);
}

Test(merge, null_when_all_are)
{
    struct random seed = {3};
    struct scene *scene = open_scene(&seed);
    for (uint32_t p = 0; p < scene->count; p++)
        resp_write_null_array(&scene->writers[p]);
    struct merge merge = merge_of(scene);
    const struct merge_limits limits = {.count = 1, .bytes_max = 1};
    merge_entries(&merge, &limits, &scene->merged);
    resp_write_null_array(&scene->expected);
    close_as_expected(scene);
}

/* ---- streams ---- */

static void write_head(struct resp_writer *writer, uint32_t streams)
{
    if (writer->protocol == 3)
        resp_write_map(writer, streams);
    else
        resp_write_array(writer, streams);
}

static void write_name(struct resp_writer *writer, uint32_t stream)
{
    if (writer->protocol == 2)
        resp_write_array(writer, 2);
    resp_write_bulk_format(writer, "stream-%u", stream);
}

Test(merge, streams_that_have_something_and_those_that_are_always_named)
{
    struct random seed = {4};
    enum { STREAMS = 5 };
    for (int round = 0; round < 1000; round++) {
        struct scene *scene = open_scene(&seed);
        struct entries all[STREAMS];
        struct merge_limits limits[STREAMS];
        uint32_t always = (uint32_t)(random_u64(&seed) % 4 == 0 ? random_u64(&seed) % 32 : 0);
        uint32_t shown[STREAMS], named = 0;
        for (uint32_t p = 0; p < scene->count; p++)
            write_head(&scene->writers[p], STREAMS);
        for (uint32_t s = 0; s < STREAMS; s++) {
            bool is_empty = random_u64(&seed) % 2 == 0;
            for (uint32_t p = 0; p < scene->count; p++) {
                write_name(&scene->writers[p], s);
                if (is_empty)
                    resp_write_array(&scene->writers[p], 0);
            }
            all[s] = (struct entries){.count = 0};
            if (!is_empty)
                all[s] = make_entries(scene, &seed, false);
            limits[s] = (struct merge_limits){
                .count = random_u64(&seed) % 10, .bytes_max = UINT64_MAX, .cut = all[s].cut};
            shown[s] = 0;
            while (shown[s] < all[s].sure && shown[s] < limits[s].count)
                shown[s]++;
            named += shown[s] > 0 || (always >> s & 1) != 0;
        }
        struct merge merge = merge_of(scene);
        bool is_some = merge_streams(&merge, limits, STREAMS, always, &scene->merged);
        cr_assert_eq(is_some, named > 0);
        if (named > 0)
            write_head(&scene->expected, named);
        for (uint32_t s = 0; s < STREAMS; s++) {
            if (shown[s] == 0 && (always >> s & 1) == 0)
                continue;
            write_name(&scene->expected, s);
            resp_write_array(&scene->expected, shown[s]);
            for (uint32_t i = 0; i < shown[s]; i++)
                write_entry(&scene->expected, &all[s].items[i]);
        }
        close_as_expected(scene);
    }
}

Test(merge, what_was_taken_is_shown_whole)
{
    struct random seed = {5};
    for (int round = 0; round < 200; round++) {
        struct scene *scene = open_scene(&seed);
        for (uint32_t p = 0; p < scene->count; p++) {
            write_head(&scene->writers[p], 1);
            write_name(&scene->writers[p], 0);
        }
        struct entries all = make_entries(scene, &seed, false);
        const struct merge_limits limits = {
            .count = UINT64_MAX, .bytes_max = UINT64_MAX, .cut = all.cut, .shows_all = true};
        uint32_t shown = 0;
        for (uint32_t i = 0; i < all.count; i++)
            shown += !all.items[i].hidden;
        struct merge merge = merge_of(scene);
        cr_assert_eq(merge_streams(&merge, &limits, 1, 0, &scene->merged), shown > 0);
        if (shown > 0) {
            write_head(&scene->expected, 1);
            write_name(&scene->expected, 0);
            resp_write_array(&scene->expected, shown);
        }
        for (uint32_t i = 0; i < all.count; i++)
            if (!all.items[i].hidden)
                write_entry(&scene->expected, &all.items[i]);
        close_as_expected(scene);
    }
}

/* ---- looked for, claimed ---- */

Test(merge, last_id_within_count_and_bytes)
{
    struct random seed = {6};
    for (int round = 0; round < 1000; round++) {
        struct scene *scene = open_scene(&seed);
        struct entries all = {.count = 0};
        for (uint32_t p = 0; p < scene->count; p++) {
            uint32_t count = (uint32_t)(random_u64(&seed) % 10);
            resp_write_array(&scene->writers[p], count);
            for (uint32_t i = 0; i < count; i++) {
                struct entry *entry = &all.items[all.count++];
                *entry = (struct entry){{100 + i, p}, p, (uint32_t)(random_u64(&seed) % 100), 0};
                resp_write_array(&scene->writers[p], 2);
                resp_write_id(&scene->writers[p], entry->id.ms, entry->id.seq);
                resp_write_integer(&scene->writers[p], entry->size);
            }
        }
        qsort(all.items, all.count, sizeof *all.items, compare);
        const struct merge_limits limits = {.count = random_u64(&seed) % 20,
                                            .bytes_max = random_u64(&seed) % 1000};
        struct record_id expected = {0};
        uint64_t bytes = 0, counted = 0;
        for (; counted < all.count && counted < limits.count && bytes < limits.bytes_max;
             counted++) {
            expected = all.items[counted].id;
            bytes += all.items[counted].size;
        }
        struct merge merge = merge_of(scene);
        struct record_id last = merge_last_id(&merge, &limits);
        if (counted == all.count && counted < limits.count && bytes < limits.bytes_max)
            expected = (struct record_id){UINT64_MAX, UINT64_MAX};
        cr_assert_eq(record_id_compare(last, expected), 0);
        free(scene);
    }
}

Test(merge, claimed_in_the_order_of_the_command)
{
    struct random seed = {7};
    for (int round = 0; round < 500; round++) {
        struct scene *scene = open_scene(&seed);
        struct entry asked[30];
        struct record_id ids[30];
        uint32_t counts[PARTS_MAX] = {0}, claimed = 0;
        bool just_ids = random_u64(&seed) % 2 == 0;
        for (uint32_t i = 0; i < 30; i++) {
            uint32_t p = (uint32_t)(random_u64(&seed) % scene->count);
            asked[i] = (struct entry){{random_u64(&seed) % 1000, i << 8 | p},
                                      p,
                                      5,
                                      random_u64(&seed) % 3 == 0}; /* not pending */
            ids[i] = asked[i].id;
            counts[p] += !asked[i].hidden;
            claimed += !asked[i].hidden;
        }
        for (uint32_t p = 0; p < scene->count; p++)
            resp_write_array(&scene->writers[p], counts[p]);
        resp_write_array(&scene->expected, claimed);
        for (uint32_t i = 0; i < 30; i++) {
            struct resp_writer *writers[] = {&scene->writers[asked[i].part], &scene->expected};
            for (int w = 0; w < 2 && !asked[i].hidden; w++)
                if (just_ids)
                    resp_write_id(writers[w], ids[i].ms, ids[i].seq);
                else
                    write_entry(writers[w], &asked[i]);
        }
        struct merge merge = merge_of(scene);
        merge_claimed(&merge, ids, 30, &scene->merged);
        close_as_expected(scene);
    }
}

/* ---- integers and errors ---- */

Test(merge, sums_greatest_and_first_error)
{
    struct random seed = {8};
    for (int round = 0; round < 200; round++) {
        struct scene *scene = open_scene(&seed);
        int64_t sum = 0, greatest = INT64_MIN;
        for (uint32_t p = 0; p < scene->count; p++) {
            int64_t value = (int64_t)(random_u64(&seed) % 1000) - 500;
            sum += value;
            greatest = value > greatest ? value : greatest;
            resp_write_integer(&scene->writers[p], value);
        }
        struct merge merge = merge_of(scene);
        cr_assert_not(merge_error(&merge, &scene->merged));
        merge_sum(&merge, &scene->merged);
        merge_greatest(&merge, &scene->merged);
        resp_write_integer(&scene->expected, sum);
        resp_write_integer(&scene->expected, greatest);
        uint32_t at = (uint32_t)(random_u64(&seed) % scene->count);
        for (uint32_t p = at; p < scene->count; p++) {
            scene->writers[p].needed = 0;
            resp_write_error_format(&scene->writers[p], "ERR of %u", p);
        }
        merge = merge_of(scene);
        cr_assert(merge_error(&merge, &scene->merged));
        resp_write_error_format(&scene->expected, "ERR of %u", at);
        close_as_expected(scene);
    }
}

Test(merge, a_sum_of_nothing_known_is_null)
{
    struct random seed = {9};
    struct scene *scene = open_scene(&seed);
    for (uint32_t p = 0; p < scene->count; p++)
        resp_write_null(&scene->writers[p]);
    struct merge merge = merge_of(scene);
    merge_sum(&merge, &scene->merged);
    resp_write_null(&scene->expected);
    close_as_expected(scene);
}

/* ---- what has a name ---- */

enum { NAMES = 7 };

struct group_row {
    uint64_t pending, lag;
    struct record_id last;
    bool is_there, consumers[NAMES];
};

static void write_group(struct resp_writer *writer, uint32_t name, const struct group_row *row,
                        bool is_part)
{
    uint32_t consumers = 0;
    for (uint32_t c = 0; c < NAMES; c++)
        consumers += row->consumers[c];
    resp_write_map(writer, is_part ? 6 : 5);
    resp_write_bulk_text(writer, "name");
    resp_write_bulk_format(writer, "group-%u", name);
    resp_write_bulk_text(writer, "consumers");
    resp_write_integer(writer, consumers);
    if (is_part) {
        resp_write_bulk_text(writer, MERGE_CONSUMER_NAMES);
        resp_write_array(writer, consumers);
        for (uint32_t c = 0; c < NAMES; c++)
            if (row->consumers[c])
                resp_write_bulk_format(writer, "consumer-%u", c);
    }
    resp_write_bulk_text(writer, "pending");
    resp_write_integer(writer, (int64_t)row->pending);
    resp_write_bulk_text(writer, "last-delivered-id");
    resp_write_id(writer, row->last.ms, row->last.seq);
    resp_write_bulk_text(writer, "lag");
    resp_write_integer(writer, (int64_t)row->lag);
}

Test(merge, groups_by_name_and_their_consumers_once)
{
    struct random seed = {10};
    for (int round = 0; round < 500; round++) {
        struct scene *scene = open_scene(&seed);
        struct group_row sums[NAMES] = {{0}};
        uint32_t order[NAMES], count = 0;
        for (uint32_t p = 0; p < scene->count; p++) {
            struct group_row rows[NAMES] = {{0}};
            uint32_t there = 0;
            for (uint32_t g = 0; g < NAMES; g++) {
                struct group_row *row = &rows[g], *sum = &sums[g];
                row->is_there = random_u64(&seed) % 4 > 0;
                if (!row->is_there)
                    continue;
                there++;
                if (!sum->is_there)
                    order[count++] = g;
                sum->is_there = true;
                row->pending = random_u64(&seed) % 100;
                row->lag = random_u64(&seed) % 100;
                row->last = (struct record_id){random_u64(&seed) % 10, random_u64(&seed) % 10};
                sum->pending += row->pending;
                sum->lag += row->lag;
                if (record_id_compare(row->last, sum->last) > 0)
                    sum->last = row->last;
                for (uint32_t c = 0; c < NAMES; c++) {
                    row->consumers[c] = random_u64(&seed) % 2 == 0;
                    sum->consumers[c] |= row->consumers[c];
                }
            }
            resp_write_array(&scene->writers[p], there);
            for (uint32_t g = 0; g < NAMES; g++)
                if (rows[g].is_there)
                    write_group(&scene->writers[p], g, &rows[g], true);
        }
        struct merge merge = merge_of(scene);
        merge_maps(&merge, &scene->merged);
        resp_write_array(&scene->expected, count);
        for (uint32_t i = 0; i < count; i++)
            write_group(&scene->expected, order[i], &sums[order[i]], false);
        close_as_expected(scene);
    }
}

static void write_consumer(struct resp_writer *writer, uint32_t name, int64_t pending, int64_t idle,
                           int64_t inactive)
{
    resp_write_map(writer, 4);
    resp_write_bulk_text(writer, "name");
    resp_write_bulk_format(writer, "c%u", name);
    resp_write_bulk_text(writer, "pending");
    resp_write_integer(writer, pending);
    resp_write_bulk_text(writer, "idle");
    resp_write_integer(writer, idle);
    resp_write_bulk_text(writer, "inactive");
    resp_write_integer(writer, inactive);
}

Test(merge, a_consumer_was_active_when_it_was_last_anywhere)
{
    struct random seed = {11};
    struct scene *scene = open_scene(&seed);
    scene->count = 3;
    for (uint32_t p = 0; p < 3; p++)
        resp_writer_init(&scene->writers[p], scene->protocol, scene->memory[p], MEMORY_BYTES);
    resp_write_array(&scene->writers[0], 2);
    write_consumer(&scene->writers[0], 1, 3, 500, -1);
    write_consumer(&scene->writers[0], 2, 0, 10, -1);
    resp_write_array(&scene->writers[1], 0);
    resp_write_array(&scene->writers[2], 2);
    write_consumer(&scene->writers[2], 3, 1, 7, 8);
    write_consumer(&scene->writers[2], 1, 4, 20, 30);
    struct merge merge = merge_of(scene);
    merge_maps(&merge, &scene->merged);
    resp_write_array(&scene->expected, 3);
    write_consumer(&scene->expected, 1, 7, 20, 30);
    write_consumer(&scene->expected, 2, 0, 10, -1);
    write_consumer(&scene->expected, 3, 1, 7, 8);
    close_as_expected(scene);
}

static void write_stream(struct resp_writer *writer, uint64_t length, const struct entry *first,
                         const struct entry *last)
{
    resp_write_map(writer, 5);
    resp_write_bulk_text(writer, "length");
    resp_write_integer(writer, (int64_t)length);
    resp_write_bulk_text(writer, "recorded-first-entry-id");
    resp_write_id(writer, first != NULL ? first->id.ms : 0, first != NULL ? first->id.seq : 0);
    resp_write_bulk_text(writer, "groups");
    resp_write_integer(writer, 2);
    resp_write_bulk_text(writer, "first-entry");
    if (first != NULL)
        write_entry(writer, first);
    else
        resp_write_null(writer);
    resp_write_bulk_text(writer, "last-entry");
    if (last != NULL)
        write_entry(writer, last);
    else
        resp_write_null(writer);
}

Test(merge, a_stream_begins_and_ends_with_the_first_and_last_of_any)
{
    struct random seed = {12};
    for (int round = 0; round < 300; round++) {
        struct scene *scene = open_scene(&seed);
        struct entry firsts[PARTS_MAX], lasts[PARTS_MAX], *first = NULL, *last = NULL;
        uint64_t length = 0;
        for (uint32_t p = 0; p < scene->count; p++) {
            bool is_empty = random_u64(&seed) % 3 == 0;
            uint64_t mine = random_u64(&seed) % 9;
            firsts[p] = (struct entry){{1 + random_u64(&seed) % 49, p}, p, 3, false};
            lasts[p] = (struct entry){{50 + random_u64(&seed) % 50, p}, p, 4, false};
            length += mine;
            write_stream(&scene->writers[p], mine, is_empty ? NULL : &firsts[p],
                         is_empty ? NULL : &lasts[p]);
            if (is_empty)
                continue;
            if (first == NULL || record_id_compare(firsts[p].id, first->id) < 0)
                first = &firsts[p];
            if (last == NULL || record_id_compare(lasts[p].id, last->id) > 0)
                last = &lasts[p];
        }
        struct merge merge = merge_of(scene);
        merge_map(&merge, &scene->merged);
        write_stream(&scene->expected, length, first, last);
        close_as_expected(scene);
    }
}

static void write_pending(struct resp_writer *writer, const uint64_t pending[NAMES],
                          const uint32_t *order, uint32_t count, struct record_id first,
                          struct record_id last)
{
    uint64_t total = 0;
    for (uint32_t i = 0; i < NAMES; i++)
        total += pending[i];
    resp_write_array(writer, 4);
    resp_write_integer(writer, (int64_t)total);
    if (total == 0) {
        resp_write_null(writer);
        resp_write_null(writer);
        resp_write_null_array(writer);
        return;
    }
    resp_write_id(writer, first.ms, first.seq);
    resp_write_id(writer, last.ms, last.seq);
    resp_write_array(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        resp_write_array(writer, 2);
        resp_write_bulk_format(writer, "consumer-%u", order[i]);
        resp_write_bulk_format(writer, "%u", (unsigned)pending[order[i]]);
    }
}

Test(merge, pending_of_all_logs)
{
    struct random seed = {13};
    for (int round = 0; round < 500; round++) {
        struct scene *scene = open_scene(&seed);
        uint64_t sums[NAMES] = {0};
        uint32_t order[NAMES], count = 0;
        struct record_id first = {UINT64_MAX, 0}, last = {0};
        for (uint32_t p = 0; p < scene->count; p++) {
            uint64_t pending[NAMES] = {0};
            uint32_t mine[NAMES], mine_count = 0;
            struct record_id from = {1 + random_u64(&seed) % 49, p},
                             to = {50 + random_u64(&seed) % 50, p};
            bool is_empty = random_u64(&seed) % 3 == 0;
            for (uint32_t c = 0; c < NAMES && !is_empty; c++) {
                pending[c] = random_u64(&seed) % 3;
                if (pending[c] == 0)
                    continue;
                mine[mine_count++] = c;
                if (sums[c] == 0)
                    order[count++] = c;
                sums[c] += pending[c];
            }
            if (mine_count > 0 && record_id_compare(from, first) < 0)
                first = from;
            if (mine_count > 0 && record_id_compare(to, last) > 0)
                last = to;
            write_pending(&scene->writers[p], pending, mine, mine_count, from, to);
        }
        struct merge merge = merge_of(scene);
        merge_pending(&merge, &scene->merged);
        write_pending(&scene->expected, sums, order, count, first, last);
        close_as_expected(scene);
    }
}

static void write_counter(struct resp_writer *writer, const char *subject, const char *name,
                          int64_t value)
{
    resp_write_array(writer, 3);
    resp_write_bulk_text(writer, subject);
    resp_write_bulk_text(writer, name);
    resp_write_integer(writer, value);
}

Test(merge, counters_add_up_but_the_clock)
{
    struct random seed = {14};
    struct scene *scene = open_scene(&seed);
    scene->count = 2;
    for (uint32_t p = 0; p < 2; p++) {
        resp_writer_init(&scene->writers[p], scene->protocol, scene->memory[p], MEMORY_BYTES);
        resp_write_array(&scene->writers[p], 3);
        write_counter(&scene->writers[p], "server", "uptime_ms", 100 + p);
        write_counter(&scene->writers[p], "customs", "routed", 10);
        write_counter(&scene->writers[p], p == 0 ? "customs" : "port", "emitted", 1);
    }
    struct merge merge = merge_of(scene);
    merge_counters(&merge, &scene->merged);
    resp_write_array(&scene->expected, 4);
    write_counter(&scene->expected, "server", "uptime_ms", 101);
    write_counter(&scene->expected, "customs", "routed", 20);
    write_counter(&scene->expected, "customs", "emitted", 1);
    write_counter(&scene->expected, "port", "emitted", 1);
    close_as_expected(scene);
}

/* ---- texts ---- */

Test(merge, texts_one_behind_the_other)
{
    struct random seed = {15};
    struct scene *scene = open_scene(&seed);
    char all[512] = "";
    for (uint32_t p = 0; p < scene->count; p++) {
        char text[32] = "";
        if (p != 1)
            snprintf(text, sizeof text, "line of %u\n", p);
        resp_write_verbatim(&scene->writers[p], bytes_from_text(text));
        strcat(all, text);
    }
    struct merge merge = merge_of(scene);
    merge_texts(&merge, &scene->merged);
    resp_write_verbatim(&scene->expected, bytes_from_text(all));
    close_as_expected(scene);
}

Test(merge, health_says_at_which_shard)
{
    struct random seed = {16};
    struct scene *scene = open_scene(&seed);
    static const char *const texts[] = {"customs: full\nport: full\n", "", "port: old\n"};
    scene->count = 3;
    for (uint32_t p = 0; p < 3; p++) {
        resp_writer_init(&scene->writers[p], scene->protocol, scene->memory[p], MEMORY_BYTES);
        resp_write_array(&scene->writers[p], 2);
        resp_write_integer(&scene->writers[p], p == 0 ? 2 : p / 2);
        resp_write_verbatim(&scene->writers[p], bytes_from_text(texts[p]));
    }
    struct merge merge = merge_of(scene);
    merge_health(&merge, &scene->merged);
    resp_write_array(&scene->expected, 2);
    resp_write_integer(&scene->expected, 3);
    resp_write_verbatim(
        &scene->expected,
        BYTES_LITERAL("shard 0: customs: full\nshard 0: port: full\nshard 2: port: old\n"));
    close_as_expected(scene);
}

Test(merge, info_adds_up_what_adds_up)
{
    struct random seed = {17};
    struct scene *scene = open_scene(&seed);
    static const char *const texts[] = {
        "# Server\r\nlistener0:a:1\r\nconnected_clients:2\r\n\r\n# Stats\r\nledger_gap:3\r\n"
        "log_0:x\r\nbatches:18446744073709551610\r\nshard_0:a=1\r\nend:0\r\n",
        "# Server\r\nconnected_clients:40\r\n\r\n# "
        "Stats\r\nledger_gap:3\r\nlog_1:y\r\nbatches:5\r\n"
        "shard_1:a=2\r\nend:9\r\n"};
    scene->count = 2;
    for (uint32_t p = 0; p < 2; p++) {
        resp_writer_init(&scene->writers[p], scene->protocol, scene->memory[p], MEMORY_BYTES);
        resp_write_verbatim(&scene->writers[p], bytes_from_text(texts[p]));
    }
    struct merge merge = merge_of(scene);
    merge_info(&merge, 7, &scene->merged);
    resp_write_verbatim(
        &scene->expected,
        BYTES_LITERAL(
            "# Server\r\nlistener0:a:1\r\nconnected_clients:42\r\n\r\n# Stats\r\n"
            "ledger_gap:7\r\nlog_0:x\r\nlog_1:y\r\nbatches:18446744073709551615\r\nshard_0:a=1\r\n"
            "shard_1:a=2\r\nend:0\r\n"));
    close_as_expected(scene);
}

Test(merge, rejects_from_the_newest_on)
{
    struct random seed = {18};
    struct scene *scene = open_scene(&seed);
    scene->count = 2;
    for (uint32_t p = 0; p < 2; p++) {
        resp_writer_init(&scene->writers[p], scene->protocol, scene->memory[p], MEMORY_BYTES);
        resp_write_array(&scene->writers[p], 2);
    }
    struct resp_writer *writers[] = {&scene->writers[1], &scene->writers[0], &scene->writers[0],
                                     &scene->writers[1]};
    resp_write_array(&scene->expected, 3);
    for (int64_t n = 0; n < 4; n++)
        for (int to = 0; to < (n < 3 ? 2 : 1); to++) {
            struct resp_writer *writer = to == 0 ? writers[n] : &scene->expected;
            resp_write_map(writer, 3);
            resp_write_bulk_text(writer, "number");
            resp_write_integer(writer, 100 + n);
            resp_write_bulk_text(writer, "at_ms");
            resp_write_integer(writer, 1000 - n);
            resp_write_bulk_text(writer, "body");
            resp_write_bulk_text(writer, "1-1");
        }
    struct merge merge = merge_of(scene);
    const struct merge_limits limits = {
        .count = 3, .bytes_max = UINT64_MAX, .is_falling = true, .is_by_time = true};
    merge_entries(&merge, &limits, &scene->merged);
    close_as_expected(scene);
}
