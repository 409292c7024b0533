/* Records as people read them: a line each. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/logbook.h"
#include "io/cli/output.h"
#include "io/reload/sha256.h"

enum { EXCERPT_BYTES = 100 };

static void print_message_text(const struct logbook_words *words, const struct record *record);
static void print_fact_text(const struct logbook_words *words, const struct logbook_item *item);

const char *logbook_kind_name(enum record_kind kind)
{
    static const char *const names[RECORD_KIND_END] = {
        [RECORD_KIND_MESSAGE] = "message", [RECORD_KIND_GENERATION] = "generation",
        [RECORD_KIND_GROUP] = "group",     [RECORD_KIND_SETTLED] = "settled",
        [RECORD_KIND_HOLD_END] = "hold",   [RECORD_KIND_INTAKE] = "intake",
        [RECORD_KIND_OUTLET] = "outlet",
    };
    return kind < RECORD_KIND_END && names[kind] != NULL ? names[kind] : "unknown";
}

void logbook_print_id(struct record_id id)
{
    printf("%" PRIu64 "-%" PRIu64, id.ms, id.seq);
}

void logbook_print_size(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    enum { UNITS = sizeof units / sizeof *units, KILO = 1024 };
    double size = (double)bytes;
    unsigned unit = 0;
    for (; size >= KILO && unit + 1 < UNITS; unit++)
        size /= KILO;
    printf(unit == 0 ? "%.0f %s" : "%.1f %s", size, units[unit]);
}

void logbook_print_text(const struct logbook_words *words, const struct logbook_item *item)
{
    const struct record *record = logbook_item_message(item);
    if (record != NULL)
        print_message_text(words, record);
    else
        print_fact_text(words, item);
    putchar('\n');
}

/* ---- lists ---- */

/* One of a list, parted from those before it. */
static void print_listed(const char *text, bool json, bool *is_first)
{
    if (!*is_first)
        putchar(',');
    *is_first = false;
    if (json)
        output_json_text(stdout, text);
    else
        output_escaped(stdout, bytes_from_text(text));
}

void logbook_print_destinations(const struct logbook_names *names, const struct record *record,
                                bool held, bool json)
{
    char memory[LOGBOOK_NAME_BYTES];
    bool is_first = true;
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++)
        if (((destinations[i] & RECORD_HELD) != 0) == held)
            print_listed(logbook_name(names, record->generation, NAME_DESTINATION,
                                      destinations[i] & (unsigned)~RECORD_HELD, memory),
                         json, &is_first);
}

void logbook_print_rules(const struct logbook_names *names, const struct record *record, bool json)
{
    enum { TABLE_SHIFT = 24, TEXT_BYTES = 512 };
    const struct generation_names *found = logbook_names_find(names, record->generation);
    const uint32_t *rules = record_rules(record);
    char text[TEXT_BYTES];
    bool is_first = true;
    for (uint16_t i = 0; i < record->rule_count; i++) {
        if (found != NULL)
            snprintf(text, sizeof text, "%s/%s", generation_table_name(found, rules[i]),
                     generation_rule_name(found, rules[i]));
        else
            snprintf(text, sizeof text, "table-%u/%u", rules[i] >> TABLE_SHIFT,
                     rules[i] & ((1U << TABLE_SHIFT) - 1));
        print_listed(text, json, &is_first);
    }
}

void logbook_print_keys(const struct record *record, bool json)
{
    const struct record_value *values = record_values(record);
    bool is_first = true;
    for (uint16_t i = 0; i < record->value_count; i++) {
        enum slot slot = (enum slot)values[i].slot;
        if (!slot_is_key(slot))
            continue;
        if (!is_first)
            putchar(',');
        is_first = false;
        if (json)
            printf("{\"entry\":%u,\"kind\":\"%s\",\"value\":", values[i].entry, slot_name(slot));
        else
            printf("%s:", slot_name(slot));
        (json ? output_json : output_escaped)(stdout, record_value_bytes(record, &values[i]));
        if (json)
            putchar('}');
    }
}

