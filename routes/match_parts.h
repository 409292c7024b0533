/* The inside of a matcher, shared by its compiler and its runner only.
 *
 * Rules are numbered through all tables, each table from a number divisible by 64. For a field, let
 * B be the rules that hold if no value meets any alternative (they have no condition on the field,
 * or a negated one), and H the rules of which some alternative is met by some value. The rules
 * whose condition on the field holds are exactly B xor H: a hit makes a positive condition true and
 * a negated one false. B is a plain bitset; H is a union of stored sets, found per value by
 *
 *   one probe of a hash table      the value itself: rules that name it, lists that have it
 *   a chain of prefixes            from the longest that fits to the shortest
 *   chains of range tree nodes     from the value's leaf to the root, empty nodes left out
 *
 * For a value that a rule or list names, the beginnings of the chains are stored with it. */
#ifndef KOUAN_ROUTES_MATCH_PARTS_H
#define KOUAN_ROUTES_MATCH_PARTS_H

#include "routes/match.h"
#include "routes/rule_set.h"
#include "routes/text_index.h"

/* A set in a chain; next 0 ends it, and link 0 stands for none. */
struct set_link {
    const uint64_t *set;
    uint32_t next;
};

struct known_value {
    const uint64_t *set;         /* rules that name the value, or else the first list's */
    const uint64_t *const *more; /* further lists' sets */
    uint32_t more_count;
    uint32_t prefix_link, numeric_link, byte_link;
};

/* The ranges of one kind over one field. Their ends, sorted, cut the line of values into pieces:
 * piece 2i is the i-th end itself, 2i + 1 what lies between it and the next. */
struct range_tree {
    uint32_t digits; /* numbers of so many digits; 0: by bytes */
    uint32_t end_count;
    const struct bytes *ends;
    const uint32_t *links; /* of each piece */
};

struct match_field {
    enum slot slot;
    uint64_t base_top, *base_summaries, *base_words;
    struct text_index values;
    const struct known_value *known;
    struct text_index prefixes;   /* text -> link */
    const uint16_t *prefix_sizes; /* distinct ones, the longest first */
    uint32_t prefix_size_count;
    const struct range_tree *numeric_trees; /* of different digits */
    uint32_t numeric_tree_count;
    const struct range_tree *byte_tree; /* NULL: none */
    const struct set_link *links;       /* [0] is unused */
};

struct matcher {
    const struct rule_table *const *tables;
    uint16_t table_count;
    uint32_t first_number[RULE_TABLES_MAX + 1]; /* of each table; then one past all */
    const struct match_field *fields;           /* the most selective first; at least one */
    uint32_t field_count;
    struct matcher_figures figures;
};

/* Looks up what a value that is not known meets; the compiler asks the same for known ones. */
uint32_t match_find_prefix(const struct match_field *field, struct bytes value);
uint32_t match_find_range(const struct range_tree *tree, struct bytes value);
uint32_t match_find_numeric(const struct match_field *field, struct bytes value);

#endif
