/* Rules -> the look-ups, rows and sets of each field (routes/match/match_parts.h). */
#include <assert.h>

#include "routes/match/match_build.h"

/* A field that rules use, before it is built. */
struct used_field {
    enum slot slot;
    uint64_t *base;
    uint32_t population; /* of its base */
};

static const struct matcher *compile(struct arena *arena, const struct rule_table *const *tables,
                                     uint16_t table_count, size_t row_bytes, bool for_forest);
static void number_rules(struct matcher *matcher);
static uint32_t find_used_fields(const struct matcher *matcher, struct arena *scratch,
                                 struct used_field fields[SLOT_FIELD_COUNT]);
static bool build_field(struct match_build *build, struct arena *sources, size_t *row_bytes_left,
                        struct forest_source *out_source);
static void gather(struct match_build *build);

static_assert(RULES_MAX + RULE_TABLES_MAX * (RULE_CHUNK_NUMBERS - 1) <= RULE_SET_NUMBERS_MAX,
              "the numbers of all rules, with the gaps between tables, fit a rule set");

const struct matcher *matcher_compile(struct arena *arena, const struct rule_table *const *tables,
                                      uint16_t table_count)
{
    return compile(arena, tables, table_count, ROW_BYTES, true);
}

const struct matcher *matcher_compile_sets(struct arena *arena,
                                           const struct rule_table *const *tables,
                                           uint16_t table_count, size_t row_bytes)
{
    return compile(arena, tables, table_count, row_bytes, false);
}

static struct matcher *begin_matcher(struct arena *arena, const struct rule_table *const *tables,
                                     uint16_t table_count)
{
    assert(table_count <= RULE_TABLES_MAX);
    struct matcher *matcher = arena_allocate(arena, sizeof *matcher);
    const struct rule_table **kept = arena_allocate_array(arena, table_count, sizeof *kept);
    for (uint16_t i = 0; i < table_count; i++)
        kept[i] = tables[i];
    matcher->tables = kept;
    matcher->table_count = table_count;
    number_rules(matcher);
    return matcher;
}

static const struct matcher *compile(struct arena *arena, const struct rule_table *const *tables,
                                     uint16_t table_count, size_t row_bytes, bool for_forest)
{
    size_t bytes_before = arena->used_bytes;
    struct arena scratch;
    struct used_field used[SLOT_FIELD_COUNT];
    const uint64_t *bases[SLOT_FIELD_COUNT];
    struct forest_source sources[SLOT_FIELD_COUNT];
    arena_init(&scratch);
    struct matcher *matcher = begin_matcher(arena, tables, table_count);
    matcher->field_count = find_used_fields(matcher, &scratch, used);
    matcher->fields = arena_allocate_array(arena, matcher->field_count, sizeof *matcher->fields);
    uint32_t sparse_count = 0;
    for (uint32_t i = 0; i < matcher->field_count; i++) { /* dense from the front, sparse behind */
        struct match_field field = {.slot = used[i].slot};
        struct match_build build = {
            .arena = arena,
            .matcher = matcher,
            .field = &field,
            .base = used[i].base,
            .for_forest = for_forest,
        };
        struct forest_source source;
        bool is_dense = build_field(&build, &scratch, &row_bytes, &source);
        uint32_t at = is_dense ? matcher->dense_count++ : matcher->field_count - ++sparse_count;
        matcher->fields[at] = field;
        bases[at] = used[i].base;
        sources[at] = source;
    }
    match_build_sparse_bases(arena, matcher, bases + matcher->dense_count);
    if (for_forest)
        matcher->forest = match_build_forest(arena, matcher, sources);
    arena_deinit(&scratch);
    matcher->figures.memory_bytes = arena->used_bytes - bytes_before;
    return matcher;
}

struct matcher_figures matcher_figures(const struct matcher *matcher)
{
    return matcher->figures;
}

