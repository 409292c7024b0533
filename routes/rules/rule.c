#include "routes/rules/rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "routes/rules/rule_cell.h"
#include "routes/rules/rule_columns.h"
#include "routes/rules/rule_cover.h"
#include "routes/rules/rule_text.h"
#include "routes/rules/rule_time.h"
#include "routes/rules/sheet.h"
#include "routes/suggest.h"

struct seen_id {
    struct bytes id;
    uint32_t line;
};

struct parse {
    struct arena *arena;
    struct diagnostics *diagnostics;
    struct sheet sheet;
    struct rule_cells cells;
    struct rule_columns columns;
    struct rule *rules;
    uint32_t rule_count, rule_capacity;
    struct seen_id *ids; /* open addressing; an absent id is a free slot */
    uint32_t id_mask;
    struct arena scratch; /* for the parse alone */
};

static bool parse_rules(struct parse *parse);
static void reserve_rules(struct parse *parse);
static bool parse_row(struct parse *parse, const struct csv_row *row, struct rule *out_rule);
static void parse_id(struct parse *parse, const struct csv_cell *cell, struct rule *rule);
static void parse_priority(struct parse *parse, const struct csv_cell *cell, struct rule *rule);
static void parse_action(struct parse *parse, const struct csv_cell *cell, struct rule *rule);
static void parse_time(struct parse *parse, const struct csv_cell *cell, const char *column,
                       uint64_t *time_ms);
static void check_validity(struct parse *parse, const struct csv_cell *cell,
                           const struct rule *rule);
static int by_order_of_matching(const void *left, const void *right);

static const struct sheet_codes codes = {
    .encoding = "R101",
    .nul_byte = "R102",
    .open_quote = "R103",
    .stray_quote = "R104",
};

const char *rule_action_name(enum rule_action action)
{
    static const char *const names[] = {
        [ACTION_DELIVER] = "deliver",
        [ACTION_HOLD] = "hold",
        [ACTION_REJECT] = "reject",
    };
    return names[action];
}

const struct rule_table *rule_table_parse(struct arena *arena, struct charsets *charsets,
                                          const char *name, const char *path, struct bytes content,
                                          const struct rule_names *names,
                                          struct diagnostics *diagnostics)
{
    struct parse parse = {.arena = arena, .diagnostics = diagnostics};
    path = arena_copy_text(arena, bytes_from_text(path));
    if (!sheet_open(&parse.sheet, arena, charsets, &codes, path, content, diagnostics))
        return NULL;
    rule_cells_init(&parse.cells, arena, path, names, diagnostics);
    arena_init(&parse.scratch);
    bool right = parse_rules(&parse);
    arena_deinit(&parse.scratch);
    if (!right)
        return NULL;
    struct rule_table *table = arena_allocate(arena, sizeof *table);
    *table = (struct rule_table){
        .name = arena_copy_text(arena, bytes_from_text(name)),
        .file = path,
        .rules = parse.rules,
        .rule_count = parse.rule_count,
        .alternative_count = parse.cells.alternative_count,
    };
    rule_cover_warn(table, diagnostics);
    return table;
}

bool rule_tables_check_total(const struct rule_table *const *tables, uint16_t table_count,
                             struct diagnostics *diagnostics)
{
    uint64_t rules = 0, alternatives = 0;
    for (uint16_t i = 0; i < table_count; i++) {
        rules += tables[i]->rule_count;
        alternatives += tables[i]->alternative_count;
        if (rules <= RULES_MAX && alternatives <= RULE_ALTERNATIVES_TOTAL_MAX)
            continue;
        diagnostics_add(diagnostics, SEVERITY_ERROR, "R128",
                        (struct place){.file = tables[i]->file},
                        "put values into list files and write `@name`",
                        "with this table all tables have more than %d rules or %d alternatives",
                        RULES_MAX, RULE_ALTERNATIVES_TOTAL_MAX);
        return false;
    }
    return true;
}

static bool parse_rules(struct parse *parse)
{
    struct csv_row row;
    uint32_t errors_before = parse->diagnostics->error_count;
    if (!rule_columns_parse(&parse->columns, &parse->sheet))
        return false;
    reserve_rules(parse);
    while (sheet_next(&parse->sheet, &row)) {
        if (parse->rule_count == parse->rule_capacity) {
            diagnostics_add(parse->diagnostics, SEVERITY_ERROR, "R128",
                            sheet_place(&parse->sheet, &row.cells[0]), NULL,
                            "this is one rule more than the %d that there may be", RULES_MAX);
            break;
        }
        if (parse_row(parse, &row, &parse->rules[parse->rule_count]))
            parse->rule_count++;
    }
    if (parse->diagnostics->error_count > errors_before)
        return false;
    if (parse->rule_count == 0)
        diagnostics_add(
            parse->diagnostics, SEVERITY_WARNING, "R131", (struct place){.file = parse->sheet.path},
            "write a rule under the header, or take the table out", "the table has no rules");
    else
        qsort(parse->rules, parse->rule_count, sizeof *parse->rules, by_order_of_matching);
    return true;
}

