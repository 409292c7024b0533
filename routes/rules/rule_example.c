#include "routes/rules/rule_example.h"

#include <stdlib.h>

#include "routes/suggest.h"
#include "routes/yaml.h"

enum { TEXT_BYTES = 1024, NAMES_MAX = 256 };

static bool parse_example(struct arena *arena, const struct yaml_node *document,
                          const struct generation *generation, struct diagnostics *diagnostics,
                          struct rule_example *out_example);
static bool check_refusal(const struct rule_example *example, const struct routing *routing,
                          struct diagnostics *diagnostics);
static bool check_destinations(const struct rule_example *example, const char *member,
                               const struct generation *generation,
                               const struct destination_set *set, struct diagnostics *diagnostics);
static bool check_rules(const struct rule_example *example, const struct generation *generation,
                        const struct decision *decision, struct diagnostics *diagnostics);

static struct place place_of(const char *file, const struct yaml_node *node)
{
    return (struct place){file, node->line, node->column};
}

const struct rule_example *rule_examples_parse(struct arena *arena, const char *path,
                                               struct bytes text,
                                               const struct generation *generation,
                                               struct diagnostics *diagnostics)
{
    const struct rule_example *first = NULL;
    const struct rule_example **link = &first;
    const char *file = arena_copy_text(arena, bytes_from_text(path));
    uint32_t errors_before = diagnostics->error_count;
    const struct yaml_node *document = yaml_parse(arena, file, text, "T101", diagnostics);
    if (document == NULL && diagnostics->error_count == errors_before)
        diagnostics_add(diagnostics, SEVERITY_ERROR, "T102", (struct place){.file = file},
                        "as in `message: list.xml`, and `deliver: customs` under it",
                        "there are no examples");
    for (; document != NULL; document = document->next) {
        struct rule_example *example = arena_allocate(arena, sizeof *example);
        *example = (struct rule_example){.file = file, .document = document};
        if (!parse_example(arena, document, generation, diagnostics, example))
            continue;
        *link = example;
        link = &example->next;
    }
    return first;
}

struct place rule_example_place(const struct rule_example *example)
{
    const struct yaml_node *message = yaml_member(example->document, "message");
    return place_of(example->file, message != NULL ? message : example->document);
}

bool rule_example_check(const struct rule_example *example, const struct generation *generation,
                        const struct routing *routings, uint32_t routing_count,
                        struct diagnostics *diagnostics)
{
    bool right = true;
    if (example->part == 0 ? routing_count != 1 : example->part > routing_count) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "T103",
                        place_of(example->file, example->document),
                        "`part: 2` says which of several is meant", "the body holds %u messages",
                        routing_count);
        return false;
    }
    const struct routing *routing = &routings[example->part > 0 ? example->part - 1 : 0];
    if (routing->refused || yaml_member(example->document, "refused") != NULL) {
        right = check_refusal(example, routing, diagnostics);
    } else {
        right = check_destinations(example, "deliver", generation, &routing->deliver, diagnostics);
        right =
            check_destinations(example, "hold", generation, &routing->hold, diagnostics) && right;
    }
    return check_rules(example, generation, &routing->decision, diagnostics) && right;
}

/* ---- what an example says ---- */

static const char *const members[] = {"message", "body",        "deliver", "hold", "rules",
                                      "refused", "participant", "channel", "at",   "part"};
enum { MEMBER_COUNT = sizeof members / sizeof *members };

static bool is_member(struct bytes name)
{
    for (size_t i = 0; i < MEMBER_COUNT; i++)
        if (bytes_equal_text(name, members[i]))
            return true;
    return false;
}

static bool check_members(const char *file, const struct yaml_node *document,
                          struct diagnostics *diagnostics)
{
    bool right = true;
    for (const struct yaml_node *node = document->first_child; node != NULL; node = node->next) {
        if (is_member(node->name))
            continue;
        const char *nearest = suggest_name(node->name, members, MEMBER_COUNT);
        char hint[TEXT_BYTES] = "`kouan help T102` lists them";
        if (nearest != NULL)
            snprintf(hint, sizeof hint, "did you mean `%s`?", nearest);
        diagnostics_add(diagnostics, SEVERITY_ERROR, "T102",
                        (struct place){file, node->name_line, node->name_column}, hint,
                        "an example has no `%.*s`", (int)node->name.size,
                        (const char *)node->name.data);
        right = false;
    }
    return right;
}

static bool report(const char *file, const struct yaml_node *node, const char *hint,
                   const char *what, struct diagnostics *diagnostics)
{
    diagnostics_add(diagnostics, SEVERITY_ERROR, "T102", place_of(file, node), hint, "%s", what);
    return false;
}

