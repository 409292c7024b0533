/* What was read from one message: occurrences of fields and keys, by slot. Filled by `read_message`
 * (routes/read/read.h), looked at by rules, identity, delivery and `explain`.
 *
 * Occurrences and decoded text live in a `reading_space`, which a shard shares over one batch and
 * resets after it; a reading is valid until then, and while its body is. */
#ifndef KOUAN_ROUTES_READING_H
#define KOUAN_ROUTES_READING_H

#include <assert.h>

#include "core/status.h"
#include "routes/field.h"
#include "routes/scan/scan_fault.h"

enum {
    READING_ENTRIES_DEFAULT = 256,  /* entries in a message; one more refuses it, ... */
    READING_ENTRIES_MAX = 4096,     /* ... or one more than the operator says, up to this */
    READING_OCCURRENCES_MAX = 8192, /* of one message */
    READING_VALUE_BYTES_MAX = 1024, /* of one value; a longer one refuses the message */
    READING_NO_OCCURRENCE = 0xFFFF
};

struct occurrence {
    struct bytes value; /* UTF-8, trimmed, never empty; in the body, in the space, or static */
    uint16_t entry;     /* 0: the message itself; 1..entry_count: that entry */
    uint16_t next; /* the next one of the same slot in this reading, or READING_NO_OCCURRENCE */
    uint8_t slot;
};

struct reading_space {
    struct occurrence *occurrences;
    uint32_t occurrence_capacity, occurrence_used;
    uint8_t *text; /* decoded values: entities, releases, joins, charsets */
    uint32_t text_capacity, text_used;
};

/* Of the message inside of one whose profile opens it. */
struct reading_payload {
    const struct profile *profile; /* NULL: not read */
    uint16_t entry_first, entry_count;
    struct scan_fault fault; /* why it was not read, in the outer body; NONE: there is none */
};

struct reading {
    const struct profile *profile;
    struct occurrence *occurrences; /* `count` of them, in the space */
    uint16_t count;
    uint16_t entry_count; /* 1 if the profile names no entries */
    uint16_t first[SLOT_COUNT];
    uint16_t last[SLOT_COUNT]; /* only where there is a first */
    struct reading_payload payload;
};

/* An empty reading at the end of the space. */
void reading_init(struct reading *reading, struct reading_space *space);

/* Takes back what was added since the reading was as `before` is, a copy of it. */
void reading_restore(struct reading *reading, struct reading_space *space,
                     const struct reading *before);

/* Appends an occurrence. Fields that take one value keep the first; a field's equal value (in any
 * entry) is kept once, that of a key or a status once in its entry. FULL if the space is exhausted,
 * TOO_BIG past READING_OCCURRENCES_MAX. Only the newest reading of a space may grow. */
MUST_CHECK enum status reading_add(struct reading *reading, struct reading_space *space,
                                   enum slot slot, uint16_t entry, struct bytes value);

/* The same for a value that the caller knows to be new. */
MUST_CHECK static inline enum status reading_append(struct reading *reading,
                                                    struct reading_space *space, enum slot slot,
                                                    uint16_t entry, struct bytes value)
{
    assert(slot < SLOT_COUNT);
    assert(value.size > 0 && value.size <= READING_VALUE_BYTES_MAX);
    struct occurrence *occurrence = &reading->occurrences[reading->count];
    assert(occurrence == &space->occurrences[space->occurrence_used]);
    if (reading->count == READING_OCCURRENCES_MAX)
        return STATUS_TOO_BIG;
    if (space->occurrence_used == space->occurrence_capacity)
        return STATUS_FULL;

    uint16_t index = reading->count++;
    space->occurrence_used++;
    *occurrence = (struct occurrence){value, entry, READING_NO_OCCURRENCE, (uint8_t)slot};
    if (reading->first[slot] == READING_NO_OCCURRENCE)
        reading->first[slot] = index;
    else
        reading->occurrences[reading->last[slot]].next = index;
    reading->last[slot] = index;
    return STATUS_OK;
}

/* The first value of a slot, or an absent view. */
static inline struct bytes reading_value(const struct reading *reading, enum slot slot)
{
    assert(slot < SLOT_COUNT);
    uint16_t index = reading->first[slot];
    return index == READING_NO_OCCURRENCE ? (struct bytes){0} : reading->occurrences[index].value;
}

/* True if a key was found in this entry, or for 0 outside of entries. */
bool reading_has_keys(const struct reading *reading, uint16_t entry);

/* False if the message as a whole is its one entry: none was found, or one without keys. */
bool reading_has_entries(const struct reading *reading);

/* for (i = reading_first(r, s); i != READING_NO_OCCURRENCE; i = r->occurrences[i].next) */
static inline uint16_t reading_first(const struct reading *reading, enum slot slot)
{
    return reading->first[slot];
}

#endif
