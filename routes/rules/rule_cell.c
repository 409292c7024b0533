#include "routes/rules/rule_cell.h"

#include <stdio.h>

#include "routes/read/reading.h"
#include "routes/rules/rule_text.h"
#include "routes/rules/sheet.h"
#include "routes/scan/damage.h"
#include "routes/suggest.h"

/* One cell while it is parsed. */
struct cell {
    struct rule_cells *cells;
    struct place place;
    enum slot slot;
};

enum { HINT_BYTES_MAX = 400 };

static bool parse_alternative(const struct cell *cell, struct bytes part,
                              struct alternative *out_alternative);
static bool parse_range(const struct cell *cell, struct bytes part, size_t dots,
                        struct alternative *out_alternative);
static bool parse_list(const struct cell *cell, struct bytes part,
                       struct alternative *out_alternative);
static bool parse_value(const struct cell *cell, struct bytes text, bool whole,
                        struct bytes *out_value);
static bool check_damage(const struct cell *cell, struct bytes text);
static bool check_list_form(const struct cell *cell, const struct value_list *list, uint16_t index);

void rule_cells_init(struct rule_cells *cells, struct arena *arena, const char *path,
                     const struct rule_names *names, struct diagnostics *diagnostics)
{
    *cells = (struct rule_cells){
        .arena = arena,
        .path = path,
        .names = names,
        .diagnostics = diagnostics,
    };
    cells->lists_checked = arena_allocate_array(arena, (size_t)SLOT_FIELD_COUNT * names->list_count,
                                                sizeof *cells->lists_checked);
}

/* `text` is what is wrong, `what` says how; both after the column's name. */
static bool report(const struct cell *cell, const char *code, struct bytes text, const char *what,
                   const char *hint)
{
    struct excerpt excerpt = excerpt_make(text);
    diagnostics_add(cell->cells->diagnostics, SEVERITY_ERROR, code, cell->place, hint,
                    "%s: `%s` %s", slot_name(cell->slot), excerpt.text, what);
    return false;
}

static struct place place_of(const struct rule_cells *cells, const struct csv_cell *cell)
{
    return (struct place){.file = cells->path, .line = cell->line, .column = cell->column};
}

static size_t count_parts(struct bytes text)
{
    struct bytes part;
    size_t count = 0;
    while (rule_text_take_part(&text, &part))
        count++;
    return count;
}

bool rule_cell_parse_condition(struct rule_cells *cells, enum slot slot,
                               const struct csv_cell *csv_cell, struct condition *out_condition)
{
    struct cell cell = {.cells = cells, .place = place_of(cells, csv_cell), .slot = slot};
    struct bytes text = rule_text_of_cell(csv_cell->text);
    struct bytes whole = text;
    if (text.size == 0 || bytes_equal_text(text, "*"))
        return false;
    bool negated = text.data[0] == '!';
    if (negated)
        text = bytes_trim(bytes_slice(text, 1, text.size));
    if (text.size == 0)
        return report(&cell, "R123", whole, "negates nothing", "write what must not be there");
    if (bytes_equal_text(text, "*"))
        return report(&cell, "R124", whole, "never holds",
                      "leave the cell blank, or drop the rule");

    size_t count = count_parts(text);
    if (count > RULE_ALTERNATIVES_MAX)
        return report(&cell, "R128", whole, "has more than 1024 alternatives",
                      "put the values into a list file and write `@name`");
    cells->alternative_count += (uint32_t)count;
    if (cells->alternative_count > RULE_ALTERNATIVES_TOTAL_MAX) {
        cells->alternative_count = RULE_ALTERNATIVES_TOTAL_MAX;
        return report(&cell, "R128", whole, "is past what all tables together may hold",
                      "put values into list files and write `@name`");
    }
    struct alternative *alternatives =
        arena_allocate_array(cells->arena, count, sizeof *alternatives);
    struct bytes part;
    bool right = true;
    for (size_t i = 0; rule_text_take_part(&text, &part); i++)
        right = parse_alternative(&cell, part, &alternatives[i]) && right;
    if (!right)
        return false;
    *out_condition = (struct condition){
        .slot = slot,
        .negated = negated,
        .alternatives = alternatives,
        .alternative_count = (uint32_t)count,
        .text = whole,
    };
    return true;
}

/* Signs as a Chinese keyboard gives them, unless a `\` says that they are text. */
static bool check_wide_signs(const struct cell *cell, struct bytes part)
{
    for (size_t i = 0; i < part.size; i++) {
        const struct wide_sign *sign = damage_wide_sign(bytes_slice(part, i, part.size));
        bool escaped = i > 0 && part.data[i - 1] == '\\';
        if (sign != NULL && !escaped) {
            char hint[HINT_BYTES_MAX];
            snprintf(hint, sizeof hint, "write `%s` for `%s`", sign->plain, sign->wide);
            return report(cell, "R126", part, "has a full-width sign", hint);
        }
    }
    return true;
}

