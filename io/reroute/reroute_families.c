#include "io/reroute/reroute_families.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void families_close(struct families *families)
{
    free(families->items);
    free(families->holds);
    free(families->places);
    *families = (struct families){0};
}

static void *grow(void *items, uint32_t count, uint32_t *capacity, size_t item_bytes)
{
    if (count < *capacity)
        return items;
    *capacity = *capacity == 0 ? FIRST_CAPACITY : 2 * *capacity;
    void *grown = realloc(items, *capacity * item_bytes);
    if (grown == NULL)
        abort();
    return grown;
}

/* ---- by id ---- */

static bool is_free(const struct family_place *place)
{
    return place->id.ms == 0 && place->id.seq == 0;
}

/* Where it is, or would be. */
static struct family_place *find_place(const struct families *families, struct record_id id)
{
    uint64_t mixed = (id.ms * 31 + id.seq) * UINT64_C(0x9E3779B97F4A7C15);
    uint32_t mask = families->place_capacity - 1;
    for (uint32_t i = (uint32_t)(mixed >> 32);; i++) {
        struct family_place *place = &families->places[i & mask];
        if (is_free(place) || record_id_compare(place->id, id) == 0)
            return place;
    }
}

static void grow_places(struct families *families)
{
    struct families wider = *families;
    wider.place_capacity =
        families->place_capacity == 0 ? FIRST_CAPACITY : 2 * families->place_capacity;
    wider.places = calloc(wider.place_capacity, sizeof *wider.places);
    if (wider.places == NULL)
        abort();
    for (uint32_t i = 0; i < families->place_capacity; i++)
        if (!is_free(&families->places[i]))
            *find_place(&wider, families->places[i].id) = families->places[i];
    free(families->places);
    *families = wider;
}

static void set_place(struct families *families, struct record_id id, uint32_t family)
{
    if (2 * families->place_count >= families->place_capacity)
        grow_places(families);
    struct family_place *place = find_place(families, id);
    families->place_count += is_free(place);
    *place = (struct family_place){id, family};
}

static uint32_t find_index(const struct families *families, struct record_id id)
{
    if (families->place_count == 0)
        return REROUTE_NONE;
    const struct family_place *place = find_place(families, id);
    return is_free(place) ? REROUTE_NONE : place->family;
}

struct family *families_find(const struct families *families, struct record_id id)
{
    uint32_t index = find_index(families, id);
    return index == REROUTE_NONE ? NULL : &families->items[index];
}

/* ---- of a log ---- */

static uint32_t add(struct families *families, struct record_id id)
{
    families->items =
        grow(families->items, families->count, &families->capacity, sizeof *families->items);
    families->items[families->count] =
        (struct family){.id = id, .last_hold = REROUTE_NONE, .is_asked = true};
    set_place(families, id, families->count);
    return families->count++;
}

void families_want(struct families *families, struct record_id id)
{
    if (find_index(families, id) == REROUTE_NONE)
        (void)add(families, id);
    if (!families->is_incomplete || record_id_compare(id, families->lowest) < 0)
        families->lowest = id;
    families->is_incomplete = true;
}

void families_begin_log(struct families *families)
{
    families->log_first = families->count;
    families->log_first_hold = families->hold_count;
    families->is_incomplete = false;
}

void families_begin_again(struct families *families)
{
    families->hold_count = families->log_first_hold;
    families->is_incomplete = false;
    for (uint32_t i = families->log_first; i < families->count; i++) {
        struct family *family = &families->items[i];
        family->been = family->held = (struct destination_set){0};
        family->rerouted_by = 0;
        family->last_hold = REROUTE_NONE;
        family->is_there = false;
    }
}

/* ---- records ---- */

static void add_hold(struct families *families, struct family *family, struct record_id id,
                     uint16_t destination)
{
    families->holds = grow(families->holds, families->hold_count, &families->hold_capacity,
                           sizeof *families->holds);
    families->holds[families->hold_count] =
        (struct family_hold){.id = id, .before = family->last_hold, .destination = destination};
    family->last_hold = families->hold_count++;
    destination_set_add(&family->held, destination);
}

