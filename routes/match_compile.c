/* Rules -> the sets and look-ups of each field (routes/match_parts.h). */
#include <assert.h>
#include <stdlib.h>

#include "routes/match_build.h"

static void number_rules(struct matcher *matcher);
static uint32_t used_slots(const struct matcher *matcher, bool *used);
static void compile_field(struct match_build *build);
static void build_base(struct match_build *build);
static void gather(struct match_build *build);
static void sort_fields(struct match_field *fields, uint32_t count, uint32_t word_count);

static_assert(RULES_MAX + RULE_TABLES_MAX * 63 <= RULE_SET_NUMBERS_MAX,
              "the numbers of all rules, with the gaps between tables, fit a rule set");

const struct matcher *matcher_compile(struct arena *arena, const struct rule_table *const *tables,
                                      uint16_t table_count)
{
    size_t bytes_before = arena->used_bytes;
    bool used[SLOT_FIELD_COUNT] = {0};
    assert(table_count <= RULE_TABLES_MAX);
    struct matcher *matcher = arena_allocate(arena, sizeof *matcher);
    const struct rule_table **kept = arena_allocate_array(arena, table_count, sizeof *kept);
    for (uint16_t i = 0; i < table_count; i++)
        kept[i] = tables[i];
    matcher->tables = kept;
    matcher->table_count = table_count;
    number_rules(matcher);
    matcher->field_count = used_slots(matcher, used);

    struct match_field *fields = arena_allocate_array(arena, matcher->field_count, sizeof *fields);
    struct match_field *field = fields;
    for (unsigned slot = 0; slot < SLOT_FIELD_COUNT; slot++) {
        if (!used[slot])
            continue;
        field->slot = (enum slot)slot;
        struct match_build build = {.arena = arena, .matcher = matcher, .field = field++};
        arena_init(&build.scratch);
        compile_field(&build);
        arena_deinit(&build.scratch);
    }
    sort_fields(fields, matcher->field_count, matcher->first_number[table_count] / 64);
    matcher->fields = fields;
    matcher->figures.memory_bytes = arena->used_bytes - bytes_before;
    return matcher;
}

struct matcher_figures matcher_figures(const struct matcher *matcher)
{
    return matcher->figures;
}

static void number_rules(struct matcher *matcher)
{
    uint32_t number = 0;
    for (uint16_t i = 0; i < matcher->table_count; i++) {
        matcher->first_number[i] = number;
        matcher->figures.rule_count += matcher->tables[i]->rule_count;
        assert(matcher->figures.rule_count <= RULES_MAX);
        number += (matcher->tables[i]->rule_count + 63) / 64 * 64;
    }
    matcher->first_number[matcher->table_count] = number;
}

/* A matcher has at least one field, even if no rule has a condition. */
static uint32_t used_slots(const struct matcher *matcher, bool *used)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < matcher->table_count; i++)
        for (uint32_t k = 0; k < matcher->tables[i]->rule_count; k++) {
            const struct rule *rule = &matcher->tables[i]->rules[k];
            for (uint16_t c = 0; c < rule->condition_count; c++) {
                assert(rule->conditions[c].slot < SLOT_FIELD_COUNT);
                count += !used[rule->conditions[c].slot];
                used[rule->conditions[c].slot] = true;
            }
        }
    if (count == 0) {
        used[SLOT_PROFILE] = true;
        count = 1;
    }
    return count;
}

static void compile_field(struct match_build *build)
{
    build_base(build);
    gather(build);
    const struct gathered *gathered = &build->gathered;
    build->link_count = 1; /* link 0 is none */
    build->link_capacity = 1 + gathered->prefix_count +
                           match_range_links_max(gathered->numeric_count) +
                           match_range_links_max(gathered->bytewise_count);
    build->links =
        arena_allocate_array(&build->scratch, build->link_capacity, sizeof *build->links);
    build->field->links = build->links;
    match_build_prefixes(build);
    match_build_ranges(build);
    match_build_values(build);
    struct set_link *links = arena_allocate_array(build->arena, build->link_count, sizeof *links);
    memcpy(links, build->links, build->link_count * sizeof *links);
    build->field->links = links;
}

uint32_t match_build_link(struct match_build *build, const uint32_t *numbers, size_t count,
                          uint32_t next)
{
    assert(build->link_count < build->link_capacity);
    build->links[build->link_count] = (struct set_link){
        .set = rule_set_build(build->arena, numbers, count),
        .next = next,
    };
    return (uint32_t)build->link_count++;
}

static const struct condition *condition_on(const struct rule *rule, enum slot slot)
{
    for (uint16_t i = 0; i < rule->condition_count; i++)
        if (rule->conditions[i].slot == slot)
            return &rule->conditions[i];
    return NULL;
}

