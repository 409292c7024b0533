/* One destination at work: the order in which its records came, and the groups that take them.
 *
 * The outlet keeps an entry for each of its records in a ring, by free-running index; ids rise with
 * the index. Entries say all that searching, counting and ordering need: the records themselves may
 * be on disk only. A group (io/delivery/group.h) has a cursor into the ring and a list of pending
 * entries. A record leaves when every group is past it; without groups, when more than retain_bytes
 * are kept. One owner thread. */
#ifndef KOUAN_IO_OUTLET_H
#define KOUAN_IO_OUTLET_H

#include <assert.h>

#include "core/journal.h"
#include "core/ledger.h"
#include "io/delivery/waiter.h"
#include "io/shard/room.h"
#include "routes/generation.h"

struct group;

struct outlet_entry {
    struct record_id id;
    uint64_t position; /* of its record in the log */
    uint32_t size_bytes;
    uint32_t order_key; /* io/delivery/case_order.h; 0 where no configured group is by case */
};
static_assert(sizeof(struct outlet_entry) == 32, "backlog_max of them are reserved");

struct outlet {
    const struct destination *destination;
    const struct journal *journal;
    struct outlet_entry *entries; /* index & mask */
    uint64_t mask;
    uint64_t first, end;                       /* kept: [first, end) */
    uint64_t bytes;                            /* of the kept records */
    uint64_t reserved_entries, reserved_bytes; /* admitted, not yet pushed; see room */
    struct room *room; /* with several shards what is reserved is there; NULL: one shard */
    struct record_id last_id, first_ever_id;
    uint64_t pushed; /* ever */
    struct group *groups[DESTINATION_GROUPS_MAX];
    uint16_t group_count;
    uint32_t *last_group_number; /* of its log */
    uint64_t unsettled_max;      /* of each group; set by who has to write them down */
    bool gathers;                /* what groups settle is written down: set by who does */
    bool is_nearly_full;         /* io/delivery/outlet_watch.h has said so */
    bool has_settled;            /* some group has gathered; reset by who writes it down */
    struct outlet_account account;
    struct waiter_line waiters; /* sessions blocked on it without a group */
};

/* Without groups. `last_group_number` is the last one that was used in this log. */
MUST_CHECK enum status outlet_open(struct outlet *outlet, const struct destination *destination,
                                   const struct journal *journal, uint32_t *last_group_number);
/* The configured groups that are not there yet; they begin now. */
MUST_CHECK enum status outlet_create_configured_groups(struct outlet *outlet);
void outlet_close(struct outlet *outlet);

/* For outlet_adopt: a ring for all that the destination of another generation may keep, if its own
 * is too small; else NULL. NO_MEMORY. */
MUST_CHECK enum status outlet_make_ring(const struct outlet *outlet,
                                        const struct destination *destination,
                                        struct outlet_entry **out_ring);
/* It is the same destination of another generation. Takes the ring. */
void outlet_adopt(struct outlet *outlet, const struct destination *destination,
                  struct outlet_entry *ring);
/* Nothing is kept for a group, and nothing is on its way. */
bool outlet_is_settled(const struct outlet *outlet);

/* Room for so many records of `size_bytes` together, counting what was reserved. A destination
 * without groups always has room: the oldest falls off. */
bool outlet_has_room_for(const struct outlet *outlet, uint64_t records, uint64_t size_bytes);
static inline bool outlet_has_room(const struct outlet *outlet, uint64_t size_bytes)
{
    return outlet_has_room_for(outlet, 1, size_bytes);
}
/* The same, after all that can be done for it: closing up, and with `when_full: drop_oldest` giving
 * up the oldest entries, whoever has not settled them. */
