#include "core/window_entries.h"

static void set_leads(struct window_entry *entry, bool leads)
{
    entry->place = (entry->place & ~(uint64_t)PLACE_LEADS) | (leads ? PLACE_LEADS : 0);
}

void window_entries_init(struct window_entries *entries, struct window_entry *items,
                         uint32_t capacity, struct window_bucket *buckets, uint32_t bucket_count)
{
    assert(capacity > 0 && bucket_count > 0);
    *entries = (struct window_entries){
        .items = items,
        .capacity = capacity,
        .index = {.buckets = buckets, .bucket_count = bucket_count},
    };
    for (uint32_t i = 0; i < capacity; i++)
        items[i].after = i + 1 < capacity ? i + 1 : WINDOW_NO_ENTRY;
}

static void insert_before(struct window_entry *items, uint32_t entry, uint32_t successor)
{
    uint32_t predecessor = items[successor].circle_previous;
    items[entry].circle_previous = predecessor;
    items[entry].circle_next = successor;
    items[predecessor].circle_next = entry;
    items[successor].circle_previous = entry;
}

static void take_out(struct window_entry *items, uint32_t entry)
{
    uint32_t previous = items[entry].circle_previous, next = items[entry].circle_next;
    items[previous].circle_next = next;
    items[next].circle_previous = previous;
}

uint32_t window_entries_add(struct window_entries *entries, const struct window_claim *claim,
                            uint32_t leader)
{
    struct window_entry *items = entries->items;
    uint32_t entry = entries->first_free;
    assert(entry != WINDOW_NO_ENTRY && window_entry_state(&items[entry]) == WINDOW_GONE);
    entries->first_free = items[entry].after;
    entries->used++;
    if (entries->first_free != WINDOW_NO_ENTRY)
        __builtin_prefetch(&items[entries->first_free], 1);

    bool leads = leader == WINDOW_NO_ENTRY;
    uint64_t key = leads ? window_leader_key(claim) : window_follower_key(claim);
    uint8_t tag = leads ? window_leader_tag(claim) : window_follower_tag(claim);
    items[entry] = (struct window_entry){
        .key = key,
        .place = window_position(claim->log, 0) << PLACE_SHIFT | WINDOW_PENDING,
        .after = WINDOW_NO_ENTRY,
        .circle_next = entry,
        .circle_previous = entry,
    };
    set_leads(&items[entry], leads);
    window_index_insert(&entries->index, window_key_hash(key), tag, entry);
    if (!leads)
        insert_before(items, entry, leader); /* as the tail */
    return entry;
}

void window_entries_settle(struct window_entries *entries, uint32_t entry)
{
    struct window_entry *items = entries->items;
    uint32_t previous = items[entry].circle_previous, target = previous;
    assert(window_entry_state(&items[entry]) == WINDOW_CONFIRMED);
    if (window_entry_leads(&items[entry]))
        return;
    while (!window_entry_leads(&items[target]) &&
           window_entry_state(&items[target]) != WINDOW_CONFIRMED)
        target = items[target].circle_previous;
    if (target == previous)
        return;
    take_out(items, entry);
    insert_before(items, entry, items[target].circle_next);
}

/* The next in the circle takes the leader's slot in the index, and gives its own up. */
static void hand_over(struct window_entries *entries, uint32_t leader)
{
    struct window_entry *items = entries->items;
    uint32_t next = items[leader].circle_next;
    uint64_t hash = window_key_hash(items[leader].key);
    assert(!window_entry_leads(&items[next]));
    window_index_remove(&entries->index, window_key_hash(items[next].key), next);
    window_index_replace(&entries->index, hash, leader, next);
    items[next].key = items[leader].key;
    set_leads(&items[next], true);
}

void window_entries_remove(struct window_entries *entries, uint32_t entry)
{
    struct window_entry *items = entries->items;
    assert(window_entry_state(&items[entry]) != WINDOW_GONE);
    if (window_entry_leads(&items[entry]) && !window_entry_is_alone(items, entry))
        hand_over(entries, entry);
    else
        window_index_remove(&entries->index, window_key_hash(items[entry].key), entry);
    take_out(items, entry);
    window_entry_set(&items[entry], WINDOW_GONE, 0);
    items[entry].after = entries->first_free;
    entries->first_free = entry;
    entries->used--;
}
