#include "routes/match/match.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "routes/match/match_parts.h"
#include "routes/rules/rule_cover.h"

/* Random tables against the naive truth. A failure prints its seed. */

enum { SLOTS = 6, LISTS = 4, VALUE_BYTES = 4, OCCURRENCES = 2048, TIMED_PERCENT = 20, TIMES = 8 };

static const enum slot slots[SLOTS] = {SLOT_CUSTOMS_OFFICE, SLOT_MESSAGE_TYPE, SLOT_GOODS_CODE,
                                       SLOT_PARTICIPANT,    SLOT_PORT,         SLOT_PROFILE};

struct random {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t draw(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return z ^ z >> 31;
}

static uint32_t below(struct random *random, uint32_t bound)
{
    return (uint32_t)(draw(random) % bound);
}

static bool chance(struct random *random, uint32_t percent)
{
    return below(random, 100) < percent;
}

/* What the tables of one round are like: how often a rule has a condition on a slot, how often that
 * is negated, and the weights of the kinds of alternatives. */
struct shape {
    uint32_t tables_max, rules_max, alternatives_max, values_max;
    uint32_t condition_percent, negated_percent;
    uint32_t weights[4]; /* by enum alternative_kind */
    uint32_t slots;
    uint32_t digits;     /* values are of so many different digits; few make many hits */
    uint32_t stem_bytes; /* that all values begin with alike */
};

struct world {
    struct arena arena;
    struct random random;
    struct shape shape;
    struct value_list lists[LISTS];
    const struct rule_table *tables[RULE_TABLES_MAX];
    uint16_t table_count;
};

/* Mostly digits, of mixed lengths, so that ranges of each kind hit and miss; never empty. */
static struct bytes make_value(struct world *world, struct arena *arena)
{
    struct random *random = &world->random;
    size_t stem = world->shape.stem_bytes, size = stem + 1 + below(random, VALUE_BYTES);
    uint8_t *text = arena_allocate(arena, size);
    memset(text, '0', stem);
    for (size_t i = stem; i < size; i++)
        text[i] = (uint8_t)(chance(random, 5) ? 'A' : '0' + below(random, world->shape.digits));
    return bytes_make(text, size);
}

static struct alternative make_alternative(struct world *world)
{
    uint32_t total = 0, kind = 0;
    for (uint32_t i = 0; i < 4; i++)
        total += world->shape.weights[i];
    for (uint32_t at = below(&world->random, total); at >= world->shape.weights[kind]; kind++)
        at -= world->shape.weights[kind];
    struct alternative alternative = {
        .kind = (enum alternative_kind)kind,
        .low = make_value(world, &world->arena),
    };
    if (kind == ALTERNATIVE_LIST) {
        alternative.low = (struct bytes){0};
        alternative.list = &world->lists[below(&world->random, LISTS)];
    } else if (kind == ALTERNATIVE_RANGE) {
        alternative.high = make_value(world, &world->arena);
        if (bytes_compare(alternative.low, alternative.high) > 0) {
            struct bytes low = alternative.high;
            alternative.high = alternative.low;
            alternative.low = low;
        }
    }
    return alternative;
}

static struct rule make_rule(struct world *world)
{
    const struct shape *shape = &world->shape;
    struct random *random = &world->random;
    struct condition *conditions = arena_allocate_array(&world->arena, SLOTS, sizeof *conditions);
    uint16_t *destinations = arena_allocate_array(&world->arena, 3, sizeof *destinations);
    struct rule rule = {
        .id = "rule", .note = "", .conditions = conditions, .valid_to_ms = UINT64_MAX};
    rule.destinations = destinations;
    rule.destination_count = (uint16_t)below(random, 4);
    for (uint16_t i = 0; i < rule.destination_count; i++)
        destinations[i] = (uint16_t)(below(random, 8) * 36);
    rule.to_receiver = chance(random, 10);
    rule.action = chance(random, 70)   ? ACTION_DELIVER
                  : chance(random, 70) ? ACTION_HOLD
                                       : ACTION_REJECT;
    if (chance(random, TIMED_PERCENT))
        rule.valid_from_ms = below(random, TIMES);
    if (chance(random, TIMED_PERCENT))
        rule.valid_to_ms = rule.valid_from_ms + 1 + below(random, TIMES);
    for (uint32_t i = 0; i < shape->slots; i++) {
        if (!chance(random, shape->condition_percent))
            continue;
        uint32_t count = 1 + below(random, shape->alternatives_max);
        struct alternative *alternatives =
            arena_allocate_array(&world->arena, count, sizeof *alternatives);
        for (uint32_t k = 0; k < count; k++)
            alternatives[k] = make_alternative(world);
        conditions[rule.condition_count++] = (struct condition){
            .slot = slots[i],
            .negated = chance(random, shape->negated_percent),
            .alternatives = alternatives,
            .alternative_count = count,
        };
    }
    return rule;
}

static int by_bytes(const void *left, const void *right)
{
    return bytes_compare(*(const struct bytes *)left, *(const struct bytes *)right);
}

static void make_list(struct world *world, struct value_list *list, uint32_t count)
{
    *list = (struct value_list){.name = "list", .file = "list"};
    list->values = arena_allocate_array(&world->arena, count, sizeof *list->values);
    struct bytes *drawn = arena_allocate_array(&world->arena, count, sizeof *drawn);
    for (uint32_t i = 0; i < count; i++)
        drawn[i] = make_value(world, &world->arena);
    qsort(drawn, count, sizeof *drawn, by_bytes);
    for (uint32_t i = 0; i < count; i++)
        if (list->count == 0 || !bytes_equal(list->values[list->count - 1], drawn[i]))
            list->values[list->count++] = drawn[i];
}

static void world_make(struct world *world, uint64_t seed, struct shape shape)
{
    *world = (struct world){.random = {seed}, .shape = shape};
    arena_init(&world->arena);
    for (uint32_t i = 0; i < LISTS; i++)
        make_list(world, &world->lists[i], i * 5); /* the first is empty */
    world->table_count = (uint16_t)(1 + below(&world->random, shape.tables_max));
    for (uint16_t i = 0; i < world->table_count; i++) {
        struct rule_table *table = arena_allocate(&world->arena, sizeof *table);
        table->rule_count = below(&world->random, shape.rules_max + 1);
        struct rule *rules = arena_allocate_array(&world->arena, table->rule_count, sizeof *rules);
        for (uint32_t k = 0; k < table->rule_count; k++)
            rules[k] = make_rule(world);
        table->rules = rules;
        world->tables[i] = table;
    }
}

struct sample {
    struct arena arena;
    struct reading reading;
    uint64_t now_ms;
    struct occurrence occurrences[OCCURRENCES];
};

static void sample_add(struct sample *sample, enum slot slot, struct bytes value)
{
    struct reading *reading = &sample->reading;
    cr_assert_lt(reading->count, OCCURRENCES);
    uint16_t index = reading->count++;
    sample->occurrences[index] =
        (struct occurrence){value, 0, READING_NO_OCCURRENCE, (uint8_t)slot};
    if (reading->first[slot] == READING_NO_OCCURRENCE)
        reading->first[slot] = index;
    else
        sample->occurrences[reading->last[slot]].next = index;
    reading->last[slot] = index;
}

static void sample_init(struct sample *sample)
{
    arena_init(&sample->arena);
    sample->reading = (struct reading){.occurrences = sample->occurrences};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        sample->reading.first[slot] = sample->reading.last[slot] = READING_NO_OCCURRENCE;
}

static void sample_make(struct sample *sample, struct world *world)
{
    struct random *random = &world->random;
    sample_init(sample);
    sample->now_ms = below(random, 2 * TIMES);
    for (uint32_t i = 0; i < SLOTS; i++) {
        uint32_t count = chance(random, 20)                  ? 0
                         : slot_takes_all(slots[i]) == false ? 1
                         : chance(random, 50)                ? 1
                                              : 1 + below(random, world->shape.values_max);
        for (uint32_t k = 0; k < count; k++)
            sample_add(sample, slots[i], make_value(world, &sample->arena));
    }
}

static bool same_sets(const struct destination_set *a, const struct destination_set *b)
{
    return memcmp(a->words, b->words, sizeof a->words) == 0;
}

static bool same_decisions(const struct decision *a, const struct decision *b)
{
    return same_sets(&a->deliver, &b->deliver) && same_sets(&a->hold, &b->hold) &&
           a->to_receiver_deliver == b->to_receiver_deliver &&
           a->to_receiver_hold == b->to_receiver_hold && a->rejected == b->rejected &&
           a->table_count == b->table_count &&
           memcmp(a->matched, b->matched, a->table_count * sizeof *a->matched) == 0 &&
           (!a->rejected || a->rejected_table == b->rejected_table);
}

static void compare_lists(const struct matcher *matcher, struct match_scratch *scratch,
                          const struct world *world, const struct sample *sample, uint64_t seed)
{
    for (uint16_t t = 0; t < world->table_count; t++) {
        uint32_t listed[40],
            count = match_list(matcher, scratch, &sample->reading, sample->now_ms, t, listed, 40);
        uint32_t expected = 0;
        for (uint32_t i = 0; i < world->tables[t]->rule_count && expected < 40; i++) {
            if (!rule_holds(&world->tables[t]->rules[i], &sample->reading, sample->now_ms))
                continue;
            cr_assert(expected < count && listed[expected] == i, "seed %lu", seed);
            expected++;
        }
        cr_assert_eq(count, expected, "seed %lu", seed);
    }
}

/* What one world is compared with: the naive truth, by the sets alone and by all. */
struct comparison {
    struct world world;
    struct arena arena;
    const struct matcher *sets, *whole;
    struct match_scratch *scratch;
    uint64_t seed;
};

static void comparison_open(struct comparison *comparison, struct shape shape, uint64_t seed)
{
    struct world *world = &comparison->world;
    /* All fields sparse, some, or (for tables of these sizes) none. */
    size_t row_bytes = seed % 3 == 0 ? 0 : seed % 3 == 1 ? 20000 + seed * 1000 : 1 << 24;
    world_make(world, seed, shape);
    arena_init(&comparison->arena);
    comparison->seed = seed;
    comparison->sets =
        matcher_compile_sets(&comparison->arena, world->tables, world->table_count, row_bytes);
    comparison->whole = matcher_compile(&comparison->arena, world->tables, world->table_count);
    cr_assert_eq(match_scratch_open(&comparison->scratch), STATUS_OK);
    if (seed % 2 == 1)
        match_scratch_choose_portable(comparison->scratch);
}

static void comparison_close(struct comparison *comparison)
{
    match_scratch_close(comparison->scratch);
    arena_deinit(&comparison->arena);
    arena_deinit(&comparison->world.arena);
}

static bool matches_any(const struct decision *decision)
{
    for (uint16_t t = 0; t < decision->table_count; t++)
        if (decision->matched[t] != DECISION_NO_RULE)
            return true;
    return false;
}

enum { TOGETHER = 40 }; /* more than a group of the matcher */

/* Of so many readings at a time. Returns how many matched at least one rule. */
static uint32_t compare_together(struct comparison *comparison, uint32_t count)
{
    static struct sample samples[TOGETHER];
    struct match_job jobs[TOGETHER] = {0};
    struct decision compiled[TOGETHER], naive, by_sets;
    const struct world *world = &comparison->world;
    uint32_t hits = 0;
    memset(compiled, 0xA5, sizeof compiled);
    for (uint32_t i = 0; i < count; i++) {
        sample_make(&samples[i], &comparison->world);
        samples[i].now_ms = samples[0].now_ms; /* of all that are run together */
        jobs[i] = (struct match_job){&samples[i].reading, &compiled[i]};
    }
    uint64_t now_ms = samples[0].now_ms;
    match_run_all(comparison->whole, comparison->scratch, jobs, count, now_ms);
    for (uint32_t i = 0; i < count; i++) {
        const struct reading *reading = &samples[i].reading;
        memset(&by_sets, 0xA5, sizeof by_sets);
        match_naive(world->tables, world->table_count, reading, now_ms, &naive);
        match_run(comparison->sets, comparison->scratch, reading, now_ms, &by_sets);
        cr_assert(same_decisions(&naive, &compiled[i]), "seed %lu", comparison->seed);
        cr_assert(same_decisions(&naive, &by_sets), "seed %lu, sets", comparison->seed);
        hits += matches_any(&naive);
        if (i % 16 == 0)
            compare_lists(i == 0 ? comparison->whole : comparison->sets, comparison->scratch, world,
                          &samples[i], comparison->seed);
    }
    for (uint32_t i = 0; i < count; i++)
        arena_deinit(&samples[i].arena);
    return hits;
}

/* Compares over `readings` readings; returns how many matched at least one rule. */
static uint32_t compare(struct shape shape, uint64_t seed, uint32_t readings)
{
    struct comparison comparison;
    uint32_t hits = 0, count;
    comparison_open(&comparison, shape, seed);
    for (uint32_t done = 0; done < readings; done += count) {
        count = readings - done < TOGETHER ? readings - done : TOGETHER;
        if (done / TOGETHER % 4 == 3)
            count = 1;
        hits += compare_together(&comparison, count);
    }
    comparison_close(&comparison);
    return hits;
}

static const struct shape mixed = {
    .tables_max = 5,
    .rules_max = 80,
    .alternatives_max = 3,
    .values_max = 6,
    .condition_percent = 75,
    .negated_percent = 25,
    .weights = {4, 2, 2, 1},
    .slots = SLOTS,
    .digits = 4,
};

Test(match, agrees_with_the_naive_truth)
{
    uint32_t hits = 0;
    for (uint64_t seed = 1; seed <= 420; seed++)
        hits += compare(mixed, seed, 500); /* 210,000 comparisons */
    cr_assert_gt(hits, 50000, "too few readings match for the comparison to mean much");
    cr_assert_lt(hits, 200000);
}

/* Compares, and returns how many of so many readings are left to the sets. */
static uint64_t count_left(struct shape shape, uint64_t seed, uint32_t readings)
{
    struct comparison comparison;
    comparison_open(&comparison, shape, seed);
    for (uint32_t done = 0; done < readings; done += TOGETHER)
        compare_together(&comparison, TOGETHER);
    uint64_t left = match_scratch_left_count(comparison.scratch);
    comparison_close(&comparison);
    return left;
}

Test(match, leaves_to_the_sets_only_what_is_too_much)
{
    struct shape shape = mixed;
    shape.values_max = 1;
    cr_assert_eq(count_left(shape, 1, 1000), 0, "%lu left", count_left(shape, 1, 1000));
    shape.values_max = 400;
    cr_assert_gt(count_left(shape, 1, 1000), 100);
}

Test(match, agrees_where_tables_are_tiny)
{
    struct shape shape = mixed;
    shape.rules_max = 2;
    shape.tables_max = RULE_TABLES_MAX;
    for (uint64_t seed = 1; seed <= 200; seed++)
        compare(shape, seed, 30);
}

Test(match, agrees_over_several_blocks)
{
    struct shape shape = mixed;
    shape.rules_max = 9000;
    shape.tables_max = 3;
    shape.digits = 10;
    shape.condition_percent = 70;
    for (uint64_t seed = 1; seed <= 6; seed++)
        compare(shape, seed, 60);
}

Test(match, agrees_where_one_kind_of_alternative_is_all)
{
    for (uint32_t kind = 0; kind < 4; kind++)
        for (uint32_t negated = 0; negated <= 100; negated += 100) {
            struct shape shape = mixed;
            memset(shape.weights, 0, sizeof shape.weights);
            shape.weights[kind] = 1;
            shape.negated_percent = negated;
            for (uint64_t seed = 1; seed <= 10; seed++)
                compare(shape, seed, 100);
        }
}

Test(match, agrees_where_one_field_is_all)
{
    struct shape shape = mixed;
    shape.slots = 1;
    shape.condition_percent = 100;
    shape.rules_max = 2000;
    for (uint64_t seed = 1; seed <= 10; seed++)
        compare(shape, seed, 100);
}

/* Most of it by the sets, and now and then by the forest, which does not help here. */
Test(match, agrees_where_very_many_ranges_overlap)
{
    uint64_t left = 0;
    struct shape shape = mixed;
    shape.weights[ALTERNATIVE_EXACT] = shape.weights[ALTERNATIVE_PREFIX] = 0;
    shape.weights[ALTERNATIVE_LIST] = 0;
    shape.slots = 2;
    shape.alternatives_max = shape.values_max = 1;
    shape.condition_percent = 100;
    shape.digits = 10;
    shape.rules_max = 6000;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        shape.stem_bytes = seed % 3 == 0 ? 8 : 0; /* so that the first 8 bytes tell nothing */
        shape.negated_percent = seed % 2 == 0 ? 0 : 50;
        left += count_left(shape, seed, 400);
    }
    cr_assert_gt(left, 1000, "%lu left", left);
}