bool outlet_make_room(struct outlet *outlet, uint64_t size_bytes);
static inline uint64_t outlet_reserved_entries(const struct outlet *outlet)
{
    return outlet->room != NULL ? atomic_load(&outlet->room->taken_entries)
                                : outlet->reserved_entries;
}
static inline uint64_t outlet_reserved_bytes(const struct outlet *outlet)
{
    return outlet->room != NULL ? atomic_load(&outlet->room->taken_bytes) : outlet->reserved_bytes;
}
/* Makes room for one, and reserves it; false: there is none. */
MUST_CHECK bool outlet_try_reserve(struct outlet *outlet, uint64_t size_bytes);
/* For how many records, and of how many bytes together. */
uint64_t outlet_room_entries(const struct outlet *outlet);
uint64_t outlet_room_bytes(const struct outlet *outlet);
void outlet_unreserve(struct outlet *outlet, uint64_t size_bytes);
/* With several shards: what is reserved and kept is told to the others. Before anybody reserves;
 * and once a turn, for what groups have settled. */
void outlet_share_room(struct outlet *outlet, struct room *room);
void outlet_tell_room(struct outlet *outlet);
/* Reserves at an outlet of another shard. */
MUST_CHECK bool outlet_take_room(struct room *room, const struct destination *destination,
                                 uint64_t size_bytes);

/* The record, which lies at `position`, is durable and goes to this destination; its id is above
 * all before. */
void outlet_push(struct outlet *outlet, const struct record *record, uint64_t position);
/* So many bytes were reserved for it. */
void outlet_push_reserved(struct outlet *outlet, const struct record *record, uint64_t position,
                          uint32_t reserved_bytes);

/* What the outlet keeps of a record that lies at `position`. */
struct outlet_entry outlet_make_entry(const struct outlet *outlet, const struct record *record,
                                      uint64_t position);

/* Lets go of what every group is past. */
void outlet_trim(struct outlet *outlet);

/* Gives up all that every group has settled, wherever it lies. Before a group begins or is moved:
 * so it never depends on chance, which no log tells, if something comes once more. */
void outlet_let_go(struct outlet *outlet);

/* Closes up where records that every group has acknowledged lie among ones that are still pending,
 * if they are the most of what is kept: one stuck message must not fill its destination. Linear in
 * what is kept, so each record is passed once or twice over its life; indices change. */
void outlet_squeeze(struct outlet *outlet);

static inline uint64_t outlet_length(const struct outlet *outlet)
{
    return outlet->end - outlet->first;
}

static inline const struct outlet_entry *outlet_entry(const struct outlet *outlet, uint64_t index)
{
    return &outlet->entries[index & outlet->mask];
}

/* The index of the first kept record whose id is at least `id`; `end` if none is. */
uint64_t outlet_lower_bound(const struct outlet *outlet, struct record_id id);

/* For the journal's recycling: is the record with this id kept for a group? All of [first, end)
 * are, also those that every group has acknowledged: their ids are searched. */
bool outlet_needs(const struct outlet *outlet, struct record_id id, uint64_t *out_index);
void outlet_relocate(struct outlet *outlet, uint64_t index, uint64_t position);
/* Without groups: gives up the record, and all before it, as unclaimed. */
void outlet_drop_retained(struct outlet *outlet, struct record_id up_to);

struct group *outlet_find_group(const struct outlet *outlet, struct bytes name);

enum group_start { GROUP_FROM_NOW, GROUP_AFTER_ID };
/* What the other groups have gathered is written down before it. EXISTS; FULL when the destination
 * has DESTINATION_GROUPS_MAX groups; INVALID: that is no name; INCOMPLETE: it would be the first
 * group, and more is on its way than groups may keep. */
MUST_CHECK enum status outlet_create_group(struct outlet *outlet, struct bytes name,
                                           enum group_start start, struct record_id after,
                                           struct group **out_group);
/* A group as it stood, with its number: behind `last`, at `index`, with no account. FULL; INVALID.
 */
MUST_CHECK enum status outlet_add_group(struct outlet *outlet, struct bytes name, uint64_t index,
                                        struct record_id last, uint32_t number,
                                        struct group **out_group);
/* With its pending list and its account; nobody may wait at it. What only it still needed goes. */
void outlet_destroy_group(struct outlet *outlet, struct group *group);

#endif
