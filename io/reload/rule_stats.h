/* What `kouan rules stats` tells of rules: how often each was hit, by the totals of a server that
 * runs, and what stands in its way, by its table alone (routes/rules/rule_survey.h). */
#ifndef KOUAN_IO_RULE_STATS_H
#define KOUAN_IO_RULE_STATS_H

#include <stdio.h>

#include "io/reload/rule_totals.h"

enum { RULE_STATS_TABLE_BYTES = 256 };

/* Of which rules. */
struct rule_stats_choice {
    char table[RULE_STATS_TABLE_BYTES]; /* of this alone; empty: of all */
    bool is_never;                      /* those without a hit */
    bool is_json;
    uint64_t top;     /* so many, those with the most hits first; 0: all, in order of matching */
    size_t bytes_max; /* of what is printed; 0: any. What is left out is counted */
};

/* Without totals (NULL) only rules in whose way something stands. False: there is no such table,
 * and nothing is printed. */
bool rule_stats_print(const struct generation *generation, const struct rule_totals *totals,
                      const struct rule_stats_choice *choice, FILE *out);

#endif
