/* The inside of a matcher, shared by its compiler and its runner only.
 *
 * Rules are numbered through all tables, each table from the beginning of a chunk (rule_set.h). For
 * a field, let B be the rules that hold if no value meets any alternative (they have no condition
 * on the field, or a negated one), and H the rules of which some alternative is met by some value.
 * The rules whose condition on the field holds are exactly B xor H: a hit makes a positive
 * condition true and a negated one false.
 *
 * What a value meets is found by
 *   one probe of a hash table      the value itself: rules that name it, lists that have it
 *   a chain of prefixes            from the longest that fits to the shortest
 *   chains of range tree nodes     from the value's leaf to the root, empty nodes left out
 * so that the tables take n log n memory however rules overlap.
 *
 * A field is kept in one of two forms. Dense, as long as a budget of memory lasts: for each known
 * value and each beginning of a chain there is a row, which is B xor H of it in plain bits; the
 * rules that hold are the rows' conjunction. Sparse, for fields of very many different values: the
 * hits of each are stored as sets (rule_set.h) and united on the way. */
#ifndef KOUAN_ROUTES_MATCH_PARTS_H
#define KOUAN_ROUTES_MATCH_PARTS_H

#include "routes/match/match.h"
#include "routes/match/match_forest.h"
#include "routes/rules/rule_set.h"
#include "routes/scan/text_index.h"

/* What rows may take over all fields beside a forest. */
enum { ROW_BYTES = 1024 * 1024 };

/* A set in a chain; next 0 ends it, and link 0 stands for none. */
struct set_link {
    const uint64_t *set;
    uint32_t next;
};

/* What a value that a sparse field's rules or lists name leads to. */
struct known_value {
    const uint64_t *const *sets;
    uint32_t set_count;
    uint32_t prefix_link, numeric_link, byte_link;
};

/* The ranges of one kind over one field. Their ends, sorted, cut the line of values into pieces:
 * piece 2i is the i-th end itself, 2i + 1 what lies between it and the next. */
struct range_tree {
    uint32_t digits; /* numbers of so many digits; 0: by bytes */
    uint32_t end_count;
    const struct bytes *ends;
    const uint64_t *heads; /* of each end: its first 8 bytes, as they are ordered */
    const uint32_t *links; /* of each piece */
};

struct match_field {
    enum slot slot;
    bool has_patterns;            /* prefixes or ranges */
    struct text_index values;     /* known ones -> their place in `met` */
    struct text_index prefixes;   /* -> link */
    const uint16_t *prefix_sizes; /* distinct ones, the longest first */
    uint32_t prefix_size_count;
    const struct range_tree *numeric_trees; /* of different digits */
    uint32_t numeric_tree_count;
    const struct range_tree *byte_tree; /* NULL: none */
    /* Of each known value: its number (dense: of its row; sparse: index into `known`), how many
     * atoms it meets (or MATCH_MET_TOO_MANY), and these. */
    const uint32_t *met;
    const uint32_t *link_nexts; /* links are atoms; each leads on to the next */
    const uint32_t *rule_atoms; /* of conditions, ascending in each */
    /* Dense: rows, one after the other. Row 0 is B alone; then those of the links from 1 on, with
     * all that they lead to; then those of known values. NULL if the field is sparse. */
    const uint64_t *rows;
    /* Sparse: */
    const struct known_value *known;
    const struct set_link *links; /* [0] is unused */
};

struct matcher {
    const struct rule_table *const *tables;
    uint16_t table_count;
    uint32_t first_number[RULE_TABLES_MAX + 1]; /* of each table; then one past all */
    uint32_t block_count, chunk_count;
    uint32_t row_words;         /* of each row: a summary for each block, then the chunks */
    struct match_field *fields; /* dense ones first; at least one */
    uint32_t field_count, dense_count;
    /* B of the sparse fields, in the order in which they are looked at. */
    const uint64_t *base_summaries;    /* [block][sparse field] */
    const uint64_t *base_chunks;       /* [chunk][sparse field][word] */
    const struct match_forest *forest; /* NULL: sets alone */
    struct matcher_figures figures;
};

/* Links of what a value meets: 0 where it meets nothing (routes/match/match_prefix.c,
 * match_range.c). */
uint32_t match_find_prefix(const struct match_field *field, struct bytes value);
uint32_t match_find_numeric(const struct match_field *field, struct bytes value);
uint32_t match_find_bytewise(const struct match_field *field, struct bytes value);