/* A text, or a list of texts where that is allowed; absent ones are right. */
static bool check_kind(const char *file, const struct yaml_node *node, bool may_be_list,
                       struct diagnostics *diagnostics)
{
    if (node == NULL || node->kind == YAML_TEXT)
        return true;
    if (node->kind != YAML_LIST || !may_be_list)
        return report(file, node, NULL, may_be_list ? "expected names" : "expected a text",
                      diagnostics);
    for (const struct yaml_node *item = node->first_child; item != NULL; item = item->next)
        if (item->kind != YAML_TEXT)
            return report(file, item, NULL, "expected a name", diagnostics);
    return true;
}

static bool check_shape(const char *file, const struct yaml_node *document,
                        struct diagnostics *diagnostics)
{
    if (document->kind != YAML_MAPPING)
        return report(file, document, "message: list.xml", "an example is a mapping", diagnostics);
    bool right = check_members(file, document, diagnostics);
    for (size_t i = 0; i < MEMBER_COUNT; i++) {
        bool names = strcmp(members[i], "deliver") == 0 || strcmp(members[i], "hold") == 0 ||
                     strcmp(members[i], "rules") == 0;
        right = check_kind(file, yaml_member(document, members[i]), names, diagnostics) && right;
    }
    if ((yaml_member(document, "message") == NULL) == (yaml_member(document, "body") == NULL))
        right = report(file, document, "a file beside this one, or the message itself",
                       "an example has either `message` or `body`", diagnostics);
    bool goes = yaml_member(document, "deliver") != NULL || yaml_member(document, "hold") != NULL;
    if (goes == (yaml_member(document, "refused") != NULL))
        right =
            report(file, document, "deliver: customs",
                   "an example says where the message goes, or that it is `refused`", diagnostics);
    return right;
}

static bool report_unknown(const struct rule_example *example, const struct yaml_node *node,
                           const char *kind, struct diagnostics *diagnostics)
{
    diagnostics_add(diagnostics, SEVERITY_ERROR, "T103", place_of(example->file, node),
                    "names are those of the configuration", "there is no %s `%.*s`", kind,
                    (int)node->text.size, (const char *)node->text.data);
    return false;
}

/* One that was removed may keep its place before it. */
static const struct channel *first_channel(const struct generation *generation)
{
    uint16_t first = 0;
    while (generation->channels[first]->is_removed)
        first++;
    return generation->channels[first];
}

static bool find_names(struct rule_example *example, const struct yaml_node *document,
                       const struct generation *generation, struct diagnostics *diagnostics)
{
    const struct yaml_node *participant = yaml_member(document, "participant");
    const struct yaml_node *channel = yaml_member(document, "channel");
    bool right = true;
    example->channel = first_channel(generation);
    if (participant != NULL) {
        example->participant = participant_find(&generation->directory, participant->text);
        if (example->participant == NULL)
            right = report_unknown(example, participant, "participant", diagnostics);
    }
    if (channel != NULL) {
        example->channel = generation_channel(generation, channel->text);
        if (example->channel == NULL)
            right = report_unknown(example, channel, "channel", diagnostics);
    }
    for (unsigned i = 0; i < 2; i++) {
        const struct yaml_node *node = yaml_member(document, i == 0 ? "deliver" : "hold");
        bool is_list = node != NULL && node->kind == YAML_LIST;
        for (const struct yaml_node *item = is_list ? node->first_child : node; item != NULL;
             item = is_list ? item->next : NULL)
            if (generation_destination(generation, item->text) == NULL)
                right = report_unknown(example, item, "destination", diagnostics);
    }
    return right;
}

static bool parse_example(struct arena *arena, const struct yaml_node *document,
                          const struct generation *generation, struct diagnostics *diagnostics,
                          struct rule_example *out_example)
{
    const char *file = out_example->file;
    if (!check_shape(file, document, diagnostics) ||
        !find_names(out_example, document, generation, diagnostics))
        return false;
    const struct yaml_node *message = yaml_member(document, "message");
    const struct yaml_node *at = yaml_member(document, "at"), *part = yaml_member(document, "part");
    uint64_t number = 0;
    if (message != NULL)
        out_example->message = arena_copy_text(arena, message->text);
    else
        out_example->body = arena_copy(arena, yaml_member(document, "body")->text);
    if (at != NULL && rule_time_parse(at->text, &out_example->at_ms) != RULE_TIME_RIGHT)
        return report(file, at, "2026-12-01, or 2026-12-01T08:30+08:00", "expected a time",
                      diagnostics);
    if (part != NULL &&
        (!bytes_parse_u64(part->text, &number) || number == 0 || number > EDIFACT_PARTS_MAX))
        return report(file, part, "as in `part: 2`", "expected the number of a message",
                      diagnostics);
    out_example->has_time = at != NULL;
    out_example->part = (uint32_t)number;
    return true;
}

/* ---- is it so? ---- */

/* Names of what should be, or is: sorted, one after the other. */
struct names {
    const char *items[NAMES_MAX];
    uint32_t count;
};

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static void add_name(struct names *names, const char *name)
{
    if (names->count < NAMES_MAX)
        names->items[names->count++] = name;
}

