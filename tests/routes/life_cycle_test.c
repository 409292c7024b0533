#include <criterion/criterion.h>

#include "routes/life/life_cycle.h"

struct loaded {
    struct arena arena;
    struct diagnostics diagnostics;
    const struct life_cycle *cycle;
};

static struct loaded load(const char *text)
{
    struct loaded loaded;
    arena_init(&loaded.arena);
    diagnostics_init(&loaded.diagnostics);
    const struct yaml_node *node =
        yaml_parse(&loaded.arena, "life.yaml", bytes_from_text(text), "C101", &loaded.diagnostics);
    loaded.cycle = life_cycle_parse(&loaded.arena, "life.yaml", node, &loaded.diagnostics);
    return loaded;
}

static void unload(struct loaded *loaded)
{
    diagnostics_deinit(&loaded->diagnostics);
    arena_deinit(&loaded->arena);
}

/* `+name`, `!` for who is not entitled, `-` for what is not spoken of. */
static const char *decide(const struct life_cycle *cycle, const char *type, const char *function,
                          const char *status, const struct participant *participant)
{
    struct life_message message = {.message_type = bytes_from_text(type),
                                   .function = bytes_from_text(function),
                                   .profile = BYTES_LITERAL("some"),
                                   .participant = participant,
                                   .is_open = participant == NULL};
    struct life_candidates candidates;
    uint8_t state;
    struct bytes role;
    life_cycle_choose(cycle, &message, &candidates);
    switch (life_cycle_decide(cycle, &candidates, &message,
                              status == NULL ? (struct bytes){0} : bytes_from_text(status), &state,
                              &role)) {
    case LIFE_MOVES: return (const char *)cycle->states[state].name.data;
    case LIFE_NOT_ENTITLED: return "!";
    default: return "-";
    }
}

static const struct bytes customs_roles[] = {{(const uint8_t *)"customs", 7}};
static const struct participant customs = {.roles = customs_roles, .role_count = 1};
static const struct bytes trader_roles[] = {{(const uint8_t *)"trader", 6}};
static const struct participant trader = {.roles = trader_roles, .role_count = 1};

Test(life_cycle, moves_by_type_function_status_and_role)
{
    struct loaded loaded = load("states:\n"
                                "  submitted: []\n"
                                "  received: [submitted]\n"
                                "  released: any\n"
                                "moves:\n"
                                "  - { message_type: CEB621, function: original, to: submitted }\n"
                                "  - { message_type: \"CEB62?\", by: [customs], status: {\"120\": "
                                "received, \"8*\": released} }\n");
    cr_assert_not_null(loaded.cycle);
    cr_assert_str_eq(decide(loaded.cycle, "CEB621", "original", NULL, &trader), "submitted");
    cr_assert_str_eq(decide(loaded.cycle, "CEB621", "change", NULL, &trader), "-");
    cr_assert_str_eq(decide(loaded.cycle, "CEB622", "", "120", &customs), "received");
    cr_assert_str_eq(decide(loaded.cycle, "CEB622", "", "800", &customs), "released");
    cr_assert_str_eq(decide(loaded.cycle, "CEB622", "", "800", &trader), "!");
    cr_assert_str_eq(decide(loaded.cycle, "CEB622", "", "800", NULL), "released", "it is open");
    cr_assert_str_eq(decide(loaded.cycle, "CEB622", "", "500", &customs), "-");
    cr_assert_str_eq(decide(loaded.cycle, "CEB624x", "", "800", &customs), "-");
    cr_assert_eq(loaded.cycle->states[1].from, 1U << 0);
    cr_assert_eq(loaded.cycle->states[2].from, UINT32_MAX);
    unload(&loaded);
}

Test(life_cycle, has_a_default_that_says_what_the_families_say)
{
    struct loaded loaded = load(life_cycle_default_text);
    cr_assert_not_null(loaded.cycle);
    cr_assert_eq(loaded.diagnostics.error_count, 0);
    cr_assert_str_eq(decide(loaded.cycle, "CEB621", "original", NULL, &trader), "submitted");
    cr_assert_str_eq(decide(loaded.cycle, "CEB621", "cancel", NULL, &trader), "withdrawn");
    cr_assert_str_eq(decide(loaded.cycle, "CEB622", "response", "800", &customs), "released");
    cr_assert_str_eq(decide(loaded.cycle, "CEB622", "response", "800", &trader), "!");
    cr_assert_str_eq(decide(loaded.cycle, "CEB622", "response", "-301001", &customs), "rejected");
    cr_assert_str_eq(decide(loaded.cycle, "DEC_RESULT", "response", "C", &customs), "inspecting");
    cr_assert_str_eq(decide(loaded.cycle, "RES", "response", "09", &customs), "cleared");
    cr_assert_str_eq(decide(loaded.cycle, "CC015C", "original", NULL, &trader), "submitted");
    cr_assert_str_eq(decide(loaded.cycle, "CEB311", "original", NULL, &trader), "-");
    unload(&loaded);
}

