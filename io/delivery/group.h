/* A consumer group of one destination, with Redis's semantics: a cursor, and a list of pending
 * entries, each owned by a consumer until acknowledged. One owner thread.
 *
 * Pending entries stand in the order of their ids (new ones are always the newest), in a ring that
 * holds tombstones of acknowledged ones until its head passes them, or it is squeezed. With `order:
 * case` (io/delivery/case_order.h) entries that the cursor passed over have their places there,
 * too, and after a restart those that were returned (io/delivery/group_restore.h): delivered first,
 * in order.
 *
 * What a group settles it gathers in ranges (io/delivery/settled.h) until somebody writes that
 * down; with that, and how it stands at times, it can be built again. */
#ifndef KOUAN_IO_GROUP_H
#define KOUAN_IO_GROUP_H

#include "io/delivery/case_order.h"
#include "io/delivery/outlet.h"
#include "io/delivery/settled.h"

enum {
    GROUP_CONSUMERS_MAX = CASE_ORDER_CONSUMERS_MAX,
    GROUP_NAME_BYTES_MAX = 255,
    GROUP_NO_CONSUMER = 0xFFFF,
    GROUP_PASSED_OVER = 0xFFFE,
    GROUP_RETURNED = 0xFFFD
};

#define GROUP_NOTHING UINT64_MAX

struct pending_entry {
    struct record_id id;
    uint64_t index; /* in the outlet */
    uint64_t delivered_ms;
    uint32_t deliveries;
    uint16_t consumer; /* GROUP_NO_CONSUMER: a tombstone; GROUP_PASSED_OVER, GROUP_RETURNED: not
                          delivered yet */
};

struct group_consumer {
    char *name; /* NULL: a free place */
    uint64_t seen_ms, active_ms;
    uint32_t pending;
};

struct group {
    struct outlet *outlet;
    uint32_t number; /* in its log; no other group ever has it */
    char name[GROUP_NAME_BYTES_MAX + 1];
    uint64_t cursor; /* the next index to deliver */
    struct record_id last_delivered;
    uint64_t entries_read;
    struct pending_entry *pending; /* index & pending_mask */
    uint64_t pending_mask, pending_first, pending_end;
    uint64_t returned_place; /* none was returned before it */
    uint64_t returned_count; /* and not delivered yet */
    struct group_consumer *consumers;
    uint16_t consumer_count;  /* that there are */
    uint16_t consumer_places; /* that were ever taken: free ones lie among them */
    struct case_order *order; /* NULL: by arrival alone */
    struct group_account account;
    struct settled_list settled; /* since it was last taken */
    struct waiter_line waiters;  /* sessions blocked on it */
};

MUST_CHECK enum status group_open(struct outlet *outlet, struct bytes name, uint64_t index,
                                  struct record_id last_delivered, bool by_case,
                                  struct group **out_group);
void group_close(struct group *group);

static inline const char *group_name(const struct group *group)
{
    return group->name;
}

static inline void group_offer(struct group *group, uint64_t count)
{
    group->account.offered += count;
    group->account.backlog += count;
}
uint64_t group_oldest_needed(const struct group *group);

/* Finds, or makes; GROUP_NO_CONSUMER when GROUP_CONSUMERS_MAX are there, or the name is empty, too
 * long, or has a zero byte. */
uint16_t group_consumer(struct group *group, struct bytes name, uint64_t now_ms);
uint16_t group_find_consumer(const struct group *group, struct bytes name);
/* One that has nothing pending. */
void group_remove_consumer(struct group *group, uint16_t consumer);

/* Goes on behind `id`, so that entries are passed by (skipped) or come once more, those that some
 * group still needs. How many entries that are pending stand behind it: if there are any, nothing
 * is done. What all groups of the destination have gathered is written down before it, what it
 * skipped after it, and then that it was moved. */
uint64_t group_set_id(struct group *group, struct record_id id);
/* That number alone. */
uint64_t group_pending_behind(const struct group *group, struct record_id id);

/* Renumbers what the group knows by index while the outlet closes up: move() is called for every
 * kept index, rising, with the place to which it would go, and says if the group needs it. */
struct group_walk {
    struct group *group;
    uint64_t place;  /* in its pending ring */
    uint64_t cursor; /* as it was before */
};
struct group_walk group_walk_begin(struct group *group);
bool group_walk_move(struct group_walk *walk, uint64_t from, uint64_t to);
void group_walk_end(struct group_walk *walk, uint64_t old_end, uint64_t new_end);

static inline bool group_has_new(const struct group *group)
{
    return group->account.backlog > 0;
}

/* Before the cursor, and not acknowledged. */
static inline uint64_t group_unsettled(const struct group *group)
{
    return group->account.pending + group->returned_count +
           (group->order != NULL ? case_order_passed_count(group->order) : 0);
}

/* What group_take would give now. */
uint64_t group_next(struct group *group, uint16_t consumer, bool no_ack);

/* Gives the next new entry that may go to the consumer to it, or with `no_ack` counts it as
 * acknowledged at once. Its index; GROUP_NOTHING if there is none, or pending_max is reached, or
 * what its outlet lets a group have unsettled. */
uint64_t group_take(struct group *group, uint16_t consumer, bool no_ack, uint64_t now_ms);

/* The pending entry with this id; NULL if it is not pending. */
struct pending_entry *group_find_pending(const struct group *group, struct record_id id);

/* The first live pending entry at or after `id`, of `consumer` or of any (GROUP_NO_CONSUMER). */
struct pending_entry *group_next_pending(const struct group *group, struct record_id id,
                                         uint16_t consumer);

/* The newest live one; NULL if nothing is pending. */
struct pending_entry *group_last_pending(const struct group *group);

static inline uint64_t group_idle_ms(const struct pending_entry *entry, uint64_t now_ms)
{
    return now_ms > entry->delivered_ms ? now_ms - entry->delivered_ms : 0;
}

/* True if it was pending. */
bool group_acknowledge(struct group *group, struct record_id id);

/* Gives a pending entry to a consumer (may be its own). */
void group_assign(struct group *group, struct pending_entry *entry, uint16_t consumer);

/* Ends a pending entry as dead-lettered. */
void group_bury(struct group *group, struct pending_entry *entry);

/* The first entry that its outlet keeps is about to go: if it is not settled, it is dropped. */
void group_drop_oldest(struct group *group);

/* ---- what is written down of it ---- */

/* Takes up to `capacity` of the gathered ranges that were settled in one way; 0: nothing is left.
 */
static inline uint32_t group_take_settled(struct group *group, struct settled_range *out,
                                          uint32_t capacity, enum settled_how *out_how)
{
    return settled_take(&group->settled, out, capacity, out_how);
}

/* To be written down before the next command settles more. */
static inline bool group_has_settled_much(const struct group *group)
{
    return group->settled.count >= SETTLED_MUCH;
}

/* How it stands, gathered ranges included: all up to `after` is settled, and beyond it the ranges
 * that group_standing_next gives one by one, in order. The group must not change meanwhile. */
struct group_standing {
    const struct group *group;
    struct record_id after;
    uint64_t place, index;
};
struct group_standing group_standing_begin(const struct group *group);
bool group_standing_next(struct group_standing *standing, struct settled_range *out);

#endif
