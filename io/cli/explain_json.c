/* An explanation as one JSON object. */
#include <stdio.h>

#include "io/cli/explain.h"
#include "io/cli/explain_payload.h"
#include "io/cli/explain_warnings.h"
#include "io/cli/output.h"

static void print_fields(const struct reading *reading);
static void print_entries(const struct reading *reading);
static void print_message(const struct explanation *explanation, uint32_t index);
static void print_identity(const struct routing *routing);
static void print_rules(const struct explanation *explanation, const struct routing *routing);
static void print_decision(const struct explanation *explanation, const struct routing *routing);
static void print_destinations(const struct generation *generation, const char *name,
                               const struct destination_set *set);
static void print_messages(const struct explanation *explanation);
static void print_refusal(enum refusal refusal, const char *reason, const struct routing *faulty);

static void print_text_member(const char *name, const char *text)
{
    printf("\"%s\":", name);
    output_json_text(stdout, text);
}

void explain_print_json(const struct explanation *explanation)
{
    putchar('{');
    print_text_member("file", explanation->path);
    printf(",\"bytes\":%zu,\"accepted\":%s,", explanation->body.size,
           explanation->refused ? "false" : "true");
    print_text_member("participant", explanation->participant->name);
    if (explanation->message_count > 1)
        print_messages(explanation);
    else if (explanation->message_count == 1)
        print_message(explanation, 0);
    explain_print_warnings_json(explanation);
    if (explanation->refused)
        print_refusal(explanation->refusal, explanation->reason, explain_find_fault(explanation));
    else if (explanation->message_count == 1)
        print_decision(explanation, &explanation->routings[0]);
    putchar('}');
}

/* Each with its own decision; the whole is accepted if all are. */
static void print_messages(const struct explanation *explanation)
{
    fputs(",\n \"messages\":[", stdout);
    for (uint32_t i = 0; i < explanation->message_count; i++) {
        const struct routing *routing = &explanation->routings[i];
        char reason[EXPLAIN_REASON_BYTES];
        printf("%s{\"number\":%u,\"offset\":%zu,\"bytes\":%zu,\"accepted\":%s", i > 0 ? "," : "",
               routing->part_number, (size_t)(routing->body.data - explanation->body.data),
               routing->body.size, routing->refused ? "false" : "true");
        print_message(explanation, i);
        if (routing->refused) {
            routing_describe_refusal(routing, reason, sizeof reason);
            print_refusal(routing->refusal, reason, explain_was_read(routing) ? NULL : routing);
        } else {
            print_decision(explanation, routing);
        }
        putchar('}');
    }
    putchar(']');
}

/* What was read, and the rules about it. */
static void print_message(const struct explanation *explanation, uint32_t index)
{
    const struct profile *profile = explanation->profiles[index];
    const struct routing *routing = &explanation->routings[index];
    if (profile != NULL) {
        putchar(',');
        print_text_member("profile", profile->name);
        putchar(',');
        print_text_member("family", profile->family);
    }
    if (!explain_was_read(routing))
        return;
    explain_print_payload_json(&routing->reading);
    print_identity(routing);
    print_fields(&routing->reading);
    print_entries(&routing->reading);
    print_rules(explanation, routing);
}

static void print_decision(const struct explanation *explanation, const struct routing *routing)
{
    print_destinations(explanation->generation, "deliver", &routing->deliver);
    print_destinations(explanation->generation, "hold", &routing->hold);
}

static void print_identity(const struct routing *routing)
{
    bool by_id = explain_identity(routing) == EXPLAINED_BY_ID;
    printf(",\n \"identity\":{\"by\":\"%s\"", by_id ? "id" : "body");
    if (by_id) {
        fputs(",\"id\":", stdout);
        output_json(stdout, reading_value(&routing->reading, SLOT_MESSAGE_ID));
    }
    printf(",\"supersedes\":%s}", routing->supersedes ? "true" : "false");
}

static void print_values(const struct reading *reading, enum slot slot)
{
    const char *separator = "";
    output_json_text(stdout, slot_name(slot));
    fputs(":[", stdout);
    for (uint16_t i = reading_first(reading, slot); i != READING_NO_OCCURRENCE;
         i = reading->occurrences[i].next) {
        printf("%s{\"entry\":%u,\"value\":", separator, reading->occurrences[i].entry);
        output_json(stdout, reading->occurrences[i].value);
        putchar('}');
        separator = ",";
    }
    putchar(']');
}

