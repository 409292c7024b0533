/* Cases and keys in their places: by when they were heard of, and by their digests. */
#include <assert.h>

#include "core/case_inside.h"

enum { EXPIRED_AT_ONCE = 4 }; /* so that each observation costs about the same */

/* ---- the order in which they were heard of ---- */

static void link_newest(struct case_table *table, uint32_t index)
{
    struct case_entry *entry = &table->entries[index];
    struct case_list *list = &table->head->lists[entry->span];
    entry->older = list->newest;
    entry->newer = CASE_NONE;
    if (list->newest == CASE_NONE) {
        list->oldest = index;
    } else {
        struct case_entry *before = &table->entries[list->newest];
        case_will_change(table, before, sizeof *before);
        before->newer = index;
    }
    list->newest = index;
}

static void unlink_case(struct case_table *table, uint32_t index)
{
    struct case_entry *entry = &table->entries[index];
    struct case_list *list = &table->head->lists[entry->span];
    for (uint32_t i = 0; i < CASE_CURSORS_MAX; i++)
        if (table->cursors[i].at[entry->span] == index)
            table->cursors[i].at[entry->span] = entry->older;
    if (entry->older == CASE_NONE) {
        list->oldest = entry->newer;
    } else {
        struct case_entry *older = &table->entries[entry->older];
        case_will_change(table, older, sizeof *older);
        older->newer = entry->newer;
    }
    if (entry->newer == CASE_NONE) {
        list->newest = entry->older;
    } else {
        struct case_entry *newer = &table->entries[entry->newer];
        case_will_change(table, newer, sizeof *newer);
        newer->older = entry->older;
    }
}

void case_renew(struct case_table *table, uint32_t index, enum case_span span)
{
    struct case_entry *entry = &table->entries[index];
    unlink_case(table, index);
    if (span > entry->span)
        entry->span = (uint8_t)span;
    link_newest(table, index);
}

void case_expire(struct case_table *table, uint64_t now_ms)
{
    uint32_t expired = 0;
    for (unsigned span = 0; span < CASE_SPAN_COUNT; span++)
        while (expired < EXPIRED_AT_ONCE) {
            uint32_t oldest = table->head->lists[span].oldest;
            if (oldest == CASE_NONE ||
                table->entries[oldest].heard_ms + table->settings.span_ms[span] >= now_ms)
                break;
            case_drop(table, oldest);
            table->head->figures.expired++;
            expired++;
        }
}

/* The one of them whose end is next. */
void case_evict(struct case_table *table, uint32_t kept)
{
    uint32_t oldest = CASE_NONE;
    uint64_t soonest = UINT64_MAX;
    for (unsigned span = 0; span < CASE_SPAN_COUNT; span++) {
        uint32_t index = table->head->lists[span].oldest;
        if (index == kept && index != CASE_NONE)
            index = table->entries[index].newer;
        if (index == CASE_NONE)
            continue;
        uint64_t end = table->entries[index].heard_ms + table->settings.span_ms[span];
        if (end < soonest) {
            soonest = end;
            oldest = index;
        }
    }
    assert(oldest != CASE_NONE);
    case_drop(table, oldest);
    table->head->figures.evicted++;
}

/* ---- places of cases ---- */

uint32_t case_take_place(struct case_table *table, enum case_span span)
{
    struct case_head *head = table->head;
    if (head->free_case == CASE_NONE && head->cases_used == head->cases_max)
        case_evict(table, CASE_NONE);
    uint32_t index = head->free_case;
    if (index == CASE_NONE)
        index = head->cases_used++;
    struct case_entry *entry = &table->entries[index];
    case_will_change(table, entry, sizeof *entry);
    if (head->free_case != CASE_NONE)
        head->free_case = entry->older;
    *entry = (struct case_entry){.first_key = CASE_NONE, .span = (uint8_t)span, .is_used = true};
    link_newest(table, index);
    head->figures.cases++;
    return index;
}

void case_leave_place(struct case_table *table, uint32_t index)
{
    struct case_entry *entry = &table->entries[index];
    case_will_change(table, entry, sizeof *entry);
    unlink_case(table, index);
    table->head->figures.impossible -= entry->impossible;
    *entry = (struct case_entry){.older = table->head->free_case};
    table->head->free_case = index;
    table->head->figures.cases--;
}

/* ---- keys ---- */

static uint32_t *bucket_of(const struct case_table *table, struct digest digest)
{
    return &table->buckets[digest.high & table->bucket_mask];
}

uint32_t case_find_key(const struct case_table *table, struct digest digest)
{
    uint32_t key = *bucket_of(table, digest);
    while (key != CASE_NONE && !digest_equal(table->keys[key].digest, digest))
        key = table->keys[key].chain;
    return key;
}

void case_leave_key(struct case_table *table, uint32_t number)
{
    struct case_key *key = &table->keys[number];
    uint32_t *link = bucket_of(table, key->digest);
    while (*link != number) {
        assert(*link != CASE_NONE);
        link = &table->keys[*link].chain;
    }
    case_will_change(table, key, sizeof *key);
    *link = key->chain;
    key->owner = CASE_NONE;
    key->next = table->head->free_key;
    table->head->free_key = number;
    table->head->figures.keys--;
}

void case_append_key(struct case_table *table, struct case_entry *entry, uint32_t number)
{
    table->keys[number].next = CASE_NONE;
    entry->key_count++;
    if (entry->first_key == CASE_NONE) {
        entry->first_key = number;
        return;
    }
    uint32_t last = entry->first_key;
    while (table->keys[last].next != CASE_NONE)
        last = table->keys[last].next;
    case_will_change(table, &table->keys[last], sizeof(struct case_key));
    table->keys[last].next = number;
}

bool case_take_key(struct case_table *table, uint32_t index, const struct case_key *key)
{
    struct case_head *head = table->head;
    uint32_t number = head->free_key;
    if (number == CASE_NONE && head->keys_used == head->keys_max)
        return false;
    if (number == CASE_NONE)
        number = head->keys_used++;
    else
        head->free_key = table->keys[number].next;
    struct case_key *place = &table->keys[number];
    uint32_t *bucket = bucket_of(table, key->digest);
    case_will_change(table, place, sizeof *place);
    *place = *key;
    place->owner = index;
    place->chain = *bucket;
    *bucket = number;
    case_append_key(table, &table->entries[index], number);
    head->figures.keys++;
    return true;
}

void case_drop(struct case_table *table, uint32_t index)
{
    uint32_t next;
    for (uint32_t key = table->entries[index].first_key; key != CASE_NONE; key = next) {
        next = table->keys[key].next;
        case_leave_key(table, key);
    }
    case_leave_place(table, index);
}