Test(match, agrees_where_one_message_has_very_many_values)
{
    struct shape shape = mixed;
    shape.values_max = 400; /* so that sources are summed up */
    shape.condition_percent = 30;
    shape.weights[ALTERNATIVE_RANGE] = 6;
    shape.digits = 10;
    shape.rules_max = 500;
    for (uint64_t seed = 1; seed <= 20; seed++)
        compare(shape, seed, 40);
}

/* ---- Cover ----------------------------------------------------------------------------------- */

Test(match, a_covered_rule_never_holds_without_its_cover)
{
    struct shape shape = mixed;
    uint32_t covers = 0, held = 0;
    shape.tables_max = 1;
    shape.rules_max = 60;
    shape.condition_percent = 35;
    shape.digits = 3;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct world world;
        world_make(&world, seed, shape);
        const struct rule_table *table = world.tables[0];
        for (uint32_t r = 0; r < 200; r++) {
            struct sample sample;
            sample_make(&sample, &world);
            for (uint32_t later = 1; later < table->rule_count; later++) {
                if (!rule_holds(&table->rules[later], &sample.reading, sample.now_ms))
                    continue;
                held++;
                for (uint32_t i = 0; i < later; i++) {
                    uint64_t steps_left = 1000000;
                    if (!rule_covers(&table->rules[i], &table->rules[later], &steps_left))
                        continue;
                    covers++;
                    cr_assert(rule_holds(&table->rules[i], &sample.reading, sample.now_ms),
                              "seed %lu", seed);
                }
            }
            arena_deinit(&sample.arena);
        }
        arena_deinit(&world.arena);
    }
    cr_assert_gt(covers, 1000);
    cr_assert_gt(held, covers / 10);
}