static bool parse_alternative(const struct cell *cell, struct bytes part,
                              struct alternative *out_alternative)
{
    if (part.size == 0)
        return report(cell, "R123", part, "is an empty alternative",
                      "a `|` stands between two values; drop the one that is too many");
    if (!check_wide_signs(cell, part))
        return false;
    if (part.data[0] == '@')
        return parse_list(cell, part, out_alternative);
    if (part.data[0] == '!')
        return report(cell, "R124", part, "has a `!` inside the cell",
                      "a `!` stands before the whole cell and negates all of it");
    size_t star = rule_text_find_sign(part, "*");
    if (star + 1 < part.size || (star == 0 && part.size == 1))
        return report(cell, "R124", part, "has a `*` that does not end a prefix",
                      "`51*` is a prefix; a `*` alone is the whole cell; a `*` that is text is "
                      "written `\\*`");
    size_t dots = rule_text_find_sign(part, "..");
    if (dots < part.size && star == part.size)
        return parse_range(cell, part, dots, out_alternative);
    if (dots < part.size)
        return report(cell, "R122", part, "is a range with a `*` in it",
                      "write both ends in full: `low..high`");
    bool whole = star == part.size;
    struct bytes value;
    if (!parse_value(cell, bytes_slice(part, 0, star), whole, &value))
        return false;
    *out_alternative = (struct alternative){
        .kind = whole ? ALTERNATIVE_EXACT : ALTERNATIVE_PREFIX,
        .low = value,
    };
    return true;
}

static bool parse_range(const struct cell *cell, struct bytes part, size_t dots,
                        struct alternative *out_alternative)
{
    struct bytes low = bytes_trim(bytes_slice(part, 0, dots));
    struct bytes high = bytes_trim(bytes_slice(part, dots + 2, part.size));
    char hint[HINT_BYTES_MAX];
    if (low.size == 0 || high.size == 0 || rule_text_find_sign(high, "..") < high.size)
        return report(cell, "R122", part, "is no range of two ends",
                      "write `low..high`; dots that are text are written `\\.\\.`");
    bool low_is_right = parse_value(cell, low, true, &low);
    bool high_is_right = parse_value(cell, high, true, &high);
    if (!low_is_right || !high_is_right)
        return false;
    if (low.size != high.size)
        return report(cell, "R122", part, "has ends of different lengths",
                      "write both with the same number of characters, such as `0201..0210`");
    if (bytes_compare(low, high) > 0) {
        struct excerpt first = excerpt_make(high), last = excerpt_make(low);
        snprintf(hint, sizeof hint, "write `%s..%s`", first.text, last.text);
        return report(cell, "R122", part, "ends before it begins", hint);
    }
    *out_alternative = (struct alternative){.kind = ALTERNATIVE_RANGE, .low = low, .high = high};
    return true;
}

static bool parse_list(const struct cell *cell, struct bytes part,
                       struct alternative *out_alternative)
{
    const struct rule_names *names = cell->cells->names;
    struct bytes name = bytes_trim(bytes_slice(part, 1, part.size));
    if (bytes_equal_text(name, "receiver"))
        return report(cell, "R116", part, "stands in a condition",
                      "`@receiver` is a destination and belongs in `to`");
    const char *nearest = NULL;
    for (uint16_t i = 0; i < names->list_count; i++) {
        const struct value_list *list = names->lists[i];
        if (bytes_equal_text(name, list->name)) {
            *out_alternative = (struct alternative){.kind = ALTERNATIVE_LIST, .list = list};
            return check_list_form(cell, list, i);
        }
        if (suggest_name(name, &list->name, 1) != NULL)
            nearest = list->name;
    }
    char hint[HINT_BYTES_MAX] = "name the list and its file in the configuration; an `@` that is "
                                "text is written `\\@`";
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean `@%s`?", nearest);
    return report(cell, "R117", part, "is no list of the configuration", hint);
}

/* The text of a value: damage, escapes, size. A prefix is not `whole`. */
static bool parse_value(const struct cell *cell, struct bytes text, bool whole,
                        struct bytes *out_value)
{
    struct bytes value;
    if (whole && !rule_text_is_escaped(text) && !check_damage(cell, text))
        return false;
    if (rule_text_unescape(cell->cells->arena, text, &value) != STATUS_OK)
        return report(cell, "R125", text, "has a `\\` that stands before no sign",
                      "write `\\\\` for a backslash");
    if (value.size > READING_VALUE_BYTES_MAX)
        return report(cell, "R127", text, "is longer than any value of a message can be",
                      "a value has at most 1024 bytes");
    unsigned digits = damage_column_digits(cell->slot);
    if (digits != 0 && damage_is_digits(value) && value.size > digits) {
        struct excerpt excerpt = excerpt_make(value);
        diagnostics_add(cell->cells->diagnostics, SEVERITY_WARNING, "R129", cell->place,
                        "does the value belong in another column?",
                        "%s: `%s` has %zu digits; the codes of this column have %u",
                        slot_name(cell->slot), excerpt.text, value.size, digits);
    }
    *out_value = value;
    return true;
}

