#include "routes/reading.h"

#include <assert.h>

void reading_init(struct reading *reading, struct reading_space *space)
{
    reading->profile = NULL;
    reading->occurrences = space->occurrences + space->occurrence_used;
    reading->count = 0;
    reading->entry_count = 1;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        reading->first[slot] = reading->last[slot] = READING_NO_OCCURRENCE;
}

/* True if the reading has this value already, in the sense of `reading_add`. */
static bool is_kept(const struct reading *reading, enum slot slot, uint16_t entry,
                    struct bytes value)
{
    if (!slot_is_key(slot) && !slot_takes_all(slot))
        return reading->first[slot] != READING_NO_OCCURRENCE;
    for (uint16_t i = reading->first[slot]; i != READING_NO_OCCURRENCE;) {
        const struct occurrence *occurrence = &reading->occurrences[i];
        if (bytes_equal(occurrence->value, value) &&
            (!slot_is_key(slot) || occurrence->entry == entry))
            return true;
        i = occurrence->next;
    }
    return false;
}

enum status reading_add(struct reading *reading, struct reading_space *space, enum slot slot,
                        uint16_t entry, struct bytes value)
{
    assert(slot < SLOT_COUNT);
    if (is_kept(reading, slot, entry, value))
        return STATUS_OK;
    return reading_append(reading, space, slot, entry, value);
}

enum status reading_append(struct reading *reading, struct reading_space *space, enum slot slot,
                           uint16_t entry, struct bytes value)
{
    assert(slot < SLOT_COUNT);
    assert(value.size > 0 && value.size <= READING_VALUE_BYTES_MAX);
    assert(reading->occurrences + reading->count == space->occurrences + space->occurrence_used);
    if (reading->count == READING_OCCURRENCES_MAX)
        return STATUS_TOO_BIG;
    if (space->occurrence_used == space->occurrence_capacity)
        return STATUS_FULL;

    uint16_t index = reading->count++;
    space->occurrence_used++;
    reading->occurrences[index] =
        (struct occurrence){value, entry, READING_NO_OCCURRENCE, (uint8_t)slot};
    if (reading->first[slot] == READING_NO_OCCURRENCE)
        reading->first[slot] = index;
    else
        reading->occurrences[reading->last[slot]].next = index;
    reading->last[slot] = index;
    return STATUS_OK;
}

struct bytes reading_value(const struct reading *reading, enum slot slot)
{
    assert(slot < SLOT_COUNT);
    uint16_t index = reading->first[slot];
    return index == READING_NO_OCCURRENCE ? (struct bytes){0} : reading->occurrences[index].value;
}