/* ---- Adversarial sets ------------------------------------------------------------------------ */

/* One table of `count` rules, each with one condition of one alternative on goods_code, which
 * `make` fills in for rule `i`. */
static struct rule_table *make_table(struct arena *arena, uint32_t count, bool negated,
                                     void (*make)(struct arena *arena, uint32_t i, uint32_t count,
                                                  struct alternative *out_alternative))
{
    struct rule_table *table = arena_allocate(arena, sizeof *table);
    struct rule *rules = arena_allocate_array(arena, count, sizeof *rules);
    struct condition *conditions = arena_allocate_array(arena, count, sizeof *conditions);
    struct alternative *alternatives = arena_allocate_array(arena, count, sizeof *alternatives);
    for (uint32_t i = 0; i < count; i++) {
        make(arena, i, count, &alternatives[i]);
        conditions[i] = (struct condition){SLOT_GOODS_CODE, negated, &alternatives[i], 1, {0}};
        rules[i] = (struct rule){.id = "r",
                                 .conditions = &conditions[i],
                                 .condition_count = 1,
                                 .valid_to_ms = UINT64_MAX};
    }
    table->rules = rules;
    table->rule_count = count;
    return table;
}

static struct bytes number(struct arena *arena, uint32_t value)
{
    return bytes_from_text(arena_format(arena, "%08u", value));
}

