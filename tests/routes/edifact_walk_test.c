/* Where segments end and their elements lie, against a splitter that goes byte by byte. */
#include "routes/edifact/edifact_walk.h"
#include "tests/routes/edifact_stand.h"

enum { SOUP_BYTES_MAX = 2000, ROUNDS = 4000 };

static bool is_released(const struct edifact_syntax *syntax, struct bytes body, uint32_t from,
                        uint32_t at)
{
    bool released = false;
    for (uint32_t i = from; i < at; i++)
        released = !released && syntax->release != 0 && body.data[i] == syntax->release;
    return released;
}

/* The oracle: the first unreleased `separator` between `from` and `end`; `end` if there is none. */
static uint32_t find_naively(const struct edifact_syntax *syntax, struct bytes body, uint32_t from,
                             uint32_t end, uint8_t separator)
{
    for (uint32_t at = from; at < end; at++) {
        if (syntax->release != 0 && body.data[at] == syntax->release)
            at++;
        else if (body.data[at] == separator)
            return at;
    }
    return end;
}

/* Piece `number` (from 1) of what lies between separators; absent if there are fewer. */
static struct bytes piece_naively(const struct edifact_syntax *syntax, struct bytes body,
                                  uint32_t from, uint32_t end, uint8_t separator, uint32_t number)
{
    for (;;) {
        uint32_t at = find_naively(syntax, body, from, end, separator);
        if (--number == 0)
            return bytes_make(body.data + from, at - from);
        if (at == end)
            return (struct bytes){NULL, 0};
        from = at + 1;
    }
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

static bool same_place(struct bytes a, struct bytes b)
{
    return a.data == b.data && a.size == b.size;
}

static void compare(const struct edifact_indexer *indexer, const struct edifact_syntax *syntax,
                    struct bytes body, uint64_t seed)
{
    enum { ELEMENTS = 20, COMPONENTS = 6 };
    struct edifact_index skipping, splitting;
    edifact_index_init(&skipping, syntax);
    edifact_index_init(&splitting, syntax);
    skipping.indexer = splitting.indexer = indexer;
    uint32_t size = (uint32_t)body.size;
    for (uint32_t from = 0; from <= size;) {
        struct edifact_elements elements;
        uint32_t end = find_naively(syntax, body, from, size, syntax->terminator);
        cr_assert_eq(edifact_walk_terminator(&skipping, body, from), end, "seed %" PRIu64, seed);
        cr_assert_eq(edifact_walk_terminator(&splitting, body, from), end, "seed %" PRIu64, seed);
        edifact_walk_split(&splitting, body, from, end, &elements);
        cr_assert_eq(elements.end, end);
        for (uint32_t i = 1; i <= ELEMENTS; i++) {
            /* piece 1 stands before the first element: the rest of the tag, or its nesting */
            struct bytes element = piece_naively(syntax, body, from, end, syntax->element, i + 1);
            cr_assert(same_place(edifact_element(body, &elements, i), element),
                      "seed %" PRIu64 ", element %u", seed, i);
            uint32_t start = element.data == NULL ? 0 : (uint32_t)(element.data - body.data);
            for (uint32_t k = 1; k <= COMPONENTS && !elements.crowded; k++) {
                struct bytes component = {NULL, 0};
                if (element.data != NULL)
                    component = piece_naively(syntax, body, start, start + (uint32_t)element.size,
                                              syntax->component, k);
                cr_assert(same_place(edifact_component(body, &elements, i, k), component),
                          "seed %" PRIu64 ", element %u, component %u", seed, i, k);
            }
        }
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

/* 64 bytes alone: each character's bits, and what the last byte says of the one that follows. */
Test(edifact_walk, marks)
{
    static uint8_t soup[SOUP_BYTES_MAX];
    for (uint64_t seed = 1; seed <= ROUNDS; seed++) {
        uint64_t state = seed;
        struct edifact_syntax syntax = random_syntax(&state);
        struct edifact_marker marker;
        edifact_marker_init(&marker, &syntax);
        fill_soup(&state, &syntax, soup);
        const uint8_t *data = soup + random_below(&state, 64);
        bool released_first = random_below(&state, 2) == 0, released = released_first;
        bool released_too = released_first;
        struct edifact_marks marks = edifact_marks_all(&marker, data, &released);
        cr_assert_eq(edifact_marks_terminators(&marker, data, &released_too), marks.terminators);
        cr_assert_eq(released, released_too);
        cr_assert_eq(edifact_marks_equal(data, marker.element),
                     edifact_marks_equal_portable(data, marker.element), "seed %" PRIu64, seed);
        struct bytes body = bytes_make(data, 65);
        for (uint32_t i = 0; i <= EDIFACT_MARKS_BYTES; i++) {
            bool is = released_first ? i == 0 || is_released(&syntax, body, 1, i)
                                     : is_released(&syntax, body, 0, i);
            if (i == EDIFACT_MARKS_BYTES) {
                cr_assert_eq(released, is, "seed %" PRIu64, seed);
                break;
            }
            cr_assert_eq(marks.terminators >> i & 1, !is && data[i] == syntax.terminator);
            cr_assert_eq(marks.elements >> i & 1, !is && data[i] == syntax.element);
            cr_assert_eq(marks.components >> i & 1, !is && data[i] == syntax.component);
        }
    }
}
