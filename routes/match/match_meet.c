/* The values of a group of messages -> the atoms that they meet, one field after the other. The
 * values of all messages are hashed before the first is looked for, so that loads from memory run
 * side by side. */
#include "routes/match/match_parts.h"

static uint32_t hash_values(const struct match_field *field, uint32_t f, struct match_group *group);
static void find_values(const struct match_field *field, struct match_value *values,
                        uint32_t count);
static void take_atoms(const struct match_field *field, const struct match_value *values,
                       uint32_t count);

void match_meet(const struct matcher *matcher, struct match_group *group)
{
    for (uint32_t f = 0; f < matcher->field_count; f++) {
        const struct match_field *field = &matcher->fields[f];
        uint32_t count = hash_values(field, f, group);
        find_values(field, group->values, count);
        take_atoms(field, group->values, count);
    }
    for (uint32_t m = 0; m < group->count; m++) {
        struct match_message *message = &group->messages[m];
        message->begins[matcher->field_count] = message->atom_count;
        message->begins[matcher->field_count + 1] = message->atom_count;
    }
}

static uint32_t hash_values(const struct match_field *field, uint32_t f, struct match_group *group)
{
    const struct text_slot *slots = field->values.slots;
    uint64_t mask = field->values.mask;
    struct match_value *value = group->values;
    for (uint32_t m = 0; m < group->count; m++) {
        struct match_message *message = &group->messages[m];
        const struct reading *reading = message->reading;
        const struct match_value *end = value + MATCH_VALUES_MAX;
        uint16_t i = reading_first(reading, field->slot);
        message->begins[f] = message->atom_count;
        for (; i != READING_NO_OCCURRENCE; value++) {
            if (value == end) {
                message->is_left = true;
                break;
            }
            const struct occurrence *occurrence = &reading->occurrences[i];
            struct text_key key = text_key_of(occurrence->value);
            uint64_t hash = text_key_hash(key, occurrence->value.size);
            __builtin_prefetch(&slots[hash & mask]);
            value->text = occurrence->value;
            value->message = message;
            value->key = key;
            value->hash = hash;
            i = occurrence->next;
        }
    }
    return (uint32_t)(value - group->values);
}

static void find_values(const struct match_field *field, struct match_value *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct match_value *value = &values[i];
        value->met = text_index_find_by(&field->values, value->text, value->key, value->hash);
        if (value->met != TEXT_INDEX_NONE)
            __builtin_prefetch(&field->met[value->met]);
    }
}

/* ---- Atoms ----------------------------------------------------------------------------------- */

/* The message is left to the sets if there is no room for one more. */
static inline void add_atom(struct match_message *message, uint32_t atom)
{
    if (message->atom_count == MATCH_ATOMS_MAX)
        message->is_left = true;
    else
        message->atoms[message->atom_count++] = atom;
}

static void add_chain(struct match_message *message, const struct match_field *field, uint32_t link)
{
    for (; link != 0 && !message->is_left; link = field->link_nexts[link])
        add_atom(message, link);
}

static void take_atoms(const struct match_field *field, const struct match_value *values,
                       uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct match_value *value = &values[i];
        struct match_message *message = value->message;
        if (value->met != TEXT_INDEX_NONE) {
            const uint32_t *met = &field->met[value->met];
            message->is_left |= met[1] == MATCH_MET_TOO_MANY;
            for (uint32_t k = 0; k < met[1] && !message->is_left; k++)
                add_atom(message, met[2 + k]);
        } else if (field->has_patterns) {
            add_chain(message, field, match_find_prefix(field, value->text));
            add_chain(message, field, match_find_numeric(field, value->text));
            add_chain(message, field, match_find_bytewise(field, value->text));
        }
    }
}
