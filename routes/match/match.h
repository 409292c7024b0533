/* The compiled form of all rule tables of a generation: immutable, shared by all readers, in the
 * arena of the generation; the tables must outlive it. Two structures over the same look-ups of
 * values: a forest (routes/match/match_forest.h), which leads a message to the few rules that it
 * may meet, and sets of rules (routes/match/match_parts.h), whose intersection bounds what any
 * message and any table can cost, and of which match_list is made. docs/matching.md has the whole,
 * docs/rules.md what it means for the writer of a table. */
#ifndef KOUAN_ROUTES_MATCH_H
#define KOUAN_ROUTES_MATCH_H

#include "core/destination_set.h"
#include "routes/read/reading.h"
#include "routes/rules/rule.h"

enum { DECISION_NO_RULE = UINT32_MAX };

/* What the tables say of one message. If any table's match rejects, nothing is delivered or held
 * (both sets are empty). A destination that any match holds is held, and not delivered. So with
 * `@receiver`: what it stands for is the router's to resolve, and to leave out of its deliveries
 * where it is in `hold`. */
struct decision {
    struct destination_set deliver, hold;
    bool to_receiver_deliver, to_receiver_hold; /* at most one of them */
    bool rejected;
    uint16_t table_count;
    uint32_t matched[RULE_TABLES_MAX]; /* per table: index into its rules, or DECISION_NO_RULE */
    uint16_t rejected_table;           /* the first table whose rule rejects */
};

struct matcher;

struct match_scratch; /* per thread */

/* At most RULE_TABLES_MAX tables with RULES_MAX rules together (rule_tables_check_total). */
const struct matcher *matcher_compile(struct arena *arena, const struct rule_table *const *tables,
                                      uint16_t table_count);

/* The sets alone, without the forest: for match_list, and to be measured beside it. At most so many
 * bytes go to rows, which are only there for speed (0: as small as can be). */
const struct matcher *matcher_compile_sets(struct arena *arena,
                                           const struct rule_table *const *tables,
                                           uint16_t table_count, size_t row_bytes);

/* What it takes, for reports. */
struct matcher_figures {
    uint32_t rule_count;
    uint32_t value_count, prefix_count; /* distinct ones of each field, values of lists too */
    uint32_t range_count;
    size_t memory_bytes;
};
struct matcher_figures matcher_figures(const struct matcher *matcher);

/* Scratch for any matcher, one per thread; about 1 MB of address space, of which usual tables touch
 * a few KB. */
MUST_CHECK enum status match_scratch_open(struct match_scratch **out_scratch);
void match_scratch_close(struct match_scratch *scratch);

/* How many of its matches needed more than the forest gives, and were left to the sets. */
uint64_t match_scratch_left_count(const struct match_scratch *scratch);

/* For tests: takes the path that is for processors without POPCNT. */
void match_scratch_choose_portable(struct match_scratch *scratch);

/* One of several matches that are run together, so that their loads from memory overlap. */
struct match_job {
    const struct reading *reading;
    struct decision *out_decision;
};

/* With the rules that are valid at `now_ms`. */
void match_run_all(const struct matcher *matcher, struct match_scratch *scratch,
                   const struct match_job *jobs, uint32_t count, uint64_t now_ms);

/* The same of one alone. */
void match_run(const struct matcher *matcher, struct match_scratch *scratch,
               const struct reading *reading, uint64_t now_ms, struct decision *out_decision);

/* The rules of one table that hold, in order of matching, the first of which is its match: what
 * `explain` shows as beaten. At most `capacity` of them; returns how many. */
uint32_t match_list(const struct matcher *matcher, struct match_scratch *scratch,
                    const struct reading *reading, uint64_t now_ms, uint16_t table,
                    uint32_t *out_rules, uint32_t capacity);

/* The same by trying each rule in turn with `condition_holds`: the oracle. */
void match_naive(const struct rule_table *const *tables, uint16_t table_count,
                 const struct reading *reading, uint64_t now_ms, struct decision *out_decision);

#endif
