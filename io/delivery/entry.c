#include "io/delivery/entry.h"

#include <stdio.h>

#include "io/resp/resp_put.h"

/* A record whose entry is written. */
struct entry_source {
    const struct generation_list *generations;
    const struct record *record;
    const struct record_value *values, *values_end;
    const struct record_value *first_key; /* known when the keys were measured */
    struct bytes body;                    /* from its first byte the values' offsets count */
};

/* ---- several values, a line each ---- */

static const struct bytes key_heads[SLOT_COUNT] = {
#define X(name, text) [SLOT_KEY_##name] = {(const uint8_t *)text ":", sizeof text},
    KEY_KIND_LIST(X)
#undef X
};

/* One value is found as it lies; of several there is only the size. */
static struct bytes measure_slot(const struct entry_source *source, enum slot slot)
{
    const uint8_t *found = NULL;
    size_t size = 0;
    for (const struct record_value *value = source->values; value < source->values_end; value++) {
        if (value->slot != slot)
            continue;
        found = size == 0 ? source->body.data + value->offset : NULL;
        size += value->size + 1U;
    }
    return size > 0 ? bytes_make(found, size - 1) : (struct bytes){0};
}

static uint8_t *put_line(uint8_t *out, const struct entry_source *source,
                         const struct record_value *value)
{
    out = resp_put(out, source->body.data + value->offset, value->size);
    *out++ = '\n';
    return out;
}

static uint8_t *put_slot(uint8_t *out, const struct entry_source *source, enum slot slot)
{
    for (const struct record_value *value = source->values; value < source->values_end; value++)
        if (value->slot == slot)
            out = put_line(out, source, value);
    return out - 1; /* no line comes behind the last one */
}

static struct bytes measure_keys(struct entry_source *source)
{
    const struct record_value *value = source->values, *end = source->values_end;
    while (value < end && !slot_is_key((enum slot)value->slot))
        value++;
    source->first_key = value;
    size_t size = 0;
    for (; value < end; value++)
        if (slot_is_key((enum slot)value->slot))
            size += key_heads[value->slot].size + value->size + 1U;
    return bytes_make(NULL, size > 0 ? size - 1 : 0);
}

static uint8_t *put_keys(uint8_t *out, const struct entry_source *source)
{
    const struct record_value *value = source->first_key, *end = source->values_end;
    for (; value < end; value++) {
        if (!slot_is_key((enum slot)value->slot))
            continue;
        out = resp_put(out, key_heads[value->slot].data, key_heads[value->slot].size);
        out = put_line(out, source, value);
    }
    return out - 1;
}

/* ---- other facts that are put together ---- */

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

static void render_rules(struct text_sink *sink, const struct entry_source *source)
{
    const struct record *record = source->record;
    const uint32_t *rules = record_rules(record);
    for (uint16_t i = 0; i < record->rule_count; i++) {
        if (sink->size > 0)
            sink_add_text(sink, "\n");
        sink_add_text(sink,
                      generation_list_table(source->generations, record->generation, rules[i]));
        sink_add_text(sink, "/");
        sink_add_text(sink,
                      generation_list_rule(source->generations, record->generation, rules[i]));
    }
}

static void render_fact(struct text_sink *sink, const struct entry_source *source,
                        enum record_fact fact)
{
    const struct record *record = source->record;
    char text[64] = "";
    uint8_t memory[ENTRY_CONSTANT_BYTES];
    struct bytes constant;
    if (fact == FACT_RULE)
        render_rules(sink, source);
    else if (fact == FACT_FIRST_ID && record->cause != RECORD_MESSAGE)
        snprintf(text, sizeof text, "%llu-%llu", (unsigned long long)record->origin.ms,
                 (unsigned long long)record->origin.seq);
    else if (fact == FACT_PART && record->part_count > 1)
        snprintf(text, sizeof text, "%u/%u", record->part_number, record->part_count);
    else if (entry_form_constant(source->generations, record, fact, memory, &constant))
        sink_add(sink, constant); /* the form had no room for it */
    sink_add_text(sink, text);
}

/* ---- values ---- */

/* A value: as it lies there, or only its size, of what is to be put together. */
static struct bytes measure_value(struct entry_source *source, const struct delivered_field *field)
{
    if (field->kind == DELIVER_SLOT)
        return measure_slot(source, field->slot);
    if (field->fact == FACT_KEYS)
        return measure_keys(source);
    if (field->fact == FACT_ENVELOPE)
        return record_envelope(source->record);
    struct text_sink measured = {0};
    render_fact(&measured, source, field->fact);
    return bytes_make(NULL, measured.size);
}

static uint8_t *put_value(uint8_t *out, const struct entry_source *source,
                          const struct delivered_field *field, struct bytes value)
{
    if (value.data != NULL || value.size == 0)
        return resp_put_bulk(out, value);
    out = resp_put_head(out, '$', value.size);
    if (field->kind == DELIVER_SLOT)
        return resp_put_end(put_slot(out, source, field->slot));
    if (field->fact == FACT_KEYS)
        return resp_put_end(put_keys(out, source));
    struct text_sink written = {.out = out};
    render_fact(&written, source, field->fact);
    return resp_put_end(written.out + written.size);
}

/* Measured as a whole, so that its many short pieces are written without a look at the room. */
void entry_write(struct resp_writer *writer, struct entry_forms *forms,
                 const struct destination *destination, const struct record *record)
{
    struct entry_source source = {
        .generations = forms->generations,
        .record = record,
        .values = record_values(record),
        .values_end = record_values(record) + record->value_count,
        .body = record_body(record),
    };
    const struct entry_form *form = entry_form_find(forms, destination, record);
    struct bytes values[DESTINATION_FIELDS_MAX];
    decimal_text_set(&forms->ms, record->id.ms);
    size_t id_bytes = resp_id_bytes(&forms->ms, record->id.seq);
    size_t size = resp_head_bytes(2) + resp_bulk_bytes(id_bytes) + form->text_bytes +
                  resp_bulk_bytes(source.body.size);
    for (uint16_t i = 0; i < form->gap_count; i++) {
        values[i] = measure_value(&source, &destination->fields[form->gaps[i].field]);
        size += resp_bulk_bytes(values[i].size);
    }
    uint8_t *out = resp_write_room(writer, size);
    if (out == NULL)
        return;
    out = resp_put_head(out, '*', 2);
    out = resp_put_id(out, id_bytes, &forms->ms, record->id.seq);
    out = resp_put(out, form->text, form->body_at);
    out = resp_put_bulk(out, source.body);
    uint16_t at = form->body_at;
    for (uint16_t i = 0; i < form->gap_count; i++) {
        const struct entry_gap *gap = &form->gaps[i];
        out = resp_put(out, form->text + at, (size_t)(gap->at - at));
        out = put_value(out, &source, &destination->fields[gap->field], values[i]);
        at = gap->at;
    }
    resp_put(out, form->text + at, (size_t)(form->text_bytes - at));
}
