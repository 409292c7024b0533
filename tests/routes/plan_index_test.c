/* The index of a plan against a walk over its siblings, name by name. */
#include "routes/scan/plan_index.h"

#include "tests/routes/profile_fixture.h"

enum { ROUNDS = 300, NODES = 200, NAME_BYTES_MAX = 40, ASKED = 400 };

struct family {
    struct plan plan;
    struct plan_node nodes[NODES];
    uint8_t names[NODES][NAME_BYTES_MAX + 8];
};

static uint16_t find_naively(const struct plan *plan, uint16_t parent, struct bytes name,
                             bool attribute)
{
    const struct plan_node *nodes = plan->nodes;
    for (uint16_t node = nodes[parent].first_child; node != 0; node = nodes[node].next_sibling)
        if (nodes[node].attribute == attribute && bytes_equal(nodes[node].name, name))
            return node;
    return PLAN_NODE_NONE;
}

/* Names of two letters, so that many begin and end alike; some empty, some longer than a key. */
static struct bytes random_name(uint64_t *state, uint8_t *out)
{
    size_t size = fixture_below(state, fixture_below(state, 4) == 0 ? NAME_BYTES_MAX : 6);
    for (size_t i = 0; i < size; i++)
        out[i] = fixture_below(state, 12) == 0 ? 'b' : 'a';
    for (size_t i = size; i < size + 8; i++)
        out[i] = (uint8_t)fixture_random(state); /* what follows a name is no part of it */
    return bytes_make(out, size);
}

static void fill(struct family *family, uint64_t *state)
{
    uint16_t count = (uint16_t)(2 + fixture_below(state, NODES - 2));
    memset(family->nodes, 0, sizeof family->nodes);
    family->plan = (struct plan){.nodes = family->nodes, .node_count = 2};
    while (family->plan.node_count < count) {
        uint16_t node = family->plan.node_count, parent = (uint16_t)fixture_below(state, node);
        struct bytes name = random_name(state, family->names[node]);
        bool attribute = fixture_below(state, 3) == 0;
        if (find_naively(&family->plan, parent, name, attribute) != PLAN_NODE_NONE) {
            count--;
            continue;
        }
        family->nodes[node] = (struct plan_node){.name = name,
                                                 .attribute = attribute,
                                                 .next_sibling = family->nodes[parent].first_child};
        family->nodes[parent].first_child = node;
        family->plan.node_count++;
    }
}

Test(plan_index, finds_what_a_walk_finds)
{
    static struct family family;
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed;
        struct arena arena;
        arena_init(&arena);
        fill(&family, &state);
        plan_index_build(&arena, &family.plan);
        for (unsigned i = 0; i < ASKED; i++) {
            uint8_t text[NAME_BYTES_MAX + 8];
            uint16_t parent = (uint16_t)fixture_below(&state, family.plan.node_count);
            struct bytes name = random_name(&state, text);
            bool attribute = fixture_below(&state, 2) == 0;
            if (i < family.plan.node_count && family.nodes[i].name.data != NULL)
                name = family.nodes[i].name;
            cr_assert_eq(plan_index_find(&family.plan, parent, name, attribute),
                         find_naively(&family.plan, parent, name, attribute),
                         "seed %u, node %u, name `%.*s`", (unsigned)seed, parent, (int)name.size,
                         (const char *)name.data);
        }
        arena_deinit(&arena);
    }
}

/* Names that differ only where a key does not look. */
Test(plan_index, long_names)
{
    struct plan_node nodes[] = {
        [0] = {.first_child = 2},
        [2] = {.name = BYTES_LITERAL("declarationOfficeOfImport"), .next_sibling = 3},
        [3] = {.name = BYTES_LITERAL("declaratXXXXXXXXXOfImport")},
    };
    struct plan plan = {.nodes = nodes, .node_count = 4};
    struct arena arena;
    arena_init(&arena);
    plan_index_build(&arena, &plan);
    cr_expect_eq(plan_index_find(&plan, 0, nodes[2].name, false), 2);
    cr_expect_eq(plan_index_find(&plan, 0, nodes[3].name, false), 3);
    struct bytes other = BYTES_LITERAL("declaratYYYYYYYYYOfImport");
    cr_expect_eq(plan_index_find(&plan, 0, other, false), PLAN_NODE_NONE);
    arena_deinit(&arena);
}

