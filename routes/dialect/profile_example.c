#include "routes/dialect/profile_example.h"

#include <assert.h>
#include <stdlib.h>

#include "routes/dialect/profile_compile.h"

static bool is_well_formed(struct profile_compiler *compiler, const struct yaml_node *document);

const struct profile_example *profile_examples_parse(struct arena *arena, const char *path,
                                                     struct bytes text,
                                                     struct diagnostics *diagnostics)
{
    const struct profile_example *first = NULL;
    const struct profile_example **link = &first;
    struct profile_compiler *compiler = calloc(1, sizeof *compiler);
    if (compiler == NULL)
        abort();
    compiler->arena = arena;
    compiler->file = arena_copy_text(arena, bytes_from_text(path));
    compiler->diagnostics = diagnostics;
    const struct yaml_node *document = yaml_parse(arena, path, text, "P101", diagnostics);
    for (; document != NULL; document = document->next) {
        compiler->failed = false;
        if (!is_well_formed(compiler, document))
            continue;
        const struct yaml_node *message = yaml_member(document, "message");
        struct profile_example *example = arena_allocate(arena, sizeof *example);
        *example = (struct profile_example){
            .file = compiler->file,
            .line = document->line,
            .message = message != NULL ? (const char *)message->text.data : NULL,
            .document = document};
        if (message == NULL)
            example->body = yaml_member(document, "body")->text;
        uint64_t part = 0;
        if (yaml_member(document, "part") != NULL &&
            bytes_parse_u64(yaml_member(document, "part")->text, &part))
            example->part = (uint32_t)part;
        *link = example;
        link = &example->next;
    }
    free(compiler);
    return first;
}

/* ---- is it an example? ----------------------------------------------------------------------- */

/* A text or a list of texts. */
static void check_values(struct profile_compiler *compiler, const struct yaml_node *node)
{
    bool is_list = node->kind == YAML_LIST;
    const struct yaml_node *item = is_list ? node->first_child : node;
    for (; item != NULL; item = is_list ? item->next : NULL)
        (void)profile_expect(compiler, item, YAML_TEXT);
}

static void check_slots(struct profile_compiler *compiler, const struct yaml_node *mapping,
                        bool keys)
{
    if (mapping == NULL || !profile_expect(compiler, mapping, YAML_MAPPING))
        return;
    for (const struct yaml_node *node = mapping->first_child; node != NULL; node = node->next) {
        enum slot slot;
        if (keys ? slot_find_key(node->name, &slot) : slot_find_field(node->name, &slot))
            check_values(compiler, node);
        else
            profile_error_name(compiler, node, "P106", NULL, "there is no %s `%s`",
                               keys ? "kind of key" : "field",
                               profile_excerpt(compiler, node->name));
    }
}

static void check_part(struct profile_compiler *compiler, const struct yaml_node *part)
{
    uint64_t number;
    if (part != NULL && (part->kind != YAML_TEXT || !bytes_parse_u64(part->text, &number) ||
                         number == 0 || number > EDIFACT_PARTS_MAX))
        profile_error(compiler, part, "P105", "as in `part: 2`",
                      "expected the number of a message, from 1 to %d", EDIFACT_PARTS_MAX);
}

static bool is_well_formed(struct profile_compiler *compiler, const struct yaml_node *document)
{
    static const char *const known[] = {"message", "body",    "profile", "fields", "keys",
                                        "entries", "refused", "at",      "part"};
    if (!profile_expect(compiler, document, YAML_MAPPING))
        return false;
    profile_check_members(compiler, document, known, sizeof known / sizeof known[0]);
    const struct yaml_node *message = yaml_member(document, "message");
    const struct yaml_node *body = yaml_member(document, "body");
    if ((message == NULL) == (body == NULL))
        profile_error(compiler, document, "P103", "a file beside this one, or the message itself",
                      "an example has either `message` or `body`");
    if (message != NULL)
        (void)profile_expect(compiler, message, YAML_TEXT);
    if (body != NULL && body->kind != YAML_TEXT)
        profile_error(compiler, body, "P104", "quote it", "expected a text");
    const struct yaml_node *profile = yaml_member(document, "profile");
    const struct yaml_node *refused = yaml_member(document, "refused");
    if ((profile == NULL) == (refused == NULL))
        profile_error(compiler, document, "P103", "as in `profile: ceb-order`",
                      "an example has either `profile` or `refused`");
    if (profile != NULL)
        (void)profile_expect(compiler, profile, YAML_TEXT);
    if (refused != NULL)
        (void)profile_expect(compiler, refused, YAML_TEXT);
    check_part(compiler, yaml_member(document, "part"));
    check_slots(compiler, yaml_member(document, "fields"), false);
    check_slots(compiler, yaml_member(document, "keys"), true);
    const struct yaml_node *entries = yaml_member(document, "entries");
    if (entries != NULL && profile_expect(compiler, entries, YAML_LIST))
        for (const struct yaml_node *entry = entries->first_child; entry != NULL;
             entry = entry->next)
            check_slots(compiler, entry, true);
    return !compiler->failed;
}

/* ---- is it so? ------------------------------------------------------------------------------- */

struct comparison {
    const struct profile_example *example;
    struct arena *arena;
    const struct reading *reading;
    struct diagnostics *diagnostics;
    bool differs;
};

/* At the value, or at the example if it has none. */
static void report(struct comparison *comparison, const struct yaml_node *at, const char *text)
{
    if (at == NULL)
        at = comparison->example->document;
    diagnostics_add(comparison->diagnostics, SEVERITY_ERROR, "P115",
                    (struct place){comparison->example->file, at->line, at->column}, NULL, "%s",
                    text);
    comparison->differs = true;
}