static void reserve_rules(struct parse *parse)
{
    struct bytes text = parse->sheet.csv.text;
    size_t lines = 1;
    for (size_t i = parse->sheet.csv.offset; i < text.size; i++) {
        bool before_lf = i + 1 < text.size && text.data[i + 1] == '\n';
        lines += text.data[i] == '\n' || (text.data[i] == '\r' && !before_lf);
    }
    parse->rule_capacity = lines < RULES_MAX ? (uint32_t)lines : RULES_MAX;
    parse->rules = arena_allocate_array(parse->arena, parse->rule_capacity, sizeof *parse->rules);
    uint32_t slots = 4;
    while (slots < 2 * parse->rule_capacity)
        slots *= 2;
    parse->id_mask = slots - 1;
    parse->ids = arena_allocate_array(&parse->scratch, slots, sizeof *parse->ids);
}

static void check_destination(struct parse *parse, const struct csv_cell *cell,
                              const struct rule *rule)
{
    bool blank = rule_text_of_cell(cell->text).size == 0;
    if (blank && rule->action != ACTION_REJECT)
        diagnostics_add(
            parse->diagnostics, SEVERITY_ERROR, "R114", sheet_place(&parse->sheet, cell),
            "write a destination, or `@receiver`; only `reject` needs none",
            "to: a rule that says `%s` names no destination", rule_action_name(rule->action));
}

static bool parse_row(struct parse *parse, const struct csv_row *row, struct rule *out_rule)
{
    struct condition conditions[SLOT_FIELD_COUNT];
    struct rule rule = {
        .note = "", .id = "", .line = row->cells[0].line, .column = 1, .valid_to_ms = UINT64_MAX};
    uint32_t errors_before = parse->diagnostics->error_count;
    uint32_t kept_cells = row->cell_count < CSV_CELLS_MAX ? row->cell_count : CSV_CELLS_MAX;
    struct csv_cell end =
        row->cells[kept_cells - 1]; /* for columns that the row is too short for */
    end.text = (struct bytes){0};
    const struct csv_cell *to = NULL, *valid_to = NULL;
    for (uint32_t i = 0; i < parse->columns.count; i++) {
        const struct csv_cell *cell = i < kept_cells ? &row->cells[i] : &end;
        switch (parse->columns.items[i]) {
        case COLUMN_ID: parse_id(parse, cell, &rule); break;
        case COLUMN_PRIORITY: parse_priority(parse, cell, &rule); break;
        case COLUMN_ACTION: parse_action(parse, cell, &rule); break;
        case COLUMN_TO:
            rule_cell_parse_to(&parse->cells, cell, &rule);
            to = cell;
            break;
        case COLUMN_VALID_FROM: parse_time(parse, cell, "valid_from", &rule.valid_from_ms); break;
        case COLUMN_VALID_TO:
            parse_time(parse, cell, "valid_to", &rule.valid_to_ms);
            valid_to = cell;
            break;
        case COLUMN_NOTE: rule.note = arena_copy_text(parse->arena, bytes_trim(cell->text)); break;
        case COLUMN_NONE: break;
        default:
            if (rule_cell_parse_condition(&parse->cells, (enum slot)parse->columns.items[i], cell,
                                          &conditions[rule.condition_count]))
                rule.condition_count++;
        }
    }
    rule_columns_check_row(&parse->columns, &parse->sheet, row);
    if (to != NULL)
        check_destination(parse, to, &rule);
    if (valid_to != NULL)
        check_validity(parse, valid_to, &rule);
    if (parse->diagnostics->error_count > errors_before)
        return false;
    struct condition *kept = arena_allocate_array(parse->arena, rule.condition_count, sizeof *kept);
    if (rule.condition_count > 0)
        memcpy(kept, conditions, rule.condition_count * sizeof *kept);
    rule.conditions = kept;
    *out_rule = rule;
    return true;
}

static uint32_t hash_id(struct bytes id)
{
    uint32_t hash = 2166136261U; /* FNV-1a, 32 bits */
    for (size_t i = 0; i < id.size; i++)
        hash = (hash ^ id.data[i]) * 16777619U;
    return hash;
}

/* A bad row's id counts too; the slots are twice the rows, so that one is always free. */
static void remember_id(struct parse *parse, const struct csv_cell *cell, struct bytes id)
{
    uint32_t slot = hash_id(id) & parse->id_mask;
    while (parse->ids[slot].id.size > 0 && !bytes_equal(parse->ids[slot].id, id))
        slot = (slot + 1) & parse->id_mask;
    if (parse->ids[slot].id.size == 0) {
        parse->ids[slot] = (struct seen_id){.id = id, .line = cell->line};
        return;
    }
    struct excerpt excerpt = excerpt_make(id);
    diagnostics_add(parse->diagnostics, SEVERITY_ERROR, "R111", sheet_place(&parse->sheet, cell),
                    "each rule of a table has an id of its own",
                    "id: `%s` is the id of the rule in line %u already", excerpt.text,
                    parse->ids[slot].line);
}

