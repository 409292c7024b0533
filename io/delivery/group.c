#include "io/delivery/group.h"

#include <assert.h>
#include <stdlib.h>

#include "io/delivery/group_inside.h"

/* Names are kept as texts. */
static bool is_name(struct bytes name)
{
    return name.size > 0 && name.size <= GROUP_NAME_BYTES_MAX &&
           memchr(name.data, '\0', name.size) == NULL;
}

enum status group_open(struct outlet *outlet, struct bytes name, uint64_t index,
                       struct record_id last_delivered, bool by_case, struct group **out_group)
{
    if (!is_name(name))
        return STATUS_INVALID;
    uint32_t pending_max = outlet->destination->pending_max;
    uint64_t live_max = (uint64_t)pending_max + (by_case ? CASE_ORDER_PASSED_MAX : 0);
    uint64_t capacity = 64;
    while (capacity < live_max * 2)
        capacity *= 2; /* at least half tombstones before a squeeze pays */
    struct group *group = calloc(1, sizeof *group);
    struct pending_entry *pending = calloc(capacity, sizeof *pending);
    struct group_consumer *consumers = calloc(GROUP_CONSUMERS_MAX, sizeof *consumers);
    struct case_order *order = NULL;
    enum status status = by_case ? case_order_open(pending_max, &order) : STATUS_OK;
    if (group == NULL || pending == NULL || consumers == NULL || status != STATUS_OK) {
        if (order != NULL)
            case_order_close(order);
        free(group);
        free(pending);
        free(consumers);
        return STATUS_NO_MEMORY;
    }
    group->outlet = outlet;
    memcpy(group->name, name.data, name.size);
    group->cursor = index;
    group->last_delivered = last_delivered;
    group->entries_read = outlet->pushed - (outlet->end - index);
    group->pending = pending;
    group->pending_mask = capacity - 1;
    group->consumers = consumers;
    group->order = order;
    *out_group = group;
    return STATUS_OK;
}

void group_close(struct group *group)
{
    for (uint16_t i = 0; i < group->consumer_places; i++)
        free(group->consumers[i].name);
    if (group->order != NULL)
        case_order_close(group->order);
    settled_close(&group->settled);
    free(group->consumers);
    free(group->pending);
    free(group);
}

uint64_t group_oldest_needed(const struct group *group)
{
    if (group->pending_first == group->pending_end)
        return group->cursor;
    return group_place(group, group->pending_first)->index; /* the head is never a tombstone */
}

