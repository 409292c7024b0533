#include "io/entry.h"

#include <stdio.h>

#include "io/resp_put.h"

/* Pieces of one bulk string whose size must be known first: measured, then written. */
struct text_sink {
    uint8_t *out; /* NULL: measure only */
    size_t size;
};

static void sink_add(struct text_sink *sink, struct bytes piece)
{
    if (sink->out != NULL && piece.size > 0)
        memcpy(sink->out + sink->size, piece.data, piece.size);
    sink->size += piece.size;
}

static void sink_add_text(struct text_sink *sink, const char *text)
{
    sink_add(sink, bytes_from_text(text));
}

/* Several values of one slot, a line each. */
static void render_slot(struct text_sink *sink, const struct record *record, enum slot slot)
{
    const struct record_value *values = record_values(record);
    for (uint16_t i = 0; i < record->value_count; i++) {
        if (values[i].slot != slot)
            continue;
        if (sink->size > 0)
            sink_add_text(sink, "\n");
        sink_add(sink, record_value_bytes(record, &values[i]));
    }
}

static void render_keys(struct text_sink *sink, const struct record *record)
{
    const struct record_value *values = record_values(record);
    for (uint16_t i = 0; i < record->value_count; i++) {
        if (!slot_is_key((enum slot)values[i].slot))
            continue;
        if (sink->size > 0)
            sink_add_text(sink, "\n");
        sink_add_text(sink, slot_name((enum slot)values[i].slot));
        sink_add_text(sink, ":");
        sink_add(sink, record_value_bytes(record, &values[i]));
    }
}

static void render_rules(struct text_sink *sink, const struct generation_list *generations,
                         const struct record *record)
{
    const uint32_t *rules = record_rules(record);
    for (uint16_t i = 0; i < record->rule_count; i++) {
        if (sink->size > 0)
            sink_add_text(sink, "\n");
        sink_add_text(sink, generation_list_table(generations, record->generation, rules[i]));
        sink_add_text(sink, "/");
        sink_add_text(sink, generation_list_rule(generations, record->generation, rules[i]));
    }
}

/* The facts that are put together; the others are whole (find_whole). */
static void render_fact(struct text_sink *sink, const struct generation_list *generations,
                        const struct record *record, enum record_fact fact)
{
    char text[64] = "";
    if (fact == FACT_RULE)
        render_rules(sink, generations, record);
    else if (fact == FACT_KEYS)
        render_keys(sink, record);
    else if (fact == FACT_GENERATION)
        snprintf(text, sizeof text, "%llu", (unsigned long long)record->generation);
    else if (fact == FACT_FIRST_ID && record->cause != RECORD_MESSAGE)
        snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)record->origin.ms,
                 (unsigned long long)record->origin.seq);
    else if (fact == FACT_PART && record->part_count > 1)
        snprintf(text, sizeof text, "%u/%u", record->part_number, record->part_count);
    sink_add_text(sink, text);
}

static void render(struct text_sink *sink, const struct generation_list *generations,
                   const struct record *record, const struct delivered_field *field)
{
    if (field->kind == DELIVER_SLOT)
        render_slot(sink, record, field->slot);
    else
        render_fact(sink, generations, record, field->fact);
}

static struct bytes name_of(const struct generation_list *generations, const struct record *record,
                            enum generation_name kind, uint16_t index)
{
    return bytes_from_text(generation_list_name(generations, record->generation, kind, index));
}

/* The value of a slot that has not several. */
static bool find_single(const struct record *record, enum slot slot, struct bytes *out)
{
    const struct record_value *values = record_values(record), *found = NULL;
    for (uint16_t i = 0; i < record->value_count; i++) {
        if (values[i].slot != slot)
            continue;
        if (found != NULL)
            return false;
        found = &values[i];
    }
    *out = found != NULL ? record_value_bytes(record, found) : (struct bytes){0};
    return true;
}

/* What needs no putting together. */
static bool find_whole(const struct generation_list *generations, const struct record *record,
                       const struct delivered_field *field, struct bytes *out)
{
    if (field->kind == DELIVER_SLOT)
        return find_single(record, field->slot, out);
    switch (field->fact) {
    case FACT_ORIGIN:
        *out = name_of(generations, record, NAME_PARTICIPANT, record->participant);
        return true;
    case FACT_CHANNEL:
        *out = name_of(generations, record, NAME_CHANNEL, record->channel);
        return true;
    case FACT_PROFILE:
        *out = name_of(generations, record, NAME_PROFILE, record->profile);
        return true;
    case FACT_VERDICT:
        *out = bytes_from_text(verdict_name((enum verdict)record->verdict));
        return true;
    case FACT_CAUSE:
        *out = bytes_from_text(record_cause_name((enum record_cause)record->cause));
        return true;
    case FACT_ENVELOPE: *out = record_envelope(record); return true;
    default: return false;
    }
}

/* A value: as it lies there, or only its size, of what is to be put together. */
static struct bytes measure_value(const struct generation_list *generations,
                                  const struct record *record, const struct delivered_field *field)
{
    struct bytes whole;
    if (find_whole(generations, record, field, &whole))
        return whole;
    struct text_sink measured = {0};
    render(&measured, generations, record, field);
    return bytes_make(NULL, measured.size);
}

static uint8_t *put_value(uint8_t *out, const struct generation_list *generations,
                          const struct record *record, const struct delivered_field *field,
                          struct bytes value)
{
    if (value.data != NULL || value.size == 0)
        return resp_put_bulk(out, value);
    struct text_sink written = {.out = resp_put_head(out, '$', value.size)};
    render(&written, generations, record, field);
    return resp_put_end(written.out + written.size);
}

/* Measured as a whole, so that its many short pieces are written without a look at the room. */
void entry_write(struct resp_writer *writer, const struct shard *shard, const struct outlet *outlet,
                 const struct record *record)
{
    const struct generation_list *generations = &shard->generations;
    const struct destination *destination = outlet->destination;
    struct bytes values[DESTINATION_FIELDS_MAX], body = record_body(record);
    uint32_t pieces = 2 + 2 * (uint32_t)destination->field_count;
    size_t id_bytes = resp_id_bytes(record->id.ms, record->id.seq);
    size_t size = resp_head_bytes(2) + resp_bulk_bytes(id_bytes) + resp_head_bytes(pieces) +
                  resp_bulk_bytes(strlen("body")) + resp_bulk_bytes(body.size);
    for (uint16_t i = 0; i < destination->field_count; i++) {
        values[i] = measure_value(generations, record, &destination->fields[i]);
        size += resp_bulk_bytes(destination->fields[i].name.size) + resp_bulk_bytes(values[i].size);
    }
    uint8_t *out = resp_write_room(writer, size);
    if (out == NULL)
        return;
    out = resp_put_head(out, '*', 2);
    out = resp_put_id(out, id_bytes, record->id.ms, record->id.seq);
    out = resp_put_head(out, '*', pieces);
    out = resp_put_bulk(out, BYTES_LITERAL("body"));
    out = resp_put_bulk(out, body);
    for (uint16_t i = 0; i < destination->field_count; i++) {
        out = resp_put_bulk(out, destination->fields[i].name);
        out = put_value(out, generations, record, &destination->fields[i], values[i]);
    }
}
