/* Which records are asked for. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/audit/log_cursor.h"
#include "io/cli/logbook.h"

enum { MS_PER_S = 1000 };

bool logbook_parse_id(struct bytes text, struct record_id *out_id)
{
    const uint8_t *dash = memchr(text.data, '-', text.size);
    struct record_id id;
    if (dash == NULL)
        return false;
    size_t size = (size_t)(dash - text.data);
    if (!bytes_parse_u64(bytes_slice(text, 0, size), &id.ms) ||
        !bytes_parse_u64(bytes_slice(text, size + 1, text.size), &id.seq))
        return false;
    *out_id = id;
    return true;
}

bool logbook_parse_key(struct bytes text, enum slot *out_kind, struct bytes *out_value)
{
    const uint8_t *colon = memchr(text.data, ':', text.size);
    if (colon == NULL)
        return false;
    size_t size = (size_t)(colon - text.data);
    if (size + 1 == text.size || !slot_find_key(bytes_slice(text, 0, size), out_kind))
        return false;
    *out_value = bytes_slice(text, size + 1, text.size);
    return true;
}

/* Local time, as times are shown: a day, or a day and a time to the minute or second. */
static bool parse_time(const char *text, bool is_end, uint64_t *out_ms)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M",
                                        "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S"};
    static const unsigned seconds[] = {24 * 60 * 60, 60, 60, 1, 1};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        struct tm parts = {.tm_isdst = -1};
        const char *end = strptime(text, forms[i], &parts);
        if (end == NULL || *end != '\0')
            continue;
        time_t time = mktime(&parts);
        if (time < 0)
            return false;
        *out_ms = (uint64_t)time * MS_PER_S + (is_end ? seconds[i] * MS_PER_S - 1 : 0);
        return true;
    }
    return false;
}

static bool parse_when(const char *text, bool is_end, struct record_id *out_id)
{
    uint64_t ms;
    if (logbook_parse_id(bytes_from_text(text), out_id))
        return true;
    if (!parse_time(text, is_end, &ms))
        return false;
    *out_id = (struct record_id){ms, is_end ? UINT64_MAX : 0};
    return true;
}

enum cli_exit logbook_filter_parse(const char *command, struct logbook_filter *filter)
{
    static const char when[] = "`%s` is neither an id nor a time such as 2026-03-01T09:30:00";
    filter->to_id = (struct record_id){UINT64_MAX, UINT64_MAX};
    if (filter->from != NULL && !parse_when(filter->from, false, &filter->from_id))
        return arguments_fail(command, when, filter->from);
    if (filter->to != NULL && !parse_when(filter->to, true, &filter->to_id))
        return arguments_fail(command, when, filter->to);
    if (filter->id != NULL) {
        if (!logbook_parse_id(bytes_from_text(filter->id), &filter->wanted_id))
            return arguments_fail(command, "`%s` is no id: they look like 1772357400123-256",
                                  filter->id);
        filter->wants_id = true;
    }
    if (filter->key != NULL &&
        !logbook_parse_key(bytes_from_text(filter->key), &filter->key_kind, &filter->key_value))
        return arguments_fail(command, "`%s` is no key: they look like order:SO-1", filter->key);
    filter->wants_messages = filter->messages_only || filter->from != NULL || filter->to != NULL ||
                             filter->id != NULL || filter->key != NULL ||
                             filter->destination != NULL || filter->type != NULL ||
                             filter->participant != NULL;
    return CLI_OK;
}

bool logbook_has_key(const struct record *record, enum slot kind, struct bytes value)
{
    const struct record_value *values = record_values(record);
    for (uint16_t i = 0; i < record->value_count; i++)
        if (values[i].slot == kind && bytes_equal(record_value_bytes(record, &values[i]), value))
            return true;
    return false;
}

bool logbook_goes_to(const struct record *record, uint16_t destination)
{
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++)
        if ((destinations[i] & (uint16_t)~RECORD_HELD) == destination)
            return true;
    return false;
}

static bool goes_to_name(const struct logbook_names *names, const struct record *record,
                         const char *name)
{
    char memory[LOGBOOK_NAME_BYTES];
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++)
        if (strcmp(logbook_name(names, record->generation, NAME_DESTINATION,
                                destinations[i] & (unsigned)~RECORD_HELD, memory),
                   name) == 0)
            return true;
    return false;
}

bool logbook_filter_holds(const struct logbook_filter *filter, const struct logbook_names *names,
                          const struct logbook_item *item)
{
    char memory[LOGBOOK_NAME_BYTES];
    const struct record *record = logbook_item_message(item);
    if (record == NULL)
        return !filter->wants_messages;
    if (record_id_compare(record->id, filter->from_id) < 0 ||
        record_id_compare(record->id, filter->to_id) > 0 ||
        (filter->wants_id && record_id_compare(record->id, filter->wanted_id) != 0))
        return false;
    if (filter->key != NULL && !logbook_has_key(record, filter->key_kind, filter->key_value))
        return false;
    if (filter->type != NULL &&
        !logbook_has_key(record, SLOT_MESSAGE_TYPE, bytes_from_text(filter->type)))
        return false;
    if (filter->participant != NULL &&
        strcmp(
            logbook_name(names, record->generation, NAME_PARTICIPANT, record->participant, memory),
            filter->participant) != 0)
        return false;
    return filter->destination == NULL || goes_to_name(names, record, filter->destination);
}

/* ---- once each ---- */

/* Where the id is among the copies, or would be. */
static uint32_t find_copy(const struct logbook_once *once, struct record_id id)
{
    uint32_t low = 0, high = once->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (record_id_compare(once->copies[middle], id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool take_copy(struct logbook_once *once, struct record_id id)
{
    enum { FIRST = 64 };
    uint32_t index = find_copy(once, id);
    if (index < once->count && record_id_compare(once->copies[index], id) == 0)
        return false;
    if (once->count == once->capacity) {
        once->capacity = once->capacity == 0 ? FIRST : 2 * once->capacity;
        once->copies = realloc(once->copies, once->capacity * sizeof *once->copies);
        if (once->copies == NULL)
            abort();
    }
    memmove(&once->copies[index + 1], &once->copies[index],
            (once->count - index) * sizeof *once->copies);
    once->copies[index] = id;
    once->count++;
    return true;
}

/* Ids rise along the log, and a copy lies behind its first place: that of one with an id below the
 * first that is there is gone. */
bool logbook_once_takes(struct logbook_once *once, const struct record *record)
{
    bool has_first = once->first.ms != 0;
    if ((record->head.flags & RECORD_COPIED) == 0) {
        if (!has_first)
            once->first = record->id;
        return true;
    }
    if (has_first && record_id_compare(record->id, once->first) >= 0)
        return false;
    return take_copy(once, record->id);
}

void logbook_once_close(struct logbook_once *once)
{
    free(once->copies);
    *once = (struct logbook_once){0};
}

/* ---- where to begin ---- */

uint64_t logbook_filter_first_segment(const struct logbook_filter *filter,
                                      const struct log_reader *reader)
{
    return log_cursor_find_segment(reader, filter->wants_id ? filter->wanted_id : filter->from_id);
}
