/* Tables made of an input's bytes -> parse -> compile -> match, against the naive truth: larger
 * ones, and more alike, than text that is mutated grows to (rules_fuzz.c).
 *
 * The input is a sequence of choices; behind its end a generator goes on that is seeded by it, so
 * that few bytes make large tables. First the shape: how many rules, fields, values, which kinds of
 * conditions and how often; then the rules, then readings. */
#include "tests/fuzz/rules_check.h"

#include <inttypes.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
    TABLES = 2,
    TABLE_RULES_MAX = 400,
    READINGS = 200,
    VALUES_MAX = 5, /* of one field in a reading */
    FIELDS = 6
};

/* Of alternatives. */
enum { KIND_EXACT, KIND_PREFIX, KIND_RANGE, KIND_LIST, KIND_ANY, KINDS };

static const char *const fields[FIELDS] = {"customs_office", "trade_mode", "goods_code",
                                           "message_type",   "port",       "reference"};

struct choices {
    struct bytes left;
    uint64_t state;
};

struct shape {
    uint32_t rules, digits, digit_count, negated_percent, condition_percent, timed_percent;
    uint32_t weights[KINDS], weight_total;
};

static uint32_t choose(struct choices *choices, uint32_t bound)
{
    if (choices->left.size >= 2) {
        uint32_t value = choices->left.data[0] | (uint32_t)choices->left.data[1] << 8;
        choices->left = bytes_slice(choices->left, 2, choices->left.size);
        choices->state = choices->state * 31 + value;
        return value % bound;
    }
    uint64_t mixed = choices->state += UINT64_C(0x9E3779B97F4A7C15);
    mixed = (mixed ^ (mixed >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ (mixed >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((mixed ^ (mixed >> 31)) % bound);
}

static bool has_luck(struct choices *choices, uint32_t percent)
{
    return choose(choices, 100) < percent;
}

static struct shape choose_shape(struct choices *choices)
{
    struct shape shape = {
        .rules = choose(choices, TABLE_RULES_MAX),
        .digits = 1 + choose(choices, 9),
        .digit_count = 4 + 2 * choose(choices, 3),
        .negated_percent = choose(choices, 60),
        .condition_percent = 10 + choose(choices, 90),
        .timed_percent = choose(choices, 4) * 10,
    };
    for (uint32_t i = 0; i < KINDS; i++)
        shape.weight_total += shape.weights[i] = choose(choices, 8);
    if (shape.weight_total == 0)
        shape.weight_total = shape.weights[KIND_EXACT] = 1;
    return shape;
}

struct value {
    char text[16];
};

/* Of a fixed length, so that no cell looks damaged, and few that differ. */
static struct value choose_value(const struct shape *shape, struct choices *choices)
{
    struct value value = {""};
    for (uint32_t i = 0; i < shape->digit_count; i++)
        value.text[i] =
            (char)('0' + (i + 2 < shape->digit_count ? 2 : choose(choices, shape->digits)));
    return value;
}

static void put_alternative(uint32_t kind, const struct shape *shape, struct choices *choices,
                            FILE *out)
{
    struct value value = choose_value(shape, choices), other = choose_value(shape, choices);
    bool are_in_order = strcmp(value.text, other.text) <= 0;
    switch (kind) {
    case KIND_PREFIX:
        fprintf(out, "%.*s*", 1 + (int)choose(choices, shape->digit_count - 1), value.text);
        return;
    case KIND_RANGE:
        fprintf(out, "%s..%s", are_in_order ? value.text : other.text,
                are_in_order ? other.text : value.text);
        return;
    case KIND_LIST: fputs("@list", out); return;
    default: fputs(value.text, out); return;
    }
}

static uint32_t choose_kind(const struct shape *shape, struct choices *choices)
{
    uint32_t kind = 0, at = choose(choices, shape->weight_total);
    while (at >= shape->weights[kind])
        at -= shape->weights[kind++];
    return kind;
}

/* One cell of a rule always says something, or early rules would take all. */
static void put_cell(const struct shape *shape, struct choices *choices, bool must, FILE *out)
{
    if (!must && !has_luck(choices, shape->condition_percent))
        return;
    uint32_t kind = must ? KIND_EXACT : choose_kind(shape, choices);
    uint32_t count = must ? 1 : 1 + choose(choices, 3);
    if (kind == KIND_ANY) { /* the whole cell */
        fputc('*', out);
        return;
    }
    if (!must && has_luck(choices, shape->negated_percent))
        fputc('!', out);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0)
            fputc('|', out);
        put_alternative(kind, shape, choices, out);
        kind = choose_kind(shape, choices);
    }
}

static struct bytes make_table(const struct shape *shape, struct choices *choices,
                               struct arena *arena)
{
    static const char *const targets[] = {"customs", "port|trader", "@receiver", "inspection"};
    static const char *const actions[] = {"", "deliver", "hold", "reject"};
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    require(out != NULL, "open_memstream");
    fputs("id,priority,to,action,valid_from,valid_to", out);
    for (uint32_t f = 0; f < FIELDS; f++)
        fprintf(out, ",%s", fields[f]);
    for (uint32_t i = 0; i < shape->rules; i++) {
        fprintf(out, "\nr%" PRIu32 ",%" PRIu32 ",%s,%s,", i, choose(choices, 3),
                targets[choose(choices, 4)], actions[choose(choices, 4)]);
        bool is_timed = has_luck(choices, shape->timed_percent);
        uint32_t day = 1 + choose(choices, 14);
        if (is_timed)
            fprintf(out, "2026-12-%02" PRIu32 ",2026-12-%02" PRIu32, day,
                    day + 1 + choose(choices, 14));
        else
            fputc(',', out);
        for (uint32_t f = 0; f < FIELDS; f++) {
            fputc(',', out);
            put_cell(shape, choices, f == i % FIELDS, out);
        }
    }
    fputc('\n', out);
    fclose(out);
    struct bytes copy = arena_copy(arena, bytes_make(text, size));
    free(text);
    return copy;
}

static void add_values(struct sample *sample, const struct shape *shape, struct choices *choices,
                       struct arena *arena)
{
    for (uint32_t f = 0; f < FIELDS; f++)
        for (uint32_t count = choose(choices, VALUES_MAX); count > 0; count--) {
            enum slot slot;
            struct value value = choose_value(shape, choices);
            require(slot_find_field(bytes_from_text(fields[f]), &slot), "a field");
            sample_add(sample, slot, arena_copy(arena, bytes_from_text(value.text)));
        }
}

/* By themselves; as rules have them, wherever these stand; and both together. */
static void check_readings(const struct shape *shape, struct choices *choices,
                           const struct matchers *matchers, struct arena *arena)
{
    for (uint32_t i = 0; i < READINGS; i++) {
        struct sample sample;
        const struct rule_table *table = matchers->tables[i % TABLES];
        sample_init(&sample);
        if (table->rule_count > 0 && i % 4 < 3)
            sample_from_rule(&sample, &table->rules[choose(choices, table->rule_count)],
                             i % 4 == 1);
        if (i % 4 >= 2)
            add_values(&sample, shape, choices, arena);
        check(matchers, &sample.reading);
    }
}

static void run(struct choices *choices, const struct kept *kept)
{
    static const char *const destinations[] = {"customs", "inspection", "port", "trader"};
    static const char *const paths[TABLES] = {"first.csv", "second.csv"};
    struct arena arena;
    struct diagnostics diagnostics;
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    const struct value_list *list = value_list_parse(
        &arena, kept->charsets, "list", "list.txt",
        bytes_from_text("2200\n2201\n2212\n222200\n222211\n22222200\n"), &diagnostics);
    const struct rule_names names = {destinations, 4, &list, 1};
    struct matchers matchers = {.scratch = kept->scratch, .portable = kept->portable};
    struct shape shape = choose_shape(choices);
    for (uint32_t i = 0; i < TABLES; i++) {
        const struct rule_table *table =
            rule_table_parse(&arena, kept->charsets, i == 0 ? "first" : "second", paths[i],
                             make_table(&shape, choices, &arena), &names, &diagnostics);
        if (table == NULL)
            diagnostics_print(&diagnostics, stderr);
        require(table != NULL, "the generated table is right");
        matchers.tables[matchers.table_count++] = table;
    }
    matchers_compile(&matchers, &arena, &diagnostics);
    check_readings(&shape, choices, &matchers, &arena);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kept kept;
    if (kept.charsets == NULL)
        open_kept(&kept);
    struct choices choices = {.left = bytes_make(data, size), .state = size};
    run(&choices, &kept);
    return 0;
}
