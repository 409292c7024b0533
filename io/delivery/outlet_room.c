/* What an outlet has room for, and what is reserved of it: by this shard alone, or by all. */
#include "io/delivery/outlet.h"

bool outlet_has_room_for(const struct outlet *outlet, uint64_t records, uint64_t size_bytes)
{
    return outlet_room_entries(outlet) >= records && outlet_room_bytes(outlet) >= size_bytes;
}

uint64_t outlet_room_entries(const struct outlet *outlet)
{
    uint64_t taken = outlet_length(outlet) + outlet_reserved_entries(outlet);
    if (outlet->group_count == 0)
        return UINT64_MAX;
    return taken < outlet->destination->backlog_max ? outlet->destination->backlog_max - taken : 0;
}

uint64_t outlet_room_bytes(const struct outlet *outlet)
{
    uint64_t taken = outlet->bytes + outlet_reserved_bytes(outlet);
    uint64_t bytes_max = outlet->destination->backlog_bytes_max;
    if (outlet->group_count == 0)
        return UINT64_MAX;
    return taken < bytes_max ? bytes_max - taken : 0;
}

bool outlet_try_reserve(struct outlet *outlet, uint64_t size_bytes)
{
    if (!outlet_make_room(outlet, size_bytes))
        return false;
    if (outlet->room != NULL)
        return outlet_take_room(outlet->room, outlet->destination, size_bytes);
    outlet->reserved_entries++;
    outlet->reserved_bytes += size_bytes;
    return true;
}

bool outlet_take_room(struct room *room, const struct destination *destination, uint64_t size_bytes)
{
    if (destination->when_full != WHEN_FULL_DROP_OLDEST)
        return room_take(room, 1, size_bytes);
    return room_take_from_kept(room, 1, size_bytes); /* whose log it is drops the oldest for it */
}

void outlet_unreserve(struct outlet *outlet, uint64_t size_bytes)
{
    if (outlet->room != NULL) {
        room_give(outlet->room, 1, size_bytes);
        return;
    }
    assert(outlet->reserved_entries > 0 && outlet->reserved_bytes >= size_bytes);
    outlet->reserved_entries--;
    outlet->reserved_bytes -= size_bytes;
}

void outlet_share_room(struct outlet *outlet, struct room *room)
{
    outlet->room = room;
    room->entries_max = outlet->destination->backlog_max;
    room->bytes_max = outlet->destination->backlog_bytes_max;
    room_bound(room, outlet->group_count > 0);
    outlet_tell_room(outlet);
}

/* Others cannot close up here when they find no room. */
void outlet_tell_room(struct outlet *outlet)
{
    if (outlet->group_count > 0 && outlet_room_entries(outlet) == 0)
        outlet_squeeze(outlet);
    room_keep(outlet->room, outlet_length(outlet), outlet->bytes);
}
