#include "io/delivery/case_order.h"

#include <assert.h>
#include <stdlib.h>
#include <xxhash.h>

#include "routes/field.h"

enum { NOBODY = CASE_ORDER_CONSUMERS_MAX };

/* Indices of keys and of passed entries count from 1; 0 is none. */
struct key {
    uint32_t hash;
    uint32_t next; /* in its bucket, or on the free list */
    uint32_t pending;
    uint32_t first_passed, last_passed;
    uint32_t line_next, line_previous; /* among its owner's keys, while it has passed entries */
    uint16_t owner;
};

struct passed {
    struct record_id id;
    uint32_t next; /* of its key, or on the free list */
};

/* Keys with passed entries, by owner: the first to wait is the first served. */
struct key_line {
    uint32_t first, last;
};

struct case_order {
    struct key *keys;
    uint32_t *buckets;
    uint64_t bucket_mask;
    uint32_t free_key, key_count;
    struct passed passed[CASE_ORDER_PASSED_MAX + 1];
    uint32_t free_passed, passed_count;
    struct key_line lines[NOBODY + 1];
};

enum status case_order_open(uint32_t pending_max, struct case_order **out_order)
{
    uint64_t keys_max = (uint64_t)pending_max + CASE_ORDER_PASSED_MAX, buckets = 64;
    while (buckets < keys_max)
        buckets *= 2;
    struct case_order *order = calloc(1, sizeof *order);
    struct key *keys = calloc(keys_max + 1, sizeof *keys);
    uint32_t *heads = calloc(buckets, sizeof *heads);
    if (order == NULL || keys == NULL || heads == NULL) {
        free(order);
        free(keys);
        free(heads);
        return STATUS_NO_MEMORY;
    }
    order->keys = keys;
    order->buckets = heads;
    order->bucket_mask = buckets - 1;
    for (uint64_t i = keys_max; i > 0; i--) {
        keys[i].next = order->free_key;
        order->free_key = (uint32_t)i;
    }
    for (uint32_t i = CASE_ORDER_PASSED_MAX; i > 0; i--) {
        order->passed[i].next = order->free_passed;
        order->free_passed = i;
    }
    *out_order = order;
    return STATUS_OK;
}

void case_order_close(struct case_order *order)
{
    free(order->keys);
    free(order->buckets);
    free(order);
}

static uint32_t hash_key(struct bytes value, uint64_t slot)
{
    uint64_t hash = XXH3_64bits_withSeed(value.data, value.size, slot);
    uint32_t folded = (uint32_t)(hash ^ hash >> 32);
    return folded != 0 ? folded : 1;
}

uint32_t case_order_key(const struct record *record)
{
    const struct record_value *values = record_values(record), *first = NULL;
    for (uint16_t i = 0; i < record->value_count; i++)
        if (slot_is_key((enum slot)values[i].slot) &&
            (first == NULL || values[i].entry < first->entry))
            first = &values[i];
    if (first == NULL)
        return 0;
    return hash_key(record_value_bytes(record, first), first->slot);
}

uint32_t case_order_key_of(const struct reading *reading)
{
    const struct occurrence *first = NULL;
    for (uint16_t i = 0; i < reading->count; i++) {
        const struct occurrence *occurrence = &reading->occurrences[i];
        if (slot_is_key((enum slot)occurrence->slot) &&
            (first == NULL || occurrence->entry < first->entry))
            first = occurrence;
    }
    return first != NULL ? hash_key(first->value, first->slot) : 0;
}

/* ---- keys ---- */

static uint32_t *bucket_of(const struct case_order *order, uint32_t hash)
{
    return &order->buckets[hash & order->bucket_mask];
}

/* 0 if there is none. */
static uint32_t find(const struct case_order *order, uint32_t hash)
{
    uint32_t index = *bucket_of(order, hash);
    while (index != 0 && order->keys[index].hash != hash)
        index = order->keys[index].next;
    return index;
}

static uint32_t obtain(struct case_order *order, uint32_t hash)
{
    uint32_t index = find(order, hash);
    if (index != 0)
        return index;
    index = order->free_key;
    assert(index != 0); /* each has an entry that is pending or passed over */
    order->free_key = order->keys[index].next;
    order->key_count++;
    order->keys[index] =
        (struct key){.hash = hash, .next = *bucket_of(order, hash), .owner = NOBODY};
    *bucket_of(order, hash) = index;
    return index;
}

static void release_if_empty(struct case_order *order, uint32_t index)
{
    struct key *key = &order->keys[index];
    if (key->pending > 0 || key->first_passed != 0)
        return;
    uint32_t *link = bucket_of(order, key->hash);
    while (*link != index)
        link = &order->keys[*link].next;
    *link = key->next;
    key->next = order->free_key;
    order->free_key = index;
    order->key_count--;
}

