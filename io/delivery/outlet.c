#include "io/delivery/outlet.h"

#include <assert.h>
#include <stdlib.h>

#include "io/delivery/group.h"

static uint64_t ring_capacity(const struct destination *destination)
{
    uint64_t capacity = 1024;
    while (capacity < destination->backlog_max)
        capacity *= 2;
    return capacity;
}

enum status outlet_open(struct outlet *outlet, const struct destination *destination,
                        const struct journal *journal, uint32_t *last_group_number)
{
    uint64_t capacity = ring_capacity(destination);
    struct outlet_entry *entries = calloc(capacity, sizeof *entries);
    if (entries == NULL)
        return STATUS_NO_MEMORY;
    *outlet = (struct outlet){
        .destination = destination,
        .journal = journal,
        .entries = entries,
        .mask = capacity - 1,
        .last_group_number = last_group_number,
        .unsettled_max = UINT64_MAX,
    };
    return STATUS_OK;
}

enum status outlet_create_configured_groups(struct outlet *outlet)
{
    for (uint16_t i = 0; i < outlet->destination->group_count; i++) {
        struct group *group;
        struct bytes name = bytes_from_text(outlet->destination->groups[i]);
        if (outlet_find_group(outlet, name) != NULL)
            continue;
        enum status status =
            outlet_create_group(outlet, name, GROUP_FROM_NOW, (struct record_id){0}, &group);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_OK;
}

void outlet_close(struct outlet *outlet)
{
    for (uint16_t i = 0; i < outlet->group_count; i++)
        group_close(outlet->groups[i]);
    free(outlet->entries);
    *outlet = (struct outlet){0};
}

enum status outlet_make_ring(const struct outlet *outlet, const struct destination *destination,
                             struct outlet_entry **out_ring)
{
    uint64_t capacity = ring_capacity(destination);
    *out_ring = NULL;
    if (capacity <= outlet->mask + 1)
        return STATUS_OK;
    *out_ring = calloc(capacity, sizeof **out_ring);
    return *out_ring != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void outlet_adopt(struct outlet *outlet, const struct destination *destination,
                  struct outlet_entry *ring)
{
    assert(strcmp(outlet->destination->name, destination->name) == 0);
    outlet->destination = destination;
    if (ring == NULL)
        return;
    uint64_t mask = ring_capacity(destination) - 1;
    for (uint64_t i = outlet->first; i < outlet->end; i++)
        ring[i & mask] = *outlet_entry(outlet, i);
    free(outlet->entries);
    outlet->entries = ring;
    outlet->mask = mask;
}

bool outlet_is_settled(const struct outlet *outlet)
{
    if (outlet_reserved_entries(outlet) > 0)
        return false;
    for (uint16_t i = 0; i < outlet->group_count; i++)
        if (group_has_new(outlet->groups[i]) || group_unsettled(outlet->groups[i]) > 0)
            return false;
    return true;
}

static void drop_first(struct outlet *outlet)
{
    outlet->bytes -= outlet_entry(outlet, outlet->first)->size_bytes;
    outlet->first++;
}

bool outlet_make_room(struct outlet *outlet, uint64_t size_bytes)
{
    if (outlet_has_room(outlet, size_bytes))
        return true;
    outlet_squeeze(outlet);
    bool may_drop = outlet->destination->when_full == WHEN_FULL_DROP_OLDEST;
    while (!outlet_has_room(outlet, size_bytes)) {
        if (!may_drop || outlet_length(outlet) == 0)
            return false;
        for (uint16_t i = 0; i < outlet->group_count; i++)
            group_drop_oldest(outlet->groups[i]);
        drop_first(outlet);
    }
    return true;
}

static void drop_first_retained(struct outlet *outlet)
{
    drop_first(outlet);
    outlet->account.retained--;
    outlet->account.unclaimed++;
}

struct outlet_entry outlet_make_entry(const struct outlet *outlet, const struct record *record,
                                      uint64_t position)
{
    bool by_case = outlet->destination->groups_by_case != 0;
    return (struct outlet_entry){
        .id = record->id,
        .position = position,
        .size_bytes = record->head.size_bytes,
        .order_key = by_case ? case_order_key(record) : 0,
    };
}

void outlet_push(struct outlet *outlet, const struct record *record, uint64_t position)
{
    assert(record_id_compare(record->id, outlet->last_id) > 0);
    while (outlet->group_count == 0 && outlet_length(outlet) > 0 &&
           (outlet->bytes + record->head.size_bytes > outlet->destination->retain_bytes ||
            outlet_length(outlet) > outlet->mask))
        drop_first_retained(outlet);
    assert(outlet_length(outlet) <= outlet->mask);

    outlet->entries[outlet->end & outlet->mask] = outlet_make_entry(outlet, record, position);
    outlet->end++;
    outlet->bytes += record->head.size_bytes;
    if (outlet->pushed++ == 0)
        outlet->first_ever_id = record->id;
    outlet->last_id = record->id;
    if (outlet->group_count == 0) {
        outlet->account.retained++;
        return;
    }
    outlet->account.offered++;
    for (uint16_t i = 0; i < outlet->group_count; i++)
        group_offer(outlet->groups[i], 1);
}

/* Others reserve without asking where the oldest are dropped. */
static void drop_oldest_for(struct outlet *outlet, uint64_t size_bytes)
{
    const struct destination *destination = outlet->destination;
    if (destination->when_full != WHEN_FULL_DROP_OLDEST || outlet->group_count == 0)
        return;
    while (outlet_length(outlet) > 0 &&
           (outlet_length(outlet) >= destination->backlog_max ||
            outlet->bytes + size_bytes > destination->backlog_bytes_max)) {
        for (uint16_t i = 0; i < outlet->group_count; i++)
            group_drop_oldest(outlet->groups[i]);
        drop_first(outlet);
    }
}

void outlet_push_reserved(struct outlet *outlet, const struct record *record, uint64_t position,
                          uint32_t reserved_bytes)
{
    if (outlet->room == NULL) {
        outlet_unreserve(outlet, reserved_bytes);
        outlet_push(outlet, record, position);
        return;
    }
    drop_oldest_for(outlet, record->head.size_bytes);
    outlet_push(outlet, record, position);
    room_keep(outlet->room, outlet_length(outlet), outlet->bytes);
    outlet_unreserve(outlet, reserved_bytes);
}

void outlet_trim(struct outlet *outlet)
{
    uint64_t needed = outlet->end;
    if (outlet->group_count == 0)
        return;
    for (uint16_t i = 0; i < outlet->group_count; i++) {
        uint64_t oldest = group_oldest_needed(outlet->groups[i]);
        if (oldest < needed)
            needed = oldest;
    }
    while (outlet->first < needed)
        drop_first(outlet);
}

/* At least so many of the kept records are settled: all groups are past them, and have them neither
 * pending nor passed over. */
static uint64_t count_settled(const struct outlet *outlet)
{
    uint64_t passed_by_all = outlet->end, unsettled = 0;
    for (uint16_t i = 0; i < outlet->group_count; i++) {
        if (outlet->groups[i]->cursor < passed_by_all)
            passed_by_all = outlet->groups[i]->cursor;
        unsettled += group_unsettled(outlet->groups[i]);
    }
    uint64_t candidates = passed_by_all - outlet->first;
    return candidates > unsettled ? candidates - unsettled : 0;
}

void outlet_squeeze(struct outlet *outlet)
{
    if (count_settled(outlet) > outlet_length(outlet) / 2)
        outlet_let_go(outlet);
}

void outlet_let_go(struct outlet *outlet)
{
    struct group_walk walks[DESTINATION_GROUPS_MAX];
    uint64_t to = outlet->first;
    if (outlet->group_count == 0)
        return;
    for (uint16_t i = 0; i < outlet->group_count; i++)
        walks[i] = group_walk_begin(outlet->groups[i]);
    for (uint64_t from = outlet->first; from < outlet->end; from++) {
        bool needed = false;
        for (uint16_t i = 0; i < outlet->group_count; i++)
            needed |= group_walk_move(&walks[i], from, to);
        struct outlet_entry entry = *outlet_entry(outlet, from);
        if (needed)
            outlet->entries[to++ & outlet->mask] = entry;
        else
            outlet->bytes -= entry.size_bytes;
    }
    for (uint16_t i = 0; i < outlet->group_count; i++)
        group_walk_end(&walks[i], outlet->end, to);
    outlet->end = to;
}

uint64_t outlet_lower_bound(const struct outlet *outlet, struct record_id id)
{
    uint64_t low = outlet->first, high = outlet->end;
    if (low < high && record_id_compare(outlet_entry(outlet, low)->id, id) >= 0)
        return low; /* what memory gives up next is mostly behind all groups */
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (record_id_compare(outlet_entry(outlet, middle)->id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool outlet_needs(const struct outlet *outlet, struct record_id id, uint64_t *out_index)
{
    if (outlet->group_count == 0)
        return false;
    uint64_t index = outlet_lower_bound(outlet, id);
    if (index == outlet->end || record_id_compare(outlet_entry(outlet, index)->id, id) != 0)
        return false;
    *out_index = index;
    return true;
}

void outlet_relocate(struct outlet *outlet, uint64_t index, uint64_t position)
{
    assert(index >= outlet->first && index < outlet->end);
    outlet->entries[index & outlet->mask].position = position;
}

void outlet_drop_retained(struct outlet *outlet, struct record_id up_to)
{
    assert(outlet->group_count == 0);
    while (outlet_length(outlet) > 0 &&
           record_id_compare(outlet_entry(outlet, outlet->first)->id, up_to) <= 0)
        drop_first_retained(outlet);
}

struct group *outlet_find_group(const struct outlet *outlet, struct bytes name)
{
    for (uint16_t i = 0; i < outlet->group_count; i++)
        if (bytes_equal_text(name, group_name(outlet->groups[i])))
            return outlet->groups[i];
    return NULL;
}

/* Before the first group: what was only retained, and what is on its way, is held to the bounds of
 * what groups keep. False if what is on its way alone is more. */
static bool begin_backlog(struct outlet *outlet)
{
    const struct destination *destination = outlet->destination;
    if (outlet->room != NULL)
        room_bound(outlet->room,
                   true); /* from here on no more is reserved than there is room for */
    uint64_t entries = outlet_reserved_entries(outlet), bytes = outlet_reserved_bytes(outlet);
    if (entries > destination->backlog_max || bytes > destination->backlog_bytes_max) {
        if (outlet->room != NULL)
            room_bound(outlet->room, false);
        return false;
    }
    while (outlet_length(outlet) > 0 &&
           (outlet_length(outlet) + entries > destination->backlog_max ||
            outlet->bytes + bytes > destination->backlog_bytes_max))
        drop_first_retained(outlet);
    return true;
}

static bool is_by_case(const struct destination *destination, struct bytes name)
{
    for (uint16_t i = 0; i < destination->group_count; i++)
        if (bytes_equal_text(name, destination->groups[i]))
            return (destination->groups_by_case >> i & 1) != 0;
    return false;
}

enum status outlet_create_group(struct outlet *outlet, struct bytes name, enum group_start start,
                                struct record_id after, struct group **out_group)
{
    if (outlet_find_group(outlet, name) != NULL)
        return STATUS_EXISTS;
    if (outlet->group_count == 0 && !begin_backlog(outlet))
        return STATUS_INCOMPLETE;
    outlet_let_go(outlet);
    bool from_now = start == GROUP_FROM_NOW;
    uint64_t index = from_now ? outlet->end : outlet_lower_bound(outlet, record_id_after(after));
    bool is_first = outlet->group_count == 0;
    enum status status = outlet_add_group(outlet, name, index, from_now ? outlet->last_id : after,
                                          *outlet->last_group_number + 1, out_group);
    if (status != STATUS_OK)
        return status;
    ++*outlet->last_group_number;
    if (is_first) {
        while (outlet->first < index)
            drop_first_retained(outlet); /* no group will ever see them */
        outlet->account.offered += outlet->account.retained;
        outlet->account.retained = 0;
    }
    group_offer(*out_group, outlet->end - index);
    return STATUS_OK;
}

enum status outlet_add_group(struct outlet *outlet, struct bytes name, uint64_t index,
                             struct record_id last, uint32_t number, struct group **out_group)
{
    if (outlet->group_count == DESTINATION_GROUPS_MAX)
        return STATUS_FULL;
    enum status status =
        group_open(outlet, name, index, last, is_by_case(outlet->destination, name), out_group);
    if (status != STATUS_OK)
        return status;
    (*out_group)->number = number;
    outlet->groups[outlet->group_count++] = *out_group;
    if (outlet->room != NULL)
        room_bound(outlet->room, true);
    return STATUS_OK;
}

void outlet_destroy_group(struct outlet *outlet, struct group *group)
{
    uint16_t index = 0;
    assert(group->outlet == outlet && group->waiters.first == NULL);
    while (outlet->groups[index] != group)
        index++;
    outlet->group_count--;
    for (; index < outlet->group_count; index++)
        outlet->groups[index] = outlet->groups[index + 1];
    group_close(group);
    while (outlet->group_count == 0 && outlet_length(outlet) > 0)
        drop_first(outlet); /* it was on offer: what is kept for want of a group begins anew */
    if (outlet->group_count == 0 && outlet->room != NULL)
        room_bound(outlet->room, false);
    outlet_trim(outlet);
}
