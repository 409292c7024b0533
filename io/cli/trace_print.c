/* A story, for people and for programs. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/output.h"
#include "io/cli/trace.h"

enum { LABEL_COLUMNS = 14 };

static void print_groups(const struct trace *trace, const struct trace_story *story);
static void print_holds(const struct trace *trace, const struct trace_story *story);
static void print_repeats(const struct trace_story *story);
static void print_places(const struct trace *trace, const struct trace_story *story);

static void print_label(const char *label)
{
    fputs("  ", stdout);
    output_escaped(stdout, bytes_from_text(label));
    for (uint32_t columns = output_columns(bytes_from_text(label)); columns < LABEL_COLUMNS;
         columns++)
        putchar(' ');
    if (output_columns(bytes_from_text(label)) >= LABEL_COLUMNS)
        putchar(' ');
}

static void print_when(uint64_t wall_ms)
{
    if (wall_ms == 0)
        return;
    putchar(' ');
    output_time(stdout, wall_ms);
}

static bool has_destination(const struct record *record, bool held)
{
    for (uint16_t i = 0; i < record->destination_count; i++)
        if (((record_destinations(record)[i] & RECORD_HELD) != 0) == held)
            return true;
    return false;
}

static struct bytes first_value(const struct record *record, enum slot slot)
{
    const struct record_value *values = record_values(record);
    for (uint16_t i = 0; i < record->value_count; i++)
        if (values[i].slot == slot)
            return record_value_bytes(record, &values[i]);
    return (struct bytes){0};
}

static void print_arrival(const struct trace *trace, const struct record *record)
{
    char memory[LOGBOOK_NAME_BYTES];
    struct bytes type = first_value(record, SLOT_MESSAGE_TYPE);
    struct bytes message_id = first_value(record, SLOT_MESSAGE_ID);
    print_label(record->cause == RECORD_MESSAGE ? "arrived" : record_cause_name(record->cause));
    output_time(stdout, record->id.ms);
    if (record->cause != RECORD_MESSAGE) {
        fputs(", of ", stdout);
        logbook_print_id(record->origin);
    }
    fputs(", from ", stdout);
    output_escaped(stdout,
                   bytes_from_text(logbook_name(&trace->names, record->generation, NAME_PARTICIPANT,
                                                record->participant, memory)));
    fputs(" by channel ", stdout);
    output_escaped(stdout, bytes_from_text(logbook_name(&trace->names, record->generation,
                                                        NAME_CHANNEL, record->channel, memory)));
    putchar('\n');
    print_label("read as");
    output_escaped(stdout, bytes_from_text(logbook_name(&trace->names, record->generation,
                                                        NAME_PROFILE, record->profile, memory)));
    if (type.size > 0) {
        putchar(' ');
        output_escaped(stdout, type);
    }
    printf(", %" PRIu32 " bytes", record->body_bytes);
    if (record->part_count > 1)
        printf(", part %u of %u of its interchange", record->part_number, record->part_count);
    if (message_id.size > 0) {
        fputs(", message id ", stdout);
        output_escaped(stdout, message_id);
    }
    putchar('\n');
}

void trace_print_text(const struct trace *trace, const struct trace_story *story)
{
    const struct record *record = story->record;
    logbook_print_id(record->id);
    putchar('\n');
    print_arrival(trace, record);
    print_label("keys");
    logbook_print_keys(record, false);
    putchar('\n');
    print_label("verdict");
    printf("%s, identity %016" PRIx64 "%016" PRIx64 "\n",
           verdict_name((enum verdict)record->verdict), record->identity.high,
           record->identity.low);
    print_label("decided");
    printf("by generation %" PRIu64 ": ", record->generation);
    if (record->rule_count == 0)
        fputs("no rule matched", stdout);
    else
        logbook_print_rules(&trace->names, record, false);
    putchar('\n');
    if (has_destination(record, false)) {
        print_label("goes to");
        logbook_print_destinations(&trace->names, record, false, false);
        putchar('\n');
    }
    print_groups(trace, story);
    print_holds(trace, story);
    print_repeats(story);
    print_places(trace, story);
}

static void print_open(const struct trace *trace, const struct trace_story *story,
                       const struct logbook_group *group)
{
    struct trace_pending pending = trace_ask(trace, story, group);
    if (pending.is_pending) {
        fputs("pending: delivered to ", stdout);
        output_escaped(stdout, bytes_from_text(pending.consumer));
        printf(" %" PRIu64 " times, last %" PRIu64 " ms ago", pending.deliveries, pending.idle_ms);
    } else if (pending.is_known) {
        fputs("waiting, not delivered since the server's start", stdout);
    } else {
        fputs("not acknowledged", stdout);
    }
}

static void print_groups(const struct trace *trace, const struct trace_story *story)
{
    char label[2 * LOGBOOK_DESTINATION_BYTES];
    for (uint32_t i = 0; i < trace->groups.count; i++) {
        const struct logbook_group *group = &trace->groups.items[i];
        enum trace_stand stand;
        const struct trace_event *event;
        if (!trace_stand(trace, story, group, &stand, &event))
            continue;
        snprintf(label, sizeof label, "%s/%s", group->destination_name, group->name);
        print_label(label);
        switch (stand) {
        case STAND_SETTLED:
            fputs(logbook_settled_name(event->how), stdout);
            print_when(event->wall_ms);
            break;
        case STAND_BEHIND:
            fputs("stands behind it: settled in a segment that is gone, or not for this group",
                  stdout);
            break;
        case STAND_OPEN: print_open(trace, story, group); break;
        }
        putchar('\n');
    }
}

static const struct trace_event *find_hold_end(const struct trace_story *story, const char *name)
{
    for (uint32_t i = 0; i < story->event_count; i++) {
        const struct trace_event *event = &story->events[i];
        if ((event->kind == TRACE_RELEASED || event->kind == TRACE_REJECTED) &&
            strcmp(event->destination, name) == 0)
            return event;
    }
    return NULL;
}

static void print_holds(const struct trace *trace, const struct trace_story *story)
{
    char memory[LOGBOOK_NAME_BYTES];
    const struct record *record = story->record;
    for (uint16_t i = 0; i < record->destination_count; i++) {
        uint16_t destination = record_destinations(record)[i];
        if ((destination & RECORD_HELD) == 0)
            continue;
        const char *name = logbook_name(&trace->names, record->generation, NAME_DESTINATION,
                                        destination & (unsigned)~RECORD_HELD, memory);
        const struct trace_event *end = find_hold_end(story, name);
        print_label("held at");
        output_escaped(stdout, bytes_from_text(name));
        fputs(end == NULL                   ? ", still"
              : end->kind == TRACE_RELEASED ? ", released"
                                            : ", rejected",
              stdout);
        if (end != NULL)
            print_when(end->wall_ms);
        putchar('\n');
    }
}

static void print_repeats(const struct trace_story *story)
{
    for (uint32_t i = 0; i < story->event_count; i++) {
        const struct trace_event *event = &story->events[i];
        if (event->kind != TRACE_REPEATED)
            continue;
        print_label("goes on as");
        logbook_print_id(event->id);
        printf(" (%s)", record_cause_name(event->cause));
        print_when(event->wall_ms);
        putchar('\n');
    }
}

static void print_places(const struct trace *trace, const struct trace_story *story)
{
    uint64_t size = trace->reader.segment_bytes;
    print_label("lies at");
    printf("position %" PRIu64 ", segment %" PRIu64 "%s", story->position, story->position / size,
           (story->record->head.flags & RECORD_COPIED) != 0 ? ", copied forward" : "");
    if (story->wall_ms != 0) {
        fputs(", written", stdout);
        print_when(story->wall_ms);
    }
    putchar('\n');
    for (uint32_t i = 0; i < story->event_count; i++) {
        const struct trace_event *event = &story->events[i];
        if (event->kind != TRACE_COPIED)
            continue;
        print_label("");
        printf("copied forward to %" PRIu64 ", segment %" PRIu64, event->position,
               event->position / size);
        print_when(event->wall_ms);
        putchar('\n');
    }
}

/* ---- JSON ---- */