static void print_fields(const struct reading *reading)
{
    const char *separator = "";
    fputs(",\n \"fields\":{", stdout);
    for (unsigned slot = 0; slot < SLOT_FIELD_COUNT; slot++) {
        if (reading_first(reading, (enum slot)slot) == READING_NO_OCCURRENCE)
            continue;
        fputs(separator, stdout);
        print_values(reading, (enum slot)slot);
        separator = ",";
    }
    putchar('}');
}

/* Entry 0 is the message itself, where its keys belong to no entry. */
static void print_keys(const struct reading *reading, uint16_t entry)
{
    const char *separator = "";
    printf("{\"entry\":%u,\"keys\":[", entry);
    for (uint16_t i = 0; i < reading->count; i++) {
        const struct occurrence *occurrence = &reading->occurrences[i];
        if (occurrence->entry != entry || !slot_is_key((enum slot)occurrence->slot))
            continue;
        printf("%s{\"kind\":\"%s\",\"value\":", separator, slot_name((enum slot)occurrence->slot));
        output_json(stdout, occurrence->value);
        putchar('}');
        separator = ",";
    }
    fputs("]}", stdout);
}

static void print_entries(const struct reading *reading)
{
    fputs(",\n \"entries\":[", stdout);
    for (uint16_t entry = 0; entry <= reading->entry_count; entry++) {
        fputs(entry > 0 ? "," : "", stdout);
        print_keys(reading, entry);
    }
    putchar(']');
}

/* ---- rules ---- */

static void print_time(const char *name, uint64_t ms)
{
    char text[RULE_TIME_TEXT_BYTES];
    rule_time_format(ms, text);
    printf("\"%s\":\"%s\",", name, text);
}

static void print_rule(const struct generation *generation, const struct rule *rule)
{
    const char *separator = "";
    putchar('{');
    print_text_member("id", rule->id);
    printf(",\"line\":%u,\"action\":\"%s\",\"to\":[", rule->line, rule_action_name(rule->action));
    for (uint16_t i = 0; i < rule->destination_count; i++) {
        fputs(separator, stdout);
        output_json_text(stdout, generation->destinations[rule->destinations[i]]->name);
        separator = ",";
    }
    if (rule->to_receiver)
        printf("%s\"@receiver\"", separator);
    fputs("],", stdout);
    if (rule->valid_from_ms > 0)
        print_time("valid_from", rule->valid_from_ms);
    if (rule->valid_to_ms < UINT64_MAX)
        print_time("valid_to", rule->valid_to_ms);
    print_text_member("note", rule->note);
    putchar('}');
}

static void print_rules(const struct explanation *explanation, const struct routing *routing)
{
    const struct generation *generation = explanation->generation;
    fputs(",\n \"tables\":[", stdout);
    for (uint16_t t = 0; t < generation->table_count; t++) {
        const struct rule_table *table = generation->tables[t];
        uint32_t matched = routing->decision.matched[t];
        uint32_t beaten[EXPLAIN_BEATEN_MAX];
        uint32_t beaten_count = explain_beaten(explanation, routing, t, beaten);
        fputs(t > 0 ? ",{" : "{", stdout);
        print_text_member("table", table->name);
        fputs(",\"matched\":", stdout);
        if (matched == DECISION_NO_RULE)
            fputs("null", stdout);
        else
            print_rule(generation, &table->rules[matched]);
        printf(",\"beaten_count\":%u,\"beaten\":[", beaten_count);
        for (uint32_t i = 0; i < beaten_count && i < EXPLAIN_BEATEN_MAX; i++) {
            fputs(i > 0 ? "," : "", stdout);
            print_rule(generation, &table->rules[beaten[i]]);
        }
        fputs("]}", stdout);
    }
    putchar(']');
}

/* ---- outcome ---- */

static void print_destinations(const struct generation *generation, const char *name,
                               const struct destination_set *set)
{
    const char *separator = "";
    printf(",\n \"%s\":[", name);
    for (unsigned d = destination_set_next(set, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(set, d + 1)) {
        fputs(separator, stdout);
        output_json_text(stdout, generation->destinations[d]->name);
        separator = ",";
    }
    putchar(']');
}

/* `faulty`: the message that could not be read, or NULL. */
static void print_refusal(enum refusal refusal, const char *reason, const struct routing *faulty)
{
    printf(",\n \"refused\":{\"word\":\"%s\",", refusal_word(refusal));
    print_text_member("reason", reason);
    if (faulty != NULL)
        printf(",\"fault\":\"%s\",\"offset\":%u", scan_reason_word(faulty->fault.reason),
               faulty->fault.offset);
    putchar('}');
}