static void make_nested_range(struct arena *arena, uint32_t i, uint32_t count,
                              struct alternative *out_alternative)
{
    *out_alternative = (struct alternative){
        .kind = ALTERNATIVE_RANGE,
        .low = number(arena, i),
        .high = number(arena, 2 * count - i),
    };
}

static void make_exact(struct arena *arena, uint32_t i, uint32_t count,
                       struct alternative *out_alternative)
{
    (void)count;
    *out_alternative = (struct alternative){.kind = ALTERNATIVE_EXACT, .low = number(arena, 7 * i)};
}

static void make_prefix(struct arena *arena, uint32_t i, uint32_t count,
                        struct alternative *out_alternative)
{
    (void)count;
    *out_alternative = (struct alternative){
        .kind = ALTERNATIVE_PREFIX,
        .low = bytes_slice(number(arena, 7 * i), 0, 3 + i % 6),
    };
}

/* Compares one table over values of the line that its rules lie on, and checks its memory. */
static void compare_table(struct arena *tables_arena, const struct rule_table *table,
                          uint32_t bytes_per_rule_max)
{
    struct arena arena;
    struct match_scratch *scratch;
    struct random random = {table->rule_count};
    arena_init(&arena);
    const struct matcher *matcher = matcher_compile(&arena, &table, 1);
    cr_assert_eq(match_scratch_open(&scratch), STATUS_OK);
    for (uint32_t i = 0; i < 60; i++) {
        struct sample sample;
        struct decision naive, compiled;
        sample_init(&sample);
        for (uint32_t k = 0; k < i % 7; k++)
            sample_add(&sample, SLOT_GOODS_CODE,
                       number(tables_arena, below(&random, 3 * table->rule_count)));
        match_naive(&table, 1, &sample.reading, 0, &naive);
        match_run(matcher, scratch, &sample.reading, 0, &compiled);
        cr_assert(same_decisions(&naive, &compiled), "reading %u", i);
    }
    struct matcher_figures figures = matcher_figures(matcher);
    cr_assert_eq(figures.rule_count, table->rule_count);
    cr_assert_lt(figures.memory_bytes / table->rule_count, bytes_per_rule_max, "%zu bytes a rule",
                 figures.memory_bytes / table->rule_count);
    match_scratch_close(scratch);
    arena_deinit(&arena);
}