static void print_groups_json(const struct trace *trace, const struct trace_story *story)
{
    const char *separator = "";
    fputs(",\"groups\":[", stdout);
    for (uint32_t i = 0; i < trace->groups.count; i++) {
        const struct logbook_group *group = &trace->groups.items[i];
        enum trace_stand stand;
        const struct trace_event *event;
        if (!trace_stand(trace, story, group, &stand, &event))
            continue;
        printf("%s{\"destination\":", separator);
        output_json_text(stdout, group->destination_name);
        fputs(",\"group\":", stdout);
        output_json_text(stdout, group->name);
        printf(",\"stand\":\"%s\"", stand == STAND_SETTLED  ? logbook_settled_name(event->how)
                                    : stand == STAND_BEHIND ? "behind"
                                                            : "open");
        if (event != NULL)
            printf(",\"at_ms\":%" PRIu64 ",\"position\":%" PRIu64, event->wall_ms, event->position);
        struct trace_pending pending =
            stand == STAND_OPEN ? trace_ask(trace, story, group) : (struct trace_pending){0};
        if (pending.is_pending) {
            fputs(",\"consumer\":", stdout);
            output_json_text(stdout, pending.consumer);
            printf(",\"deliveries\":%" PRIu64 ",\"idle_ms\":%" PRIu64, pending.deliveries,
                   pending.idle_ms);
        }
        putchar('}');
        separator = ",";
    }
    putchar(']');
}

static void print_events_json(const struct trace_story *story)
{
    static const char *const names[] = {[TRACE_RELEASED] = "released",
                                        [TRACE_REJECTED] = "rejected",
                                        [TRACE_REPEATED] = "repeated",
                                        [TRACE_COPIED] = "copied"};
    const char *separator = "";
    fputs(",\"events\":[", stdout);
    for (uint32_t i = 0; i < story->event_count; i++) {
        const struct trace_event *event = &story->events[i];
        if (event->kind == TRACE_SETTLED)
            continue;
        printf("%s{\"event\":\"%s\",\"at_ms\":%" PRIu64 ",\"position\":%" PRIu64, separator,
               names[event->kind], event->wall_ms, event->position);
        if (event->kind == TRACE_REPEATED) {
            fputs(",\"id\":\"", stdout);
            logbook_print_id(event->id);
            printf("\",\"cause\":\"%s\"", record_cause_name(event->cause));
        } else if (event->kind != TRACE_COPIED) {
            fputs(",\"destination\":", stdout);
            output_json_text(stdout, event->destination);
        }
        putchar('}');
        separator = ",";
    }
    putchar(']');
}

void trace_print_json(const struct trace *trace, const struct trace_story *story)
{
    const struct logbook_words words = {.names = &trace->names, .groups = &trace->groups};
    const struct logbook_item item = {
        .head = &story->record->head, .position = story->position, .wall_ms = story->wall_ms};
    fputs("{\"message\":", stdout);
    logbook_print_json(&words, &item);
    print_groups_json(trace, story);
    print_events_json(story);
    putchar('}');
}
