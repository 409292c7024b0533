/* The recogniser of a profile: what tells its messages from all others. */
#include "routes/dialect/profile_compile.h"

static uint16_t read_texts(struct profile_compiler *compiler, const struct yaml_node *node,
                           bool blank, const struct bytes **out_texts);
static void read_members(struct profile_compiler *compiler, const struct yaml_node *node,
                         struct recognise *recognise);
static void read_conditions(struct profile_compiler *compiler, const struct yaml_node *node,
                            struct recognise *recognise);
static void read_names(struct profile_compiler *compiler, const struct yaml_node *mapping,
                       const char *member, struct recognise *recognise);

void profile_compile_recognise(struct profile_compiler *compiler, const struct yaml_node *node,
                               struct recognise *recognise)
{
    static const char *const xml[] = {"root", "namespace", "first_bytes", "where", "otherwise"};
    static const char *const json[] = {"key", "values", "has", "first_bytes", "where", "otherwise"};
    static const char *const edifact[] = {"type", "first_bytes", "otherwise"};
    static const struct {
        const char *const *known;
        size_t count;
    } formats[FORMAT_COUNT] = {[FORMAT_XML] = {xml, sizeof xml / sizeof *xml},
                               [FORMAT_JSON] = {json, sizeof json / sizeof *json},
                               [FORMAT_EDIFACT] = {edifact, sizeof edifact / sizeof *edifact}};
    if (!profile_expect(compiler, node, YAML_MAPPING) || !compiler->format_known)
        return;
    const char *const *known = formats[compiler->format].known;
    profile_check_members(compiler, node, known, formats[compiler->format].count);

    const struct yaml_node *member;
    if ((member = yaml_member(node, "first_bytes")) != NULL &&
        profile_expect(compiler, member, YAML_TEXT))
        recognise->first_bytes = member->text;
    if ((member = yaml_member(node, "namespace")) != NULL)
        recognise->namespace_count = read_texts(compiler, member, true, &recognise->namespaces);
    if ((member = yaml_member(node, "values")) != NULL)
        recognise->value_count = read_texts(compiler, member, false, &recognise->values);
    if ((member = yaml_member(node, "has")) != NULL)
        read_members(compiler, member, recognise);
    if ((member = yaml_member(node, "where")) != NULL)
        read_conditions(compiler, member, recognise);
    recognise->otherwise = profile_read_flag(compiler, node, "otherwise", false);
    read_names(compiler, node, known[0], recognise);
}

/* A text or a list of texts, at least one; blank ones only where `blank` says so. */
static uint16_t read_texts(struct profile_compiler *compiler, const struct yaml_node *node,
                           bool blank, const struct bytes **out_texts)
{
    bool is_list = node->kind == YAML_LIST;
    uint32_t count = is_list ? node->child_count : 1;
    if (count == 0)
        profile_error(compiler, node, "P104", NULL, "expected a text or a list of texts");
    struct bytes *texts = arena_allocate_array(compiler->arena, count, sizeof *texts);
    const struct yaml_node *item = is_list ? node->first_child : node;
    for (uint32_t i = 0; i < count; i++, item = item->next)
        if ((blank && item->kind == YAML_TEXT) || profile_expect(compiler, item, YAML_TEXT))
            texts[i] = item->text;
    *out_texts = texts;
    return (uint16_t)count;
}

static void read_members(struct profile_compiler *compiler, const struct yaml_node *node,
                         struct recognise *recognise)
{
    recognise->member_count = read_texts(compiler, node, false, &recognise->members);
    if (recognise->member_count > RECOGNISE_MEMBERS_MAX)
        profile_error(compiler, node, "P113", "a few tell a message from all others",
                      "at most %d members are asked for", RECOGNISE_MEMBERS_MAX);
}

/* `path: pattern`, `path: [pattern, ...]`, or `path: ~`. */
static void read_condition(struct profile_compiler *compiler, const struct yaml_node *node,
                           uint16_t alternative, struct recognise_condition *condition)
{
    struct yaml_node *path = arena_allocate(compiler->arena, sizeof *path);
    *path = (struct yaml_node){.kind = YAML_TEXT,
                               .text = node->name,
                               .line = node->name_line,
                               .column = node->name_column};
    struct value_path compiled;
    if (profile_compile_path(compiler, path, &compiled))
        condition->bin = compiled.bin;
    condition->alternative = alternative;
    if (node->kind != YAML_EMPTY)
        condition->value_count = read_texts(compiler, node, false, &condition->values);
}

/* A mapping, all of whose paths must hold, or a list of such, one of which must. */
static void read_conditions(struct profile_compiler *compiler, const struct yaml_node *node,
                            struct recognise *recognise)
{
    struct recognise_condition *conditions =
        arena_allocate_array(compiler->arena, RECOGNISE_CONDITIONS_MAX, sizeof *conditions);
    bool is_list = node->kind == YAML_LIST;
    const struct yaml_node *mapping = is_list ? node->first_child : node;
    for (uint16_t alternative = 0; mapping != NULL;
         mapping = is_list ? mapping->next : NULL, alternative++) {
        if (!profile_expect(compiler, mapping, YAML_MAPPING))
            return;
        if (recognise->condition_count + mapping->child_count > RECOGNISE_CONDITIONS_MAX) {
            profile_error(compiler, mapping, "P113", NULL, "at most %d conditions",
                          RECOGNISE_CONDITIONS_MAX);
            return;
        }
        for (const struct yaml_node *item = mapping->first_child; item != NULL; item = item->next)
            read_condition(compiler, item, alternative, &conditions[recognise->condition_count++]);
    }
    recognise->conditions = conditions;
}

/* The names by which each format tells its messages apart, and whether they can be left out. */
static void read_names(struct profile_compiler *compiler, const struct yaml_node *mapping,
                       const char *member, struct recognise *recognise)
{
    const struct yaml_node *node = yaml_member(mapping, member);
    if (node != NULL)
        recognise->name_count = read_texts(compiler, node, false, &recognise->names);
    switch (compiler->format) {
    case FORMAT_XML:
        if (mapping->child_count == 0)
            profile_error(compiler, mapping, "P103", "as in `root: CEB311Message`",
                          "expected `root`, `namespace`, `where` or `first_bytes`");
        break;
    case FORMAT_JSON:
        if (recognise->name_count > 1)
            profile_error(compiler, node, "P104", "`has` takes a list of members",
                          "`key` is the name of one member");
        if (recognise->name_count == 0 && recognise->member_count == 0)
            profile_error(compiler, mapping, "P103", "as in `key: messageType` or `has: events`",
                          "expected `key` or `has`");
        if (recognise->name_count == 0 && recognise->value_count > 0)
            profile_error(compiler, yaml_member(mapping, "values"), "P114",
                          "as in `key: type, values: [A, B]`", "`values` belongs to `key`");
        break;
    case FORMAT_EDIFACT:
        if (node == NULL)
            profile_error(compiler, mapping, "P103", "as in `type: CUSDEC`, or `\"*\"` for any",
                          "`type` is missing");
        break;
    case FORMAT_COUNT: break;
    }
}
