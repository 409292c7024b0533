#include "io/reroute/origins.h"

#include <stdlib.h>

void origins_open(struct origins *origins, const struct generation *present,
                  const struct generation_names *names, const struct generation_store *store)
{
    *origins = (struct origins){.present = present, .names = names, .store = store};
    arena_init(&origins->arena);
}

void origins_close(struct origins *origins)
{
    free(origins->items);
    arena_deinit(&origins->arena);
}

/* ---- generations ---- */

static void learn(struct origins *origins, struct origin *origin)
{
    char problem[LOG_PROBLEM_BYTES];
    struct sha256 digest;
    origin->is_known =
        generation_store_find(origins->store, origin->number, &digest) == STATUS_OK &&
        generation_store_read_names(origins->store, &digest, &origins->arena, &origin->names,
                                    problem, sizeof problem) == STATUS_OK;
    if (!origin->is_known)
        return;
    const struct generation_names *from = &origin->names, *to = origins->names;
    origin->participants = generation_names_map(&origins->arena, from, to, NAME_PARTICIPANT);
    origin->channels = generation_names_map(&origins->arena, from, to, NAME_CHANNEL);
    origin->destinations = generation_names_map(&origins->arena, from, to, NAME_DESTINATION);
}

const struct origin *origins_get(struct origins *origins, uint64_t number)
{
    enum { FIRST = 8 };
    for (uint32_t i = origins->count; i-- > 0;)
        if (origins->items[i].number == number)
            return &origins->items[i];
    if (origins->count == origins->capacity) {
        origins->capacity = origins->capacity == 0 ? FIRST : 2 * origins->capacity;
        origins->items = realloc(origins->items, origins->capacity * sizeof *origins->items);
        if (origins->items == NULL)
            abort();
    }
    struct origin *origin = &origins->items[origins->count++];
    *origin = (struct origin){.number = number};
    learn(origins, origin);
    return origin;
}

/* ---- what records name ---- */

bool origins_may_come(const struct generation *generation, uint16_t participant, uint16_t channel)
{
    return !generation->channels[channel]->is_removed &&
           participant_may_publish(generation->directory.participants[participant], channel);
}

bool origins_find_sender(struct origins *origins, const struct record *record,
                         uint16_t *out_participant, uint16_t *out_channel)
{
    const struct generation *present = origins->present;
    const struct origin *origin = origins_get(origins, record->generation);
    if (!origin->is_known || record->participant >= origin->names.lists[NAME_PARTICIPANT].count ||
        record->channel >= origin->names.lists[NAME_CHANNEL].count)
        return false;
    uint16_t participant = origin->participants[record->participant];
    uint16_t channel = origin->channels[record->channel];
    if (participant >= present->directory.count || channel >= present->channel_count ||
        !origins_may_come(present, participant, channel))
        return false;
    *out_participant = participant;
    *out_channel = channel;
    return true;
}

void origins_find_destinations(struct origins *origins, const struct record *record,
                               struct destination_set *out_delivered,
                               struct destination_set *out_held)
{
    const struct origin *origin = origins_get(origins, record->generation);
    *out_delivered = *out_held = (struct destination_set){0};
    for (uint16_t i = 0; origin->is_known && i < record->destination_count; i++) {
        uint16_t index = record_destinations(record)[i];
        uint16_t before = index & (uint16_t)~RECORD_HELD;
        if (before >= origin->names.lists[NAME_DESTINATION].count)
            continue;
        uint16_t now = origin->destinations[before];
        if (now < origins->present->destination_count)
            destination_set_add((index & RECORD_HELD) != 0 ? out_held : out_delivered, now);
    }
}
