/* An explanation for people. */
#include <stdio.h>

#include "io/cli/explain.h"
#include "io/cli/explain_payload.h"
#include "io/cli/explain_warnings.h"
#include "io/cli/output.h"
#include "routes/json/json_members.h"

enum { PAGE_COLUMNS = 100, LABEL_COLUMNS = 14, NAME_COLUMNS = 18 };

static void print_head(const struct explanation *explanation);
static void print_beginning(struct bytes body);
static void print_message(const struct explanation *explanation, uint32_t index);
static void print_identity(const struct routing *routing);
static void print_fields(const struct reading *reading);
static void print_entries(const struct reading *reading);
static void print_rules(const struct explanation *explanation, const struct routing *routing);
static void print_messages(const struct explanation *explanation);
static void print_decision(const struct explanation *explanation, const struct routing *routing);
static void print_refusal(const struct explanation *explanation, const char *label,
                          enum refusal refusal, const char *reason, const struct routing *faulty);

static void print_label(const char *label)
{
    printf("  %-*s", LABEL_COLUMNS, label);
}

void explain_print_text(const struct explanation *explanation)
{
    print_head(explanation);
    if (explanation->message_count > 1)
        print_messages(explanation);
    else if (explanation->message_count == 1)
        print_message(explanation, 0);
    explain_print_warnings_text(explanation);
    if (!explanation->refused && explanation->message_count == 1)
        print_decision(explanation, &explanation->routings[0]);
    else if (explanation->refused && explanation->message_count > 1)
        print_refusal(explanation, "all refused", explanation->refusal, explanation->reason, NULL);
    else if (explanation->refused)
        print_refusal(explanation, "refused", explanation->refusal, explanation->reason,
                      explain_find_fault(explanation));
}

/* Each with its own decision, under the offset at which it begins; the whole is accepted if all
 * are. */
static void print_messages(const struct explanation *explanation)
{
    for (uint32_t i = 0; i < explanation->message_count; i++) {
        const struct routing *routing = &explanation->routings[i];
        char reason[EXPLAIN_REASON_BYTES];
        print_label("message");
        printf("%u of %u  (", routing->part_number, routing->part_count);
        output_count(stdout, routing->body.size);
        printf(" bytes from byte %zu)\n", (size_t)(routing->body.data - explanation->body.data));
        print_message(explanation, i);
        if (routing->refused) {
            routing_describe_refusal(routing, reason, sizeof reason);
            print_refusal(explanation, "refused", routing->refusal, reason,
                          explain_was_read(routing) ? NULL : routing);
        } else {
            print_decision(explanation, routing);
        }
    }
}

/* What was read, and the rules about it. */
static void print_message(const struct explanation *explanation, uint32_t index)
{
    const struct profile *profile = explanation->profiles[index];
    const struct routing *routing = &explanation->routings[index];
    if (profile == NULL) {
        print_beginning(routing->body);
    } else {
        print_label("profile");
        printf("%s  (%s, family %s%s)\n", profile->name, explain_format_name(profile->plan.format),
               profile->family, profile->receipt ? ", receipt" : "");
    }
    if (!explain_was_read(routing))
        return;
    explain_print_payload_text(&routing->reading);
    print_identity(routing);
    print_fields(&routing->reading);
    print_entries(&routing->reading);
    if (explanation->generation->table_count > 0)
        print_rules(explanation, routing);
}

/* A part after others, at `column`, or on a line of its own indented to `indent`; the column behind
 * it. */
static uint32_t print_wrapped(struct bytes part, uint32_t column, uint32_t indent)
{
    uint32_t columns = output_columns(part);
    if (column > indent && column + 2 + columns > PAGE_COLUMNS) {
        printf("\n%*s", (int)indent, "");
        column = indent;
    } else if (column > indent) {
        fputs("  ", stdout);
        column += 2;
    }
    output_escaped(stdout, part);
    return column + columns;
}

/* ---- head ---- */

static void print_head(const struct explanation *explanation)
{
    output_painted(stdout, PAINT_BOLD, explanation->path);
    fputs("  ", stdout);
    output_count(stdout, explanation->body.size);
    puts(" bytes");
    if (!explanation->generation->open) {
        print_label("participant");
        printf("%s%s\n", explanation->participant->name,
               explanation->found_by_sender           ? "  (by the sender's address)"
               : explanation->participant->index == 0 ? "  (nobody; --participant NAME names one)"
                                                      : "");
    }
}

static void print_part(const char *before, struct bytes part)
{
    enum { SHOWN_MAX = 80 };
    if (part.size == 0)
        return;
    fputs(before, stdout);
    output_escaped(stdout, bytes_slice(part, 0, SHOWN_MAX));
}

static void print_members(struct bytes body)
{
    enum { SHOWN_MAX = 6 };
    struct json_members members;
    json_members_init(&members, body);
    for (unsigned i = 0; i < SHOWN_MAX && json_members_next(&members); i++)
        print_part(i == 0 ? "  with " : ", ", members.name);
}