/* ---- rows of a tag --------------------------------------------------------------------------- */

enum { ROWS = 75, QUALIFIER_BYTES_MAX = 4, TEXTS = 200 };

/* Of few characters, two of which have the same key. */
static struct bytes random_qualifier(uint64_t *state, uint8_t *out)
{
    size_t size = 1 + fixture_below(state, QUALIFIER_BYTES_MAX);
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t) "19Ay+"[fixture_below(state, 5)];
    return bytes_make(out, size);
}

static bool set_has(uint32_t set, uint32_t row)
{
    return (set >> row % PLAN_ROW_BITS & 1) != 0;
}

/* No row is left out that has the qualifier of a segment; rows of other places never are. */
Test(plan_index, row_sets)
{
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed;
        uint8_t texts[ROWS][QUALIFIER_BYTES_MAX];
        struct plan_component components[ROWS];
        struct plan plan = {.components = components,
                            .component_count = (uint16_t)(1 + fixture_below(&state, ROWS))};
        for (uint32_t i = 0; i < plan.component_count; i++)
            components[i] =
                (struct plan_component){.tag = {'L', 'O', 'C'},
                                        .element = 2,
                                        .component = 1,
                                        .qualifier_element = (uint16_t)fixture_below(&state, 3),
                                        .qualifier_component = 1,
                                        .qualifier = random_qualifier(&state, texts[i])};
        struct plan_node node = {0};
        plan.nodes = &node;
        struct arena arena;
        arena_init(&arena);
        plan_index_build(&arena, &plan);
        const struct plan_rows *rows = plan_index_rows(plan.index, plan_tag(components[0].tag));
        cr_assert_eq(rows->end, plan.component_count);
        bool qualified = false;
        for (uint32_t i = 0; i < plan.component_count; i++) {
            qualified |= components[i].qualifier_element == 1;
            cr_assert(set_has(plan_rows_all(rows), i));
        }
        cr_assert_eq(rows->sets != NULL, qualified, "seed %u", (unsigned)seed);
        for (unsigned asked = 0; qualified && asked < TEXTS; asked++) {
            uint8_t text[QUALIFIER_BYTES_MAX + 2] = {0};
            struct bytes qualifier = random_qualifier(&state, text);
            text[qualifier.size] = (uint8_t)fixture_random(&state);
            for (uint32_t i = 0; i < plan.component_count; i++)
                if (components[i].qualifier_element != 1 ||
                    bytes_equal(components[i].qualifier, qualifier))
                    cr_assert(set_has(plan_rows_for(rows, text), i), "seed %u", (unsigned)seed);
        }
        arena_deinit(&arena);
    }
}

/* Most segments are for no row, and are told by two bytes. */
Test(plan_index, row_sets_tell_apart)
{
    const struct plan_component components[] = {
        {.tag = {'L', 'O', 'C'},
         .element = 2,
         .component = 1,
         .qualifier_element = 1,
         .qualifier_component = 1,
         .qualifier = BYTES_LITERAL("9")},
        {.tag = {'L', 'O', 'C'},
         .element = 2,
         .component = 1,
         .qualifier_element = 1,
         .qualifier_component = 1,
         .qualifier = BYTES_LITERAL("60")},
    };
    const struct plan_node node = {0};
    struct plan plan = {.nodes = &node, .components = components, .component_count = 2};
    struct arena arena;
    arena_init(&arena);
    plan_index_build(&arena, &plan);
    const struct plan_rows *rows = plan_index_rows(plan.index, plan_tag(components[0].tag));
    cr_assert_not_null(rows->sets);
    cr_expect_eq(plan_rows_for(rows, (const uint8_t *)"9+"), 1);
    cr_expect_eq(plan_rows_for(rows, (const uint8_t *)"60"), 2);
    cr_expect_eq(plan_rows_for(rows, (const uint8_t *)"61"), 0);
    cr_expect_eq(plan_rows_for(rows, (const uint8_t *)"83"), 0);
    arena_deinit(&arena);
}