uint64_t group_lower_bound(const struct group *group, struct record_id id)
{
    uint64_t low = group->pending_first, high = group->pending_end;
    if (low < high && record_id_compare(group_place(group, low)->id, id) >= 0)
        return low; /* mostly: they are acknowledged in their order */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (record_id_compare(group_place(group, middle)->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void group_drop_head_tombstones(struct group *group)
{
    while (group->pending_first < group->pending_end &&
           !pending_is_live(group_place(group, group->pending_first)))
        group->pending_first++;
}

uint16_t group_find_consumer(const struct group *group, struct bytes name)
{
    for (uint16_t i = 0; i < group->consumer_places; i++)
        if (group->consumers[i].name != NULL && bytes_equal_text(name, group->consumers[i].name))
            return i;
    return GROUP_NO_CONSUMER;
}

uint16_t group_consumer(struct group *group, struct bytes name, uint64_t now_ms)
{
    uint16_t found = group_find_consumer(group, name);
    if (found != GROUP_NO_CONSUMER) {
        group->consumers[found].seen_ms = now_ms;
        return found;
    }
    if (group->consumer_count == GROUP_CONSUMERS_MAX || !is_name(name))
        return GROUP_NO_CONSUMER;
    char *copy = calloc(1, name.size + 1); /* the one allocation after start: a new name, bounded */
    if (copy == NULL)
        return GROUP_NO_CONSUMER;
    memcpy(copy, name.data, name.size);
    uint16_t place = 0;
    while (place < group->consumer_places && group->consumers[place].name != NULL)
        place++;
    group->consumers[place] = (struct group_consumer){.name = copy, .seen_ms = now_ms};
    group->consumer_count++;
    if (place == group->consumer_places)
        group->consumer_places++;
    return place;
}

/* Keys that it owned, since it had claimed an entry of them, go to who has another one pending. */
static void disown(struct group *group, uint16_t consumer)
{
    for (uint64_t place = group->pending_first; place < group->pending_end; place++) {
        const struct pending_entry *entry = group_place(group, place);
        uint32_t key = pending_is_delivered(entry) ? group_order_key(group, entry->index) : 0;
        if (key != 0 && case_order_owner(group->order, key) == consumer)
            case_order_move(group->order, key, entry->consumer);
    }
}

void group_remove_consumer(struct group *group, uint16_t consumer)
{
    assert(group->consumers[consumer].name != NULL && group->consumers[consumer].pending == 0);
    free(group->consumers[consumer].name);
    group->consumers[consumer] = (struct group_consumer){0};
    group->consumer_count--;
    if (group->order != NULL)
        disown(group, consumer);
}

struct pending_entry *group_find_pending(const struct group *group, struct record_id id)
{
    uint64_t place = group_lower_bound(group, id);
    if (place == group->pending_end)
        return NULL;
    struct pending_entry *entry = group_place(group, place);
    return record_id_compare(entry->id, id) == 0 && pending_is_delivered(entry) ? entry : NULL;
}

struct pending_entry *group_next_pending(const struct group *group, struct record_id id,
                                         uint16_t consumer)
{
    for (uint64_t place = group_lower_bound(group, id); place < group->pending_end; place++) {
        struct pending_entry *entry = group_place(group, place);
        if (pending_is_delivered(entry) &&
            (consumer == GROUP_NO_CONSUMER || entry->consumer == consumer))
            return entry;
    }
    return NULL;
}

struct pending_entry *group_last_pending(const struct group *group)
{
    for (uint64_t place = group->pending_end; place > group->pending_first; place--)
        if (pending_is_delivered(group_place(group, place - 1)))
            return group_place(group, place - 1);
    return NULL;
}

static void end_pending(struct group *group, struct pending_entry *entry, enum settled_how how)
{
    uint32_t key = group_order_key(group, entry->index);
    if (key != 0)
        case_order_end(group->order, key);
    group->consumers[entry->consumer].pending--;
    group->account.pending--;
    entry->consumer = GROUP_NO_CONSUMER;
    group_settle(group, entry->index, how);
    group_drop_head_tombstones(group);
}

bool group_acknowledge(struct group *group, struct record_id id)
{
    struct pending_entry *entry = group_find_pending(group, id);
    if (entry == NULL)
        return false;
    end_pending(group, entry, SETTLED_ACKNOWLEDGED);
    group->account.acknowledged++;
    return true;
}

void group_assign(struct group *group, struct pending_entry *entry, uint16_t consumer)
{
    assert(pending_is_delivered(entry));
    group->consumers[entry->consumer].pending--;
    entry->consumer = consumer;
    group->consumers[consumer].pending++;
    uint32_t key = group_order_key(group, entry->index);
    if (key != 0)
        case_order_move(group->order, key, consumer);
}

void group_bury(struct group *group, struct pending_entry *entry)
{
    end_pending(group, entry, SETTLED_DEAD_LETTERED);
    group->account.dead_lettered++;
}

void group_drop_oldest(struct group *group)
{
    uint64_t index = group->outlet->first;
    if (group_oldest_needed(group) != index)
        return;
    group->account.dropped++;
    struct pending_entry *entry =
        group->pending_first < group->pending_end ? group_place(group, group->pending_first) : NULL;
    if (entry != NULL && pending_is_delivered(entry)) {
        end_pending(group, entry, SETTLED_DROPPED);
        return;
    }
    group->account.backlog--;
    group->entries_read++;
    if (entry == NULL) {
        group->cursor++;
    } else {
        if (entry->consumer == GROUP_RETURNED)
            group->returned_count--;
        else
            case_order_drop(group->order, group_order_key(group, index));
        entry->consumer = GROUP_NO_CONSUMER;
    }
    group_settle(group, index, SETTLED_DROPPED);
    group_drop_head_tombstones(group);
}

struct group_walk group_walk_begin(struct group *group)
{
    return (struct group_walk){group, group->pending_first, group->cursor};
}

bool group_walk_move(struct group_walk *walk, uint64_t from, uint64_t to)
{
    struct group *group = walk->group;
    if (from >= walk->cursor) {
        if (from == walk->cursor)
            group->cursor = to;
        return true;
    }
    while (walk->place < group->pending_end && !pending_is_live(group_place(group, walk->place)))
        walk->place++;
    if (walk->place == group->pending_end || group_place(group, walk->place)->index != from)
        return false;
    group_place(group, walk->place++)->index = to;
    return true;
}

void group_walk_end(struct group_walk *walk, uint64_t old_end, uint64_t new_end)
{
    if (walk->cursor == old_end) /* it had delivered everything */
        walk->group->cursor = new_end;
}