static void line_enter(struct case_order *order, uint32_t index)
{
    struct key *key = &order->keys[index];
    struct key_line *line = &order->lines[key->owner];
    key->line_next = 0;
    key->line_previous = line->last;
    if (line->last != 0)
        order->keys[line->last].line_next = index;
    else
        line->first = index;
    line->last = index;
}

static void line_leave(struct case_order *order, uint32_t index)
{
    struct key *key = &order->keys[index];
    struct key_line *line = &order->lines[key->owner];
    if (key->line_previous != 0)
        order->keys[key->line_previous].line_next = key->line_next;
    else
        line->first = key->line_next;
    if (key->line_next != 0)
        order->keys[key->line_next].line_previous = key->line_previous;
    else
        line->last = key->line_previous;
}

static void set_owner(struct case_order *order, uint32_t index, uint16_t owner)
{
    struct key *key = &order->keys[index];
    if (key->owner == owner)
        return;
    if (key->first_passed != 0)
        line_leave(order, index);
    key->owner = owner;
    if (key->first_passed != 0)
        line_enter(order, index);
}

/* ---- entries ---- */

bool case_order_allows(const struct case_order *order, uint32_t key, uint16_t consumer)
{
    uint32_t index = find(order, key);
    return index == 0 ||
           (order->keys[index].first_passed == 0 && order->keys[index].owner == consumer);
}

void case_order_deliver(struct case_order *order, uint32_t key, uint16_t consumer)
{
    uint32_t index = obtain(order, key);
    order->keys[index].pending++;
    set_owner(order, index, consumer);
}

bool case_order_pass(struct case_order *order, uint32_t key, struct record_id id)
{
    uint32_t node = order->free_passed, index = find(order, key);
    assert(index != 0);
    if (node == 0)
        return false;
    order->free_passed = order->passed[node].next;
    order->passed_count++;
    order->passed[node] = (struct passed){.id = id};
    struct key *waiting = &order->keys[index];
    if (waiting->first_passed == 0) {
        waiting->first_passed = node;
        line_enter(order, index);
    } else {
        order->passed[waiting->last_passed].next = node;
    }
    waiting->last_passed = node;
    return true;
}

static void drop_first_passed(struct case_order *order, uint32_t index)
{
    struct key *key = &order->keys[index];
    uint32_t node = key->first_passed, next = order->passed[node].next;
    if (next == 0)
        line_leave(order, index);
    key->first_passed = next;
    order->passed[node].next = order->free_passed;
    order->free_passed = node;
    order->passed_count--;
}

/* The key whose first passed entry is the consumer's next; 0 if there is none. */
static uint32_t next_key(const struct case_order *order, uint16_t consumer)
{
    uint32_t index = order->lines[consumer].first;
    return index != 0 ? index : order->lines[NOBODY].first;
}

bool case_order_next(const struct case_order *order, uint16_t consumer, struct record_id *out_id)
{
    uint32_t index = next_key(order, consumer);
    if (index == 0)
        return false;
    *out_id = order->passed[order->keys[index].first_passed].id;
    return true;
}

void case_order_take(struct case_order *order, uint16_t consumer, bool pends)
{
    uint32_t index = next_key(order, consumer);
    assert(index != 0);
    struct key *key = &order->keys[index];
    drop_first_passed(order, index);
    if (pends) {
        key->pending++;
        set_owner(order, index, consumer);
    }
    release_if_empty(order, index);
}

void case_order_drop(struct case_order *order, uint32_t key)
{
    uint32_t index = find(order, key);
    assert(index != 0 && order->keys[index].first_passed != 0);
    drop_first_passed(order, index);
    release_if_empty(order, index);
}

void case_order_move(struct case_order *order, uint32_t key, uint16_t consumer)
{
    uint32_t index = find(order, key);
    assert(index != 0 && order->keys[index].pending > 0);
    set_owner(order, index, consumer);
}

void case_order_end(struct case_order *order, uint32_t key)
{
    uint32_t index = find(order, key);
    assert(index != 0 && order->keys[index].pending > 0);
    if (--order->keys[index].pending == 0)
        set_owner(order, index, NOBODY);
    release_if_empty(order, index);
}

void case_order_forget_passed(struct case_order *order)
{
    for (uint32_t owner = 0; owner <= NOBODY; owner++) {
        uint32_t index;
        while ((index = order->lines[owner].first) != 0) {
            drop_first_passed(order, index);
            release_if_empty(order, index);
        }
    }
}

uint32_t case_order_passed_count(const struct case_order *order)
{
    return order->passed_count;
}

uint32_t case_order_key_count(const struct case_order *order)
{
    return order->key_count;
}

uint16_t case_order_owner(const struct case_order *order, uint32_t key)
{
    uint32_t index = find(order, key);
    return index != 0 ? order->keys[index].owner : NOBODY;
}