Test(match, bounds_memory_where_all_rules_are_overlapping_ranges, .timeout = 60)
{
    struct arena arena;
    arena_init(&arena);
    compare_table(&arena, make_table(&arena, 100000, false, make_nested_range), 1200);
    compare_table(&arena, make_table(&arena, 100000, true, make_nested_range), 1200);
    arena_deinit(&arena);
}

Test(match, bounds_memory_where_all_values_differ, .timeout = 60)
{
    struct arena arena;
    arena_init(&arena);
    compare_table(&arena, make_table(&arena, RULES_MAX, false, make_exact), 350);
    compare_table(&arena, make_table(&arena, RULES_MAX, true, make_exact), 350);
    compare_table(&arena, make_table(&arena, RULES_MAX, false, make_prefix), 900);
    arena_deinit(&arena);
}

/* The last of all known values meets each prefix. */
enum { PREFIXES_MET = MATCH_ATOMS_MAX + 4 /* more than there is room for */ };

static void make_much_met(struct arena *arena, uint32_t i, uint32_t count,
                          struct alternative *out_alternative)
{
    static char text[PREFIXES_MET + 1];
    memset(text, 'z', PREFIXES_MET);
    bool is_prefix = i < PREFIXES_MET;
    make_exact(arena, i, count, out_alternative);
    if (is_prefix || i == count - 1)
        *out_alternative = (struct alternative){
            .kind = is_prefix ? ALTERNATIVE_PREFIX : ALTERNATIVE_EXACT,
            .low = bytes_make((const uint8_t *)text, is_prefix ? i + 1 : PREFIXES_MET),
        };
}

