/* Rule tables of any size for the micro-benches: parsed and compiled as an operator's are. One
 * table: each rule names message types, offices or their districts, trade modes and goods, some of
 * them; the last is for what is left. */
#ifndef KOUAN_BENCH_MICRO_RULES_H
#define KOUAN_BENCH_MICRO_RULES_H

#include "bench/race/hard_rules.h"
#include "core/arena.h"
#include "routes/match/match.h"

/* Of the usual kind, or a hard one; with two destinations. All of it lies in the arena. NULL, and
 * told, if the table is not accepted.
 */
const struct matcher *micro_rules_compile(struct arena *arena, enum hard_rules kind,
                                          uint32_t rule_count, uint16_t *out_table_count,
                                          const struct rule_table *const **out_tables);

#endif
