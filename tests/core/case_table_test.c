/* The table of cases, against a naive model that keeps everything and sorts it. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/case_image.h"
#include "core/case_names.h"
#include "random.h"

static const struct digest_secret secret = {.bytes = {1, 2, 3}};

static struct case_table *open_table(uint32_t cases_max)
{
    struct case_table *table;
    const struct case_table_settings settings = {.cases_max = cases_max,
                                                 .span_ms = {1000 * 1000, 30 * 1000 * 1000}};
    cr_assert_eq(case_table_open(&settings, &table), STATUS_OK);
    return table;
}

static struct case_key_given make_key(uint8_t kind, const char *text)
{
    const struct bytes parts[] = {bytes_make(&kind, 1), bytes_from_text(text)};
    return (struct case_key_given){digest_parts(&secret, parts, 2), bytes_from_text(text), kind};
}

static struct case_observation say(uint64_t ms)
{
    return (struct case_observation){
        .version = ms, .id = {ms, 0}, .heard_ms = ms, .time_ms = ms, .participant = 1};
}

/* One message with the keys: of kind 1 if it begins with "o", else of kind 2. */
static uint32_t tell(struct case_table *table, uint64_t ms, const char *first, const char *second)
{
    struct case_key_given keys[2] = {make_key(first[0] == 'o', first)};
    struct case_observation observation = say(ms);
    if (second != NULL)
        keys[1] = make_key(second[0] == 'o', second);
    return case_table_observe(table, keys, second == NULL ? 1 : 2, &observation);
}

static uint32_t find(const struct case_table *table, const char *text)
{
    return case_table_find(table, make_key(text[0] == 'o', text).digest);
}

Test(case_table, names_one_case_by_keys_that_come_together)
{
    struct case_table *table = open_table(64);
    uint32_t index = tell(table, 10, "o1", "p1");
    cr_assert_eq(tell(table, 11, "p1", "w1"), index);
    cr_assert_eq(find(table, "w1"), index);
    cr_assert_eq(find(table, "o1"), index);
    cr_assert_eq(find(table, "o2"), CASE_NONE);
    const struct case_entry *entry = case_table_entry(table, index);
    cr_assert_eq(entry->messages, 2);
    cr_assert_eq(entry->key_count, 3);
    const struct case_key *key = case_table_key(table, entry->first_key);
    cr_assert_eq(key->text_size, 2);
    cr_assert_arr_eq(key->text, "o1", 2);
    case_table_close(table);
}

Test(case_table, merges_cases_that_prove_to_be_one_into_the_older)
{
    struct case_table *table = open_table(64);
    uint32_t list = tell(table, 10, "l1", NULL), order = tell(table, 11, "o1", NULL);
    cr_assert_neq(list, order);
    cr_assert_eq(tell(table, 12, "o1", "l1"), list);
    cr_assert_eq(find(table, "o1"), list);
    const struct case_entry *entry = case_table_entry(table, list);
    cr_assert_eq(entry->messages, 3);
    cr_assert_eq(entry->first_id.ms, 10);
    cr_assert_eq(entry->record_count, 3);
    cr_assert_eq(entry->records[0].ms, 12);
    struct case_figures figures = case_table_figures(table);
    cr_assert_eq(figures.cases, 1);
    cr_assert_eq(figures.merged, 1);
    cr_assert_eq(figures.keys, 2);
    case_table_close(table);
}

Test(case_table, keeps_the_start_of_long_keys_and_tells_them_apart)
{
    struct case_table *table = open_table(64);
    char long_a[100], long_b[100];
    snprintf(long_a, sizeof long_a, "o%090d", 1);
    snprintf(long_b, sizeof long_b, "o%090d", 2);
    uint32_t a = tell(table, 10, long_a, NULL), b = tell(table, 11, long_b, NULL);
    cr_assert_neq(a, b);
    const struct case_key *key = case_table_key(table, case_table_entry(table, a)->first_key);
    cr_assert(key->is_cut);
    cr_assert_eq(key->text_size, CASE_KEY_TEXT_BYTES);
    case_table_close(table);
}

