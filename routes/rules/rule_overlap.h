/* Do two rules of a table overlap: is there a message, with one value a field, for which both hold?
 * Then the earlier one takes it from the later. Decided by looking for such a message, value by
 * value; where none is found, and it is not certain that there is none, it says so. */
#ifndef KOUAN_ROUTES_RULE_OVERLAP_H
#define KOUAN_ROUTES_RULE_OVERLAP_H

#include "routes/rules/rule.h"

enum rule_overlap {
    OVERLAP_NONE,  /* there is none */
    OVERLAP_SEEN,  /* there is one */
    OVERLAP_UNSURE /* none was found; or the steps do not suffice */
};

/* Takes its comparisons off `steps_left`, as rule_covers does. */
enum rule_overlap rules_overlap(const struct rule *left, const struct rule *right,
                                uint64_t *steps_left);

#endif
