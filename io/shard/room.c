#include "io/shard/room.h"

#include <assert.h>
#include <stdlib.h>

enum status rooms_open(uint16_t logs, uint16_t destinations, struct rooms *out_rooms)
{
    size_t bytes = (size_t)logs * (destinations + 1U) * sizeof(struct room);
    struct room *items = aligned_alloc(_Alignof(struct room), bytes);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < bytes / sizeof *items; i++)
        items[i] = (struct room){0};
    *out_rooms = (struct rooms){.items = items, .logs = logs, .destinations = destinations};
    return STATUS_OK;
}

void rooms_close(struct rooms *rooms)
{
    free(rooms->items);
    *rooms = (struct rooms){0};
}

/* All orders here are sequentially consistent: what is taken is added before what is kept, and
 * whether it is bounded, is looked at; the log's shard writes those before it looks at what is
 * taken, or gives it back. */

static bool take(struct room *room, uint64_t entries, uint64_t bytes, bool may_drop)
{
    uint64_t taken_entries = atomic_fetch_add(&room->taken_entries, entries) + entries;
    uint64_t taken_bytes = atomic_fetch_add(&room->taken_bytes, bytes) + bytes;
    uint64_t kept_entries = may_drop ? 0 : atomic_load(&room->kept_entries);
    uint64_t kept_bytes = may_drop ? 0 : atomic_load(&room->kept_bytes);
    if (!atomic_load(&room->is_bounded) || (taken_entries + kept_entries <= room->entries_max &&
                                            taken_bytes + kept_bytes <= room->bytes_max))
        return true;
    room_give(room, entries, bytes);
    return false;
}

bool room_take(struct room *room, uint64_t entries, uint64_t bytes)
{
    return take(room, entries, bytes, false);
}

bool room_take_from_kept(struct room *room, uint64_t entries, uint64_t bytes)
{
    return take(room, entries, bytes, true);
}

void room_give(struct room *room, uint64_t entries, uint64_t bytes)
{
    uint64_t taken_entries = atomic_fetch_sub(&room->taken_entries, entries);
    uint64_t taken_bytes = atomic_fetch_sub(&room->taken_bytes, bytes);
    assert(taken_entries >= entries && taken_bytes >= bytes);
}

uint64_t room_entries(const struct room *room)
{
    uint64_t used = atomic_load(&room->taken_entries) + atomic_load(&room->kept_entries);
    if (!atomic_load(&room->is_bounded))
        return UINT64_MAX;
    return used < room->entries_max ? room->entries_max - used : 0;
}

uint64_t room_bytes(const struct room *room)
{
    uint64_t used = atomic_load(&room->taken_bytes) + atomic_load(&room->kept_bytes);
    if (!atomic_load(&room->is_bounded))
        return UINT64_MAX;
    return used < room->bytes_max ? room->bytes_max - used : 0;
}

void room_keep(struct room *room, uint64_t entries, uint64_t bytes)
{
    if (atomic_load_explicit(&room->kept_entries, memory_order_relaxed) != entries)
        atomic_store(&room->kept_entries, entries);
    if (atomic_load_explicit(&room->kept_bytes, memory_order_relaxed) != bytes)
        atomic_store(&room->kept_bytes, bytes);
}

void room_bound(struct room *room, bool is_bounded)
{
    atomic_store(&room->is_bounded, is_bounded);
}
