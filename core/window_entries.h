/* The entries of the identity window, and how they are found: by their identity, or by identity and
 * body. A part of core/window; nobody else's.
 *
 * The entries that one identity has in one log form a circle. One of them leads: it stands in the
 * index under the identity, the followers each under (identity, body). So a claim whose identity is
 * new costs one search, one that repeats any body two, however many bodies the identity has. When
 * the leader goes, the next in the circle takes its slot. (What window_restore brings back has a
 * circle for each key and log, since no record is looked at then: two identities share one once in
 * 2^59.)
 *
 * From the leader on, the circle holds first the confirmed followers, as they were confirmed, and
 * then those that are not. So if an entry lives, the leader does or the one before it, the tail. */
#ifndef KOUAN_CORE_WINDOW_ENTRIES_H
#define KOUAN_CORE_WINDOW_ENTRIES_H

#include "core/window_index.h"

/* A key is 64 bits: the hash under which the entry stands in the index, 16 bits of the identity's
 * digest, and the scope. */
enum { KEY_IDENTITY_BITS = 16, KEY_SCOPE_BITS = 12, KEY_HASH_SHIFT = 28 };
static_assert(KEY_HASH_SHIFT == KEY_IDENTITY_BITS + KEY_SCOPE_BITS, "below the hash");
static_assert(KEY_HASH_SHIFT == 64 - WINDOW_HASH_BITS, "a key has 64 bits");
static_assert((int)WINDOW_SCOPES_MAX == 1 << KEY_SCOPE_BITS, "a key has room for every scope");

struct window_entry {
    uint64_t key;
    uint64_t place;  /* position, or log and number of an unplaced body; bit "leads"; 2 bits of
                        state */
    uint32_t time_s; /* confirmed at */
    uint32_t after;  /* confirmed: the next of its queue; gone: the next free one */
    uint32_t circle_next, circle_previous;
};
static_assert(sizeof(struct window_entry) == 32, "two entries make a cache line");
static_assert(sizeof(struct window_entry) + sizeof(struct window_bucket) / WINDOW_BUCKET_ENTRIES ==
                  WINDOW_ENTRY_BYTES_MAX,
              "an entry and its share of the index");

struct window_entries {
    struct window_entry *items;
    uint32_t capacity, used, first_free;
    struct window_index index;
};

/* `items` and `buckets` are zeroed memory. */
void window_entries_init(struct window_entries *entries, struct window_entry *items,
                         uint32_t capacity, struct window_bucket *buckets, uint32_t bucket_count);

/* The number that the next window_entries_add will give, or WINDOW_NO_ENTRY. */
static inline uint32_t window_entries_next_free(const struct window_entries *entries)
{
    return entries->first_free;
}

/* Adds a pending entry for a claim; one must be free. `leader` is that of its identity and log, or
 * WINDOW_NO_ENTRY. */
uint32_t window_entries_add(struct window_entries *entries, const struct window_claim *claim,
                            uint32_t leader);

/* The entry was confirmed: it takes its place among the confirmed ones of its circle. */
void window_entries_settle(struct window_entries *entries, uint32_t entry);

void window_entries_remove(struct window_entries *entries, uint32_t entry);

static inline bool window_entry_is_alone(const struct window_entry *items, uint32_t entry)
{
    return items[entry].circle_next == entry;
}

/* Where the leader of the claim's identity stands. Its tag has the high bit and 7 bits of the
 * digest that are not in the key, and stays in the slot when another entry takes over. */
static inline uint64_t window_leader_key(const struct window_claim *claim)
{
    assert(claim->scope < WINDOW_SCOPES_MAX);
    return (claim->identity.high >> KEY_SCOPE_BITS) << KEY_SCOPE_BITS | claim->scope;
}

static inline uint8_t window_leader_tag(const struct window_claim *claim)
{
    return (uint8_t)(0x80 | (claim->identity.high & 0x7F));
}

/* Where a follower with the claim's identity and body stands. */
static inline uint64_t window_follower_key(const struct window_claim *claim)
{
    const uint64_t low = (UINT64_C(1) << KEY_HASH_SHIFT) - 1;
    uint64_t mixed = claim->identity.low ^ claim->body_digest.low;
    return (mixed & ~low) | (window_leader_key(claim) & low);
}

static inline uint8_t window_follower_tag(const struct window_claim *claim)
{
    uint8_t bits = (claim->identity.low ^ claim->body_digest.low) & 0x7F;
    return bits != 0 ? bits : 1;
}

static inline uint64_t window_key_hash(uint64_t key)
{
    return key >> KEY_HASH_SHIFT;
}

static inline uint16_t window_key_scope(uint64_t key)
{
    return (uint16_t)(key & (WINDOW_SCOPES_MAX - 1));
}

enum { PLACE_STATE_MASK = 3, PLACE_LEADS = 4, PLACE_SHIFT = 3 };
static_assert(WINDOW_POSITION_MAX == UINT64_MAX >> PLACE_SHIFT, "a position fits its bits");
static_assert(WINDOW_LOGS_MAX <= 1 << (64 - PLACE_SHIFT - WINDOW_LOG_SHIFT), "and so does its log");

static inline enum window_state window_entry_state(const struct window_entry *entry)
{
    return (enum window_state)(entry->place & PLACE_STATE_MASK);
}

static inline bool window_entry_leads(const struct window_entry *entry)
{
    return (entry->place & PLACE_LEADS) != 0;
}

static inline uint64_t window_entry_position(const struct window_entry *entry)
{
    return entry->place >> PLACE_SHIFT;
}

static inline uint16_t window_entry_log(const struct window_entry *entry)
{
    return window_position_log(window_entry_position(entry));
}

/* `position`: of the record, or while pending the number of the unplaced body, in its log. */
static inline void window_entry_set(struct window_entry *entry, enum window_state state,
                                    uint64_t position)
{
    assert(position <= WINDOW_POSITION_MAX);
    entry->place = position << PLACE_SHIFT | (entry->place & PLACE_LEADS) | (uint64_t)state;
}

#endif