static struct bytes first_value(const struct record *record, enum slot slot)
{
    const struct record_value *values = record_values(record);
    for (uint16_t i = 0; i < record->value_count; i++)
        if (values[i].slot == slot)
            return record_value_bytes(record, &values[i]);
    return (struct bytes){0};
}

static bool has_destination(const struct record *record, bool held)
{
    for (uint16_t i = 0; i < record->destination_count; i++)
        if (((record_destinations(record)[i] & RECORD_HELD) != 0) == held)
            return true;
    return false;
}

static bool has_key(const struct record *record)
{
    for (uint16_t i = 0; i < record->value_count; i++)
        if (slot_is_key((enum slot)record_values(record)[i].slot))
            return true;
    return false;
}

/* ---- messages ---- */

static void print_message_text(const struct logbook_words *words, const struct record *record)
{
    char memory[LOGBOOK_NAME_BYTES];
    struct bytes type = first_value(record, SLOT_MESSAGE_TYPE), body = record_body(record);
    logbook_print_id(record->id);
    fputs("  ", stdout);
    output_time(stdout, record->id.ms);
    printf("  %s", record_cause_name((enum record_cause)record->cause));
    if ((record->head.flags & RECORD_COPIED) != 0)
        fputs(" (copied forward)", stdout);
    fputs("  ", stdout);
    output_escaped(stdout,
                   bytes_from_text(logbook_name(words->names, record->generation, NAME_PARTICIPANT,
                                                record->participant, memory)));
    fputs(" -> ", stdout);
    logbook_print_destinations(words->names, record, false, false);
    if (has_destination(record, true)) {
        fputs(has_destination(record, false) ? ", held at " : "held at ", stdout);
        logbook_print_destinations(words->names, record, true, false);
    }
    fputs("  ", stdout);
    output_escaped(stdout, bytes_from_text(logbook_name(words->names, record->generation,
                                                        NAME_PROFILE, record->profile, memory)));
    if (type.size > 0) {
        putchar(' ');
        output_escaped(stdout, type);
    }
    printf("  %s", verdict_name((enum verdict)record->verdict));
    if (record->part_count > 1)
        printf("  part %u/%u", record->part_number, record->part_count);
    if (has_key(record)) {
        fputs("  ", stdout);
        logbook_print_keys(record, false);
    }
    if (words->bodies == BODIES_NONE) {
        printf("  %" PRIu32 " bytes", record->body_bytes);
        return;
    }
    fputs("  ", stdout);
    size_t shown = words->bodies == BODIES_WHOLE ? body.size : EXCERPT_BYTES;
    output_escaped(stdout, bytes_slice(body, 0, shown));
    fputs(body.size > shown ? "..." : "", stdout);
}

/* ---- facts ---- */

const char *logbook_event_name(enum group_event event)
{
    static const char *const names[] = {"created", "moved", "destroyed", "stands"};
    return event <= GROUP_STANDS ? names[event] : "unknown";
}

const char *logbook_settled_name(enum settled_how how)
{
    static const char *const names[SETTLED_HOW_COUNT] = {
        [SETTLED_ACKNOWLEDGED] = "acknowledged",
        [SETTLED_DEAD_LETTERED] = "dead-lettered",
        [SETTLED_SKIPPED] = "skipped",
        [SETTLED_DROPPED] = "dropped",
    };
    return how < SETTLED_HOW_COUNT ? names[how] : "unknown";
}

uint64_t logbook_settled_count(const struct fact_settled *fact)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < fact->range_count; i++)
        count += fact_settled_ranges(fact)[i].count;
    return count;
}

const char *logbook_group_name(const struct logbook_words *words, uint32_t number,
                               char memory[LOGBOOK_NAME_BYTES])
{
    const struct logbook_group *group = logbook_groups_find(words->groups, number);
    if (group != NULL)
        return group->name;
    snprintf(memory, LOGBOOK_NAME_BYTES, "group-%" PRIu32, number);
    return memory;
}

