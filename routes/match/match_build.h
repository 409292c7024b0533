/* A matcher while it is built, one field after the other: shared by routes/match/match_compile.c
 * and the files that build a field's parts only. */
#ifndef KOUAN_ROUTES_MATCH_BUILD_H
#define KOUAN_ROUTES_MATCH_BUILD_H

#include "routes/match/match_parts.h"

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

/* A known value and a set that it leads to: of the rules that name it, or of those that use a list
 * which has it. Sorted by text, the sets of one value stand together. */
struct named_set {
    struct bytes text;
    const uint64_t *set;
    uint32_t
        order; /* among those of a text: 0 for the rules that name it, else the list's number */
    uint32_t atom;
};

/* That the condition of a rule has an atom. */
struct atom_note {
    uint32_t number, atom;
};

/* What the forest is built from, of one field: the atoms of each rule's condition, ascending. */
struct forest_source {
    const uint32_t *begins; /* by number, and one more: into the field's `rule_atoms` */
    uint32_t atom_limit;    /* one past the last atom */
};

struct match_build {
    struct arena *arena;  /* the matcher's */
    struct arena scratch; /* of one field */
    struct matcher *matcher;
    struct match_field *field; /* the one at work */
    const uint64_t *base;      /* its B */
    struct gathered gathered;
    struct set_link *links; /* in scratch, as their sets are; reserved in full before */
    uint32_t link_count;
    size_t link_capacity;
    struct named_set *sets; /* in scratch, as the sets themselves are */
    size_t set_count;
    uint32_t value_count;    /* different texts among them */
    uint32_t list_count;     /* different lists */
    struct atom_note *notes; /* in scratch; kept only for a forest */
    size_t note_count, note_capacity;
    uint32_t atom_count; /* those from the links on */
    bool for_forest;
};

/* A new link, to a set of these rules, in ascending order. */
uint32_t match_build_link(struct match_build *build, const uint32_t *numbers, size_t count,
                          uint32_t next);

/* The links that trees of so many ranges make at most. */
size_t match_range_links_max(size_t range_count);

void match_build_prefixes(struct match_build *build);
void match_build_ranges(struct match_build *build);
void match_build_values(struct match_build *build);

/* One past the sets of the value whose sets begin at `begin`. */
size_t match_build_value_end(const struct match_build *build, size_t begin);

/* What each known value meets, and where in `met` it is found: the first has number `first`. */
void match_build_met(struct match_build *build, uint32_t first);

/* Notes that the conditions of these rules have an atom; and all notes, by rule. */
void match_build_note(struct match_build *build, uint32_t atom, const uint32_t *numbers,
                      size_t count);
struct forest_source match_build_source(struct match_build *build, struct arena *sources);

/* Then one of these: */
size_t match_dense_bytes(const struct match_build *build); /* that its rows would take */
void match_build_dense(struct match_build *build);
void match_build_sparse(struct match_build *build);

/* And B of all sparse fields, when all fields are done; `bases` are theirs. */
void match_build_sparse_bases(struct arena *arena, struct matcher *matcher,
                              const uint64_t *const *bases);

/* The forest over all fields; `sources` are theirs (routes/match/match_forest_build.c). */
const struct match_forest *match_build_forest(struct arena *arena, const struct matcher *matcher,
                                              const struct forest_source *sources);

#endif
