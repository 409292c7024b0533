#include <assert.h>

#include "io/delivery/group_inside.h"

void group_settle(struct group *group, uint64_t index, enum settled_how how)
{
    static const struct record_id none_before = {0}, none_after = {UINT64_MAX, UINT64_MAX};
    struct outlet *outlet = group->outlet;
    if (!outlet->gathers)
        return;
    settled_add(&group->settled, outlet_entry(outlet, index)->id,
                index > outlet->first ? outlet_entry(outlet, index - 1)->id : none_before,
                index + 1 < outlet->end ? outlet_entry(outlet, index + 1)->id : none_after, how);
    outlet->has_settled = true;
}

/* ---- moving ---- */

/* Gives up the places of what was passed over or returned; what of them is not behind `id` is
 * skipped. How many are behind it. */
static uint64_t forget_undelivered(struct group *group, struct record_id id)
{
    uint64_t behind = 0;
    for (uint64_t place = group->pending_first; place < group->pending_end; place++) {
        struct pending_entry *entry = group_place(group, place);
        if (entry->consumer != GROUP_PASSED_OVER && entry->consumer != GROUP_RETURNED)
            continue;
        entry->consumer = GROUP_NO_CONSUMER;
        if (record_id_compare(entry->id, id) > 0)
            behind++;
        else
            group_settle(group, entry->index, SETTLED_SKIPPED);
    }
    if (group->order != NULL)
        case_order_forget_passed(group->order);
    group->returned_count = 0;
    group_drop_head_tombstones(group);
    return behind;
}

uint64_t group_pending_behind(const struct group *group, struct record_id id)
{
    uint64_t count = 0, place = group_lower_bound(group, record_id_after(id));
    for (; place < group->pending_end; place++)
        count += pending_is_delivered(group_place(group, place));
    return count;
}

uint64_t group_set_id(struct group *group, struct record_id id)
{
    struct outlet *outlet = group->outlet;
    uint64_t pending_behind = group_pending_behind(group, id);
    uint64_t behind = group_lower_bound(group, record_id_after(id));
    if (pending_behind > 0)
        return pending_behind;
    outlet_let_go(outlet);
    uint64_t index = outlet_lower_bound(outlet, record_id_after(id));
    uint64_t not_delivered = forget_undelivered(group, id);
    for (uint64_t skipped = group->cursor; skipped < index; skipped++)
        group_settle(group, skipped, SETTLED_SKIPPED);
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

/* ---- where it stands ---- */

struct group_standing group_standing_begin(const struct group *group)
{
    const struct outlet *outlet = group->outlet;
    uint64_t first = group_oldest_needed(group);
    return (struct group_standing){
        .group = group,
        .after = first < outlet->end ? record_id_before(outlet_entry(outlet, first)->id)
                                     : outlet->last_id,
        .place = group->pending_first,
        .index = first,
    };
}

bool group_standing_next(struct group_standing *standing, struct settled_range *out)
{
    const struct group *group = standing->group;
    uint64_t from = standing->index, unsettled = from;
    while (unsettled == from && standing->place < group->pending_end) {
        const struct pending_entry *entry = group_place(group, standing->place++);
        if (!pending_is_live(entry))
            continue;
        unsettled = entry->index;
        standing->index = unsettled + 1;
        if (unsettled == from)
            unsettled = from = standing->index;
    }
    if (unsettled == from) { /* behind the last of them, up to the cursor */
        unsettled = group->cursor;
        standing->index = unsettled;
    }
    if (unsettled <= from)
        return false;
    *out = (struct settled_range){
        .from = outlet_entry(group->outlet, from)->id,
        .to = outlet_entry(group->outlet, unsettled - 1)->id,
        .count = unsettled - from,
    };
    return true;
}
