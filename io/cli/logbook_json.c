/* Records as programs read them. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/logbook.h"
#include "io/cli/output.h"

static void print_message_json(const struct logbook_words *words, const struct record *record);
static void print_fact_json(const struct logbook_words *words, const struct logbook_item *item);

void logbook_print_json(const struct logbook_words *words, const struct logbook_item *item)
{
    const struct record *record = logbook_item_message(item);
    printf("{\"position\":%" PRIu64 ",\"kind\":\"%s\"", item->position,
           logbook_kind_name((enum record_kind)item->head->kind));
    if (item->wall_ms != 0)
        printf(",\"written_ms\":%" PRIu64, item->wall_ms);
    if (record != NULL)
        print_message_json(words, record);
    else
        print_fact_json(words, item);
    putchar('}');
}

void logbook_print_export(const struct logbook_words *words, const struct logbook_item *item)
{
    const struct record *record = logbook_item_message(item);
    fputs("{\"kind\":\"message\"", stdout);
    print_message_json(words, record);
    printf(",\"envelope_bytes\":%" PRIu32 ",\"bytes\":%zu}\n", record->envelope_bytes,
           record_whole(record).size);
}

/* ---- messages ---- */

static void print_fields_json(const struct record *record)
{
    const struct record_value *values = record_values(record);
    bool is_first_slot = true;
    fputs(",\"fields\":{", stdout);
    for (unsigned slot = 0; slot < SLOT_FIELD_COUNT; slot++) {
        bool is_first = true;
        for (uint16_t i = 0; i < record->value_count; i++) {
            if (values[i].slot != slot)
                continue;
            if (is_first)
                printf("%s\"%s\":[", is_first_slot ? "" : ",", slot_name((enum slot)slot));
            else
                putchar(',');
            output_json(stdout, record_value_bytes(record, &values[i]));
            is_first = is_first_slot = false;
        }
        if (!is_first)
            putchar(']');
    }
    putchar('}');
}

static void print_name_json(const struct logbook_words *words, const struct record *record,
                            const char *member, enum generation_name kind, uint32_t index)
{
    char memory[LOGBOOK_NAME_BYTES];
    printf(",\"%s\":", member);
    output_json_text(stdout, logbook_name(words->names, record->generation, kind, index, memory));
}

static void print_message_json(const struct logbook_words *words, const struct record *record)
{
    fputs(",\"id\":\"", stdout);
    logbook_print_id(record->id);
    printf("\",\"time_ms\":%" PRIu64 ",\"cause\":\"%s\",\"copied\":%s", record->id.ms,
           record_cause_name((enum record_cause)record->cause),
           (record->head.flags & RECORD_COPIED) != 0 ? "true" : "false");
    if (record->cause != RECORD_MESSAGE) {
        fputs(",\"first_id\":\"", stdout);
        logbook_print_id(record->origin);
        putchar('"');
    }
    print_name_json(words, record, "participant", NAME_PARTICIPANT, record->participant);
    print_name_json(words, record, "channel", NAME_CHANNEL, record->channel);
    print_name_json(words, record, "profile", NAME_PROFILE, record->profile);
    printf(",\"verdict\":\"%s\",\"generation\":%" PRIu64 ",\"rules\":[",
           verdict_name((enum verdict)record->verdict), record->generation);
    logbook_print_rules(words->names, record, true);
    fputs("],\"destinations\":[", stdout);
    logbook_print_destinations(words->names, record, false, true);
    fputs("],\"held\":[", stdout);
    logbook_print_destinations(words->names, record, true, true);
    putchar(']');
    if (record->part_count > 1)
        printf(",\"part\":%u,\"parts\":%u", record->part_number, record->part_count);
    print_fields_json(record);
    fputs(",\"keys\":[", stdout);
    logbook_print_keys(record, true);
    printf("],\"body_bytes\":%" PRIu32, record->body_bytes);
    if (words->bodies == BODIES_NONE)
        return;
    putchar(',');
    output_json_body(stdout, record_body(record));
}