/* What it meets is not written down then; the array is large enough to be a block of its own. */
Test(match, reads_nothing_behind_a_value_that_meets_too_much)
{
    enum { RULES = 20000 };
    struct arena arena;
    struct match_scratch *scratch;
    struct sample sample;
    struct decision decision;
    arena_init(&arena);
    sample_init(&sample);
    const struct rule_table *table = make_table(&arena, RULES, false, make_much_met);
    const struct matcher *matcher = matcher_compile(&arena, &table, 1);
    sample_add(&sample, SLOT_GOODS_CODE, table->rules[RULES - 1].conditions[0].alternatives[0].low);
    cr_assert_eq(match_scratch_open(&scratch), STATUS_OK);
    match_run(matcher, scratch, &sample.reading, 0, &decision);
    cr_assert_eq(decision.matched[0], 0);
    cr_assert_eq(match_scratch_left_count(scratch), 1);
    match_scratch_close(scratch);
    arena_deinit(&sample.arena);
    arena_deinit(&arena);
}

Test(match, tries_the_forest_again_after_messages_that_it_did_not_help)
{
    enum { RULES = 2000 };
    struct arena arena;
    struct match_scratch *scratch;
    struct sample hard, easy;
    struct decision decision;
    arena_init(&arena);
    sample_init(&hard);
    sample_init(&easy);
    const struct rule_table *table = make_table(&arena, RULES, false, make_much_met);
    const struct matcher *matcher = matcher_compile(&arena, &table, 1);
    sample_add(&hard, SLOT_GOODS_CODE, table->rules[RULES - 1].conditions[0].alternatives[0].low);
    sample_add(&easy, SLOT_GOODS_CODE, table->rules[RULES - 2].conditions[0].alternatives[0].low);
    cr_assert_eq(match_scratch_open(&scratch), STATUS_OK);
    for (uint32_t turn = 1; turn <= 2; turn++) {
        match_run(matcher, scratch, &hard.reading, 0, &decision);
        for (uint32_t i = 0; i < 3 * MATCH_GROUPS_LEFT; i++) {
            match_run(matcher, scratch, &easy.reading, 0, &decision);
            cr_assert_eq(decision.matched[0], RULES - 2);
        }
        cr_assert_eq(match_scratch_left_count(scratch), turn * (1 + MATCH_GROUPS_LEFT));
    }
    match_scratch_close(scratch);
    arena_deinit(&hard.arena);
    arena_deinit(&easy.arena);
    arena_deinit(&arena);
}