Test(case_table, lets_the_oldest_go_for_a_new_one)
{
    struct case_table *table = open_table(16);
    char text[32];
    for (unsigned i = 0; i < 20; i++) {
        snprintf(text, sizeof text, "o%u", i);
        tell(table, 100 + i, text, NULL);
        tell(table, 100 + i, "o0", NULL); /* heard of always */
    }
    struct case_figures figures = case_table_figures(table);
    cr_assert_eq(figures.cases, 16);
    cr_assert_eq(figures.evicted, 4);
    cr_assert_neq(find(table, "o0"), CASE_NONE);
    cr_assert_eq(find(table, "o1"), CASE_NONE);
    cr_assert_eq(find(table, "o4"), CASE_NONE);
    cr_assert_neq(find(table, "o5"), CASE_NONE);
    case_table_close(table);
}

Test(case_table, lets_cases_go_for_keys_and_bounds_those_of_one)
{
    struct case_table *table = open_table(16); /* 64 keys */
    char text[32];
    tell(table, 1, "o0", NULL);
    for (unsigned i = 0; i < 100; i++) {
        snprintf(text, sizeof text, "p%u", i);
        tell(table, 2 + i, "o1", text);
    }
    struct case_figures figures = case_table_figures(table);
    cr_assert_eq(find(table, "o0"), CASE_NONE, "its key was needed");
    cr_assert_eq(case_table_entry(table, find(table, "o1"))->key_count, CASE_KEYS_MAX);
    cr_assert_eq(figures.keys, 64);
    cr_assert_eq(figures.keys_left_out, 100 - 63);
    case_table_close(table);
}

Test(case_table, forgets_cases_when_their_span_is_over)
{
    struct case_table *table = open_table(64);
    struct case_key_given key = make_key(1, "handbook");
    struct case_observation observation = say(10);
    observation.span = CASE_SPAN_LONG;
    case_table_observe(table, &key, 1, &observation);
    tell(table, 11, "o1", NULL);
    tell(table, 1000 * 1000 + 11, "o2", NULL);
    cr_assert_neq(find(table, "o1"), CASE_NONE);
    tell(table, 1000 * 1000 + 12, "o3", NULL);
    cr_assert_eq(find(table, "o1"), CASE_NONE);
    cr_assert_neq(case_table_find(table, key.digest), CASE_NONE);
    tell(table, 30 * 1000 * 1000 + 11, "o4", NULL);
    cr_assert_eq(case_table_find(table, key.digest), CASE_NONE);
    cr_assert_eq(case_table_figures(table).expired, 4);
    case_table_close(table);
}

Test(case_table, tells_each_change_to_who_goes_over_them)
{
    struct case_table *table = open_table(64);
    uint32_t a = tell(table, 1, "o1", NULL), b = tell(table, 2, "o2", NULL);
    cr_assert_eq(case_table_next_changed(table, 0), a);
    cr_assert_eq(case_table_next_changed(table, 0), b);
    cr_assert_eq(case_table_next_changed(table, 0), CASE_NONE);
    tell(table, 3, "o2", NULL);
    uint32_t c = tell(table, 4, "o3", NULL);
    tell(table, 5, "o1", NULL);
    cr_assert_eq(case_table_next_changed(table, 0), b);
    tell(table, 6, "o2", "o3"); /* c is gone */
    (void)c;
    cr_assert_eq(case_table_next_changed(table, 0), a);
    cr_assert_eq(case_table_next_changed(table, 0), b);
    cr_assert_eq(case_table_next_changed(table, 0), CASE_NONE);
    cr_assert_eq(case_table_next_changed(table, 1), a, "another one has seen nothing yet");
    case_table_rewind(table, 0);
    cr_assert_eq(case_table_next_changed(table, 0), a);
    case_table_close(table);
}

/* ---- the model ---- */

enum { KEYS = 40, STATES = 6, EVENTS_MAX = 4000, ROLES = 3 };

struct event {
    uint64_t time_ms;
    struct record_id id;
    uint8_t to;
    uint64_t from;
    uint16_t role;
    uint8_t status;
    uint32_t group; /* of keys */
};

struct model {
    uint32_t group[KEYS]; /* a key's; KEYS: none */
    struct event events[EVENTS_MAX];
    uint32_t count;
};

static void join_groups(struct model *model, uint32_t from, uint32_t to)
{
    for (uint32_t i = 0; i < KEYS; i++)
        if (model->group[i] == from)
            model->group[i] = to;
    for (uint32_t i = 0; i < model->count; i++)
        if (model->events[i].group == from)
            model->events[i].group = to;
}

