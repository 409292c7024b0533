#include "routes/dialect/value_map.h"

#include "profile_fixture.h"

static struct value_map_row exact(const char *text, const char *to)
{
    return (struct value_map_row){
        .kind = VALUE_MAP_EXACT, .text = bytes_from_text(text), .to = bytes_from_text(to)};
}

static const char *apply(const struct value_map *map, const char *value)
{
    static char text[64];
    struct bytes result = value_map_apply(map, bytes_from_text(value));
    snprintf(text, sizeof text, "%.*s", (int)result.size, result.data);
    return text;
}

Test(value_map, first_row_that_fits)
{
    struct arena arena;
    arena_init(&arena);
    struct value_map_row rows[] = {
        exact("1", "one"),
        {.kind = VALUE_MAP_RANGE, .low = -99, .high = 9, .to = BYTES_LITERAL("few")},
        exact("2", "never: the range comes first"),
        {.kind = VALUE_MAP_PREFIX, .text = BYTES_LITERAL("51"), .to = BYTES_LITERAL("guangzhou")},
        exact("5141", "never: the prefix comes first"),
        exact("x", "first"),
        exact("x", "second"),
        {.kind = VALUE_MAP_EXACT, .text = BYTES_LITERAL("drop")},
        {.kind = VALUE_MAP_ANY, .keeps = true},
    };
    const struct value_map *map = value_map_build(&arena, rows, 9);
    cr_expect_str_eq(apply(map, "1"), "one");
    cr_expect_str_eq(apply(map, "2"), "few");
    cr_expect_str_eq(apply(map, "-99"), "few");
    cr_expect_str_eq(apply(map, "-100"), "-100");
    cr_expect_str_eq(apply(map, "10"), "10");
    cr_expect_str_eq(apply(map, "5141"), "guangzhou");
    cr_expect_str_eq(apply(map, "51"), "guangzhou");
    cr_expect_str_eq(apply(map, "x"), "first");
    cr_expect_str_eq(apply(map, "drop"), "");
    cr_expect_str_eq(apply(map, "5"), "few");
    const struct value_map *closed = value_map_build(&arena, rows, 1);
    cr_expect_null(value_map_apply(closed, BYTES_LITERAL("2")).data);
    arena_deinit(&arena);
}

/* Random maps over a small alphabet against trying each row in turn. */
static struct bytes naive(const struct value_map_row *rows, uint16_t count, struct bytes value)
{
    for (uint16_t i = 0; i < count; i++) {
        int64_t number;
        bool fits = rows[i].kind == VALUE_MAP_ANY ||
                    (rows[i].kind == VALUE_MAP_EXACT && bytes_equal(rows[i].text, value)) ||
                    (rows[i].kind == VALUE_MAP_PREFIX && bytes_start_with(value, rows[i].text)) ||
                    (rows[i].kind == VALUE_MAP_RANGE && bytes_parse_i64(value, &number) &&
                     number >= rows[i].low && number <= rows[i].high);
        if (fits)
            return rows[i].keeps ? value : rows[i].to;
    }
    return (struct bytes){0};
}

Test(value_map, agrees_with_trying_each_row)
{
    static const char *const words[] = {"0", "1", "11", "12", "2", "-1", "a", "ab", "b", "1b"};
    uint64_t seed = 20240611;
    for (int round = 0; round < 20000; round++) {
        uint64_t started = seed;
        struct arena arena;
        arena_init(&arena);
        struct value_map_row rows[40] = {0};
        uint16_t count = (uint16_t)(1 + fixture_below(&seed, 40));
        for (uint16_t i = 0; i < count; i++) {
            uint32_t kind = fixture_below(&seed, 12);
            rows[i].kind = kind < 9    ? VALUE_MAP_EXACT
                           : kind < 10 ? VALUE_MAP_PREFIX
                           : kind < 11 ? VALUE_MAP_RANGE
                                       : VALUE_MAP_ANY;
            rows[i].text = bytes_from_text(words[fixture_below(&seed, 10)]);
            rows[i].low = (int64_t)fixture_below(&seed, 14) - 2;
            rows[i].high = rows[i].low + fixture_below(&seed, 4);
            rows[i].keeps = fixture_below(&seed, 5) == 0;
            if (!rows[i].keeps && fixture_below(&seed, 5) > 0)
                rows[i].to = bytes_from_text(words[fixture_below(&seed, 10)]);
        }
        const struct value_map *map = value_map_build(&arena, rows, count);
        for (size_t i = 0; i < 10; i++) {
            struct bytes value = bytes_from_text(words[i]);
            struct bytes expected = naive(rows, count, value);
            struct bytes result = value_map_apply(map, value);
            cr_assert(bytes_equal(result, expected), "seed %lu: %s", (unsigned long)started,
                      words[i]);
        }
        arena_deinit(&arena);
    }
}
