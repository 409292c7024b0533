#include "routes/dialect/value_map.h"

#include <assert.h>
#include <xxhash.h>

static uint32_t hash(struct bytes text)
{
    return (uint32_t)XXH3_64bits(text.data, text.size);
}

static uint32_t table_size(uint16_t row_count)
{
    uint32_t size = 8;
    while (size < 2U * row_count)
        size *= 2;
    return size;
}

const struct value_map *value_map_build(struct arena *arena, const struct value_map_row *rows,
                                        uint16_t row_count)
{
    assert(row_count <= VALUE_MAP_ROWS_MAX);
    uint32_t size = table_size(row_count);
    uint16_t *exact = arena_allocate_array(arena, size, sizeof *exact);
    uint16_t *inexact = arena_allocate_array(arena, row_count, sizeof *inexact);
    uint16_t inexact_count = 0;
    for (uint16_t row = 0; row < row_count; row++) {
        if (rows[row].kind != VALUE_MAP_EXACT) {
            inexact[inexact_count++] = row;
            continue;
        }
        uint32_t slot = hash(rows[row].text) & (size - 1);
        while (exact[slot] != 0)
            slot = (slot + 1) & (size - 1);
        exact[slot] = (uint16_t)(row + 1);
    }
    struct value_map *map = arena_allocate(arena, sizeof *map);
    *map = (struct value_map){.rows = rows,
                              .row_count = row_count,
                              .exact = exact,
                              .exact_mask = size - 1,
                              .inexact = inexact,
                              .inexact_count = inexact_count};
    return map;
}

static bool fits(const struct value_map_row *row, struct bytes value)
{
    int64_t number;
    switch (row->kind) {
    case VALUE_MAP_EXACT: return bytes_equal(row->text, value);
    case VALUE_MAP_PREFIX: return bytes_start_with(value, row->text);
    case VALUE_MAP_RANGE:
        return bytes_parse_i64(value, &number) && number >= row->low && number <= row->high;
    case VALUE_MAP_ANY: return true;
    }
    return false;
}

/* The least exact row with this text, or `row_count`. Equal texts follow each other in the order of
 * their rows, because they were inserted so. */
static uint16_t find_exact(const struct value_map *map, struct bytes value)
{
    uint32_t slot = hash(value) & map->exact_mask;
    for (; map->exact[slot] != 0; slot = (slot + 1) & map->exact_mask) {
        uint16_t row = (uint16_t)(map->exact[slot] - 1);
        if (bytes_equal(map->rows[row].text, value))
            return row;
    }
    return map->row_count;
}

struct bytes value_map_apply(const struct value_map *map, struct bytes value)
{
    uint16_t found = find_exact(map, value);
    for (uint16_t i = 0; i < map->inexact_count && map->inexact[i] < found; i++)
        if (fits(&map->rows[map->inexact[i]], value)) {
            found = map->inexact[i];
            break;
        }
    if (found == map->row_count)
        return (struct bytes){0};
    return map->rows[found].keeps ? value : map->rows[found].to;
}