static int by_time(const void *left, const void *right)
{
    const struct event *a = left, *b = right;
    if (a->time_ms != b->time_ms)
        return a->time_ms < b->time_ms ? -1 : 1;
    return record_id_compare(a->id, b->id);
}

static uint32_t collect(const struct model *model, uint32_t group, struct event *out_events)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->count; i++)
        if (model->events[i].group == group)
            out_events[count++] = model->events[i];
    qsort(out_events, count, sizeof *out_events, by_time);
    return count;
}

static void check_case(const struct case_table *table, const struct model *model, uint32_t key,
                       const struct case_key_given *given)
{
    static struct event events[EVENTS_MAX];
    uint32_t count = collect(model, model->group[key], events);
    uint32_t index = case_table_find(table, given[key].digest);
    cr_assert_neq(index, CASE_NONE);
    const struct case_entry *entry = case_table_entry(table, index);
    uint32_t state = 0, impossible = 0;
    uint64_t since = 0;
    for (uint32_t i = 0; i < count; i++) {
        const struct event *event = &events[i];
        if (event->to == 0 || event->to == state)
            continue;
        if (state == 0 || (event->from >> state & 1) != 0) {
            state = event->to;
            since = event->time_ms;
        } else {
            impossible++;
        }
    }
    cr_assert_eq(entry->messages, count);
    cr_assert_eq(entry->state, state);
    cr_assert_eq(entry->since_ms, since);
    cr_assert_eq(entry->impossible, impossible);
    cr_assert_eq(entry->first_ms, events[0].time_ms);
    cr_assert_eq(entry->last_ms, events[count - 1].time_ms);
    for (uint16_t role = 1; role <= ROLES; role++) {
        const struct event *last = NULL;
        for (uint32_t i = 0; i < count; i++)
            if (events[i].role == role)
                last = &events[i];
        const struct case_status *status = NULL;
        for (uint8_t i = 0; i < entry->status_count; i++)
            if (entry->statuses[i].role == role)
                status = &entry->statuses[i];
        cr_assert_eq(status == NULL, last == NULL);
        if (last != NULL) {
            cr_assert_eq(status->text[0], last->status);
            cr_assert_eq(record_id_compare(status->id, last->id), 0);
        }
    }
}

/* Random messages, with times of their own in any order, and keys that join cases now and then. Of
 * each case there are no more moves than the table puts in order. */
static void play(uint64_t seed)
{
    struct case_table *table = open_table(64);
    struct model *model = calloc(1, sizeof *model);
    struct case_key_given keys[KEYS];
    static char texts[KEYS][16];
    uint32_t moves[KEYS] = {0};
    struct random random = {seed};
    for (uint32_t i = 0; i < KEYS; i++) {
        snprintf(texts[i], sizeof texts[i], "key%u", i);
        keys[i] = make_key((uint8_t)(i % 7), texts[i]);
        model->group[i] = KEYS;
    }
    for (uint32_t step = 0; step < 400; step++) {
        uint32_t first = random_below(&random, KEYS);
        uint32_t second = random_below(&random, 12) == 0 ? random_below(&random, KEYS) : first;
        const struct case_key_given given[2] = {keys[first], keys[second]};
        uint32_t group = model->group[first] != KEYS ? model->group[first] : first;
        if (model->group[second] != KEYS && model->group[second] != group) {
            moves[group] += moves[model->group[second]];
            join_groups(model, model->group[second], group);
        }
        model->group[first] = model->group[second] = group;
        struct event *event = &model->events[model->count++];
        *event = (struct event){
            .time_ms = 1000 + random_below(&random, 5000), .id = {10000 + step, 0}, .group = group};
        if (random_below(&random, 3) == 0 && moves[group]++ < CASE_MOVES_MAX) {
            event->to = (uint8_t)(1 + random_below(&random, STATES - 1));
            event->from = random_u64(&random);
        }
        const uint16_t roles[1] = {event->role = (uint16_t)(1 + random_below(&random, ROLES))};
        event->status = (uint8_t)('a' + random_below(&random, 26));
        const struct case_observation observation = {
            .version = step + 1,
            .id = event->id,
            .heard_ms = event->id.ms,
            .time_ms = event->time_ms,
            .participant = 1,
            .roles = roles,
            .role_count = 1,
            .status = bytes_make(&event->status, 1),
            .move = {.time_ms = event->time_ms,
                     .id = event->id,
                     .from = event->from,
                     .role = event->role,
                     .to = event->to},
        };
        case_table_observe(table, given, first == second ? 1 : 2, &observation);
        for (uint32_t i = 0; step % 20 == 0 && i < KEYS; i++)
            if (model->group[i] != KEYS && moves[model->group[i]] <= CASE_MOVES_MAX)
                check_case(table, model, i, keys);
    }
    free(model);
    case_table_close(table);
}

