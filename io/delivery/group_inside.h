/* How a group is laid out, for its own modules: io/delivery/group.c (who is in it, what is
 * pending), io/delivery/group_take.c (delivery), io/delivery/group_settle.c (what is done with, and
 * moving). */
#ifndef KOUAN_IO_GROUP_INSIDE_H
#define KOUAN_IO_GROUP_INSIDE_H

#include "io/delivery/group.h"

static inline struct pending_entry *group_place(const struct group *group, uint64_t place)
{
    return &group->pending[place & group->pending_mask];
}

/* Not a tombstone. */
static inline bool pending_is_live(const struct pending_entry *entry)
{
    return entry->consumer != GROUP_NO_CONSUMER;
}

static inline bool pending_is_delivered(const struct pending_entry *entry)
{
    return entry->consumer < GROUP_CONSUMERS_MAX;
}

static inline uint32_t group_order_key(const struct group *group, uint64_t index)
{
    return group->order != NULL ? outlet_entry(group->outlet, index)->order_key : 0;
}

/* The first place whose id is at least `id`. */
uint64_t group_lower_bound(const struct group *group, struct record_id id);
void group_drop_head_tombstones(struct group *group);

/* The entry at `index` is done with; who calls counts it. */
void group_settle(struct group *group, uint64_t index, enum settled_how how);

#endif
