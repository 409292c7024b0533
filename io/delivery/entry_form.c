#include "io/delivery/entry_form.h"

#include <stdlib.h>

#include "io/resp/resp_put.h"

enum { PLACES = 4 /* in which a form may be */, KEY_OF_A_FORM = 1 << 16 };
static_assert((ENTRY_FORMS & (ENTRY_FORMS - 1)) == 0, "taken as a mask");
static_assert((int)ENTRY_CONSTANT_BYTES >= (int)DECIMAL_U64_BYTES_MAX,
              "the number of a generation");

static struct entry_key key_of(const struct entry_forms *forms,
                               const struct destination *destination, const struct record *record);
static uint32_t place_of(const struct entry_key *key);
static bool is_same(const struct entry_key *a, const struct entry_key *b);
static struct entry_form *take_place(struct entry_forms *forms, uint32_t place);
static void make(struct entry_form *form, const struct generation_list *generations,
                 const struct destination *destination, const struct record *record);

enum status entry_forms_open(struct entry_forms *forms, const struct generation_list *generations)
{
    *forms = (struct entry_forms){.generations = generations,
                                  .items = calloc(ENTRY_FORMS, sizeof *forms->items)};
    return forms->items != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void entry_forms_close(struct entry_forms *forms)
{
    free(forms->items);
    *forms = (struct entry_forms){0};
}

const struct entry_form *entry_form_find(struct entry_forms *forms,
                                         const struct destination *destination,
                                         const struct record *record)
{
    struct entry_key key = key_of(forms, destination, record);
    uint32_t place = place_of(&key);
    for (uint32_t i = 0; i < PLACES; i++) {
        const struct entry_form *form = &forms->items[(place + i) & (ENTRY_FORMS - 1)];
        if (is_same(&form->key, &key))
            return form;
    }
    struct entry_form *form = take_place(forms, place);
    form->key = key;
    make(form, forms->generations, destination, record);
    return form;
}

/* ---- places ---- */

static struct entry_key key_of(const struct entry_forms *forms,
                               const struct destination *destination, const struct record *record)
{
    return (struct entry_key){
        .generation = record->generation,
        .current_generation = generation_list_current(forms->generations),
        .names = (uint64_t)record->participant | (uint64_t)record->channel << 16 |
                 (uint64_t)record->profile << 32 | (uint64_t)destination->index << 48,
        .marks = (uint64_t)record->verdict | (uint64_t)record->cause << 8 | KEY_OF_A_FORM,
    };
}

/* The upper bits of a product depend on all bits of its factors (Knuth, multiplicative hashing). */
static uint32_t place_of(const struct entry_key *key)
{
    uint64_t others = key->generation + key->current_generation * 3 + (key->marks << 32);
    uint64_t mixed = (key->names ^ others) * UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)(mixed >> 32);
}

static bool is_same(const struct entry_key *a, const struct entry_key *b)
{
    return ((a->generation ^ b->generation) | (a->current_generation ^ b->current_generation) |
            (a->names ^ b->names) | (a->marks ^ b->marks)) == 0;
}

/* The first free one, or another one each time. */
static struct entry_form *take_place(struct entry_forms *forms, uint32_t place)
{
    for (uint32_t i = 0; i < PLACES; i++) {
        struct entry_form *form = &forms->items[(place + i) & (ENTRY_FORMS - 1)];
        if (form->key.marks == 0)
            return form;
    }
    return &forms->items[(place + forms->turn++ % PLACES) & (ENTRY_FORMS - 1)];
}

/* ---- making one ---- */

/* `[body, bytes, name, value ...]`. A constant that does not fit is a gap, too; the names do. */
static void make(struct entry_form *form, const struct generation_list *generations,
                 const struct destination *destination, const struct record *record)
{
    uint8_t *out = resp_put_head(form->text, '*', 2 + 2 * (uint64_t)destination->field_count);
    out = resp_put_bulk(out, BYTES_LITERAL("body"));
    form->body_at = (uint16_t)(out - form->text);
    form->gap_count = 0;
    size_t names_bytes = 0; /* that are still to come */
    for (uint16_t i = 0; i < destination->field_count; i++)
        names_bytes += resp_bulk_bytes(destination->fields[i].name.size);
    for (uint16_t i = 0; i < destination->field_count; i++) {
        const struct delivered_field *field = &destination->fields[i];
        uint8_t memory[ENTRY_CONSTANT_BYTES];
        struct bytes constant;
        assert((size_t)(out - form->text) + names_bytes <= sizeof form->text);
        out = resp_put_bulk(out, field->name);
        names_bytes -= resp_bulk_bytes(field->name.size);
        size_t room = sizeof form->text - (size_t)(out - form->text) - names_bytes;
        if (field->kind == DELIVER_FACT &&
            entry_form_constant(generations, record, field->fact, memory, &constant) &&
            resp_bulk_bytes(constant.size) <= room)
            out = resp_put_bulk(out, constant);
        else
            form->gaps[form->gap_count++] = (struct entry_gap){(uint16_t)(out - form->text), i};
    }
    form->text_bytes = (uint16_t)(out - form->text);
}

bool entry_form_constant(const struct generation_list *generations, const struct record *record,
                         enum record_fact fact, uint8_t *memory, struct bytes *out)
{
    enum generation_name kind;
    uint16_t index;
    switch (fact) {
    case FACT_ORIGIN:
        kind = NAME_PARTICIPANT;
        index = record->participant;
        break;
    case FACT_CHANNEL:
        kind = NAME_CHANNEL;
        index = record->channel;
        break;
    case FACT_PROFILE:
        kind = NAME_PROFILE;
        index = record->profile;
        break;
    case FACT_VERDICT:
        *out = bytes_from_text(verdict_name((enum verdict)record->verdict));
        return true;
    case FACT_CAUSE:
        *out = bytes_from_text(record_cause_name((enum record_cause)record->cause));
        return true;
    case FACT_GENERATION:
        *out = bytes_make(memory, decimal_write_u64(memory, record->generation));
        return true;
    default: return false;
    }
    *out = bytes_from_text(generation_list_name(generations, record->generation, kind, index));
    return true;
}
