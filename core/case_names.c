#include "core/case_names.h"

#include <xxhash.h>

#include "core/case_inside.h"

enum { PLACES = 2 * CASE_NAMES_MAX };

static struct bytes name_bytes(const struct case_name *name)
{
    return bytes_make(name->text, name->size);
}

/* As long as they are kept. */
static struct bytes cut(struct bytes name)
{
    return bytes_slice(name, 0, CASE_NAME_BYTES);
}

static void set_name(struct case_name *place, struct bytes name)
{
    *place = (struct case_name){.size = (uint8_t)name.size};
    if (name.size > 0)
        memcpy(place->text, name.data, name.size);
}

/* Where its number is, or belongs. */
static uint16_t *find_place(const struct case_table *table, struct bytes name)
{
    uint32_t at = (uint32_t)XXH3_64bits(name.data, name.size) % PLACES;
    while (table->name_places[at] != 0 &&
           !bytes_equal(name_bytes(&table->names[table->name_places[at]]), name))
        at = (at + 1) % PLACES;
    return &table->name_places[at];
}

uint16_t case_table_find_name(const struct case_table *table, struct bytes name)
{
    return name.size == 0 ? 0 : *find_place(table, cut(name));
}

uint16_t case_table_number(struct case_table *table, struct bytes name)
{
    struct case_head *head = table->head;
    if (name.size == 0)
        return 0;
    uint16_t *place = find_place(table, cut(name));
    if (*place != 0 || head->name_count == CASE_NAMES_MAX)
        return *place;
    case_will_change(table, head, sizeof *head);
    *place = (uint16_t)head->name_count++;
    set_name(&table->names[*place], cut(name));
    return *place;
}

struct bytes case_table_name(const struct case_table *table, uint16_t number)
{
    return number < table->head->name_count ? name_bytes(&table->names[number]) : (struct bytes){0};
}

void case_names_index(struct case_table *table)
{
    memset(table->name_places, 0, PLACES * sizeof *table->name_places);
    for (uint32_t i = 1; i < table->head->name_count; i++)
        *find_place(table, name_bytes(&table->names[i])) = (uint16_t)i;
}

enum status case_table_state_number(struct case_table *table, struct bytes name, uint8_t *out_state)
{
    struct case_head *head = table->head;
    for (uint32_t i = 1; i < head->state_count; i++)
        if (bytes_equal(name_bytes(&head->states[i]), cut(name))) {
            *out_state = (uint8_t)i;
            return STATUS_OK;
        }
    if (head->state_count == CASE_STATES_MAX)
        return STATUS_FULL;
    case_will_change(table, head, sizeof *head);
    set_name(&head->states[head->state_count], cut(name));
    *out_state = (uint8_t)head->state_count++;
    return STATUS_OK;
}

struct bytes case_table_state_name(const struct case_table *table, uint8_t state)
{
    return state < table->head->state_count ? name_bytes(&table->head->states[state])
                                            : (struct bytes){0};
}
