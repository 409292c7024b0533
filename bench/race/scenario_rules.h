/* The rule tables of a scenario: every message meets one rule of each. Most rules name offices that
 * no message has; those that are met tell message types and offices apart, as a province's do. */
#ifndef KOUAN_BENCH_SCENARIO_RULES_H
#define KOUAN_BENCH_SCENARIO_RULES_H

#include "bench/race/scenario.h"
#include "core/status.h"

/* How many tables there are: one for each destination or, of too few rules, one for all; none of
 * no rules. */
uint32_t scenario_rules_tables(const struct scenario *scenario);

/* Writes the n-th table as CSV. IO or OK. */
MUST_CHECK enum status scenario_rules_write(const struct scenario *scenario, uint32_t table,
                                            const char *path);

#endif
