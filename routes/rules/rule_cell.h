/* The cells of a rule: a condition cell -> alternatives, a `to` cell -> destinations. Part of the
 * parser in routes/rules/rule.c; reports what is wrong and goes on. */
#ifndef KOUAN_ROUTES_RULE_CELL_H
#define KOUAN_ROUTES_RULE_CELL_H

#include "routes/rules/csv.h"
#include "routes/rules/rule.h"

struct rule_cells {
    struct arena *arena;
    const char *path;
    const struct rule_names *names;
    struct diagnostics *diagnostics;
    bool *lists_checked; /* [slot * list_count + list]: its values fit the form of the column */
    uint32_t alternative_count; /* so far */
};

void rule_cells_init(struct rule_cells *cells, struct arena *arena, const char *path,
                     const struct rule_names *names, struct diagnostics *diagnostics);

/* True if the cell states a condition; false if it is blank or `*`, or
 * wrong. */
bool rule_cell_parse_condition(struct rule_cells *cells, enum slot slot,
                               const struct csv_cell *cell, struct condition *out_condition);

/* Sets the rule's destinations and `to_receiver`. */
void rule_cell_parse_to(struct rule_cells *cells, const struct csv_cell *cell, struct rule *rule);

#endif
