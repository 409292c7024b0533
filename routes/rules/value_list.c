#include <stdlib.h>

#include "routes/read/reading.h"
#include "routes/rules/rule.h"
#include "routes/rules/rule_text.h"
#include "routes/rules/sheet.h"
#include "routes/scan/damage.h"

static const struct sheet_codes codes = {
    .encoding = "L101",
    .nul_byte = "L102",
    .open_quote = "L103",
    .stray_quote = "L104",
};

static void report(const struct sheet *sheet, const struct csv_cell *cell, const char *code,
                   const char *hint, const char *what)
{
    struct excerpt excerpt = excerpt_make(bytes_trim(cell->text));
    diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, code, sheet_place(sheet, cell), hint,
                    "`%s` %s", excerpt.text, what);
}

static bool has_rule_sign(struct bytes text)
{
    return text.data[0] == '!' || text.data[0] == '@' ||
           rule_text_find_sign(text, "*") < text.size ||
           rule_text_find_sign(text, "|") < text.size ||
           rule_text_find_sign(text, "..") < text.size;
}

/* One value of the list, or a report. */
static bool parse_value(const struct sheet *sheet, const struct csv_cell *cell,
                        struct bytes *out_value)
{
    struct bytes text = rule_text_of_cell(cell->text);
    enum damage damage = rule_text_is_escaped(text) ? DAMAGE_NONE : damage_find(SLOT_NONE, text);
    struct bytes value = {0};
    if (damage != DAMAGE_NONE) {
        report(sheet, cell, "L106", "format the column as text, and write the value out again",
               damage == DAMAGE_SCIENTIFIC    ? "is a number that a spreadsheet has rounded"
               : damage == DAMAGE_ERROR_VALUE ? "is the error value of a formula"
                                              : "has a line break or another control character");
    } else if (text.size > 0 && has_rule_sign(text)) {
        report(sheet, cell, "L105",
               "a list holds whole values, one a line; patterns belong in the cell of a rule; a "
               "sign that is meant as text takes a `\\` before it",
               "has a sign of rule cells");
    } else if (rule_text_unescape(sheet->arena, text, &value) != STATUS_OK) {
        report(sheet, cell, "L105", "write `\\\\` for a backslash",
               "has a `\\` that stands before no sign");
    } else if (value.size > READING_VALUE_BYTES_MAX) {
        report(sheet, cell, "L108", NULL, "is longer than any value of a message can be");
    } else {
        *out_value = value;
        return value.size > 0;
    }
    return false;
}

static bool is_header(const struct csv_cell *cell)
{
    struct bytes text = bytes_trim(cell->text);
    return bytes_equal_fold(text, BYTES_LITERAL("value")) ||
           bytes_equal_fold(text, BYTES_LITERAL("code"));
}

static size_t count_lines(struct bytes text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n' || text.data[i] == '\r';
    return lines;
}

static void read_values(struct sheet *sheet, struct value_list *list)
{
    struct csv_row row;
    size_t lines = count_lines(sheet->csv.text);
    size_t capacity = lines < VALUE_LIST_VALUES_MAX ? lines : VALUE_LIST_VALUES_MAX;
    list->values = arena_allocate_array(sheet->arena, capacity, sizeof *list->values);
    for (bool first = true; sheet_next(sheet, &row); first = false) {
        struct bytes value;
        if ((first && is_header(&row.cells[0])) || !parse_value(sheet, &row.cells[0], &value))
            continue;
        if (list->count == capacity) {
            report(sheet, &row.cells[0], "L109", "split the list",
                   "is one value more than a list may have");
            return;
        }
        list->values[list->count++] = value;
    }
}

/* The comment `# version: ...` before the first value; a sheet may have put separators behind it.
 */
static void read_version(const struct sheet *sheet, struct value_list *list)
{
    static const char mark[] = "version:";
    struct bytes rest = sheet->csv.text;
    list->version = "";
    for (uint32_t line = 1; rest.size > 0 && rest.data[0] == '#'; line++) {
        size_t size = 0;
        while (size < rest.size && rest.data[size] != '\n' && rest.data[size] != '\r')
            size++;
        struct bytes text = bytes_trim(bytes_slice(rest, 1, size - 1));
        bool has_crlf =
            size + 1 < rest.size && rest.data[size] == '\r' && rest.data[size + 1] == '\n';
        rest = bytes_slice(rest, size + (has_crlf ? 2 : 1), rest.size);
        if (!bytes_start_with(text, bytes_from_text(mark)))
            continue;
        size_t end = sizeof mark - 1;
        while (end < text.size && text.data[end] != ',' && text.data[end] != ';' &&
               text.data[end] != '\t')
            end++;
        text = bytes_trim(bytes_slice(text, sizeof mark - 1, end - (sizeof mark - 1)));
        if (text.size == 0 || text.size > VALUE_LIST_VERSION_BYTES_MAX)
            diagnostics_add(sheet->diagnostics, SEVERITY_ERROR, "L110",
                            (struct place){list->file, line, 1}, "as in `# version: 2026-11`",
                            "a version has from 1 to %d bytes", VALUE_LIST_VERSION_BYTES_MAX);
        else
            list->version = arena_copy_text(sheet->arena, text);
        return;
    }
}

static int by_bytes(const void *left, const void *right)
{
    return bytes_compare(*(const struct bytes *)left, *(const struct bytes *)right);
}

static void sort_and_unite(struct value_list *list)
{
    uint32_t kept = 0;
    if (list->count > 0)
        qsort(list->values, list->count, sizeof *list->values, by_bytes);
    for (uint32_t i = 0; i < list->count; i++)
        if (kept == 0 || !bytes_equal(list->values[kept - 1], list->values[i]))
            list->values[kept++] = list->values[i];
    list->count = kept;
}

const struct value_list *value_list_parse(struct arena *arena, struct charsets *charsets,
                                          const char *name, const char *path, struct bytes content,
                                          struct diagnostics *diagnostics)
{
    struct value_list *list = arena_allocate(arena, sizeof *list);
    uint32_t errors_before = diagnostics->error_count;
    struct sheet sheet;
    list->name = arena_copy_text(arena, bytes_from_text(name));
    list->file = arena_copy_text(arena, bytes_from_text(path));
    list->version = "";
    if (!sheet_open(&sheet, arena, charsets, &codes, list->file, content, diagnostics))
        return list;
    sheet.csv.skips_comments = true;
    read_version(&sheet, list);
    read_values(&sheet, list);
    sort_and_unite(list);
    if (list->count == 0 && diagnostics->error_count == errors_before)
        diagnostics_add(diagnostics, SEVERITY_WARNING, "L107", (struct place){.file = list->file},
                        "a condition `@list` on it never holds, `!@list` always",
                        "the list `@%s` has no values", list->name);
    return list;
}

bool value_list_has(const struct value_list *list, struct bytes value)
{
    uint32_t low = 0, high = list->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(list->values[middle], value);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}