const char *logbook_destination_name(const struct logbook_words *words, uint16_t destination,
                                     char memory[LOGBOOK_NAME_BYTES])
{
    return logbook_name(words->names, words->names->latest, NAME_DESTINATION, destination, memory);
}

void logbook_print_manifest(const struct fact_generation *fact)
{
    fputs(sha256_format(fact->manifest).text, stdout);
}

static void print_settled_text(const struct logbook_words *words, const struct fact_settled *fact)
{
    char memory[LOGBOOK_NAME_BYTES], other[LOGBOOK_NAME_BYTES];
    const struct settled_range *ranges = fact_settled_ranges(fact);
    printf("%s/%s  %" PRIu64 " %s", logbook_destination_name(words, fact->destination, memory),
           logbook_group_name(words, fact->group_number, other), logbook_settled_count(fact),
           logbook_settled_name((enum settled_how)fact->how));
    for (uint32_t i = 0; i < fact->range_count; i++) {
        fputs(i == 0 ? ": " : ", ", stdout);
        logbook_print_id(ranges[i].from);
        if (ranges[i].count == 1)
            continue;
        fputs(" .. ", stdout);
        logbook_print_id(ranges[i].to);
    }
}

static void print_fact_text(const struct logbook_words *words, const struct logbook_item *item)
{
    char memory[LOGBOOK_NAME_BYTES], other[LOGBOOK_NAME_BYTES];
    const void *fact = item->head;
    printf("@%" PRIu64 "  ", item->position);
    if (item->wall_ms != 0) {
        output_time(stdout, item->wall_ms);
        fputs("  ", stdout);
    }
    printf("%s  ", logbook_kind_name((enum record_kind)item->head->kind));
    switch ((enum record_kind)item->head->kind) {
    case RECORD_KIND_GENERATION:
        printf("%" PRIu64 " since ", ((const struct fact_generation *)fact)->number);
        output_time(stdout, ((const struct fact_generation *)fact)->wall_ms);
        fputs(", manifest ", stdout);
        logbook_print_manifest(fact);
        return;
    case RECORD_KIND_GROUP: {
        const struct fact_group *group = fact;
        printf("%s/%.*s %s behind ", logbook_destination_name(words, group->destination, memory),
               group->name_bytes, (const char *)fact_group_name(group).data,
               logbook_event_name((enum group_event)group->event));
        logbook_print_id(group->after);
        return;
    }
    case RECORD_KIND_SETTLED: print_settled_text(words, fact); return;
    case RECORD_KIND_HOLD_END: {
        const struct fact_hold_end *end = fact;
        logbook_print_id(end->id);
        printf(" %s at %s", end->how == HOLD_RELEASED ? "released" : "rejected",
               logbook_destination_name(words, end->destination, memory));
        return;
    }
    case RECORD_KIND_INTAKE: {
        const struct fact_intake *intake = fact;
        printf(
            "%s by %s: received %" PRIu64 ", accepted %" PRIu64 ", replayed %" PRIu64
            ", refused %" PRIu64,
            logbook_name(words->names, words->names->latest, NAME_PARTICIPANT, intake->participant,
                         memory),
            logbook_name(words->names, words->names->latest, NAME_CHANNEL, intake->channel, other),
            intake->account.received, intake_accepted(&intake->account), intake->account.replay,
            intake_refused(&intake->account));
        return;
    }
    case RECORD_KIND_OUTLET: {
        const struct fact_outlet *outlet = fact;
        printf("%s: pushed %" PRIu64 ", routed %" PRIu64 ", emitted %" PRIu64 ", held %" PRIu64,
               logbook_destination_name(words, outlet->destination, memory), outlet->pushed,
               outlet->account.routed, outlet->account.emitted, outlet->account.held);
        return;
    }
    case RECORD_KIND_MESSAGE:
    case RECORD_KIND_END: return;
    }
}