static bool report_leading_zero(const struct cell *cell, struct bytes text)
{
    unsigned digits = damage_column_digits(cell->slot);
    char what[64], hint[HINT_BYTES_MAX];
    snprintf(what, sizeof what, "has %zu digit%s", text.size, text.size == 1 ? "" : "s");
    if (digits == 0)
        digits = (unsigned)text.size + 1;
    int size = snprintf(hint, sizeof hint,
                        "leading zero lost? write `%0*d%.*s`, and format the column as text",
                        (int)(digits - text.size), 0, (int)text.size, (const char *)text.data);
    if (text.size <= 2 && size > 0)
        snprintf(hint + size, sizeof hint - (size_t)size, "; all that begin so are `%.*s*`",
                 (int)text.size, (const char *)text.data);
    return report(cell, "R118", text, what, hint);
}

static bool check_damage(const struct cell *cell, struct bytes text)
{
    switch (damage_find(cell->slot, text)) {
    case DAMAGE_NONE: return true;
    case DAMAGE_LEADING_ZERO: return report_leading_zero(cell, text);
    case DAMAGE_SCIENTIFIC:
        return report(cell, "R119", text, "is a number that a spreadsheet has rounded",
                      "its digits are lost: format the column as text, and write the code again");
    case DAMAGE_DATE:
        return report(cell, "R120", text, "is a date",
                      "a spreadsheet made it of a code: format the column as text, and write the "
                      "code again");
    case DAMAGE_ERROR_VALUE:
        return report(cell, "R121", text, "is the error value of a formula",
                      "mend the formula, or write the code itself");
    case DAMAGE_SEPARATOR:
        return report(cell, "R126", text, "is no single code",
                      "separate alternatives by `|`; if it is one value, write a `\\` before the "
                      "sign");
    case DAMAGE_HYPHEN:
        return report(cell, "R126", text, "is no single code",
                      "write a range as `low..high`; if it is one value, write a `\\` before the "
                      "sign");
    case DAMAGE_LINE_BREAK:
        return report(cell, "R126", text, "has a line break or another control character",
                      "separate alternatives by `|`");
    }
    return true;
}

/* The values of a list have no column of their own; in this one they must have its form. */
static bool check_list_form(const struct cell *cell, const struct value_list *list, uint16_t index)
{
    bool *checked =
        &cell->cells->lists_checked[(size_t)cell->slot * cell->cells->names->list_count + index];
    if (*checked)
        return true;
    *checked = true;
    for (uint32_t i = 0; i < list->count; i++)
        if (damage_find(cell->slot, list->values[i]) == DAMAGE_LEADING_ZERO) {
            char what[HINT_BYTES_MAX];
            struct excerpt name = excerpt_make(bytes_from_text(list->name));
            snprintf(what, sizeof what, "in the list `@%s` has %zu digits", name.text,
                     list->values[i].size);
            return report(cell, "R118", list->values[i], what,
                          "leading zero lost? format the list's column as text, and write its "
                          "codes again");
        }
    return true;
}

static void add_destination(struct rule *rule, uint16_t *destinations, uint16_t destination)
{
    for (uint16_t i = 0; i < rule->destination_count; i++)
        if (destinations[i] == destination)
            return;
    destinations[rule->destination_count++] = destination;
}

static void report_destination(struct rule_cells *cells, struct place place, struct bytes part)
{
    const struct rule_names *names = cells->names;
    const char *nearest = suggest_name(part, names->destinations, names->destination_count);
    char hint[HINT_BYTES_MAX] = "name it under `destinations` in the configuration";
    bool listed = false;
    for (size_t i = 0; i < part.size && !listed; i++)
        listed = memchr(",; ", part.data[i], 3) != NULL;
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean `%s`?", nearest);
    else if (part.size > 0 && part.data[0] == '@')
        snprintf(hint, sizeof hint, "the one word with `@` here is `@receiver`");
    else if (listed)
        snprintf(hint, sizeof hint, "separate destinations by `|`");
    struct excerpt excerpt = excerpt_make(part);
    diagnostics_add(cells->diagnostics, SEVERITY_ERROR, "R115", place, hint,
                    "to: `%s` is no destination of the configuration", excerpt.text);
}

void rule_cell_parse_to(struct rule_cells *cells, const struct csv_cell *cell, struct rule *rule)
{
    const struct rule_names *names = cells->names;
    struct bytes rest = rule_text_of_cell(cell->text), part;
    rule->destination_count = 0;
    rule->to_receiver = false;
    if (rest.size == 0)
        return;
    size_t parts = count_parts(rest);
    uint16_t *destinations = arena_allocate_array(
        cells->arena, parts < DESTINATIONS_MAX ? parts : DESTINATIONS_MAX, sizeof *destinations);
    rule->destinations = destinations;
    while (rule_text_take_part(&rest, &part)) {
        uint16_t i = 0;
        while (i < names->destination_count && !bytes_equal_text(part, names->destinations[i]))
            i++;
        if (i < names->destination_count)
            add_destination(rule, destinations, i);
        else if (bytes_equal_text(part, "@receiver"))
            rule->to_receiver = true;
        else
            report_destination(cells, place_of(cells, cell), part);
    }
}