static void check_wrong(const char *text, const char *code, uint32_t line, uint32_t column)
{
    struct loaded loaded = load(text);
    cr_assert_null(loaded.cycle, "%s", text);
    cr_assert_geq(loaded.diagnostics.count, 1);
    const struct diagnostic *diagnostic = &loaded.diagnostics.items[0];
    cr_assert_str_eq(diagnostic->code, code, "%s: %s", text, diagnostic->text);
    cr_assert_str_eq(diagnostic->place.file, "life.yaml");
    cr_assert_eq(diagnostic->place.line, line, "%s: %u", text, diagnostic->place.line);
    cr_assert_eq(diagnostic->place.column, column, "%s: %u", text, diagnostic->place.column);
    unload(&loaded);
}

Test(life_cycle, says_what_is_wrong_and_where)
{
    check_wrong("states: {a: [b]}\nmoves: []\n", "C151", 1, 14);
    check_wrong("states: {a: []}\nmoves:\n  - {to: b}\n", "C151", 3, 10);
    check_wrong("states: {a: []}\nmoves:\n  - {status: {x: b}}\n", "C151", 3, 18);
    check_wrong("states: {a: []}\nmoves:\n  - {message_type: x}\n", "C153", 3, 5);
    check_wrong("states: {a: []}\nmoves:\n  - {to: a, status: {x: a}}\n", "C153", 3, 5);
    check_wrong("states: {a: []}\nmoves:\n  - {to: a, typ: x}\n", "C102", 3, 13);
    check_wrong("states: {a: []}\nmoves:\n  - x\n", "C150", 3, 5);
    check_wrong("states: {a: []}\nmoves: x\n", "C150", 2, 8);
    check_wrong("states: [a]\nmoves: []\n", "C150", 1, 9);
    check_wrong("states: {a: {x: y}}\nmoves: []\n", "C150", 1, 13);
    check_wrong("x\n", "C150", 1, 1);
}

/* `before`, then as many `items`, then `after`. */
static const char *with_many(char *text, size_t size, const char *before, const char *item,
                             uint32_t count, const char *after)
{
    size_t used = (size_t)snprintf(text, size, "%s", before);
    for (uint32_t i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s%u%s", i > 0 ? ", " : "", item, i,
                                 item[0] == '{' ? ", to: a}" : ": a");
    snprintf(text + used, size - used, "%s", after);
    return text;
}

Test(life_cycle, says_what_is_too_much_and_where)
{
    char text[16384];
    check_wrong(
        with_many(text, sizeof text, "states: {a: [], ", "s", LIFE_STATES_MAX, "}\nmoves: []\n"),
        "C152", 1, 9);
    check_wrong(with_many(text, sizeof text, "states: {a: []}\nmoves: [", "{message_type: T",
                          LIFE_RULES_MAX + 1, "]\n"),
                "C152", 2, 8);
    check_wrong(with_many(text, sizeof text, "states: {a: []}\nmoves: [{status: {", "s",
                          LIFE_STATUSES_MAX + 1, "}}]\n"),
                "C152", 2, 18);
    check_wrong("states: {a: [], a123456789012345678901234567890123: []}\nmoves: []\n", "C152", 1,
                17);
    check_wrong("states: {a: []}\nmoves: [{status: {}}]\n", "C152", 2, 18);
}

Test(life_cycle, knows_when_two_are_equal)
{
    const char *text = "states: {a: [], b: [a]}\nmoves: [{message_type: x, to: b}]\n";
    struct loaded one = load(text), same = load(text);
    cr_assert(life_cycle_equal(one.cycle, same.cycle));
    static const char *const others[] = {
        "states: {a: [], b: []}\nmoves: [{message_type: x, to: b}]\n",
        "states: {a: [], b: [a]}\nmoves: [{message_type: y, to: b}]\n",
        "states: {a: [], b: [a]}\nmoves: [{message_type: x, to: a}]\n",
        "states: {a: [], b: [a]}\nmoves: [{message_type: x, to: b, by: c}]\n",
        "states: {a: [], b: [a]}\nmoves: []\n",
        "states: {a: [], c: [a]}\nmoves: [{message_type: x, to: c}]\n"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        struct loaded other = load(others[i]);
        cr_assert(!life_cycle_equal(one.cycle, other.cycle), "%s", others[i]);
        unload(&other);
    }
    unload(&one);
    unload(&same);
}
