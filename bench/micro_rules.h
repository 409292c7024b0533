/* Rule tables of any size for the micro-benches: parsed and compiled as an operator's are. One
 * table: each rule names message types, offices or their districts, trade modes and goods, some of
 * them; the last is for what is left. */
#ifndef KOUAN_BENCH_MICRO_RULES_H
#define KOUAN_BENCH_MICRO_RULES_H

#include "core/arena.h"
#include "routes/match.h"

/* Usual tables, and such as are hard on a matcher: all rules overlap but for one field, all have
 * overlapping ranges, ranges that each hold for the events by one field and none by both, all have
 * negations which no event meets, all have one field. */
enum micro_rules_kind {
    MICRO_RULES_USUAL,
    MICRO_RULES_OVERLAPPING,
    MICRO_RULES_RANGES,
    MICRO_RULES_RANGES_APART,
    MICRO_RULES_NEGATIONS,
    MICRO_RULES_ONE_FIELD,
    MICRO_RULES_KINDS
};
extern const char *const micro_rules_kind_names[MICRO_RULES_KINDS];

/* With two destinations. All of it lies in the arena. NULL, and told, if the table is not accepted.
 */
const struct matcher *micro_rules_compile(struct arena *arena, enum micro_rules_kind kind,
                                          uint32_t rule_count, uint16_t *out_table_count,
                                          const struct rule_table *const **out_tables);

#endif