static const char *append(struct arena *arena, const char *list, struct bytes item)
{
    return arena_format(arena, "%s%s%.*s", list, list[0] != '\0' ? ", " : "", (int)item.size,
                        (const char *)item.data);
}

static const char *list_expected(struct arena *arena, const struct yaml_node *values)
{
    const char *list = "";
    if (values != NULL && values->kind == YAML_TEXT)
        list = append(arena, list, values->text);
    else if (values != NULL)
        for (const struct yaml_node *item = values->first_child; item != NULL; item = item->next)
            list = append(arena, list, item->text);
    return list[0] != '\0' ? list : "nothing";
}

/* Fields are looked at whatever their entry is: it is where they were found, no more. */
static uint16_t next_of(const struct reading *reading, enum slot slot, uint16_t entry, uint16_t at)
{
    while (at != READING_NO_OCCURRENCE && slot_is_key(slot) &&
           reading->occurrences[at].entry != entry)
        at = reading->occurrences[at].next;
    return at;
}

static void compare_slot(struct comparison *comparison, const struct yaml_node *mapping,
                         enum slot slot, uint16_t entry)
{
    const struct reading *reading = comparison->reading;
    const struct yaml_node *values = mapping != NULL ? yaml_member(mapping, slot_name(slot)) : NULL;
    const struct yaml_node *expected =
        values != NULL && values->kind == YAML_LIST ? values->first_child : values;
    const char *found = "";
    bool equal = true;
    uint16_t at = next_of(reading, slot, entry, reading_first(reading, slot));
    while (at != READING_NO_OCCURRENCE) {
        struct bytes value = reading->occurrences[at].value;
        equal = equal && expected != NULL && bytes_equal(expected->text, value);
        found = append(comparison->arena, found, value);
        if (expected != NULL)
            expected = values->kind == YAML_LIST ? expected->next : NULL;
        at = next_of(reading, slot, entry, reading->occurrences[at].next);
    }
    if (equal && expected == NULL)
        return;
    report(comparison, values != NULL ? values : mapping,
           arena_format(comparison->arena, "`%s` is %s, not %s", slot_name(slot),
                        found[0] != '\0' ? found : "absent",
                        list_expected(comparison->arena, values)));
}

static void compare_slots(struct comparison *comparison, const struct yaml_node *mapping,
                          enum slot from, enum slot to, uint16_t entry)
{
    for (enum slot slot = from; slot < to; slot++)
        compare_slot(comparison, mapping, slot, entry);
}

static void compare_reading(struct comparison *comparison)
{
    const struct yaml_node *document = comparison->example->document;
    const struct reading *reading = comparison->reading;
    const struct yaml_node *profile = yaml_member(document, "profile");
    if (profile == NULL) {
        report(comparison, yaml_member(document, "refused"),
               arena_format(comparison->arena, "profile `%s` reads the message",
                            reading->profile->name));
        return;
    }
    if (!bytes_equal(profile->text, reading->profile->name_bytes))
        report(comparison, profile,
               arena_format(comparison->arena, "the message is recognised by `%s`",
                            reading->profile->name));
    compare_slots(comparison, yaml_member(document, "fields"), 0, SLOT_PARTICIPANT, 0);
    compare_slots(comparison, yaml_member(document, "keys"), SLOT_FIELD_COUNT, SLOT_COUNT, 0);
    const struct yaml_node *entries = yaml_member(document, "entries");
    uint32_t count = entries != NULL ? entries->child_count : 1;
    if (count != reading->entry_count)
        report(comparison, entries,
               arena_format(comparison->arena, "the message has %u entries, not %u",
                            reading->entry_count, count));
    const struct yaml_node *entry = entries != NULL ? entries->first_child : NULL;
    for (uint16_t i = 1; i <= reading->entry_count; i++) {
        compare_slots(comparison, entry != NULL ? entry : entries, SLOT_FIELD_COUNT, SLOT_COUNT, i);
        entry = entry != NULL ? entry->next : NULL;
    }
}

static void compare_fault(struct comparison *comparison, const struct scan_fault *fault)
{
    const struct yaml_node *document = comparison->example->document;
    const struct yaml_node *refused = yaml_member(document, "refused");
    const struct yaml_node *at = yaml_member(document, "at");
    const char *found =
        arena_format(comparison->arena, "%s%s%s", scan_reason_word(fault->reason),
                     fault->what != NULL ? " " : "", fault->what != NULL ? fault->what : "");
    if (refused == NULL || !bytes_equal_text(refused->text, found))
        report(comparison, refused,
               arena_format(comparison->arena, "the message is refused at byte %u: %s",
                            fault->offset, found));
    if (at != NULL &&
        !bytes_equal_text(at->text, arena_format(comparison->arena, "%u", fault->offset)))
        report(comparison, at,
               arena_format(comparison->arena, "it is refused at byte %u", fault->offset));
}

bool profile_example_check(const struct profile_example *example, struct arena *arena,
                           enum status status, const struct reading *reading,
                           const struct scan_fault *fault, struct diagnostics *diagnostics)
{
    assert(status == STATUS_OK || status == STATUS_INVALID);
    struct comparison comparison = {
        .example = example, .arena = arena, .reading = reading, .diagnostics = diagnostics};
    if (status == STATUS_OK)
        compare_reading(&comparison);
    else
        compare_fault(&comparison, fault);
    return !comparison.differs;
}