static void number_rules(struct matcher *matcher)
{
    uint32_t chunks = 0;
    for (uint16_t i = 0; i < matcher->table_count; i++) {
        uint32_t rules = matcher->tables[i]->rule_count;
        matcher->first_number[i] = chunks * RULE_CHUNK_NUMBERS;
        matcher->figures.rule_count += rules;
        assert(matcher->figures.rule_count <= RULES_MAX);
        chunks += (rules + RULE_CHUNK_NUMBERS - 1) / RULE_CHUNK_NUMBERS;
    }
    matcher->first_number[matcher->table_count] = chunks * RULE_CHUNK_NUMBERS;
    matcher->chunk_count = chunks;
    matcher->block_count = (chunks + RULE_BLOCK_CHUNKS - 1) / RULE_BLOCK_CHUNKS;
    matcher->row_words = matcher->block_count + chunks * RULE_CHUNK_WORDS;
}

static const struct condition *condition_on(const struct rule *rule, enum slot slot)
{
    for (uint16_t i = 0; i < rule->condition_count; i++)
        if (rule->conditions[i].slot == slot)
            return &rule->conditions[i];
    return NULL;
}

static void fill_base(const struct matcher *matcher, struct used_field *field)
{
    for (uint16_t i = 0; i < matcher->table_count; i++)
        for (uint32_t k = 0; k < matcher->tables[i]->rule_count; k++) {
            uint32_t number = matcher->first_number[i] + k;
            const struct condition *condition =
                condition_on(&matcher->tables[i]->rules[k], field->slot);
            if (condition == NULL || condition->negated) {
                field->base[number / 64] |= UINT64_C(1) << (number % 64);
                field->population++;
            }
        }
}

/* At least one, even if no rule has a condition. The one on which the most rules insist goes first,
 * since it has the first claim to rows. */
static uint32_t find_used_fields(const struct matcher *matcher, struct arena *scratch,
                                 struct used_field fields[SLOT_FIELD_COUNT])
{
    bool used[SLOT_FIELD_COUNT] = {0};
    uint32_t count = 0;
    for (uint16_t i = 0; i < matcher->table_count; i++)
        for (uint32_t k = 0; k < matcher->tables[i]->rule_count; k++) {
            const struct rule *rule = &matcher->tables[i]->rules[k];
            for (uint16_t c = 0; c < rule->condition_count; c++) {
                assert(rule->conditions[c].slot < SLOT_FIELD_COUNT);
                used[rule->conditions[c].slot] = true;
            }
        }
    for (unsigned slot = 0; slot < SLOT_FIELD_COUNT; slot++)
        if (used[slot] || (slot == SLOT_FIELD_COUNT - 1 && count == 0)) {
            struct used_field field = {.slot = (enum slot)slot};
            field.base = arena_allocate_array(scratch, matcher->chunk_count,
                                              RULE_CHUNK_WORDS * sizeof *field.base);
            fill_base(matcher, &field);
            uint32_t at = count++;
            for (; at > 0 && fields[at - 1].population > field.population; at--)
                fields[at] = fields[at - 1];
            fields[at] = field;
        }
    return count;
}

/* True if it became dense. */
static bool build_field(struct match_build *build, struct arena *sources, size_t *row_bytes_left,
                        struct forest_source *out_source)
{
    arena_init(&build->scratch);
    gather(build);
    const struct gathered *gathered = &build->gathered;
    build->link_count = 1; /* link 0 is none */
    build->link_capacity = 1 + gathered->prefix_count +
                           match_range_links_max(gathered->numeric_count) +
                           match_range_links_max(gathered->bytewise_count);
    build->links =
        arena_allocate_array(&build->scratch, build->link_capacity, sizeof *build->links);
    match_build_prefixes(build);
    match_build_ranges(build);
    match_build_values(build);
    build->field->has_patterns = build->link_count > 1;
    size_t bytes = match_dense_bytes(build);
    bool is_dense = bytes <= *row_bytes_left;
    if (is_dense) {
        *row_bytes_left -= bytes;
        match_build_dense(build);
    } else {
        match_build_sparse(build);
    }
    *out_source =
        build->for_forest ? match_build_source(build, sources) : (struct forest_source){0};
    arena_deinit(&build->scratch);
    return is_dense;
}

uint32_t match_build_link(struct match_build *build, const uint32_t *numbers, size_t count,
                          uint32_t next)
{
    assert(build->link_count < build->link_capacity);
    match_build_note(build, build->link_count, numbers, count);
    build->links[build->link_count] = (struct set_link){
        .set = rule_set_build(&build->scratch, numbers, count),
        .next = next,
    };
    return build->link_count++;
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
