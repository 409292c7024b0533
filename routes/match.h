/* The compiled form of all rule tables of a generation: immutable, shared by all readers.
 * A bit-vector classifier: for each field, a value leads to the set of rules that it satisfies;
 * the sets of all fields are intersected, and the first bit of each table is its match. */
#ifndef KOUAN_ROUTES_MATCH_H
#define KOUAN_ROUTES_MATCH_H

#include "core/destination_set.h"
#include "routes/reading.h"
#include "routes/rule.h"

enum { DECISION_NO_RULE = UINT32_MAX };

/* What the tables say of one message. `rejected_by` wins over all; a destination that any matched
 * rule holds is held, else delivered. */
struct decision {
    struct destination_set deliver, hold;
    bool to_receiver_deliver,
        to_receiver_hold; /* the router resolves the receiver's participants */
    bool rejected;
    uint16_t table_count;
    uint32_t matched[RULE_TABLES_MAX]; /* per table: index into its rules, or DECISION_NO_RULE */
    uint16_t rejected_table;           /* the first table whose rule rejects */
};

struct matcher;

struct match_scratch; /* per thread */

/* Compiles; everything lies in the arena. Tables must outlive the matcher. */
const struct matcher *matcher_compile(struct arena *arena, const struct rule_table *const *tables,
                                      uint16_t table_count);

/* Scratch for any matcher of up to RULES_MAX rules. */
MUST_CHECK enum status match_scratch_open(struct match_scratch **out_scratch);
void match_scratch_close(struct match_scratch *scratch);

void match_run(const struct matcher *matcher, struct match_scratch *scratch,
               const struct reading *reading, struct decision *out_decision);

/* The same by trying each rule in turn with `condition_holds`: the oracle. */
void match_naive(const struct rule_table *const *tables, uint16_t table_count,
                 const struct reading *reading, struct decision *out_decision);

#endif