static void note(struct families *families, struct family *family, const struct record *record,
                 const struct destination_set *been, const struct destination_set *held)
{
    for (unsigned d = destination_set_next(been, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(been, d + 1))
        destination_set_add(&family->been, (uint16_t)d);
    for (unsigned d = destination_set_next(held, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(held, d + 1))
        add_hold(families, family, record->id, (uint16_t)d);
    if (record->cause == RECORD_REROUTED && record->generation > family->rerouted_by)
        family->rerouted_by = record->generation;
}

/* It was asked for by a record that repeats another: the other is the first, or nearer to it. */
static void go_nearer(struct families *families, uint32_t own, const struct record *record)
{
    uint32_t other = find_index(families, record->origin);
    if (other == own)
        return;
    if (other == REROUTE_NONE) {
        families->items[own].id = record->origin;
        set_place(families, record->origin, own);
    } else {
        families->items[own].is_asked = false;
        families->items[other].is_asked = true;
        set_place(families, record->id, other);
    }
    families_want(families, record->origin);
}

static void take_repeat(struct families *families, const struct record *record,
                        const struct destination_set *been, const struct destination_set *held,
                        bool is_wanted)
{
    uint32_t own = find_index(families, record->id);
    if (own != REROUTE_NONE && record_id_compare(families->items[own].id, record->id) == 0) {
        go_nearer(families, own, record);
        return;
    }
    uint32_t family = find_index(families, record->origin);
    if (family == REROUTE_NONE && !is_wanted)
        return;
    if (family == REROUTE_NONE) {
        families_want(families, record->origin);
        family = find_index(families, record->origin);
    }
    set_place(families, record->id, family);
    note(families, &families->items[family], record, been, held);
}

void families_take_message(struct families *families, const struct record *record,
                           const struct destination_set *been, const struct destination_set *held,
                           bool is_wanted)
{
    uint32_t family = find_index(families, record->id);
    if ((record->head.flags & RECORD_COPIED) != 0) {
        /* If its first place is there, it is met there. */
        if (family == REROUTE_NONE && is_wanted)
            families_want(families, record->cause == RECORD_MESSAGE ? record->id : record->origin);
        return;
    }
    if (record->cause != RECORD_MESSAGE) {
        take_repeat(families, record, been, held, is_wanted);
        return;
    }
    if (family == REROUTE_NONE && !is_wanted)
        return;
    if (family == REROUTE_NONE)
        family = add(families, record->id);
    families->items[family].is_there = true;
    note(families, &families->items[family], record, been, held);
}

void families_take_hold_end(struct families *families, struct record_id id, uint16_t destination)
{
    struct family *family = families_find(families, id);
    if (family == NULL)
        return;
    for (uint32_t i = family->last_hold; i != REROUTE_NONE; i = families->holds[i].before) {
        struct family_hold *hold = &families->holds[i];
        if (hold->destination != destination || record_id_compare(hold->id, id) != 0)
            continue;
        hold->has_ended = true;
        destination_set_remove(&family->held, destination);
    }
}

void families_take_burial(struct families *families, struct record_id id, uint16_t destination)
{
    struct family *family = families_find(families, id);
    if (family != NULL)
        destination_set_remove(&family->been, destination);
}

/* ---- the last ones ---- */

static int by_id(const void *left, const void *right)
{
    return record_id_compare(*(const struct record_id *)left, *(const struct record_id *)right);
}

void families_keep_last(struct families *families, uint32_t count)
{
    struct record_id *ids = calloc((size_t)families->count + 1, sizeof *ids);
    uint32_t asked = 0;
    if (ids == NULL)
        abort();
    for (uint32_t i = 0; i < families->count; i++)
        if (families->items[i].is_asked)
            ids[asked++] = families->items[i].id;
    qsort(ids, asked, sizeof *ids, by_id);
    for (uint32_t i = 0; i < families->count && asked > count; i++)
        if (record_id_compare(families->items[i].id, ids[asked - count]) < 0)
            families->items[i].is_asked = false;
    free(ids);
}
