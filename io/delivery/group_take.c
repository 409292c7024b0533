#include <assert.h>

#include "io/delivery/group_inside.h"

/* An entry that nobody got yet. */
struct choice {
    uint64_t index;
    struct pending_entry *entry; /* its place; NULL: it is new, at the cursor */
};

/* Moves the live entries together, so that the ring has room for `pending_max` again. */
static void squeeze(struct group *group)
{
    uint64_t to = group->pending_first;
    for (uint64_t from = group->pending_first; from < group->pending_end; from++) {
        const struct pending_entry *entry = group_place(group, from);
        if (!pending_is_live(entry))
            continue;
        *group_place(group, to) = *entry;
        to++;
    }
    group->pending_end = to;
    group->returned_place = group->pending_first;
}

/* A place for the entry at the cursor, the newest of all. */
static struct pending_entry *add_place(struct group *group, uint16_t consumer)
{
    if (group->pending_end - group->pending_first > group->pending_mask)
        squeeze(group);
    assert(group->pending_end - group->pending_first <= group->pending_mask);
    struct pending_entry *entry = group_place(group, group->pending_end++);
    *entry = (struct pending_entry){.id = outlet_entry(group->outlet, group->cursor)->id,
                                    .index = group->cursor,
                                    .consumer = consumer};
    return entry;
}

static struct pending_entry *first_returned(struct group *group)
{
    if (group->returned_place < group->pending_first)
        group->returned_place = group->pending_first;
    while (group_place(group, group->returned_place)->consumer != GROUP_RETURNED)
        group->returned_place++;
    assert(group->returned_place < group->pending_end);
    return group_place(group, group->returned_place);
}

/* The next entry in the order of their ids, passed over ones apart: what was returned comes before
 * what is new. False at the end. */
static bool choose_first(struct group *group, struct choice *out)
{
    if (group->returned_count > 0) {
        struct pending_entry *entry = first_returned(group);
        *out = (struct choice){entry->index, entry};
        return true;
    }
    *out = (struct choice){group->cursor, NULL};
    return group->cursor < group->outlet->end;
}

/* Would one more entry that it leaves unsettled be too many to write down? Those that are returned
 * or passed over are counted already. */
static bool may_leave(const struct group *group, const struct choice *choice)
{
    return choice->entry != NULL || group_unsettled(group) < group->outlet->unsettled_max;
}

static void pass_over(struct group *group, const struct choice *choice)
{
    if (choice->entry == NULL) {
        add_place(group, GROUP_PASSED_OVER);
        group->cursor++;
        return;
    }
    choice->entry->consumer = GROUP_PASSED_OVER;
    group->returned_count--;
}

/* First what was passed over and may go to the consumer now; then the first other one that may.
 * What may not is passed over, until no more may be. */
static bool choose_by_case(struct group *group, uint16_t consumer, bool no_ack, struct choice *out)
{
    struct record_id id;
    if (case_order_next(group->order, consumer, &id)) {
        struct pending_entry *entry = group_place(group, group_lower_bound(group, id));
        assert(entry->consumer == GROUP_PASSED_OVER && record_id_compare(entry->id, id) == 0);
        *out = (struct choice){entry->index, entry};
        return true;
    }
    while (choose_first(group, out)) {
        uint32_t key = group_order_key(group, out->index);
        if (key == 0 || case_order_allows(group->order, key, consumer))
            return no_ack || may_leave(group, out);
        if (!may_leave(group, out) ||
            !case_order_pass(group->order, key, outlet_entry(group->outlet, out->index)->id))
            return false;
        pass_over(group, out);
    }
    return false;
}

static bool choose(struct group *group, uint16_t consumer, bool no_ack, struct choice *out)
{
    if (group->account.backlog == 0 ||
        (!no_ack && group->account.pending >= group->outlet->destination->pending_max))
        return false;
    if (group->order != NULL)
        return choose_by_case(group, consumer, no_ack, out);
    return choose_first(group, out) && (no_ack || may_leave(group, out));
}

uint64_t group_next(struct group *group, uint16_t consumer, bool no_ack)
{
    struct choice choice;
    return choose(group, consumer, no_ack, &choice) ? choice.index : GROUP_NOTHING;
}

/* Takes it from where it waited; NULL if it has no place and needs none. */
static struct pending_entry *take_place(struct group *group, const struct choice *choice,
                                        uint16_t consumer, bool no_ack)
{
    struct pending_entry *entry = choice->entry;
    uint32_t key = group_order_key(group, choice->index);
    if (entry != NULL && entry->consumer == GROUP_PASSED_OVER)
        case_order_take(group->order, consumer, !no_ack);
    else if (key != 0 && !no_ack)
        case_order_deliver(group->order, key, consumer);
    if (entry == NULL) {
        entry = no_ack ? NULL : add_place(group, GROUP_PASSED_OVER);
        group->cursor++;
    } else if (entry->consumer == GROUP_RETURNED) {
        group->returned_count--;
    }
    return entry;
}

uint64_t group_take(struct group *group, uint16_t consumer, bool no_ack, uint64_t now_ms)
{
    struct choice choice;
    if (!choose(group, consumer, no_ack, &choice))
        return GROUP_NOTHING;
    struct pending_entry *entry = take_place(group, &choice, consumer, no_ack);
    struct record_id id = outlet_entry(group->outlet, choice.index)->id;
    group->account.backlog--;
    group->entries_read++;
    if (record_id_compare(id, group->last_delivered) > 0)
        group->last_delivered = id;
    group->consumers[consumer].active_ms = now_ms;
    if (no_ack) {
        group->account.acknowledged++;
        if (entry != NULL)
            entry->consumer = GROUP_NO_CONSUMER;
        group_settle(group, choice.index, SETTLED_ACKNOWLEDGED);
        group_drop_head_tombstones(group);
        return choice.index;
    }
    entry->consumer = consumer;
    entry->delivered_ms = now_ms;
    entry->deliveries = 1;
    group->consumers[consumer].pending++;
    group->account.pending++;
    return choice.index;
}