Test(match, takes_the_first_of_very_many_rules_without_conditions)
{
    static struct rule rules[RULES_MAX];
    const struct rule_table table = {.rules = rules, .rule_count = RULES_MAX};
    const struct rule_table *tables[] = {&table};
    struct arena arena;
    struct match_scratch *scratch;
    struct sample sample;
    struct decision decision;
    uint32_t listed[3];
    for (uint32_t i = 0; i < RULES_MAX; i++)
        rules[i].valid_to_ms = UINT64_MAX;
    arena_init(&arena);
    sample_init(&sample);
    cr_assert_eq(match_scratch_open(&scratch), STATUS_OK);
    const struct matcher *matcher = matcher_compile(&arena, tables, 1);
    match_run(matcher, scratch, &sample.reading, 0, &decision);
    cr_assert_eq(decision.matched[0], 0);
    cr_assert_eq(match_list(matcher, scratch, &sample.reading, 0, 0, listed, 3), 3);
    cr_assert_eq(listed[2], 2);
    match_scratch_close(scratch);
    arena_deinit(&arena);
}

/* ---- The decision ---------------------------------------------------------------------------- */

static const uint16_t first_two[] = {0, 1}, last_two[] = {1, 255};

/* Three tables of one rule each, which always holds. */
static struct decision decide(struct rule a, struct rule b, struct rule c)
{
    a.valid_to_ms = b.valid_to_ms = c.valid_to_ms = UINT64_MAX;
    const struct rule_table first = {.rules = &a, .rule_count = 1};
    const struct rule_table second = {.rules = &b, .rule_count = 1};
    const struct rule_table third = {.rules = &c, .rule_count = 1};
    const struct rule_table *tables[] = {&first, &second, &third};
    struct arena arena;
    struct match_scratch *scratch;
    struct sample sample;
    struct decision decision, naive;
    arena_init(&arena);
    sample_init(&sample);
    cr_assert_eq(match_scratch_open(&scratch), STATUS_OK);
    match_run(matcher_compile(&arena, tables, 3), scratch, &sample.reading, 0, &decision);
    match_naive(tables, 3, &sample.reading, 0, &naive);
    cr_assert(same_decisions(&naive, &decision));
    match_scratch_close(scratch);
    arena_deinit(&arena);
    return decision;
}

