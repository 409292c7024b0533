/* The entries of the identity window, and how they are found: by their identity, or by identity and
 * body. A part of core/window; nobody else's.
 *
 * The entries of one identity form a circle. Its leader stands in the index under the identity; the
 * others, its followers, each under (identity, body). So a claim whose identity is new costs one
 * search, one that knows its body two, however many bodies the identity has.
 *
 * In the circle, from the leader on, stand first the entries that are not confirmed, in any order,
 * and then the confirmed, the latest first. So when the leader is too old, the whole circle is. */
#ifndef KOUAN_CORE_WINDOW_ENTRIES_H
#define KOUAN_CORE_WINDOW_ENTRIES_H

#include "core/window_index.h"

/* Of the key, from the top: bits of the identity's digest, of the body's, and the scope. */
enum { KEY_IDENTITY_BITS = WINDOW_HASH_BITS, KEY_BODY_BITS = 16, KEY_SCOPE_BITS = 12 };
static_assert(KEY_IDENTITY_BITS + KEY_BODY_BITS + KEY_SCOPE_BITS == 64, "a key has 64 bits");
static_assert(WINDOW_SCOPES_MAX == 1 << KEY_SCOPE_BITS, "a key has room for every scope");

struct window_entry {
    uint64_t key;
    uint64_t place;  /* position or number of an unplaced body, bit "leads", 2 bits of state */
    uint32_t time_s; /* confirmed at */
    uint32_t after;  /* confirmed: the scope's next younger; gone: the next free one */
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

/* Adds a pending entry; one must be free. `leader` is that of the same identity, or
 * WINDOW_NO_ENTRY; the new entry leads from now on. */
uint32_t window_entries_add(struct window_entries *entries, struct digest identity, uint64_t key,
                            uint32_t leader);

/* The entry was confirmed: it takes its place among the confirmed ones of its circle. */
void window_entries_settle(struct window_entries *entries, uint32_t entry);

void window_entries_remove(struct window_entries *entries, uint32_t entry);

static inline uint64_t window_key(struct digest identity, struct digest body, uint16_t scope)
{
    return (identity.high >> (64 - KEY_IDENTITY_BITS)) << (64 - KEY_IDENTITY_BITS) |
           (body.high >> (64 - KEY_BODY_BITS)) << KEY_SCOPE_BITS | scope;
}

static inline bool window_key_same_identity(uint64_t a, uint64_t b)
{
    return (a ^ b) >> (64 - KEY_IDENTITY_BITS) == 0;
}

static inline uint16_t window_key_scope(uint64_t key)
{
    return (uint16_t)(key & (WINDOW_SCOPES_MAX - 1));
}

static inline uint64_t window_leader_hash(uint64_t key)
{
    return key >> (64 - KEY_IDENTITY_BITS);
}

/* Where leaders are: their tags have the high bit, and 7 bits of the identity that are not in the
 * key. A leader's tag stays in its slot when another entry of the circle takes over. */
static inline struct window_address window_leader_address(struct digest identity)
{
    return (struct window_address){.hash = identity.high >> (64 - KEY_IDENTITY_BITS),
                                   .tag = (uint8_t)(0x80 | (identity.high & 0x7F))};
}

/* Where followers are; found from the key alone. */
static inline struct window_address window_follower_address(uint64_t key)
{
    uint64_t mixed = (key >> KEY_SCOPE_BITS) * UINT64_C(0x9E3779B97F4A7C15);
    uint8_t tag = (uint8_t)(mixed >> (64 - WINDOW_HASH_BITS - 7) & 0x7F);
    return (struct window_address){.hash = mixed >> (64 - WINDOW_HASH_BITS),
                                   .tag = tag != 0 ? tag : 1};
}

enum { PLACE_STATE_MASK = 3, PLACE_LEADS = 4, PLACE_SHIFT = 3 };
static_assert(WINDOW_POSITION_MAX == UINT64_MAX >> PLACE_SHIFT, "a position fits its bits");

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

/* `position`: of the record, or while pending the number of the unplaced body. */
static inline void window_entry_set(struct window_entry *entry, enum window_state state,
                                    uint64_t position)
{
    assert(position <= WINDOW_POSITION_MAX);
    entry->place = position << PLACE_SHIFT | (entry->place & PLACE_LEADS) | (uint64_t)state;
}

#endif