Test(case_table, is_what_a_model_that_keeps_all_of_it_says)
{
    for (uint64_t seed = 1; seed <= 40; seed++)
        play(seed);
}

static void tell_move(struct case_table *table, uint64_t heard_ms, uint64_t time_ms, uint8_t to,
                      uint64_t from)
{
    struct case_key_given key = make_key(1, "o1");
    struct case_observation observation = say(heard_ms);
    observation.time_ms = time_ms;
    observation.move = (struct case_move){
        .time_ms = time_ms, .id = observation.id, .from = from, .role = 1, .to = to};
    case_table_observe(table, &key, 1, &observation);
}

Test(case_table, goes_on_from_moves_that_it_keeps_no_more)
{
    struct case_table *table = open_table(64);
    for (uint64_t i = 0; i < 20; i++)
        tell_move(table, 100 + i, 100 + i, (uint8_t)(1 + i % 2), UINT64_MAX);
    const struct case_entry *entry = case_table_entry(table, find(table, "o1"));
    cr_assert_eq(entry->state, 2);
    cr_assert_eq(entry->since_ms, 119);
    cr_assert_eq(entry->move_count, CASE_MOVES_MAX);
    tell_move(table, 200, 50, 3, UINT64_MAX);
    cr_assert_eq(entry->state, 2);
    cr_assert_eq(entry->flags, CASE_FLAG_LATE);
    cr_assert_eq(entry->flagged, 1);
    tell_move(table, 201, 201, 4, UINT64_C(1) << 1);
    cr_assert_eq(entry->state, 2, "from 1 only");
    cr_assert_eq(entry->impossible, 1);
    cr_assert_eq(case_table_figures(table).impossible, 1);
    case_table_close(table);
}

/* ---- as bytes ---- */

static void tell_random(struct case_table *table, struct random *random, uint64_t ms)
{
    char first[16], second[16];
    snprintf(first, sizeof first, "o%u", random_below(random, 300));
    snprintf(second, sizeof second, "p%u", random_below(random, 300));
    tell(table, ms, first, random_below(random, 8) == 0 ? second : NULL);
    if (random_below(random, 50) == 0)
        case_table_number(table, bytes_from_text(first));
}

static void check_same_entry(const struct case_table *a, const struct case_entry *one,
                             const struct case_table *b, const struct case_entry *other)
{
    struct case_entry left = *one, right = *other;
    left.older = left.newer = left.first_key = right.older = right.newer = right.first_key = 0;
    cr_assert_arr_eq((uint8_t *)&left, (uint8_t *)&right, sizeof left);
    uint32_t key = one->first_key, same = other->first_key;
    for (uint16_t i = 0; i < one->key_count; i++) {
        const struct case_key *of_one = case_table_key(a, key);
        const struct case_key *of_other = case_table_key(b, same);
        cr_assert(digest_equal(of_one->digest, of_other->digest));
        key = of_one->next;
        same = of_other->next;
    }
}

/* The same cases in the same order. */
static void check_same(struct case_table *a, struct case_table *b)
{
    struct case_figures one = case_table_figures(a), other = case_table_figures(b);
    one.cases_max = other.cases_max = one.keys_max = other.keys_max = 0;
    cr_assert_arr_eq((uint8_t *)&one, (uint8_t *)&other, sizeof one);
    case_table_rewind(a, 0);
    case_table_rewind(b, 0);
    for (;;) {
        uint32_t left = case_table_next_changed(a, 0), right = case_table_next_changed(b, 0);
        if (left == CASE_NONE || right == CASE_NONE) {
            cr_assert_eq(left, right);
            break;
        }
        check_same_entry(a, case_table_entry(a, left), b, case_table_entry(b, right));
    }
}

