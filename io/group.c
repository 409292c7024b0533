#include "io/group.h"

#include <assert.h>
#include <stdlib.h>

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
    free(group->consumers);
    free(group->pending);
    free(group);
}

void group_offer(struct group *group, uint64_t count)
{
    group->account.offered += count;
    group->account.backlog += count;
}

static struct pending_entry *pending_at(const struct group *group, uint64_t place)
{
    return &group->pending[place & group->pending_mask];
}

/* Not a tombstone. */
static bool is_live(const struct pending_entry *entry)
{
    return entry->consumer != GROUP_NO_CONSUMER;
}

static bool is_pending(const struct pending_entry *entry)
{
    return entry->consumer < GROUP_CONSUMERS_MAX;
}

static uint32_t order_key_at(const struct group *group, uint64_t index)
{
    return outlet_entry(group->outlet, index)->order_key;
}

uint64_t group_oldest_needed(const struct group *group)
{
    if (group->pending_first == group->pending_end)
        return group->cursor;
    return pending_at(group, group->pending_first)->index; /* the head is never a tombstone */
}

/* The first place whose id is at least `id`. */
static uint64_t pending_lower_bound(const struct group *group, struct record_id id)
{
    uint64_t low = group->pending_first, high = group->pending_end;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (record_id_compare(pending_at(group, middle)->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
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
        const struct pending_entry *entry = pending_at(group, place);
        uint32_t key = is_pending(entry) ? order_key_at(group, entry->index) : 0;
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

/* ---- delivery ---- */

/* Moves the live entries together, so that the ring has room for `pending_max` again. */
static void squeeze(struct group *group)
{
    uint64_t to = group->pending_first;
    for (uint64_t from = group->pending_first; from < group->pending_end; from++) {
        const struct pending_entry *entry = pending_at(group, from);
        if (!is_live(entry))
            continue;
        *pending_at(group, to) = *entry;
        to++;
    }
    group->pending_end = to;
}

/* A place for the entry at the cursor, the newest of all. */
static struct pending_entry *add_place(struct group *group, struct record_id id)
{
    if (group->pending_end - group->pending_first > group->pending_mask)
        squeeze(group);
    assert(group->pending_end - group->pending_first <= group->pending_mask);
    struct pending_entry *entry = pending_at(group, group->pending_end++);
    *entry =
        (struct pending_entry){.id = id, .index = group->cursor, .consumer = GROUP_PASSED_OVER};
    return entry;
}

static void drop_head_tombstones(struct group *group)
{
    while (group->pending_first < group->pending_end &&
           !is_live(pending_at(group, group->pending_first)))
        group->pending_first++;
}

/* Counts an entry as delivered; `entry` is its place, NULL with NOACK. */
static void deliver(struct group *group, struct record_id id, struct pending_entry *entry,
                    uint16_t consumer, uint64_t now_ms)
{
    group->account.backlog--;
    group->entries_read++;
    if (record_id_compare(id, group->last_delivered) > 0)
        group->last_delivered = id;
    group->consumers[consumer].active_ms = now_ms;
    if (entry == NULL) {
        group->account.acknowledged++;
        return;
    }
    entry->consumer = consumer;
    entry->delivered_ms = now_ms;
    entry->deliveries = 1;
    group->consumers[consumer].pending++;
    group->account.pending++;
}

/* One that was passed over, and may go to the consumer now. */
static uint64_t take_passed(struct group *group, uint16_t consumer, bool no_ack, uint64_t now_ms)
{
    struct record_id id;
    if (!case_order_take(group->order, consumer, !no_ack, &id))
        return GROUP_NOTHING;
    struct pending_entry *entry = pending_at(group, pending_lower_bound(group, id));
    assert(entry->consumer == GROUP_PASSED_OVER && record_id_compare(entry->id, id) == 0);
    uint64_t index = entry->index;
    deliver(group, id, no_ack ? NULL : entry, consumer, now_ms);
    if (no_ack) {
        entry->consumer = GROUP_NO_CONSUMER;
        drop_head_tombstones(group);
    }
    return index;
}

/* Moves the cursor past what must not go to the consumer. False at the end, or when no more may be
 * passed over. */
static bool pass_over(struct group *group, uint16_t consumer, uint32_t *out_key)
{
    for (; group->cursor < group->outlet->end; group->cursor++) {
        uint32_t key = order_key_at(group, group->cursor);
        *out_key = key;
        if (key == 0 || case_order_allows(group->order, key, consumer))
            return true;
        struct record_id id = outlet_entry(group->outlet, group->cursor)->id;
        if (!case_order_pass(group->order, key, id))
            return false;
        add_place(group, id);
    }
    return false;
}

uint64_t group_take(struct group *group, uint16_t consumer, bool no_ack, uint64_t now_ms)
{
    const struct outlet *outlet = group->outlet;
    uint32_t key = 0;
    if (group->account.backlog == 0 ||
        (!no_ack && group->account.pending >= outlet->destination->pending_max))
        return GROUP_NOTHING;
    if (group->order != NULL) {
        uint64_t passed = take_passed(group, consumer, no_ack, now_ms);
        if (passed != GROUP_NOTHING || !pass_over(group, consumer, &key))
            return passed;
    }
    struct record_id id = outlet_entry(outlet, group->cursor)->id;
    deliver(group, id, no_ack ? NULL : add_place(group, id), consumer, now_ms);
    if (key != 0 && !no_ack)
        case_order_deliver(group->order, key, consumer);
    return group->cursor++;
}

/* Gives up the places of what was passed over. How many of them are behind `id`. */
static uint64_t forget_passed(struct group *group, struct record_id id)
{
    uint64_t behind = 0;
    for (uint64_t place = group->pending_first; place < group->pending_end; place++) {
        struct pending_entry *entry = pending_at(group, place);
        if (entry->consumer != GROUP_PASSED_OVER)
            continue;
        behind += record_id_compare(entry->id, id) > 0;
        entry->consumer = GROUP_NO_CONSUMER;
    }
    case_order_forget_passed(group->order);
    drop_head_tombstones(group);
    return behind;
}

uint64_t group_set_id(struct group *group, struct record_id id)
{
    const struct outlet *outlet = group->outlet;
    uint64_t pending_behind = 0, not_delivered = 0;
    uint64_t behind = pending_lower_bound(group, record_id_after(id));
    for (uint64_t place = behind; place < group->pending_end; place++)
        pending_behind += is_pending(pending_at(group, place));
    if (pending_behind > 0)
        return pending_behind;
    uint64_t index = outlet_lower_bound(outlet, record_id_after(id));
    if (group->order != NULL)
        not_delivered = forget_passed(group, id);
    if (behind < group->pending_end) /* tombstones, whose ids come once more */
        group->pending_end = behind > group->pending_first ? behind : group->pending_first;
    not_delivered += outlet->end - (index > group->cursor ? index : group->cursor);
    group->account.skipped += group->account.backlog - not_delivered;
    group->account.backlog = not_delivered;
    group_offer(group, outlet->end - index - not_delivered); /* delivered before, and again */
    group->cursor = index;
    group->last_delivered = id;
    group->entries_read = outlet->pushed - (outlet->end - index);
    return 0;
}

struct pending_entry *group_find_pending(const struct group *group, struct record_id id)
{
    uint64_t place = pending_lower_bound(group, id);
    if (place == group->pending_end)
        return NULL;
    struct pending_entry *entry = pending_at(group, place);
    return record_id_compare(entry->id, id) == 0 && is_pending(entry) ? entry : NULL;
}

struct pending_entry *group_next_pending(const struct group *group, struct record_id id,
                                         uint16_t consumer)
{
    for (uint64_t place = pending_lower_bound(group, id); place < group->pending_end; place++) {
        struct pending_entry *entry = pending_at(group, place);
        if (is_pending(entry) && (consumer == GROUP_NO_CONSUMER || entry->consumer == consumer))
            return entry;
    }
    return NULL;
}

struct pending_entry *group_last_pending(const struct group *group)
{
    for (uint64_t place = group->pending_end; place > group->pending_first; place--)
        if (is_pending(pending_at(group, place - 1)))
            return pending_at(group, place - 1);
    return NULL;
}

static void end_pending(struct group *group, struct pending_entry *entry)
{
    uint32_t key = group->order != NULL ? order_key_at(group, entry->index) : 0;
    if (key != 0)
        case_order_end(group->order, key);
    group->consumers[entry->consumer].pending--;
    group->account.pending--;
    entry->consumer = GROUP_NO_CONSUMER;
    drop_head_tombstones(group);
}

bool group_acknowledge(struct group *group, struct record_id id)
{
    struct pending_entry *entry = group_find_pending(group, id);
    if (entry == NULL)
        return false;
    end_pending(group, entry);
    group->account.acknowledged++;
    return true;
}

void group_assign(struct group *group, struct pending_entry *entry, uint16_t consumer)
{
    assert(is_pending(entry));
    group->consumers[entry->consumer].pending--;
    entry->consumer = consumer;
    group->consumers[consumer].pending++;
    uint32_t key = group->order != NULL ? order_key_at(group, entry->index) : 0;
    if (key != 0)
        case_order_move(group->order, key, consumer);
}

void group_bury(struct group *group, struct pending_entry *entry)
{
    end_pending(group, entry);
    group->account.dead_lettered++;
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
    while (walk->place < group->pending_end && !is_live(pending_at(group, walk->place)))
        walk->place++;
    if (walk->place == group->pending_end || pending_at(group, walk->place)->index != from)
        return false;
    pending_at(group, walk->place++)->index = to;
    return true;
}

void group_walk_end(struct group_walk *walk, uint64_t old_end, uint64_t new_end)
{
    if (walk->cursor == old_end) /* it had delivered everything */
        walk->group->cursor = new_end;
}
