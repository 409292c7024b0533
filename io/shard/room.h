/* What destinations have room for, where several shards decide messages for one log. Each log has a
 * room for each destination and one for what is held. Who decides a message takes room at the log
 * that it will go to, at once and without asking; whose log it is turns what was taken into what is
 * kept when the record is durable, and gives room back as groups settle.
 *
 *   taken by any shard; kept by the log's shard alone, who writes it before it gives back what was
 *   taken for the same record. So who takes first and then looks at what is kept sees each record
 *   at least once: no room is ever given twice.
 *
 * Written by all threads, each room on a cache line of its own. With one shard there are none. */
#ifndef KOUAN_IO_ROOM_H
#define KOUAN_IO_ROOM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

struct room {
    _Alignas(64) _Atomic uint64_t taken_entries;
    _Atomic uint64_t taken_bytes, kept_entries, kept_bytes;
    _Atomic bool is_bounded; /* groups keep: what nobody consumes always has room */
    uint64_t entries_max, bytes_max;
};

struct rooms {
    struct room *items;
    uint16_t logs, destinations;
};

MUST_CHECK enum status rooms_open(uint16_t logs, uint16_t destinations, struct rooms *out_rooms);
void rooms_close(struct rooms *rooms);

/* Of a destination at a log; and of its held messages. */
static inline struct room *rooms_at(const struct rooms *rooms, uint16_t log, uint16_t destination)
{
    return &rooms->items[(size_t)log * (rooms->destinations + 1U) + destination];
}
static inline struct room *rooms_of_holds(const struct rooms *rooms, uint16_t log)
{
    return rooms_at(rooms, log, rooms->destinations);
}

/* All or nothing; false: there is not so much. */
MUST_CHECK bool room_take(struct room *room, uint64_t entries, uint64_t bytes);
/* The same, where what is kept may go for it: there is so much beside what others have taken. */
MUST_CHECK bool room_take_from_kept(struct room *room, uint64_t entries, uint64_t bytes);
void room_give(struct room *room, uint64_t entries, uint64_t bytes);

/* What is free now; UINT64_MAX where it is not bounded. */
uint64_t room_entries(const struct room *room);
uint64_t room_bytes(const struct room *room);
static inline bool room_has(const struct room *room, uint64_t entries, uint64_t bytes)
{
    return room_entries(room) >= entries && room_bytes(room) >= bytes;
}

/* By the log's shard: what is kept now. */
void room_keep(struct room *room, uint64_t entries, uint64_t bytes);
void room_bound(struct room *room, bool is_bounded);

#endif
