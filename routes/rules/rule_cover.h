/* Rules that can never be the first to match, because one earlier rule of their table holds
 * whenever they do. */
#ifndef KOUAN_ROUTES_RULE_COVER_H
#define KOUAN_ROUTES_RULE_COVER_H

#include "routes/rules/rule.h"

/* The check is bounded: where more earlier rules overlap with a rule, or larger cells and lists
 * have to be compared in one table, a cover is not found. */
enum {
    RULE_COVER_CANDIDATES_MAX = 64,         /* earlier rules compared with one rule */
    RULE_COVER_STEPS_MAX = 50 * 1000 * 1000 /* comparisons of two alternatives, in one table */
};

enum { RULE_NONE = UINT32_MAX };

/* A rule, and those that hold for a message of one value a field which it takes if no earlier one
 * does: its neighbours, itself among them, in order of matching. */
struct rule_meeting {
    uint32_t rule;
    uint32_t count; /* RULE_COVER_CANDIDATES_MAX: there may be more, behind these */
    uint32_t neighbours[RULE_COVER_CANDIDATES_MAX];
};

/* Calls `meet` for each rule of the table in order, with the first earlier one that covers it, or
 * RULE_NONE; but not for rules that hold for nothing. Several rules which cover one only together
 * are not looked for. A cover is always right, but not every one is found: false if one may not
 * have been. */
bool rule_cover_visit(const struct rule_table *table,
                      void (*meet)(void *context, const struct rule_meeting *meeting,
                                   uint32_t covered_by),
                      void *context);

/* Warns of each rule that is covered. */
void rule_cover_warn(const struct rule_table *table, struct diagnostics *diagnostics);

/* True if the earlier rule surely holds, and is valid, whenever the later one does and is. Takes
 * its comparisons off `steps_left`, and says false when they are used up. */
bool rule_covers(const struct rule *earlier, const struct rule *later, uint64_t *steps_left);

/* True if each value that meets `inner` surely meets `outer`. Likewise. */
bool rule_condition_contains(const struct condition *outer, const struct condition *inner,
                             uint64_t *steps_left);

/* False when they do not suffice: then they are used up. */
static inline bool rule_steps_spend(uint64_t *steps_left, uint64_t steps)
{
    bool enough = steps <= *steps_left;
    *steps_left -= enough ? steps : *steps_left;
    return enough;
}

#endif