/* ---- facts ---- */

static void print_id_json(const char *member, struct record_id id)
{
    printf(",\"%s\":\"", member);
    logbook_print_id(id);
    putchar('"');
}

static void print_text_json(const char *member, const char *text)
{
    printf(",\"%s\":", member);
    output_json_text(stdout, text);
}

static void print_settled_json(const struct logbook_words *words, const struct fact_settled *fact)
{
    char memory[LOGBOOK_NAME_BYTES];
    print_text_json("group", logbook_group_name(words, fact->group_number, memory));
    printf(",\"how\":\"%s\",\"standing\":%s,\"count\":%" PRIu64 ",\"ranges\":[",
           logbook_settled_name((enum settled_how)fact->how), fact->standing ? "true" : "false",
           logbook_settled_count(fact));
    for (uint32_t i = 0; i < fact->range_count; i++) {
        const struct settled_range *range = &fact_settled_ranges(fact)[i];
        fputs(i > 0 ? ",[\"" : "[\"", stdout);
        logbook_print_id(range->from);
        fputs("\",\"", stdout);
        logbook_print_id(range->to);
        printf("\",%" PRIu64 "]", range->count);
    }
    putchar(']');
}

static void print_fact_json(const struct logbook_words *words, const struct logbook_item *item)
{
    char memory[LOGBOOK_NAME_BYTES];
    const void *fact = item->head;
    switch ((enum record_kind)item->head->kind) {
    case RECORD_KIND_GENERATION:
        printf(",\"generation\":%" PRIu64 ",\"since_ms\":%" PRIu64 ",\"manifest\":\"",
               ((const struct fact_generation *)fact)->number,
               ((const struct fact_generation *)fact)->wall_ms);
        logbook_print_manifest(fact);
        putchar('"');
        return;
    case RECORD_KIND_GROUP: {
        const struct fact_group *group = fact;
        print_text_json("destination", logbook_destination_name(words, group->destination, memory));
        fputs(",\"group\":", stdout);
        output_json(stdout, fact_group_name(group));
        print_text_json("event", logbook_event_name((enum group_event)group->event));
        print_id_json("after", group->after);
        return;
    }
    case RECORD_KIND_SETTLED: {
        const struct fact_settled *settled = fact;
        print_text_json("destination",
                        logbook_destination_name(words, settled->destination, memory));
        print_settled_json(words, settled);
        return;
    }
    case RECORD_KIND_HOLD_END: {
        const struct fact_hold_end *end = fact;
        print_id_json("id", end->id);
        print_text_json("how", end->how == HOLD_RELEASED ? "released" : "rejected");
        print_text_json("destination", logbook_destination_name(words, end->destination, memory));
        return;
    }
    case RECORD_KIND_INTAKE: {
        const struct fact_intake *intake = fact;
        print_text_json("participant", logbook_name(words->names, words->names->latest,
                                                    NAME_PARTICIPANT, intake->participant, memory));
        print_text_json("channel", logbook_name(words->names, words->names->latest, NAME_CHANNEL,
                                                intake->channel, memory));
        printf(",\"received\":%" PRIu64 ",\"accepted\":%" PRIu64 ",\"replay\":%" PRIu64
               ",\"refused\":%" PRIu64,
               intake->account.received, intake_accepted(&intake->account), intake->account.replay,
               intake_refused(&intake->account));
        return;
    }
    case RECORD_KIND_OUTLET: {
        const struct fact_outlet *outlet = fact;
        print_text_json("destination",
                        logbook_destination_name(words, outlet->destination, memory));
        printf(",\"pushed\":%" PRIu64, outlet->pushed);
#define X(name, text) printf(",\"" #name "\":%" PRIu64, outlet->account.name);
        OUTLET_TERM_LIST(X)
#undef X
        return;
    }
    case RECORD_KIND_MESSAGE:
    case RECORD_KIND_END: return;
    }
}
