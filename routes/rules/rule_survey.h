/* Which rules of a table stand in the way of others, by the table alone: those that never decide,
 * since one earlier rule holds whenever they do, and those of whose messages earlier rules take a
 * part. Rules of different tables are in nobody's way: their destinations add up. What it says of a
 * pair is so; where it has not looked at all, it says that. All memory is the caller's arena's. */
#ifndef KOUAN_ROUTES_RULE_SURVEY_H
#define KOUAN_ROUTES_RULE_SURVEY_H

#include "routes/rules/rule_cover.h"

/* All pairs of a table of up to so many rules are held against each other; of a larger one each
 * rule and its neighbours (rule_cover_visit). */
enum { RULE_SURVEY_PAIRED_MAX = 4096, RULE_SURVEY_STEPS_MAX = 50 * 1000 * 1000 };

struct rule_finding {
    uint32_t shadowed_by;   /* an earlier rule, or RULE_NONE */
    uint32_t overlapped_by; /* likewise; the first of them, none of which is shadowed itself */
    uint32_t overlap_count; /* 0 if it is shadowed */
};

struct rule_survey {
    const struct rule_table *table;
    struct rule_finding *findings; /* by rule */
    uint32_t shadowed_count;
    uint32_t overlapped_count; /* of rules */
    bool has_all_shadowed, has_all_overlaps;
};

void rule_survey_make(struct arena *arena, const struct rule_table *table,
                      struct rule_survey *out_survey);

#endif