static const struct rule to_first_two = {.destinations = first_two, .destination_count = 2};
static const struct rule to_last_two = {.destinations = last_two, .destination_count = 2};
static const struct rule hold_last_two = {
    .destinations = last_two, .destination_count = 2, .action = ACTION_HOLD};
static const struct rule to_receiver = {.to_receiver = true};
static const struct rule hold_receiver = {.to_receiver = true, .action = ACTION_HOLD};
static const struct rule reject = {
    .destinations = first_two, .destination_count = 2, .action = ACTION_REJECT};

Test(match, adds_the_destinations_of_all_tables_up)
{
    struct decision decision = decide(to_first_two, to_last_two, to_receiver);
    cr_assert_eq(destination_set_count(&decision.deliver), 3);
    cr_assert(destination_set_has(&decision.deliver, 0));
    cr_assert(destination_set_has(&decision.deliver, 1));
    cr_assert(destination_set_has(&decision.deliver, 255));
    cr_assert_not(destination_set_has(&decision.deliver, 254));
    cr_assert(destination_set_is_empty(&decision.hold));
    cr_assert(decision.to_receiver_deliver);
    cr_assert_not(decision.to_receiver_hold);
    cr_assert_not(decision.rejected);
}

Test(match, holds_what_any_match_holds)
{
    struct decision decision = decide(to_first_two, hold_last_two, to_last_two);
    cr_assert_eq(destination_set_count(&decision.deliver), 1);
    cr_assert(destination_set_has(&decision.deliver, 0));
    cr_assert_eq(destination_set_count(&decision.hold), 2);
    decision = decide(hold_receiver, to_receiver, to_first_two);
    cr_assert(decision.to_receiver_hold);
    cr_assert_not(decision.to_receiver_deliver);
}

Test(match, rejects_whatever_other_tables_say)
{
    struct decision decision = decide(to_receiver, reject, hold_last_two);
    cr_assert(decision.rejected);
    cr_assert_eq(decision.rejected_table, 1);
    cr_assert_eq(decision.matched[0], 0);
    cr_assert(destination_set_is_empty(&decision.deliver));
    cr_assert(destination_set_is_empty(&decision.hold));
    cr_assert_not(decision.to_receiver_deliver);
    cr_assert_eq(decide(reject, to_receiver, reject).rejected_table, 0);
}

Test(match, has_nothing_to_say_without_tables)
{
    struct arena arena;
    struct match_scratch *scratch;
    struct sample sample;
    struct decision decision;
    arena_init(&arena);
    sample_init(&sample);
    cr_assert_eq(match_scratch_open(&scratch), STATUS_OK);
    match_run(matcher_compile(&arena, NULL, 0), scratch, &sample.reading, 0, &decision);
    cr_assert_eq(decision.table_count, 0);
    cr_assert(destination_set_is_empty(&decision.deliver));
    cr_assert_not(decision.rejected);
    match_scratch_close(scratch);
    arena_deinit(&arena);
}
