/* The hits of rules (routes/rules/rule_hits.h) over all shards, and over generations: a rule that
 * is the same in the next one, by table, id and cells (io/config/config_diff.h), goes on with what
 * it has; any other begins. One thread, the loader's; all memory is the totals'. */
#ifndef KOUAN_IO_RULE_TOTALS_H
#define KOUAN_IO_RULE_TOTALS_H

#include "routes/rules/rule_hits.h"

struct rule_total {
    uint64_t hits;
    uint64_t last_ms; /* 0: never */
    uint64_t since_ms;
};

struct rule_totals {
    struct rule_total *rules; /* numbered through all tables; without what shards count now */
    uint32_t count;
};

/* All rules begin at that time. */
MUST_CHECK enum status rule_totals_open(const struct generation *generation, uint64_t now_ms,
                                        struct rule_totals *out_totals);
void rule_totals_close(struct rule_totals *totals); /* a zeroed one, too */

/* Adds what a shard has counted under this generation. */
void rule_totals_add(struct rule_totals *totals, const struct generation *generation,
                     const struct rule_hits *hits);

/* The totals of the generation that follows `before`, to which these are complete. */
MUST_CHECK enum status rule_totals_advance(const struct rule_totals *totals,
                                           const struct generation *before,
                                           const struct generation *next, uint64_t now_ms,
                                           struct rule_totals *out_next);
/* For a report, which adds what shards count now. */
MUST_CHECK enum status rule_totals_copy(const struct rule_totals *totals,
                                        struct rule_totals *out_copy);

#endif