/* ---- One match: routes/match/match_look.c finds rows and sets, routes/match/match_find.c
 * intersects --------
 */

/* Rows or sets of one field that are united on the way; more are summed up before. */
enum { MATCH_PARTS_MAX = 32 };

/* A dense field of which several values, or several patterns, are met. */
struct dense_union {
    const uint64_t *base; /* row 0 */
    uint32_t count;
    const uint64_t *rows[MATCH_PARTS_MAX];
};

/* ---- A group of matches at a time: routes/match/match_meet.c, match_walk.c
 * ----------------------------
 */

enum {
    MATCH_GROUP_MAX = 32,   /* messages whose loads are under way together */
    MATCH_VALUES_MAX = 64,  /* of one message, in fields that rules use */
    MATCH_ATOMS_MAX = 96,   /* that they meet; in `met`, at most as many */
    MATCH_WORK_MAX = 256,   /* cells read and probes made for one message */
    MATCH_GROUPS_LEFT = 31, /* after one that was too much for the forest; then it is tried again */
    MATCH_MET_TOO_MANY = UINT32_MAX
};

/* What is known of a message. One that has or needs more of anything than the above is left to the
 * sets. */
struct match_message {
    const struct reading *reading;
    uint32_t *matched; /* its decision's */
    uint32_t work_left;
    bool is_left;
    uint32_t atom_count;
    uint32_t atoms[MATCH_ATOMS_MAX];
    uint32_t begins[SLOT_FIELD_COUNT + 2]; /* of each field's atoms; then, twice, one past all */
};

/* A value that is being looked for. */
struct match_value {
    struct bytes text;
    struct match_message *message;
    struct text_key key;
    uint64_t hash;
    uint32_t met;
};

struct match_probe {
    uint64_t key, place;
    struct match_message *message;
};

struct match_step {
    uint64_t record;
    struct match_message *message;
};

/* Each probe takes from its message's work, and there are no more steps than probes. */
enum { MATCH_PROBES_MAX = MATCH_GROUP_MAX * MATCH_WORK_MAX };

struct match_group {
    uint64_t now_ms;
    uint32_t count;
    struct match_message messages[MATCH_GROUP_MAX];
    struct match_value values[MATCH_GROUP_MAX * MATCH_VALUES_MAX]; /* of one field */
    struct match_probe probes[MATCH_PROBES_MAX];
    struct match_step steps[MATCH_PROBES_MAX];
};

/* Finds the atoms that each message of the group meets. */
void match_meet(const struct matcher *matcher, struct match_group *group);

/* Then: the first rule of each table that holds for each, in the decisions. */
void match_walk(const struct matcher *matcher, struct match_group *group);

struct match_scratch {
    struct match_group group;
    uint64_t left_count;
    const struct matcher *left_matcher; /* whose forest did not help the last group; NULL: none */
    uint32_t groups_left;               /* that are left to the sets before it is tried again */
    /* The first rule from a number on that holds, by its number, or MATCH_NO_NUMBER. */
    uint32_t (*find_from)(const struct matcher *matcher, struct match_scratch *scratch,
                          uint32_t from);
    const uint64_t *rows[SLOT_FIELD_COUNT]; /* of the dense fields that have a single one */
    uint32_t row_count;
    uint32_t union_count;
    struct dense_union unions[SLOT_FIELD_COUNT];
    /* Sets of the sparse fields, field after field, each at least one; and their open block. */
    const uint64_t *sets[SLOT_FIELD_COUNT * MATCH_PARTS_MAX];
    struct rule_set_block blocks[SLOT_FIELD_COUNT * MATCH_PARTS_MAX];
    uint32_t set_ends[SLOT_FIELD_COUNT];
    uint64_t summary;    /* of the open block: its chunks that are worth a look */
    uint32_t open_block; /* RULE_SET_BLOCKS: none */
    struct rule_set_sum sum;
    uint64_t summed_up[SLOT_FIELD_COUNT][RULE_SET_WORDS_MAX]; /* a row or a set of each field */
};

enum { MATCH_NO_NUMBER = UINT32_MAX };

void match_look_up(const struct matcher *matcher, struct match_scratch *scratch,
                   const struct reading *reading);

/* Sets `find_from` by what the processor can do. */
void match_choose_find(struct match_scratch *scratch);
uint32_t match_find_portable(const struct matcher *matcher, struct match_scratch *scratch,
                             uint32_t from);

#endif
