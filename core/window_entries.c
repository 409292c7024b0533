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

/* `to` takes the leader's slot in the index. The caller sees to their other slots. */
static void hand_over(struct window_entries *entries, uint32_t from, uint32_t to)
{
    struct window_entry *items = entries->items;
    assert(window_entry_leads(&items[from]) && !window_entry_leads(&items[to]));
    window_index_replace(&entries->index, window_leader_hash(items[from].key), from, to);
    set_leads(&items[from], false);
    set_leads(&items[to], true);
}

static void insert_follower(struct window_entries *entries, uint32_t entry)
{
    window_index_insert(&entries->index, window_follower_address(entries->items[entry].key), entry);
}

static void remove_follower(struct window_entries *entries, uint32_t entry)
{
    uint64_t hash = window_follower_address(entries->items[entry].key).hash;
    window_index_remove(&entries->index, hash, entry);
}

uint32_t window_entries_add(struct window_entries *entries, struct digest identity, uint64_t key,
                            uint32_t leader)
{
    struct window_entry *items = entries->items;
    uint32_t entry = entries->first_free;
    assert(entry != WINDOW_NO_ENTRY && window_entry_state(&items[entry]) == WINDOW_GONE);
    entries->first_free = items[entry].after;
    entries->used++;
    if (entries->first_free != WINDOW_NO_ENTRY)
        __builtin_prefetch(&items[entries->first_free], 1);

    items[entry] = (struct window_entry){
        .key = key,
        .place = WINDOW_PENDING,
        .after = WINDOW_NO_ENTRY,
        .circle_next = entry,
        .circle_previous = entry,
    };
    if (leader == WINDOW_NO_ENTRY) {
        set_leads(&items[entry], true);
        window_index_insert(&entries->index, window_leader_address(identity), entry);
    } else {
        assert(window_key_same_identity(key, items[leader].key));
        hand_over(entries, leader, entry);
        insert_follower(entries, leader);
        insert_before(items, entry, leader);
    }
    return entry;
}

static bool is_unconfirmed(const struct window_entry *entry)
{
    return window_entry_state(entry) != WINDOW_CONFIRMED;
}

void window_entries_settle(struct window_entries *entries, uint32_t entry)
{
    struct window_entry *items = entries->items;
    assert(window_entry_state(&items[entry]) == WINDOW_CONFIRMED);
    uint32_t next = items[entry].circle_next, target = next;
    while (target != entry && !window_entry_leads(&items[target]) && is_unconfirmed(&items[target]))
        target = items[target].circle_next;
    if (target == next)
        return;
    if (window_entry_leads(&items[entry])) {
        hand_over(entries, entry, next);
        remove_follower(entries, next);
        insert_follower(entries, entry);
    }
    if (target != entry) { /* else the next leads, and the entry is the last already */
        take_out(items, entry);
        insert_before(items, entry, target);
    }
}

void window_entries_remove(struct window_entries *entries, uint32_t entry)
{
    struct window_entry *items = entries->items;
    uint32_t next = items[entry].circle_next;
    assert(window_entry_state(&items[entry]) != WINDOW_GONE);
    if (!window_entry_leads(&items[entry])) {
        remove_follower(entries, entry);
    } else if (next == entry) {
        window_index_remove(&entries->index, window_leader_hash(items[entry].key), entry);
    } else {
        hand_over(entries, entry, next);
        remove_follower(entries, next);
    }
    take_out(items, entry);
    window_entry_set(&items[entry], WINDOW_GONE, 0);
    set_leads(&items[entry], false);
    items[entry].after = entries->first_free;
    entries->first_free = entry;
    entries->used--;
}
