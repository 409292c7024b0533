/* Every indexer that this machine can run, against a splitter that goes byte by byte. */
#include "routes/edifact_walk.h"
#include "tests/routes/edifact_stand.h"

enum { SOUP_BYTES_MAX = 2000, ROUNDS = 4000 };

/* The oracle: from `from`, the terminator, and where the elements begin. */
static uint32_t split_naively(const struct edifact_syntax *syntax, struct bytes body, uint32_t from,
                              struct edifact_elements *out_elements)
{
    uint32_t at = from, count = 0, components = 0;
    out_elements->crowded = false;
    for (; at < body.size && body.data[at] != syntax->terminator; at++) {
        if (syntax->release != 0 && body.data[at] == syntax->release) {
            at++;
            continue;
        }
        if (body.data[at] == syntax->element && count <= EDIFACT_ELEMENTS_MAX) {
            out_elements->first_components[count] = (uint16_t)components;
            out_elements->starts[count++] = at + 1;
        }
        bool counts = count > 0 && count <= EDIFACT_ELEMENTS_MAX;
        if (body.data[at] == syntax->component && counts && components == EDIFACT_COMPONENTS_MAX)
            out_elements->crowded = true;
        else if (body.data[at] == syntax->component && counts)
            out_elements->components[components++] = at;
    }
    if (at > body.size)
        at = (uint32_t)body.size; /* a release at the very end */
    if (count <= EDIFACT_ELEMENTS_MAX) {
        out_elements->first_components[count] = (uint16_t)components;
        out_elements->starts[count] = at + 1;
    } else {
        count = EDIFACT_ELEMENTS_MAX;
    }
    out_elements->count = count;
    return at;
}

static struct edifact_syntax random_syntax(uint64_t *state)
{
    static const struct edifact_syntax syntaxes[] = {
        {.component = ':', .element = '+', .terminator = '\'', .release = '?'},
        {.component = ':', .element = '+', .terminator = '\'', .release = 0},
        {.component = '|', .element = '^', .terminator = '\n', .release = '\\', .repetition = '*'},
        {.component = 0x1F, .element = 0x1D, .terminator = 0x1C, .release = '!'},
    };
    return syntaxes[random_below(state, sizeof syntaxes / sizeof syntaxes[0])];
}

/* Bytes of a few kinds, in a mixture that changes from soup to soup: now all releases, now none. */
static size_t fill_soup(uint64_t *state, const struct edifact_syntax *syntax, uint8_t *soup)
{
    size_t size = random_below(state, random_below(state, 4) == 0 ? SOUP_BYTES_MAX : 200);
    uint32_t release_share = random_below(state, 60), separator_share = random_below(state, 60);
    for (size_t i = 0; i < size; i++) {
        uint32_t draw = random_below(state, 128);
        if (draw < release_share)
            soup[i] = syntax->release;
        else if (draw < release_share + separator_share)
            soup[i] = draw % 8 == 0  ? syntax->terminator
                      : draw % 8 < 4 ? syntax->element
                                     : syntax->component;
        else
            soup[i] = (uint8_t)random_next(state);
    }
    return size;
}

static void compare(const struct edifact_indexer *indexer, const struct edifact_syntax *syntax,
                    struct bytes body, uint64_t seed)
{
    struct edifact_walk skipping, splitting;
    edifact_walk_init(&skipping, indexer, syntax, body);
    edifact_walk_init(&splitting, indexer, syntax, body);
    for (uint32_t from = 0; from <= body.size;) {
        struct edifact_elements expected, found;
        uint32_t end = split_naively(syntax, body, from, &expected);
        cr_assert_eq(edifact_walk_terminator(&skipping, from), end, "%s, seed %" PRIu64,
                     indexer->name, seed);
        cr_assert_eq(edifact_walk_elements(&splitting, from, &found), end, "%s, seed %" PRIu64,
                     indexer->name, seed);
        cr_assert_eq(found.count, expected.count, "%s, seed %" PRIu64, indexer->name, seed);
        cr_assert_eq(found.crowded, expected.crowded, "%s, seed %" PRIu64, indexer->name, seed);
        size_t firsts_bytes = (expected.count + 1) * sizeof expected.first_components[0];
        cr_assert_eq(memcmp(found.first_components, expected.first_components, firsts_bytes), 0,
                     "%s, seed %" PRIu64, indexer->name, seed);
        size_t components_bytes =
            expected.first_components[expected.count] * sizeof expected.components[0];
        cr_assert_eq(memcmp(found.components, expected.components, components_bytes), 0,
                     "%s, seed %" PRIu64, indexer->name, seed);
        size_t starts_bytes = (expected.count + 1) * sizeof expected.starts[0];
        cr_assert_eq(memcmp(found.starts, expected.starts, starts_bytes), 0, "%s, seed %" PRIu64,
                     indexer->name, seed);
        from = end + 1;
    }
}

Test(edifact_walk, soups_against_naive_splitter)
{
    static uint8_t soup[SOUP_BYTES_MAX];
    cr_assert_str_eq(edifact_indexer_at(0)->name, "portable");
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed;
        struct edifact_syntax syntax = random_syntax(&state);
        struct bytes body = body_copy(soup, fill_soup(&state, &syntax, soup));
        const struct edifact_indexer *indexer;
        for (unsigned i = 0; (indexer = edifact_indexer_at(i)) != NULL; i++)
            compare(indexer, &syntax, body, seed);
        body_free(body);
    }
}

/* Blocks alone: the same bits from all, and the same word on the byte that follows. */
Test(edifact_walk, indexers_agree_on_blocks)
{
    static uint8_t soup[SOUP_BYTES_MAX + 4 * EDIFACT_BLOCK_BYTES];
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed;
        struct edifact_syntax syntax = random_syntax(&state);
        fill_soup(&state, &syntax, soup);
        bool released_first = random_below(&state, 2) == 0, released = released_first;
        struct edifact_block expected[4], found[4];
        edifact_indexer_at(0)->mark(&syntax, soup, 4, &released, expected);
        for (unsigned i = 1; edifact_indexer_at(i) != NULL; i++) {
            bool also_released = released_first;
            edifact_indexer_at(i)->mark(&syntax, soup, 4, &also_released, found);
            cr_assert_eq(memcmp(found, expected, sizeof expected), 0, "%s, seed %" PRIu64,
                         edifact_indexer_at(i)->name, seed);
            cr_assert_eq(also_released, released, "%s, seed %" PRIu64, edifact_indexer_at(i)->name,
                         seed);
        }
    }
}

Test(edifact_walk, best_is_one_of_all)
{
    bool found = false;
    for (unsigned i = 0; edifact_indexer_at(i) != NULL; i++)
        found = found || edifact_indexer_at(i) == edifact_indexer_best();
    cr_expect(found);
}