/* What a profile could recognise it by, where none does. */
static void print_beginning(struct bytes body)
{
    enum format format;
    struct scan_fault fault;
    struct xml_peek xml;
    struct edifact_peek edifact;
    if (scan_sniff(body, &format, &fault) != STATUS_OK)
        return;
    print_label("looks like");
    fputs(explain_format_name(format), stdout);
    if (format == FORMAT_XML && scan_xml_peek(body, &xml, &fault) == STATUS_OK) {
        print_part("  root ", xml.root);
        print_part("  namespace ", xml.root_namespace);
    } else if (format == FORMAT_EDIFACT && scan_edifact_peek(body, &edifact, &fault) == STATUS_OK) {
        print_part("  ", edifact.type);
        print_part(" ", edifact.version);
        print_part(".", edifact.release);
        print_part(" ", edifact.agency);
    } else if (format == FORMAT_JSON) {
        print_members(body);
    }
    putchar('\n');
}

static void print_identity(const struct routing *routing)
{
    const struct profile *profile = routing->reading.profile;
    print_label("identity");
    switch (explain_identity(routing)) {
    case EXPLAINED_BY_ID:
        fputs("by id ", stdout);
        output_escaped(stdout, reading_value(&routing->reading, SLOT_MESSAGE_ID));
        printf("  (other bytes under it: %s)\n", routing->supersedes ? "an amendment"
                                                 : profile->conflict == CONFLICT_REFUSE
                                                     ? "a conflict, refused"
                                                     : "a conflict, flagged");
        return;
    case EXPLAINED_BY_BODY_RECEIPT: puts("by body  (a receipt: its id is the original's)"); return;
    case EXPLAINED_BY_BODY_OF_PROFILE: puts("by body  (its profile goes by no id)"); return;
    case EXPLAINED_BY_BODY_WITHOUT_ID: puts("by body  (it has no id)"); return;
    }
}

/* ---- fields and keys ---- */

static void print_fields(const struct reading *reading)
{
    const char *label = "fields";
    for (unsigned slot = 0; slot < SLOT_FIELD_COUNT; slot++) {
        if (slot == SLOT_PROFILE || slot == SLOT_PAYLOAD_PROFILE || slot == SLOT_PARTICIPANT ||
            reading_first(reading, (enum slot)slot) == READING_NO_OCCURRENCE)
            continue;
        enum { INDENT = 2 + LABEL_COLUMNS + NAME_COLUMNS };
        uint32_t column = INDENT;
        print_label(label);
        printf("%-*s", NAME_COLUMNS, slot_name((enum slot)slot));
        for (uint16_t i = reading_first(reading, (enum slot)slot); i != READING_NO_OCCURRENCE;
             i = reading->occurrences[i].next)
            column = print_wrapped(reading->occurrences[i].value, column, INDENT);
        putchar('\n');
        label = "";
    }
}

/* `kind:value`, those of the message itself (entry 0) or of one of its entries. */
static void print_keys(const struct reading *reading, uint16_t entry, uint32_t indent)
{
    enum { KEY_BYTES_MAX = READING_VALUE_BYTES_MAX + 32 };
    uint32_t column = indent;
    for (uint16_t i = 0; i < reading->count; i++) {
        const struct occurrence *occurrence = &reading->occurrences[i];
        if (occurrence->entry != entry || !slot_is_key((enum slot)occurrence->slot))
            continue;
        char key[KEY_BYTES_MAX];
        int size = snprintf(key, sizeof key, "%s:%.*s", slot_name((enum slot)occurrence->slot),
                            (int)occurrence->value.size, (const char *)occurrence->value.data);
        column = print_wrapped(bytes_make(key, (size_t)size), column, indent);
    }
    puts(column == indent ? "-" : "");
}

static void print_entries(const struct reading *reading)
{
    enum { KEYS_INDENT = 2 + LABEL_COLUMNS, NUMBER_COLUMNS = 5 };
    if (reading_has_keys(reading, 0)) {
        print_label("keys");
        print_keys(reading, 0, KEYS_INDENT);
    }
    if (!reading_has_entries(reading))
        return;
    for (uint16_t entry = 1; entry <= reading->entry_count; entry++) {
        print_label(entry == 1 ? "entries" : "");
        printf("%-*u", NUMBER_COLUMNS, entry);
        print_keys(reading, entry, KEYS_INDENT + NUMBER_COLUMNS);
    }
}

/* ---- rules ---- */

static void print_targets(const struct generation *generation, const struct rule *rule)
{
    fputs(rule_action_name(rule->action), stdout);
    for (uint16_t i = 0; i < rule->destination_count; i++)
        printf("%s%s", i > 0 ? ", " : " ", generation->destinations[rule->destinations[i]]->name);
    if (rule->to_receiver)
        printf("%s@receiver", rule->destination_count > 0 ? ", " : " ");
}

