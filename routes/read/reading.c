#include "routes/read/reading.h"

#include <assert.h>

static_assert(READING_NO_OCCURRENCE == 0xFFFF, "a slot is cleared by setting all bits");

void reading_init(struct reading *reading, struct reading_space *space)
{
    reading->profile = NULL;
    reading->occurrences = space->occurrences + space->occurrence_used;
    reading->count = 0;
    reading->entry_count = 1;
    reading->payload = (struct reading_payload){0};
    memset(reading->first, 0xFF, sizeof reading->first); /* READING_NO_OCCURRENCE */
}

void reading_restore(struct reading *reading, struct reading_space *space,
                     const struct reading *before)
{
    assert(reading->occurrences == before->occurrences && reading->count >= before->count);
    space->occurrence_used -= reading->count - before->count;
    *reading = *before;
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        if (reading->first[slot] != READING_NO_OCCURRENCE)
            reading->occurrences[reading->last[slot]].next = READING_NO_OCCURRENCE;
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
            (!slot_is_of_entry(slot) || occurrence->entry == entry))
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

bool reading_has_keys(const struct reading *reading, uint16_t entry)
{
    for (uint16_t i = 0; i < reading->count; i++)
        if (reading->occurrences[i].entry == entry &&
            slot_is_key((enum slot)reading->occurrences[i].slot))
            return true;
    return false;
}

bool reading_has_entries(const struct reading *reading)
{
    return reading->entry_count > 1 || reading_has_keys(reading, 1);
}
