/* The life cycle, from its YAML. */
#include <stdarg.h>

#include "routes/dialect/pattern.h"
#include "routes/life/life_cycle.h"
#include "routes/suggest.h"

const struct diagnostic_code life_cycle_codes[] = {
    {"C150", "the life cycle is not built as one",
     "It is a mapping with `states`, a mapping of each state to the list of those from which it "
     "can "
     "be reached (`any`: from all), and `moves`, a list. `kouan config` prints the default."},
    {"C151", "a state that there is not",
     "`states` names all of them. What a move leads to, and from where a state can be reached, "
     "must "
     "be one of these."},
    {"C152", "too much of something",
     "At most 32 states with names of 32 bytes, 256 moves, and 256 statuses of one move."},
    {"C153", "a move that says too little or too much",
     "A move has a `to`, or a `status` that maps statuses to states, and conditions: message_type, "
     "function, profile, status, and `by`, the roles of the participant that sends it."},
    {0}};

struct parse {
    struct arena *arena;
    const char *path;
    struct diagnostics *diagnostics;
    struct life_state *states;
    uint8_t state_count;
    bool failed;
};

static void fail(struct parse *parse, const struct yaml_node *node, bool at_name, const char *code,
                 const char *hint, const char *format, ...) __attribute__((format(printf, 6, 7)));
static void read_states(struct parse *parse, const struct yaml_node *node);
static void read_rule(struct parse *parse, const struct yaml_node *node, struct life_rule *rule);
static uint8_t find_state(struct parse *parse, const struct yaml_node *node, struct bytes name,
                          bool at_name);
static bool read_texts(struct parse *parse, const struct yaml_node *node,
                       struct life_texts *out_texts);

static void check_names(struct parse *parse, const struct yaml_node *mapping,
                        const char *const *names, size_t count)
{
    for (const struct yaml_node *member = mapping->first_child; member != NULL;
         member = member->next) {
        bool known = false;
        for (size_t i = 0; i < count && !known; i++)
            known = bytes_equal_text(member->name, names[i]);
        if (known)
            continue;
        const char *near = suggest_name(member->name, names, count);
        fail(parse, member, true, "C102",
             near != NULL ? arena_format(parse->arena, "did you mean `%s`?", near) : NULL,
             "unknown key `%.*s`", (int)member->name.size, (const char *)member->name.data);
    }
}

const struct life_cycle *life_cycle_parse(struct arena *arena, const char *path,
                                          const struct yaml_node *node,
                                          struct diagnostics *diagnostics)
{
    static const char *const names[] = {"states", "moves"};
    struct parse parse = {.arena = arena, .path = path, .diagnostics = diagnostics};
    if (node == NULL || node->kind != YAML_MAPPING) {
        fail(&parse, node, false, "C150", NULL, "a life cycle is a mapping with states and moves");
        return NULL;
    }
    check_names(&parse, node, names, sizeof names / sizeof *names);
    read_states(&parse, yaml_member(node, "states"));
    const struct yaml_node *moves = yaml_member(node, "moves");
    struct life_cycle *cycle = arena_allocate(arena, sizeof *cycle);
    if (moves == NULL || moves->kind != YAML_LIST)
        fail(&parse, moves != NULL ? moves : node, false, "C150", NULL, "`moves` is a list");
    else if (moves->child_count > LIFE_RULES_MAX)
        fail(&parse, moves, false, "C152", NULL, "there are more than %d moves", LIFE_RULES_MAX);
    if (parse.failed)
        return NULL;
    struct life_rule *rules =
        arena_allocate_array(arena, moves->child_count + 1U, sizeof(struct life_rule));
    for (const struct yaml_node *item = moves->first_child; item != NULL; item = item->next)
        read_rule(&parse, item, &rules[cycle->rule_count++]);
    cycle->states = parse.states;
    cycle->state_count = parse.state_count;
    cycle->rules = rules;
    return parse.failed ? NULL : cycle;
}

static void fail(struct parse *parse, const struct yaml_node *node, bool at_name, const char *code,
                 const char *hint, const char *format, ...)
{
    char text[256];
    struct place place = {.file = parse->path};
    if (node != NULL) {
        place.line = at_name ? node->name_line : node->line;
        place.column = at_name ? node->name_column : node->column;
    }
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    diagnostics_add(parse->diagnostics, SEVERITY_ERROR, code, place, hint, "%s", text);
    parse->failed = true;
}

/* ---- states ---- */

static void read_sources(struct parse *parse, const struct yaml_node *node,
                         struct life_state *state)
{
    if (node->kind == YAML_TEXT && bytes_equal_text(node->text, "any")) {
        state->from = UINT32_MAX;
        return;
    }
    if (node->kind == YAML_TEXT) {
        state->from = UINT32_C(1) << find_state(parse, node, node->text, false);
        return;
    }
    if (node->kind != YAML_LIST && node->kind != YAML_EMPTY) {
        fail(parse, node, false, "C150", "released: [received, inspecting]",
             "a list of the states from which this one can be reached is wanted, this is %s",
             yaml_kind_text(node->kind));
        return;
    }
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
        state->from |=
            UINT32_C(1) << find_state(
                parse, item, item->kind == YAML_TEXT ? item->text : (struct bytes){0}, false);
}

