#include "io/delivery/outlet_restore.h"

#include <assert.h>
#include <stdlib.h>

#include "io/delivery/group_restore.h"

enum { TIDY_SLACK = 65536 }; /* so much more than twice what was left, and it is tidied again */

struct outlet_restore {
    struct outlet *outlet;
    uint64_t uncommitted_max;
    bool has_account;
    struct outlet_entry *entries;
    uint64_t count, capacity;
    uint64_t tidy_count;
    bool in_order;
    struct record_id known_from;  /* the first that was not copied: all behind it are there */
    struct group_restore *groups; /* up to DESTINATION_GROUPS_MAX */
    uint16_t group_count;
};

static enum status tidy(struct outlet_restore *restore);

enum status outlet_restore_open(struct outlet *outlet, uint64_t uncommitted_max,
                                struct outlet_restore **out_restore)
{
    struct outlet_restore *restore = calloc(1, sizeof *restore);
    struct group_restore *groups = calloc(DESTINATION_GROUPS_MAX, sizeof *groups);
    assert(outlet->group_count == 0 && outlet->end == 0);
    if (restore == NULL || groups == NULL) {
        free(restore);
        free(groups);
        return STATUS_NO_MEMORY;
    }
    *restore = (struct outlet_restore){
        .outlet = outlet,
        .uncommitted_max = uncommitted_max,
        .in_order = true,
        .known_from = {UINT64_MAX, UINT64_MAX},
        .groups = groups,
    };
    *out_restore = restore;
    return STATUS_OK;
}

void outlet_restore_close(struct outlet_restore *restore)
{
    for (uint16_t i = 0; i < restore->group_count; i++)
        group_restore_close(&restore->groups[i]);
    free(restore->groups);
    free(restore->entries);
    free(restore);
}

void outlet_restore_account(struct outlet_restore *restore, const struct fact_outlet *fact)
{
    struct outlet *outlet = restore->outlet;
    if (restore->has_account)
        return;
    restore->has_account = true;
    outlet->account = fact->account;
    outlet->pushed = fact->pushed;
    outlet->first_ever_id = fact->first_ever_id;
    outlet->last_id = fact->last_id;
    /* What was kept for want of a group before this segment went with its own. */
    outlet->account.unclaimed += outlet->account.retained;
    outlet->account.retained = 0;
}

/* ---- messages ---- */

/* As outlet_push counts, whether or not anybody still needs it. */
static void count_pushed(struct outlet_restore *restore, const struct record *record)
{
    struct outlet *outlet = restore->outlet;
    if (record_is_decided(record))
        outlet->account.routed++;
    else
        outlet->account.emitted++;
    if (outlet->pushed++ == 0)
        outlet->first_ever_id = record->id;
    outlet->last_id = record->id;
    if (restore->group_count == 0)
        outlet->account.retained++;
    else
        outlet->account.offered++;
    for (uint16_t i = 0; i < restore->group_count; i++)
        restore->groups[i].account.offered++;
}

static bool is_untidy(const struct outlet_restore *restore)
{
    if (restore->count > restore->tidy_count * 2 + TIDY_SLACK)
        return true;
    for (uint16_t i = 0; i < restore->group_count; i++)
        if (restore->groups[i].range_count > restore->groups[i].tidy_count * 2 + TIDY_SLACK)
            return true;
    return false;
}