static void print_validity(const struct rule *rule)
{
    char time[RULE_TIME_TEXT_BYTES];
    if (rule->valid_from_ms > 0) {
        rule_time_format(rule->valid_from_ms, time);
        printf("  from %s", time);
    }
    if (rule->valid_to_ms < UINT64_MAX) {
        rule_time_format(rule->valid_to_ms, time);
        printf("  until %s", time);
    }
}

static void print_lists(const struct rule *rule)
{
    for (uint16_t i = 0; i < rule->condition_count; i++)
        for (uint32_t k = 0; k < rule->conditions[i].alternative_count; k++) {
            const struct value_list *list = rule->conditions[i].alternatives[k].list;
            if (list == NULL || list->version[0] == '\0')
                continue;
            printf("  @%s ", list->name);
            output_escaped(stdout, bytes_from_text(list->version));
        }
}

static void print_match(const struct explanation *explanation, const struct routing *routing,
                        uint16_t index)
{
    const struct rule_table *table = explanation->generation->tables[index];
    uint32_t matched = routing->decision.matched[index];
    if (matched == DECISION_NO_RULE) {
        printf("no rule of its %u holds\n", table->rule_count);
        return;
    }
    const struct rule *rule = &table->rules[matched];
    output_painted(stdout, PAINT_BOLD, rule->id);
    printf(" (line %u)  ", rule->line);
    print_targets(explanation->generation, rule);
    print_validity(rule);
    print_lists(rule);
    if (rule->note[0] != '\0') {
        fputs("  # ", stdout);
        output_escaped(stdout, bytes_from_text(rule->note));
    }
    putchar('\n');
}

static void print_beaten(const struct explanation *explanation, const struct routing *routing,
                         uint16_t index)
{
    const struct rule_table *table = explanation->generation->tables[index];
    uint32_t beaten[EXPLAIN_BEATEN_MAX];
    uint32_t count = explain_beaten(explanation, routing, index, beaten);
    if (count == 0)
        return;
    printf("  %*sbeats", LABEL_COLUMNS + NAME_COLUMNS, "");
    for (uint32_t i = 0; i < count && i < EXPLAIN_BEATEN_MAX; i++)
        printf("%s %s (line %u)", i > 0 ? "," : "", table->rules[beaten[i]].id,
               table->rules[beaten[i]].line);
    if (count > EXPLAIN_BEATEN_MAX)
        printf(" and %u more", count - EXPLAIN_BEATEN_MAX);
    putchar('\n');
}

static void print_rules(const struct explanation *explanation, const struct routing *routing)
{
    for (uint16_t i = 0; i < explanation->generation->table_count; i++) {
        print_label(i == 0 ? "rules" : "");
        printf("%-*s", NAME_COLUMNS, explanation->generation->tables[i]->name);
        print_match(explanation, routing, i);
        print_beaten(explanation, routing, i);
    }
}

/* ---- outcome ---- */

/* Some of the body around the byte at which reading stopped, and a caret below it. */
static void print_excerpt(struct bytes body, uint32_t offset)
{
    enum { BEFORE = 40, AFTER = 40, INDENT = 2 + LABEL_COLUMNS };
    size_t at = offset < body.size ? offset : body.size;
    size_t start = at > BEFORE ? at - BEFORE : 0;
    while (start < at && (body.data[start] & 0xC0) == 0x80)
        start++; /* not amid a character */
    struct bytes before = bytes_slice(body, start, at - start);
    struct bytes after = bytes_slice(body, at, AFTER);
    while (after.size > 0 && at + after.size < body.size &&
           (body.data[at + after.size] & 0xC0) == 0x80)
        after.size--;
    printf("%*s", INDENT, "");
    fputs(start > 0 ? "..." : "", stdout);
    output_escaped(stdout, before);
    output_escaped(stdout, after);
    puts(at + after.size < body.size ? "..." : "");
    int column = INDENT + (start > 0 ? 3 : 0) + (int)output_columns(before);
    printf("%*s", column, "");
    output_painted(stdout, PAINT_BAD, "^");
    putchar('\n');
}

static void print_destinations(const struct explanation *explanation, const char *label,
                               const struct destination_set *set)
{
    const char *separator = "";
    if (destination_set_is_empty(set))
        return;
    print_label(label);
    for (unsigned d = destination_set_next(set, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(set, d + 1)) {
        fputs(separator, stdout);
        output_painted(stdout, PAINT_GOOD, explanation->generation->destinations[d]->name);
        separator = ", ";
    }
    putchar('\n');
}

static void print_decision(const struct explanation *explanation, const struct routing *routing)
{
    print_destinations(explanation, "deliver", &routing->deliver);
    print_destinations(explanation, "hold", &routing->hold);
}

/* `faulty`: the message that could not be read, or NULL. */
static void print_refusal(const struct explanation *explanation, const char *label,
                          enum refusal refusal, const char *reason, const struct routing *faulty)
{
    print_label(label);
    output_painted(stdout, PAINT_BAD, refusal_word(refusal));
    putchar(' ');
    output_escaped(stdout, bytes_from_text(reason));
    putchar('\n');
    if (faulty != NULL)
        print_excerpt(explanation->body, faulty->fault.offset);
}