static void read_states(struct parse *parse, const struct yaml_node *node)
{
    if (node == NULL || node->kind != YAML_MAPPING || node->child_count == 0) {
        fail(parse, node, false, "C150", "states:\n  submitted: []\n  received: [submitted]",
             "`states` is a mapping of the states");
        return;
    }
    if (node->child_count > LIFE_STATES_MAX) {
        fail(parse, node, false, "C152", NULL, "there are more than %d states", LIFE_STATES_MAX);
        return;
    }
    parse->states = arena_allocate_array(parse->arena, node->child_count, sizeof *parse->states);
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next) {
        if (item->name.size == 0 || item->name.size > LIFE_NAME_BYTES)
            fail(parse, item, true, "C152", NULL, "a state's name has 1 to %d bytes",
                 LIFE_NAME_BYTES);
        parse->states[parse->state_count++].name = arena_copy(parse->arena, item->name);
    }
    uint8_t at = 0;
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
        read_sources(parse, item, &parse->states[at++]);
}

/* 0, and reported, if there is none. */
static uint8_t find_state(struct parse *parse, const struct yaml_node *node, struct bytes name,
                          bool at_name)
{
    const char *names[LIFE_STATES_MAX];
    for (uint8_t i = 0; i < parse->state_count; i++) {
        if (bytes_equal(parse->states[i].name, name))
            return i;
        names[i] = (const char *)parse->states[i].name.data;
    }
    const char *near = suggest_name(name, names, parse->state_count);
    fail(parse, node, at_name, "C151",
         near != NULL ? arena_format(parse->arena, "did you mean `%s`?", near) : NULL,
         "no such state: `%.*s`", (int)name.size, (const char *)name.data);
    return 0;
}

/* ---- moves ---- */

/* `status: { "120": received, "800": released }` */
static void read_status_map(struct parse *parse, const struct yaml_node *node,
                            struct life_rule *rule)
{
    if (node->child_count == 0 || node->child_count > LIFE_STATUSES_MAX) {
        fail(parse, node, false, "C152", NULL, "from 1 to %d statuses are mapped",
             LIFE_STATUSES_MAX);
        return;
    }
    struct life_step *steps =
        arena_allocate_array(parse->arena, node->child_count, sizeof(struct life_step));
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next) {
        struct life_text *text = arena_allocate(parse->arena, sizeof *text);
        text->text = arena_copy(parse->arena, item->name);
        text->is_plain = pattern_is_plain(text->text);
        steps[rule->step_count++] = (struct life_step){
            .statuses = {text, 1},
            .to = find_state(parse, item, item->kind == YAML_TEXT ? item->text : (struct bytes){0},
                             false)};
    }
    rule->steps = steps;
}

static void read_steps(struct parse *parse, const struct yaml_node *node, struct life_rule *rule)
{
    const struct yaml_node *to = yaml_member(node, "to"), *status = yaml_member(node, "status");
    bool is_map = status != NULL && status->kind == YAML_MAPPING;
    if (is_map == (to != NULL)) {
        fail(parse, node, false, "C153",
             "to: received, or status: { \"120\": received, \"800\": released }",
             is_map ? "`status` says already where each leads: `to` is one too many"
                    : "it is not said where the move leads");
        return;
    }
    if (is_map) {
        read_status_map(parse, status, rule);
        return;
    }
    struct life_step *step = arena_allocate(parse->arena, sizeof *step);
    step->to = find_state(parse, to, to->kind == YAML_TEXT ? to->text : (struct bytes){0}, false);
    if (read_texts(parse, status, &step->statuses)) {
        rule->steps = step;
        rule->step_count = 1;
    }
}

static void read_rule(struct parse *parse, const struct yaml_node *node, struct life_rule *rule)
{
    static const char *const names[] = {"message_type", "function", "profile",
                                        "status",       "by",       "to"};
    struct life_texts roles = {0};
    if (node->kind != YAML_MAPPING) {
        fail(parse, node, false, "C150", "- { message_type: CEB621, to: submitted }",
             "a move is a mapping, this is %s", yaml_kind_text(node->kind));
        return;
    }
    check_names(parse, node, names, sizeof names / sizeof *names);
    if (!read_texts(parse, yaml_member(node, "message_type"), &rule->message_types) ||
        !read_texts(parse, yaml_member(node, "function"), &rule->functions) ||
        !read_texts(parse, yaml_member(node, "profile"), &rule->profiles) ||
        !read_texts(parse, yaml_member(node, "by"), &roles))
        return;
    struct bytes *texts = arena_allocate_array(parse->arena, roles.count + 1U, sizeof *texts);
    for (uint16_t i = 0; i < roles.count; i++)
        texts[i] = roles.items[i].text;
    rule->roles = texts;
    rule->role_count = roles.count;
    read_steps(parse, node, rule);
}

static bool read_text(struct parse *parse, const struct yaml_node *node, struct life_text *out_text)
{
    if (node->kind != YAML_TEXT || node->text.size == 0) {
        fail(parse, node, false, "C103", NULL, "a text is wanted here, this is %s",
             yaml_kind_text(node->kind));
        return false;
    }
    struct bytes text = arena_copy(parse->arena, node->text);
    *out_text = (struct life_text){text, pattern_is_plain(text)};
    return true;
}

/* A text or a list of texts; nothing where there is none. */
static bool read_texts(struct parse *parse, const struct yaml_node *node,
                       struct life_texts *out_texts)
{
    if (node == NULL)
        return true;
    uint32_t capacity = node->kind == YAML_LIST ? node->child_count : 1;
    if (capacity == 0 || capacity > LIFE_STATUSES_MAX) {
        fail(parse, node, false, "C152", NULL, "from 1 to %d of them", LIFE_STATUSES_MAX);
        return false;
    }
    struct life_text *items =
        arena_allocate_array(parse->arena, capacity, sizeof(struct life_text));
    uint16_t count = 0;
    if (node->kind != YAML_LIST) {
        if (!read_text(parse, node, &items[count++]))
            return false;
    } else {
        for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
            if (!read_text(parse, item, &items[count++]))
                return false;
    }
    *out_texts = (struct life_texts){items, count};
    return true;
}