static struct names names_of(const struct yaml_node *node)
{
    struct names names = {.count = 0};
    bool is_list = node != NULL && node->kind == YAML_LIST;
    for (const struct yaml_node *item = is_list ? node->first_child : node; item != NULL;
         item = is_list ? item->next : NULL)
        add_name(&names, (const char *)item->text.data);
    return names;
}

static void join(const struct names *names, char out_text[TEXT_BYTES])
{
    size_t size = 0;
    snprintf(out_text, TEXT_BYTES, "nothing");
    for (uint32_t i = 0; i < names->count && size < TEXT_BYTES; i++)
        size += (size_t)snprintf(out_text + size, TEXT_BYTES - size, "%s%s", i > 0 ? ", " : "",
                                 names->items[i]);
}

/* `before` and `between` make a sentence of what is, and what should be. */
static bool compare(const struct rule_example *example, const char *member, struct names *wanted,
                    struct names *found, const char *before, struct diagnostics *diagnostics)
{
    char is[TEXT_BYTES], should[TEXT_BYTES];
    qsort(wanted->items, wanted->count, sizeof *wanted->items, by_text);
    qsort(found->items, found->count, sizeof *found->items, by_text);
    bool same = wanted->count == found->count;
    for (uint32_t i = 0; same && i < found->count; i++)
        same = strcmp(wanted->items[i], found->items[i]) == 0;
    if (same)
        return true;
    const struct yaml_node *node = yaml_member(example->document, member);
    join(found, is);
    join(wanted, should);
    diagnostics_add(diagnostics, SEVERITY_ERROR, "T105",
                    place_of(example->file, node != NULL ? node : example->document),
                    "`kouan explain` shows which rules a message meets", "%s: %s %s, not %s",
                    member, before, is, should);
    return false;
}

static bool check_destinations(const struct rule_example *example, const char *member,
                               const struct generation *generation,
                               const struct destination_set *set, struct diagnostics *diagnostics)
{
    struct names wanted = names_of(yaml_member(example->document, member));
    struct names found = {.count = 0};
    for (unsigned d = destination_set_next(set, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(set, d + 1))
        add_name(&found, generation->destinations[d]->name);
    return compare(example, member, &wanted, &found,
                   member[0] == 'd' ? "the message goes to" : "the message is held at",
                   diagnostics);
}

static bool check_refusal(const struct rule_example *example, const struct routing *routing,
                          struct diagnostics *diagnostics)
{
    char reason[TEXT_BYTES];
    const struct yaml_node *wanted = yaml_member(example->document, "refused");
    const char *hint = "`kouan explain` shows which rules a message meets";
    struct place place = place_of(example->file, wanted != NULL ? wanted : example->document);
    if (!routing->refused) {
        diagnostics_add(diagnostics, SEVERITY_ERROR, "T105", place, hint,
                        "the message is not refused");
        return false;
    }
    const char *word = refusal_word(routing->refusal);
    if (wanted != NULL && bytes_equal_text(wanted->text, word))
        return true;
    routing_describe_refusal(routing, reason, sizeof reason);
    diagnostics_add(diagnostics, SEVERITY_ERROR, "T105", place, hint,
                    "the message is refused: %s %s", word, reason);
    return false;
}

static bool check_rules(const struct rule_example *example, const struct generation *generation,
                        const struct decision *decision, struct diagnostics *diagnostics)
{
    char texts[RULE_TABLES_MAX][TEXT_BYTES];
    const struct yaml_node *node = yaml_member(example->document, "rules");
    if (node == NULL)
        return true;
    struct names wanted = names_of(node), found = {.count = 0};
    for (uint16_t t = 0; t < decision->table_count; t++) {
        const struct rule_table *table = generation->tables[t];
        if (decision->matched[t] == DECISION_NO_RULE)
            continue;
        snprintf(texts[t], sizeof texts[t], "%s/%s", table->name,
                 table->rules[decision->matched[t]].id);
        add_name(&found, texts[t]);
    }
    return compare(example, "rules", &wanted, &found, "the message meets", diagnostics);
}

const struct diagnostic_code rule_example_codes[] = {
    {"T101", "the YAML of the examples cannot be read",
     "The place is where the reader gave up. Indent by blanks, quote texts with `:` or `#`."},
    {"T102", "an example that says too little, or what none says",
     "An example has `message` (a file beside it) or `body`, and `deliver` and `hold` (names of "
     "destinations), or `refused`. It may have `rules`, `participant`, `channel`, `at` and "
     "`part`."},
    {"T103", "an example names what is not there",
     "Participants, channels and destinations are those of the configuration; `part` is one of the "
     "messages of the body."},
    {"T104", "the message of an example cannot be read",
     "`message` is a file, beside the one with the example."},
    {"T105", "an example turns out otherwise",
     "The rules decide otherwise on the message than the example says. Either the tables are "
     "wrong, "
     "or the example is out of date. A configuration with such an example is not loaded."},
    {NULL, NULL, NULL},
};