enum status outlet_restore_message(struct outlet_restore *restore, const struct record *record,
                                   uint64_t position)
{
    bool is_copy = (record->head.flags & RECORD_COPIED) != 0;
    if (is_copy && restore->group_count == 0)
        return STATUS_OK; /* what needed it is gone */
    if (is_untidy(restore)) {
        enum status status = tidy(restore);
        if (status != STATUS_OK)
            return status;
    }
    if (restore->count == restore->capacity) {
        uint64_t capacity = restore->capacity > 0 ? restore->capacity * 2 : 1024;
        struct outlet_entry *entries = realloc(restore->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return STATUS_NO_MEMORY;
        restore->entries = entries;
        restore->capacity = capacity;
    }
    if (restore->count > 0 &&
        record_id_compare(record->id, restore->entries[restore->count - 1].id) <= 0)
        restore->in_order = false;
    restore->entries[restore->count++] = outlet_make_entry(restore->outlet, record, position);
    if (is_copy)
        return STATUS_OK;
    count_pushed(restore, record);
    if (record_id_compare(record->id, restore->known_from) < 0)
        restore->known_from = record->id;
    return STATUS_OK;
}

/* ---- tidying: only what is needed is kept ---- */

static int compare_entries(const void *a, const void *b)
{
    const struct outlet_entry *left = a, *right = b;
    int order = record_id_compare(left->id, right->id);
    return order != 0 ? order
                      : (left->position > right->position) - (left->position < right->position);
}

/* Of one that was copied the later place counts: the earlier may be about to go. */
static void put_in_order(struct outlet_restore *restore)
{
    uint64_t kept = 0;
    if (restore->in_order)
        return;
    qsort(restore->entries, restore->count, sizeof *restore->entries, compare_entries);
    for (uint64_t i = 0; i < restore->count; i++) {
        if (kept > 0 &&
            record_id_compare(restore->entries[kept - 1].id, restore->entries[i].id) == 0)
            kept--;
        restore->entries[kept++] = restore->entries[i];
    }
    restore->count = kept;
    restore->in_order = true;
}

static void drop_first_retained(struct outlet_restore *restore, uint64_t count)
{
    if (count == 0)
        return;
    restore->outlet->account.retained -= count;
    restore->outlet->account.unclaimed += count;
    memmove(restore->entries, restore->entries + count,
            (restore->count - count) * sizeof *restore->entries);
    restore->count -= count;
}

/* Without groups: down to the newest that retain_bytes allows, and `spare` more that may not have
 * been pushed yet at the time. */
static void drop_old_retained(struct outlet_restore *restore, uint64_t spare)
{
    uint64_t first = restore->count > spare ? restore->count - spare : 0, bytes = 0;
    while (first > 0 && restore->count - first <= restore->outlet->mask &&
           bytes + restore->entries[first - 1].size_bytes <=
               restore->outlet->destination->retain_bytes)
        bytes += restore->entries[--first].size_bytes;
    drop_first_retained(restore, first);
}

static enum status drop_settled(struct outlet_restore *restore)
{
    uint64_t kept = 0;
    bool *needed = calloc(restore->count + 1, sizeof *needed);
    if (needed == NULL)
        return STATUS_NO_MEMORY;
    for (uint16_t i = 0; i < restore->group_count; i++)
        group_restore_mark(&restore->groups[i], restore->entries, restore->count, needed);
    for (uint64_t i = 0; i < restore->count; i++)
        if (needed[i])
            restore->entries[kept++] = restore->entries[i];
    restore->count = kept;
    free(needed);
    return STATUS_OK;
}

static enum status tidy(struct outlet_restore *restore)
{
    enum status status = STATUS_OK;
    put_in_order(restore);
    if (restore->group_count == 0)
        drop_old_retained(restore, restore->uncommitted_max);
    else
        status = drop_settled(restore);
    if (status != STATUS_OK)
        return status;
    for (uint16_t i = 0; i < restore->group_count; i++)
        group_restore_join(&restore->groups[i], restore->entries, restore->count,
                           restore->known_from);
    restore->tidy_count = restore->count;
    return STATUS_OK;
}

/* ---- groups ---- */

static struct group_restore *find_group(struct outlet_restore *restore, uint32_t number)
{
    for (uint16_t i = 0; i < restore->group_count; i++)
        if (restore->groups[i].number == number)
            return &restore->groups[i];
    return NULL;
}

/* What was kept for want of a group, or what is not before the group, is on offer now. */
static void begin_offering(struct outlet_restore *restore, struct record_id after)
{
    struct outlet_account *account = &restore->outlet->account;
    uint64_t before = 0;
    while (before < restore->count && record_id_compare(restore->entries[before].id, after) <= 0)
        before++;
    drop_first_retained(restore, before);
    account->offered += account->retained;
    account->retained = 0;
}

static enum status add_group(struct outlet_restore *restore, const struct fact_group *fact)
{
    struct bytes name = fact_group_name(fact);
    if (restore->group_count == DESTINATION_GROUPS_MAX || name.size > GROUP_NAME_BYTES_MAX)
        return STATUS_INVALID;
    if (restore->group_count == 0) {
        put_in_order(restore);
        begin_offering(restore, fact->after);
    }
    struct group_restore *group = &restore->groups[restore->group_count++];
    *group = (struct group_restore){
        .number = fact->number,
        .account = fact->account,
        .after = fact->after,
        .in_order = true,
    };
    memcpy(group->name, name.data, name.size);
    if (fact->number > *restore->outlet->last_group_number)
        *restore->outlet->last_group_number = fact->number;
    return STATUS_OK;
}

/* It was on offer up to `last`: what is kept for want of a group begins anew, with what was written
 * and not pushed yet. */
static void end_offering(struct outlet_restore *restore, struct record_id last)
{
    struct outlet_account *account = &restore->outlet->account;
    uint64_t before = 0;
    put_in_order(restore);
    while (before < restore->count && record_id_compare(restore->entries[before].id, last) <= 0)
        before++;
    restore->count -= before;
    memmove(restore->entries, restore->entries + before, restore->count * sizeof *restore->entries);
    account->offered -= restore->count;
    account->retained += restore->count;
}

static void remove_group(struct outlet_restore *restore, struct group_restore *group,
                         struct record_id last)
{
    group_restore_close(group);
    *group = restore->groups[--restore->group_count];
    restore->groups[restore->group_count] = (struct group_restore){0};
    if (restore->group_count == 0 && restore->count > 0)
        end_offering(restore, last);
}

enum status outlet_restore_group(struct outlet_restore *restore, const struct fact_group *fact)
{
    struct group_restore *group = find_group(restore, fact->number);
    switch ((enum group_event)fact->event) {
    case GROUP_STANDS:
        if (group == NULL)
            return add_group(restore, fact);
        group->stands = true;
        return STATUS_OK;
    case GROUP_CREATED: {
        enum status status = tidy(restore);
        return status != STATUS_OK || group != NULL ? status : add_group(restore, fact);
    }
    case GROUP_MOVED:
        if (group != NULL) {
            enum status status = tidy(restore);
            group_restore_cut(group, fact->after);
            group->account = fact->account;
            return status;
        }
        return STATUS_OK;
    case GROUP_DESTROYED:
        if (group != NULL)
            remove_group(restore, group, fact->after);
        return STATUS_OK;
    }
    return STATUS_INVALID;
}

static void count_settled(struct group_account *account, enum settled_how how, uint64_t count)
{
    switch (how) {
    case SETTLED_ACKNOWLEDGED: account->acknowledged += count; return;
    case SETTLED_DEAD_LETTERED: account->dead_lettered += count; return;
    case SETTLED_SKIPPED: account->skipped += count; return;
    case SETTLED_DROPPED: account->dropped += count; return;
    case SETTLED_HOW_COUNT: return;
    }
}

enum status outlet_restore_settled(struct outlet_restore *restore, const struct fact_settled *fact)
{
    struct group_restore *group = find_group(restore, fact->group_number);
    const struct settled_range *ranges = fact_settled_ranges(fact);
    if (group == NULL || (fact->standing != 0 && group->stands))
        return STATUS_OK;
    for (uint32_t i = 0; i < fact->range_count; i++) {
        enum status status = group_restore_add(group, ranges[i]);
        if (status != STATUS_OK)
            return status;
        if (fact->standing == 0)
            count_settled(&group->account, (enum settled_how)fact->how, ranges[i].count);
    }
    return STATUS_OK;
}

/* ---- the end ---- */

static enum status place_entries(struct outlet_restore *restore)
{
    struct outlet *outlet = restore->outlet;
    uint64_t capacity = outlet->mask + 1;
    while (capacity < restore->count) /* backlog_max was larger */
        capacity *= 2;
    if (capacity > outlet->mask + 1) {
        struct outlet_entry *entries = realloc(outlet->entries, capacity * sizeof *entries);
        if (entries == NULL)
            return STATUS_NO_MEMORY;
        outlet->entries = entries;
        outlet->mask = capacity - 1;
    }
    for (uint64_t i = 0; i < restore->count; i++) {
        outlet->entries[i] = restore->entries[i];
        outlet->bytes += restore->entries[i].size_bytes;
    }
    outlet->end = restore->count;
    return STATUS_OK;
}

enum status outlet_restore_end(struct outlet_restore *restore)
{
    enum status status = tidy(restore);
    if (status == STATUS_OK && restore->group_count == 0)
        drop_old_retained(restore, 0);
    if (status == STATUS_OK)
        status = place_entries(restore);
    for (uint16_t i = 0; status == STATUS_OK && i < restore->group_count; i++) {
        struct group *group;
        status = group_restore_build(&restore->groups[i], restore->outlet, &group);
    }
    return status;
}