Test(case_image, is_the_table_as_it_was_when_it_was_begun)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct case_table *table = open_table(128), *then = open_table(128),
                          *back = open_table(128);
        struct random random = {seed}, again = {seed};
        for (uint64_t i = 0; i < 500; i++)
            tell_random(table, &random, 1000 + i);
        for (uint64_t i = 0; i < 500; i++)
            tell_random(then, &again, 1000 + i);
        void *image = calloc(1, case_image_bytes_max(table));
        case_image_begin(table, image);
        for (uint64_t i = 0; !case_image_copy(table, 1); i++)
            for (uint32_t k = 0; k < 10; k++)
                tell_random(table, &random, 2000 + i);
        case_image_end(table);
        struct case_image_section sections[CASE_IMAGE_SECTIONS];
        size_t bytes;
        cr_assert_eq(case_image_sections(image, CASE_IMAGE_PAGE_BYTES, sections, &bytes),
                     STATUS_OK);
        cr_assert_eq(bytes, case_image_bytes_max(table));
        cr_assert_eq(case_image_restore(back, image), STATUS_OK);
        check_same(then, back);
        for (uint64_t i = 0; i < 500; i++) { /* and goes on as that one */
            struct random same = again;
            tell_random(then, &again, 9000 + i);
            tell_random(back, &same, 9000 + i);
        }
        check_same(then, back);
        free(image);
        case_table_close(table);
        case_table_close(then);
        case_table_close(back);
    }
}

Test(case_image, fits_into_a_table_of_another_size)
{
    struct case_table *table = open_table(128), *small = open_table(16), *large = open_table(1024);
    struct random random = {7};
    for (uint64_t i = 0; i < 500; i++)
        tell_random(table, &random, 1000 + i);
    void *image = calloc(1, case_image_bytes_max(table));
    case_image_begin(table, image);
    cr_assert(case_image_copy(table, UINT32_MAX));
    case_image_end(table);
    cr_assert_eq(case_image_restore(large, image), STATUS_OK);
    check_same(table, large);
    cr_assert_eq(case_image_restore(small, image), STATUS_OK);
    cr_assert_eq(case_table_figures(small).cases, 16);
    free(image);
    case_table_close(table);
    case_table_close(small);
    case_table_close(large);
}

Test(case_image, refuses_what_is_none)
{
    struct case_image_section sections[CASE_IMAGE_SECTIONS];
    size_t bytes;
    struct case_table *table = open_table(64);
    uint8_t *image = calloc(1, case_image_bytes_max(table));
    cr_assert_eq(case_image_sections(image, 4096, sections, &bytes), STATUS_CORRUPT);
    case_image_begin(table, image);
    cr_assert(case_image_copy(table, UINT32_MAX));
    case_image_end(table);
    cr_assert_eq(case_image_sections(image, 100, sections, &bytes), STATUS_CORRUPT);
    cr_assert_eq(case_image_sections(image, 4096, sections, &bytes), STATUS_OK);
    image[8]++; /* the version */
    cr_assert_eq(case_image_sections(image, 4096, sections, &bytes), STATUS_UNSUPPORTED);
    free(image);
    case_table_close(table);
}

Test(case_names, have_numbers_that_stay)
{
    struct case_table *table = open_table(64);
    uint16_t customs = case_table_number(table, BYTES_LITERAL("customs"));
    uint16_t trader = case_table_number(table, BYTES_LITERAL("trader"));
    cr_assert_neq(customs, trader);
    cr_assert_neq(customs, 0);
    cr_assert_eq(case_table_number(table, BYTES_LITERAL("customs")), customs);
    cr_assert_eq(case_table_find_name(table, BYTES_LITERAL("trader")), trader);
    cr_assert_eq(case_table_find_name(table, BYTES_LITERAL("nobody")), 0);
    cr_assert(bytes_equal_text(case_table_name(table, trader), "trader"));
    cr_assert_eq(case_table_name(table, 0).size, 0);
    uint8_t state, same;
    cr_assert_eq(case_table_state_number(table, BYTES_LITERAL("released"), &state), STATUS_OK);
    cr_assert_eq(case_table_state_number(table, BYTES_LITERAL("released"), &same), STATUS_OK);
    cr_assert_eq(state, same);
    cr_assert(bytes_equal_text(case_table_state_name(table, state), "released"));
    char text[16];
    for (uint32_t i = 0; i < CASE_STATES_MAX - 2; i++) {
        snprintf(text, sizeof text, "state%u", i);
        cr_assert_eq(case_table_state_number(table, bytes_from_text(text), &same), STATUS_OK);
    }
    cr_assert_eq(case_table_state_number(table, BYTES_LITERAL("one more"), &same), STATUS_FULL);
    case_table_close(table);
}
