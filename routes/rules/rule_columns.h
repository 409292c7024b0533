/* The header row of a rule table: which column holds what. Part of the parser in
 * routes/rules/rule.c. */
#ifndef KOUAN_ROUTES_RULE_COLUMNS_H
#define KOUAN_ROUTES_RULE_COLUMNS_H

#include "routes/field.h"
#include "routes/rules/sheet.h"

/* What a column holds: a field, whose slot it is, or one of these. */
enum rule_column {
    COLUMN_ID = SLOT_COUNT,
    COLUMN_PRIORITY,
    COLUMN_TO,
    COLUMN_ACTION,
    COLUMN_VALID_FROM,
    COLUMN_VALID_TO,
    COLUMN_NOTE,
    COLUMN_NONE /* without a name, or with one that is wrong */
};

struct rule_columns {
    uint32_t count;
    enum rule_column items[CSV_CELLS_MAX];
    bool has_name[CSV_CELLS_MAX];
};

/* Reads the header off the sheet. Reports what is wrong with it; false if there is none at all, so
 * that nothing below it can be read. */
bool rule_columns_parse(struct rule_columns *columns, struct sheet *sheet);

/* Reports a cell that stands under no column's name. Blank ones may, as spreadsheets leave them. */
void rule_columns_check_row(const struct rule_columns *columns, const struct sheet *sheet,
                            const struct csv_row *row);

#endif
