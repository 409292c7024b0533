#include "routes/rules/rule_columns.h"

#include <assert.h>
#include <stdio.h>

#include "routes/suggest.h"

/* All names that a column may have; `column_of` says what stands at an index. */
static const char *const names[] = {
#define X(name, text, json, take, help) text,
    FIELD_LIST(X)
#undef X
#define X(name, text, help) text,
        SESSION_FIELD_LIST(X)
#undef X
            "id",
    "priority",
    "to",
    "action",
    "valid_from",
    "valid_to",
    "note",
};

enum { NAME_COUNT = sizeof names / sizeof *names };
static_assert(NAME_COUNT == SLOT_FIELD_COUNT + (COLUMN_NONE - COLUMN_ID),
              "each column has its name");

static void parse_name(struct rule_columns *columns, const struct sheet *sheet,
                       const struct csv_cell *cell, uint32_t index);
static void require_column(const struct rule_columns *columns, const struct sheet *sheet,
                           const struct csv_row *row, enum rule_column wanted, const char *name);
static void report_too_many_cells(const struct sheet *sheet, const struct csv_row *row);

bool rule_columns_parse(struct rule_columns *columns, struct sheet *sheet)
{
    struct csv_row row;
    if (!sheet_next(sheet, &row)) {
        diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, "R105",
                        (struct place){.file = sheet->path, .line = 1, .column = 1},
                        "the first row names the columns: id, ..., to", "there is no header row");
        return false;
    }
    columns->count = row.cell_count < CSV_CELLS_MAX ? row.cell_count : CSV_CELLS_MAX;
    for (uint32_t i = 0; i < columns->count; i++)
        parse_name(columns, sheet, &row.cells[i], i);
    if (row.cell_count > CSV_CELLS_MAX)
        report_too_many_cells(sheet, &row);
    require_column(columns, sheet, &row, COLUMN_ID, "id");
    require_column(columns, sheet, &row, COLUMN_TO, "to");
    return true;
}

void rule_columns_check_row(const struct rule_columns *columns, const struct sheet *sheet,
                            const struct csv_row *row)
{
    uint32_t kept = row->cell_count < CSV_CELLS_MAX ? row->cell_count : CSV_CELLS_MAX;
    for (uint32_t i = 0; i < kept; i++) {
        struct bytes text = bytes_trim(row->cells[i].text);
        bool has_column = i < columns->count && columns->has_name[i];
        if (has_column || text.size == 0)
            continue;
        struct excerpt excerpt = excerpt_make(text);
        diagnostics_add(
            sheet->diagnostics, SEVERITY_ERROR, "R109", sheet_place(sheet, &row->cells[i]),
            "a value that holds the separator is quoted: \"a,b\"",
            "`%s` stands in cell %u of its row, under no column's name", excerpt.text, i + 1);
        return;
    }
    if (row->cell_count > CSV_CELLS_MAX)
        report_too_many_cells(sheet, row);
}

static enum rule_column column_of(uint32_t index)
{
    return (enum rule_column)(index < SLOT_FIELD_COUNT ? index
                                                       : COLUMN_ID + (index - SLOT_FIELD_COUNT));
}

static void report_unknown(const struct sheet *sheet, const struct csv_cell *cell,
                           struct bytes name)
{
    const char *nearest = suggest_name(name, names, NAME_COUNT);
    char hint[128] = "`kouan help R106` lists the columns";
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean `%s`?", nearest);
    struct excerpt excerpt = excerpt_make(name);
    diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, "R106", sheet_place(sheet, cell), hint,
                    "no column is named `%s`", excerpt.text);
}

static void parse_name(struct rule_columns *columns, const struct sheet *sheet,
                       const struct csv_cell *cell, uint32_t index)
{
    struct bytes name = bytes_trim(cell->text);
    struct excerpt excerpt = excerpt_make(name);
    columns->items[index] = COLUMN_NONE;
    columns->has_name[index] = name.size > 0;
    if (name.size == 0)
        return;
    uint32_t found = 0;
    while (found < NAME_COUNT && !bytes_equal_fold(name, bytes_from_text(names[found])))
        found++;
    if (found == NAME_COUNT) {
        report_unknown(sheet, cell, name);
        return;
    }
    for (uint32_t i = 0; i < index; i++)
        if (columns->items[i] == column_of(found)) {
            diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, "R107", sheet_place(sheet, cell),
                            "put its alternatives into one cell, separated by `|`",
                            "the column `%s` is there twice; first as column %u of the sheet",
                            excerpt.text, i + 1);
            return;
        }
    columns->items[index] = column_of(found);
}

static void require_column(const struct rule_columns *columns, const struct sheet *sheet,
                           const struct csv_row *row, enum rule_column wanted, const char *name)
{
    for (uint32_t i = 0; i < columns->count; i++)
        if (columns->items[i] == wanted)
            return;
    diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, "R108", sheet_place(sheet, &row->cells[0]),
                    "a table has at least the columns `id` and `to`", "the column `%s` is missing",
                    name);
}

static void report_too_many_cells(const struct sheet *sheet, const struct csv_row *row)
{
    diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, "R109", sheet_place(sheet, &row->cells[0]),
                    NULL, "the row has %u cells; a table has %d at most", row->cell_count,
                    CSV_CELLS_MAX);
}
