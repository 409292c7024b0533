/* Rules that can never be the first to match, because one earlier rule of their table holds
 * whenever they do. */
#ifndef KOUAN_ROUTES_RULE_COVER_H
#define KOUAN_ROUTES_RULE_COVER_H

#include "routes/rule.h"

/* The check is bounded: where more earlier rules overlap with a rule, or larger cells and lists
 * have to be compared in one table, a cover is not found. */
enum {
    RULE_COVER_CANDIDATES_MAX = 64,         /* earlier rules compared with one rule */
    RULE_COVER_STEPS_MAX = 50 * 1000 * 1000 /* comparisons of two alternatives, in one table */
};

/* Warns of each rule that one earlier rule of the table covers. Several rules which cover it only
 * together are not looked for. A warning is always right, but not every one is given. */
void rule_cover_warn(const struct rule_table *table, struct diagnostics *diagnostics);

/* True if the earlier rule surely holds, and is valid, whenever the later one does and is. Takes
 * its comparisons off `steps_left`, and says false when they are used up. */
bool rule_covers(const struct rule *earlier, const struct rule *later, uint64_t *steps_left);

#endif
