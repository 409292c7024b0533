#include "io/delivery/group_restore.h"

#include <assert.h>
#include <stdlib.h>

#include "io/delivery/group_inside.h"

void group_restore_close(struct group_restore *group)
{
    free(group->ranges);
    *group = (struct group_restore){0};
}

/* ---- ranges ---- */

enum status group_restore_add(struct group_restore *group, struct settled_range range)
{
    if (record_id_compare(range.to, group->after) <= 0)
        return STATUS_OK;
    if (group->range_count == group->range_capacity) {
        uint64_t capacity = group->range_capacity > 0 ? group->range_capacity * 2 : 64;
        struct settled_range *ranges = realloc(group->ranges, capacity * sizeof *ranges);
        if (ranges == NULL)
            return STATUS_NO_MEMORY;
        group->ranges = ranges;
        group->range_capacity = capacity;
    }
    if (group->range_count > 0 &&
        record_id_compare(group->ranges[group->range_count - 1].to, range.from) >= 0)
        group->in_order = false;
    group->ranges[group->range_count++] = range;
    return STATUS_OK;
}

static int compare_ranges(const void *a, const void *b)
{
    const struct settled_range *left = a, *right = b;
    return record_id_compare(left->from, right->from);
}

/* Sorts, and joins what overlaps. */
static void put_in_order(struct group_restore *group)
{
    uint64_t kept = 0;
    if (group->in_order || group->range_count == 0)
        return;
    qsort(group->ranges, group->range_count, sizeof *group->ranges, compare_ranges);
    for (uint64_t i = 1; i < group->range_count; i++) {
        struct settled_range *last = &group->ranges[kept], range = group->ranges[i];
        if (record_id_compare(range.from, last->to) > 0)
            group->ranges[++kept] = range;
        else if (record_id_compare(range.to, last->to) > 0)
            last->to = range.to;
    }
    group->range_count = kept + 1;
    group->in_order = true;
}

void group_restore_cut(struct group_restore *group, struct record_id id)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < group->range_count; i++) {
        struct settled_range range = group->ranges[i];
        if (record_id_compare(range.from, id) > 0)
            continue;
        if (record_id_compare(range.to, id) > 0)
            range.to = id;
        group->ranges[kept++] = range;
    }
    group->range_count = kept;
    if (record_id_compare(group->after, id) > 0)
        group->after = id;
}

void group_restore_mark(struct group_restore *group, const struct outlet_entry *entries,
                        uint64_t count, bool *needed)
{
    uint64_t range = 0;
    put_in_order(group);
    for (uint64_t i = 0; i < count; i++) {
        struct record_id id = entries[i].id;
        if (record_id_compare(id, group->after) <= 0)
            continue;
        while (range < group->range_count && record_id_compare(group->ranges[range].to, id) < 0)
            range++;
        if (range == group->range_count || record_id_compare(group->ranges[range].from, id) > 0)
            needed[i] = true;
    }
}

void group_restore_join(struct group_restore *group, const struct outlet_entry *entries,
                        uint64_t count, struct record_id known_from)
{
    uint64_t kept = 0, entry = 0;
    put_in_order(group);
    for (uint64_t i = 0; i < group->range_count; i++) {
        struct settled_range range = group->ranges[i];
        struct record_id *end = kept > 0 ? &group->ranges[kept - 1].to : &group->after;
        while (entry < count && record_id_compare(entries[entry].id, *end) <= 0)
            entry++;
        bool is_gap = record_id_compare(*end, known_from) < 0 ||
                      (entry < count && record_id_compare(entries[entry].id, range.from) < 0);
        if (is_gap && record_id_compare(range.from, *end) > 0)
            group->ranges[kept++] = range;
        else if (record_id_compare(range.to, *end) > 0)
            *end = range.to;
    }
    group->range_count = group->tidy_count = kept;
}

/* ---- the group ---- */

/* Room in the ring for what was returned, beside what may become pending. */
static enum status widen_ring(struct group *group, uint64_t returned)
{
    uint64_t least = group->pending_mask + 1 + returned, capacity = group->pending_mask + 1;
    while (returned > 0 && capacity < least)
        capacity *= 2;
    struct pending_entry *pending = realloc(group->pending, capacity * sizeof *pending);
    if (pending == NULL)
        return STATUS_NO_MEMORY;
    group->pending = pending;
    group->pending_mask = capacity - 1;
    return STATUS_OK;
}

static uint64_t first_behind_settled(const struct group_restore *restore,
                                     const struct outlet *outlet, struct record_id *out_id)
{
    struct record_id highest = restore->after;
    if (restore->range_count > 0 &&
        record_id_compare(restore->ranges[restore->range_count - 1].to, highest) > 0)
        highest = restore->ranges[restore->range_count - 1].to;
    *out_id = highest;
    return outlet_lower_bound(outlet, record_id_after(highest));
}

/* The entries lie in the ring from index 0 on, unwrapped, since nothing was ever taken from it. */
enum status group_restore_build(struct group_restore *restore, struct outlet *outlet,
                                struct group **out_group)
{
    struct record_id highest;
    struct group *group;
    put_in_order(restore);
    uint64_t cursor = first_behind_settled(restore, outlet, &highest), returned = 0;
    bool *unsettled = calloc(cursor + 1, sizeof *unsettled);
    if (unsettled == NULL)
        return STATUS_NO_MEMORY;
    assert(outlet->first == 0);
    group_restore_mark(restore, outlet->entries, cursor, unsettled);
    for (uint64_t i = 0; i < cursor; i++)
        returned += unsettled[i];
    enum status status = outlet_add_group(outlet, bytes_from_text(restore->name), cursor, highest,
                                          restore->number, &group);
    if (status == STATUS_OK)
        status = widen_ring(group, returned);
    for (uint64_t i = 0; status == STATUS_OK && i < cursor; i++)
        if (unsettled[i])
            *group_place(group, group->pending_end++) = (struct pending_entry){
                .id = outlet_entry(outlet, i)->id, .index = i, .consumer = GROUP_RETURNED};
    free(unsettled);
    if (status != STATUS_OK)
        return status;
    group->returned_count = returned;
    group->account = restore->account;
    group->account.pending = 0;
    group->account.backlog = returned + (outlet->end - cursor);
    group->entries_read = outlet->pushed - group->account.backlog;
    *out_group = group;
    return STATUS_OK;
}
