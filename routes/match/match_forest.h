/* The forest: for a message, the few rules that it may meet. Reached by hash probes alone, however
 * many rules there are.
 *
 * What a value can meet is cut into atoms, numbered in each field: a text that rules name, a list,
 * a prefix, a node of a range tree. A condition is the set of its atoms, and holds if any value of
 * the message meets any of them (negated: none). From a record of rules the probe of (record, atom)
 * leads on to the record of those among its rules whose condition on the record's field has that
 * atom; rules that are not told apart by this field stand in the record itself, or in the one that
 * follows it. docs/matching.md has the whole, with its bounds. */
#ifndef KOUAN_ROUTES_MATCH_FOREST_H
#define KOUAN_ROUTES_MATCH_FOREST_H

#include "routes/match/match.h"

enum {
    FOREST_LEAF_RULES = 6, /* so many are tried faster than told apart */
    FOREST_COPIES_MAX = 64 /* of a rule, in records */
};

/* A record is its head, and for each table that has rules in it a segment: the rules in order of
 * matching, each followed by the conditions that the way to the record leaves open. */
union forest_cell {
    struct {
        uint32_t next;         /* the record to be looked at as well; 0: none */
        uint8_t field;         /* that its probes go by; none: one past the matcher's last */
        uint8_t segment_count; /* at most RULE_TABLES_MAX */
    } record;
    struct {
        uint32_t cell_count; /* with this one */
        uint8_t table;
    } segment;
    struct {
        uint32_t rule; /* index in its table */
        uint8_t condition_count;
        bool has_time; /* it is not always valid */
    } entry;
    struct {
        uint32_t atom; /* of several: where they begin in the field's `rule_atoms` */
        uint16_t atom_count;
        uint8_t field; /* index in the matcher */
        bool negated;
    } condition;
};
static_assert(sizeof(union forest_cell) == 8, "eight cells a cache line");

/* A record and an atom -> the record that it leads to; 0: free, as nothing leads to the root. */
struct forest_slot {
    uint64_t key, record;
};

struct match_forest {
    const union forest_cell *cells; /* the root is at 0 */
    uint32_t cell_count;
    const struct forest_slot *slots; /* at most half full */
    uint32_t slot_shift;             /* 64 - log2 of how many */
};

static inline uint64_t forest_key(uint64_t record, uint32_t atom)
{
    return record << 32 | atom;
}

/* Fibonacci hashing (Knuth, volume 3, 6.4), the halves mixed before: the tables are the operator's,
 * so that no sender can choose what collides. */
static inline uint64_t forest_place(const struct match_forest *forest, uint64_t key)
{
    return (key ^ key >> 29) * UINT64_C(0x9E3779B97F4A7C15) >> forest->slot_shift;
}

static inline uint64_t forest_mask(const struct match_forest *forest)
{
    return UINT64_MAX >> forest->slot_shift;
}

#endif