static void build_base(struct match_build *build)
{
    const struct matcher *matcher = build->matcher;
    struct match_field *field = build->field;
    uint32_t words = matcher->first_number[matcher->table_count] / 64;
    field->base_words = arena_allocate_array(build->arena, words, sizeof *field->base_words);
    field->base_summaries =
        arena_allocate_array(build->arena, RULE_SET_BLOCKS, sizeof *field->base_summaries);
    for (uint16_t i = 0; i < matcher->table_count; i++)
        for (uint32_t k = 0; k < matcher->tables[i]->rule_count; k++) {
            uint32_t number = matcher->first_number[i] + k;
            const struct condition *condition =
                condition_on(&matcher->tables[i]->rules[k], field->slot);
            if (condition == NULL || condition->negated)
                field->base_words[number / 64] |= UINT64_C(1) << (number % 64);
        }
    for (uint32_t word = 0; word < words; word++) {
        unsigned block = word / RULE_SET_WORDS_PER_BLOCK;
        if (field->base_words[word] == 0)
            continue;
        field->base_summaries[block] |= UINT64_C(1) << (word % RULE_SET_WORDS_PER_BLOCK);
        field->base_top |= UINT64_C(1) << block;
    }
}

/* Adds one alternative to the arrays, or only to the counts while there are no arrays. */
static void gather_alternative(struct gathered *gathered, const struct alternative *alternative,
                               uint32_t number, bool store)
{
    struct named_rule named = {.text = alternative->low, .number = number};
    struct ranged_rule ranged = {alternative->low, alternative->high, number};
    size_t at;
    switch (alternative->kind) {
    case ALTERNATIVE_EXACT:
        at = gathered->exact_count++;
        if (store)
            gathered->exacts[at] = named;
        break;
    case ALTERNATIVE_PREFIX:
        at = gathered->prefix_count++;
        if (store)
            gathered->prefixes[at] = named;
        break;
    case ALTERNATIVE_LIST:
        at = gathered->list_count++;
        if (store)
            gathered->lists[at] = (struct listed_rule){alternative->list, number};
        break;
    case ALTERNATIVE_RANGE:
        if (alternative_is_numeric(alternative)) {
            at = gathered->numeric_count++;
            if (store)
                gathered->numeric[at] = ranged;
        } else {
            at = gathered->bytewise_count++;
            if (store)
                gathered->bytewise[at] = ranged;
        }
        break;
    }
}

static void gather_all(struct match_build *build, bool store)
{
    const struct matcher *matcher = build->matcher;
    for (uint16_t i = 0; i < matcher->table_count; i++)
        for (uint32_t k = 0; k < matcher->tables[i]->rule_count; k++) {
            const struct condition *condition =
                condition_on(&matcher->tables[i]->rules[k], build->field->slot);
            for (uint32_t a = 0; condition != NULL && a < condition->alternative_count; a++)
                gather_alternative(&build->gathered, &condition->alternatives[a],
                                   matcher->first_number[i] + k, store);
        }
}

static void gather(struct match_build *build)
{
    struct arena *scratch = &build->scratch;
    gather_all(build, false);
    struct gathered counted = build->gathered;
    build->gathered = (struct gathered){
        .exacts = arena_allocate_array(scratch, counted.exact_count, sizeof *counted.exacts),
        .prefixes = arena_allocate_array(scratch, counted.prefix_count, sizeof *counted.prefixes),
        .lists = arena_allocate_array(scratch, counted.list_count, sizeof *counted.lists),
        .numeric = arena_allocate_array(scratch, counted.numeric_count, sizeof *counted.numeric),
        .bytewise = arena_allocate_array(scratch, counted.bytewise_count, sizeof *counted.bytewise),
    };
    gather_all(build, true);
    build->matcher->figures.range_count +=
        (uint32_t)(counted.numeric_count + counted.bytewise_count);
}

static uint64_t base_population(const struct match_field *field, uint32_t word_count)
{
    uint64_t population = 0;
    for (uint32_t i = 0; i < word_count; i++)
        population += (uint64_t)__builtin_popcountll(field->base_words[i]);
    return population;
}

/* The field on which the most rules insist goes first, since it leaves the fewest to look at. */
static void sort_fields(struct match_field *fields, uint32_t count, uint32_t word_count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t k = i; k > 0 && base_population(&fields[k], word_count) <
                                          base_population(&fields[k - 1], word_count);
             k--) {
            struct match_field swapped = fields[k];
            fields[k] = fields[k - 1];
            fields[k - 1] = swapped;
        }
}
