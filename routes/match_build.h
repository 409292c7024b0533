/* A matcher while it is built, one field after the other: shared by routes/match_compile.c and the
 * files that build a field's parts only. */
#ifndef KOUAN_ROUTES_MATCH_BUILD_H
#define KOUAN_ROUTES_MATCH_BUILD_H

#include "routes/match_parts.h"

/* Alternatives with the number of their rule; ascending by number in an array of these. */
struct named_rule {
    struct bytes text;
    uint32_t number;
};

struct listed_rule {
    const struct value_list *list;
    uint32_t number;
};

struct ranged_rule {
    struct bytes low, high;
    uint32_t number;
};

/* All alternatives of one field, by kind. */
struct gathered {
    struct named_rule *exacts, *prefixes;
    struct listed_rule *lists;
    struct ranged_rule *numeric, *bytewise;
    size_t exact_count, prefix_count, list_count, numeric_count, bytewise_count;
};

struct match_build {
    struct arena *arena;  /* the matcher's */
    struct arena scratch; /* of one field */
    struct matcher *matcher;
    struct match_field *field; /* the one at work */
    struct gathered gathered;
    struct set_link *links; /* of the field, in scratch; reserved in full before */
    size_t link_count, link_capacity;
};

/* A new link; its set is of these rules, in ascending order. */
uint32_t match_build_link(struct match_build *build, const uint32_t *numbers, size_t count,
                          uint32_t next);

/* The links that trees of so many ranges make at most. */
size_t match_range_links_max(size_t range_count);

/* In this order: known values refer to prefixes and ranges (routes/match_range.c, match_text.c). */
void match_build_prefixes(struct match_build *build);
void match_build_ranges(struct match_build *build);
void match_build_values(struct match_build *build);

#endif