static void parse_id(struct parse *parse, const struct csv_cell *cell, struct rule *rule)
{
    struct bytes id = rule_text_of_cell(cell->text);
    rule->line = cell->line;
    rule->column = cell->column;
    if (id.size == 0) {
        diagnostics_add(parse->diagnostics, SEVERITY_ERROR, "R110",
                        sheet_place(&parse->sheet, cell),
                        "each rule has an id, by which the journal and `explain` name it",
                        "id: the rule has no id");
        return;
    }
    if (id.size > RULE_ID_BYTES_MAX) {
        struct excerpt excerpt = excerpt_make(id);
        diagnostics_add(parse->diagnostics, SEVERITY_ERROR, "R127",
                        sheet_place(&parse->sheet, cell), "put the rest into `note`",
                        "id: `%s` is longer than %d bytes", excerpt.text, RULE_ID_BYTES_MAX);
        return;
    }
    rule->id = arena_copy_text(parse->arena, id);
    remember_id(parse, cell, bytes_make(rule->id, id.size));
}

static void parse_priority(struct parse *parse, const struct csv_cell *cell, struct rule *rule)
{
    struct bytes text = rule_text_of_cell(cell->text);
    int64_t priority = 0;
    bool right = text.size == 0 || bytes_parse_i64(text, &priority);
    if (!right || priority < INT32_MIN || priority > INT32_MAX) {
        struct excerpt excerpt = excerpt_make(text);
        diagnostics_add(parse->diagnostics, SEVERITY_ERROR, "R112",
                        sheet_place(&parse->sheet, cell),
                        "a whole number such as 10 or -5; blank is 0, and higher goes first",
                        "priority: `%s` is no whole number of 32 bits", excerpt.text);
        return;
    }
    rule->priority = (int32_t)priority;
}

static void parse_action(struct parse *parse, const struct csv_cell *cell, struct rule *rule)
{
    static const enum rule_action actions[] = {ACTION_DELIVER, ACTION_HOLD, ACTION_REJECT};
    const char *names[sizeof actions / sizeof *actions];
    struct bytes text = rule_text_of_cell(cell->text);
    rule->action = ACTION_DELIVER;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        names[i] = rule_action_name(actions[i]);
        if (bytes_equal_fold(text, bytes_from_text(names[i]))) {
            rule->action = actions[i];
            return;
        }
    }
    if (text.size == 0)
        return;
    const char *nearest = suggest_name(text, names, sizeof names / sizeof *names);
    char hint[128] = "deliver, hold or reject; blank is deliver";
    if (nearest != NULL)
        snprintf(hint, sizeof hint, "did you mean `%s`?", nearest);
    struct excerpt excerpt = excerpt_make(text);
    diagnostics_add(parse->diagnostics, SEVERITY_ERROR, "R113", sheet_place(&parse->sheet, cell),
                    hint, "action: `%s` is no action", excerpt.text);
}

static void parse_time(struct parse *parse, const struct csv_cell *cell, const char *column,
                       uint64_t *time_ms)
{
    static const char *const faults[] = {
        [RULE_TIME_WRONG] = "is no day, and no time",
        [RULE_TIME_WITHOUT_ZONE] = "is a time without its zone",
    };
    struct bytes text = rule_text_of_cell(cell->text);
    if (text.size == 0)
        return;
    enum rule_time_fault fault = rule_time_parse(text, time_ms);
    if (fault == RULE_TIME_RIGHT)
        return;
    struct excerpt excerpt = excerpt_make(text);
    diagnostics_add(parse->diagnostics, SEVERITY_ERROR, "R132", sheet_place(&parse->sheet, cell),
                    "a day in China such as 2026-12-01, or a time with its zone: "
                    "2026-12-01T08:30+08:00",
                    "%s: `%s` %s", column, excerpt.text, faults[fault]);
}

static void check_validity(struct parse *parse, const struct csv_cell *cell,
                           const struct rule *rule)
{
    char from[RULE_TIME_TEXT_BYTES];
    if (rule->valid_from_ms < rule->valid_to_ms)
        return;
    rule_time_format(rule->valid_from_ms, from);
    diagnostics_add(parse->diagnostics, SEVERITY_ERROR, "R133", sheet_place(&parse->sheet, cell),
                    "`valid_to` is the first day, or moment, at which the rule holds no more",
                    "valid_to: the rule ends no later than it begins, at %s", from);
}

static int by_order_of_matching(const void *left, const void *right)
{
    const struct rule *a = left, *b = right;
    if (a->priority != b->priority)
        return a->priority > b->priority ? -1 : 1;
    return (a->line > b->line) - (a->line < b->line);
}
