/* A profile's table from what a dialect writes to what rules read: `"3": cancel`. Immutable, in an
 * arena. Rows are tried in their order; exact ones are found by a hash, so that a long table of
 * codes costs no more than a short one. */
#ifndef KOUAN_ROUTES_VALUE_MAP_H
#define KOUAN_ROUTES_VALUE_MAP_H

#include "core/arena.h"

enum { VALUE_MAP_ROWS_MAX = 4096 };

enum value_map_kind {
    VALUE_MAP_EXACT,
    VALUE_MAP_PREFIX,
    VALUE_MAP_RANGE, /* of decimal numbers, both ends included */
    VALUE_MAP_ANY
};

struct value_map_row {
    enum value_map_kind kind;
    struct bytes text; /* EXACT, PREFIX */
    int64_t low, high; /* RANGE */
    bool keeps;        /* the result is the value as it stands; `to` is absent */
    struct bytes to;   /* absent without `keeps`: the value is dropped */
};

struct value_map {
    const struct value_map_row *rows;
    uint16_t row_count;
    const uint16_t *exact;   /* open addressing: row + 1, or 0 */
    uint32_t exact_mask;     /* size of `exact` less one, a power of two less one */
    const uint16_t *inexact; /* the other rows, in their order */
    uint16_t inexact_count;
};

/* `rows` must lie in the arena. */
const struct value_map *value_map_build(struct arena *arena, const struct value_map_row *rows,
                                        uint16_t row_count);

/* What the first row that fits makes of `value`; absent if none fits or the row drops it. */
struct bytes value_map_apply(const struct value_map *map, struct bytes value);

#endif
