#include "core/window_inside.h"

enum {
    LOOK_AHEAD = 64,      /* claims whose memory is fetched together */
    SWEEP_STEPS = 16,     /* per ask: scopes looked at or entries let go ... */
    SWEEP_STEPS_CLAIM = 2 /* ... and per claim in it, so that sweeping outruns asking */
};

static void look_ahead(const struct window *window, const struct window_claim *claims,
                       uint32_t count);
static void answer(struct window *window, struct window_claim *claim);
static uint32_t find_leader(const struct window *window, const struct window_claim *claim,
                            uint64_t key, enum window_match *out_match);
static uint32_t find_follower(const struct window *window, const struct window_claim *claim,
                              uint64_t key, enum window_match *out_match);
static bool remember(struct window *window, const struct window_claim *claim, uint64_t key,
                     uint32_t leader, uint32_t *out_entry);

const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_FRESH: return "fresh";
    case VERDICT_REPLAY: return "replay";
    case VERDICT_CONFLICT: return "conflict";
    case VERDICT_AMENDMENT: return "amendment";
    case VERDICT_COLLISION: return "collision";
    case VERDICT_NO_ROOM: return "no-room";
    }
    return "unknown";
}

void window_ask(struct window *window, struct window_claim *claims, uint32_t count, uint32_t now_s)
{
    assert(count >= 1 && count <= WINDOW_BATCH_MAX);
    assert(now_s >= window->now_s);
    if (now_s > window->now_s) {
        window->now_s = now_s;
        window_begin_sweep(window);
    }
    window_sweep(window, SWEEP_STEPS + SWEEP_STEPS_CLAIM * count);

    for (uint32_t first = 0; first < count; first += LOOK_AHEAD) {
        uint32_t group = count - first < LOOK_AHEAD ? count - first : LOOK_AHEAD;
        look_ahead(window, claims + first, group);
        for (uint32_t i = 0; i < group; i++)
            answer(window, &claims[first + i]);
    }
}

/* Three passes, each over the whole group, so that loads overlap: the buckets, the entries that
 * they name, and what those will be compared with. It changes nothing and answers nothing. */
static void look_ahead(const struct window *window, const struct window_claim *claims,
                       uint32_t count)
{
    const struct window_settings *settings = &window->settings;
    const struct window_entry *items = window->entries.items;
    uint32_t candidates[LOOK_AHEAD];
    struct window_search search;

    for (uint32_t i = 0; i < count; i++)
        window_index_prefetch(&window->entries.index,
                              window_leader_hash(window_claim_key(&claims[i])));
    for (uint32_t i = 0; i < count; i++) {
        candidates[i] = window_index_first(&window->entries.index,
                                           window_leader_address(claims[i].identity), &search);
        if (candidates[i] != WINDOW_NO_ENTRY)
            __builtin_prefetch(&items[candidates[i]], 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        uint64_t key = window_claim_key(&claims[i]);
        if (candidates[i] == WINDOW_NO_ENTRY)
            continue;
        const struct window_entry *entry = &items[candidates[i]];
        if (!window_key_same_identity(entry->key, key) || window_is_too_old(window, entry))
            continue;
        if (entry->key != key)
            window_index_prefetch(&window->entries.index, window_follower_address(key).hash);
        if (settings->prefetch != NULL && window_entry_state(entry) != WINDOW_PENDING)
            settings->prefetch(settings->context, window_entry_position(entry));
    }
}

static void answer(struct window *window, struct window_claim *claim)
{
    uint64_t key = window_claim_key(claim);
    enum window_match found = WINDOW_MATCH_NOTHING;
    uint32_t leader = find_leader(window, claim, key, &found), twin = leader;
    if (found == WINDOW_MATCH_IDENTITY)
        twin = find_follower(window, claim, key, &found);

    claim->entry = WINDOW_NO_ENTRY;
    claim->first_position = WINDOW_NO_POSITION;
    if (found == WINDOW_MATCH_DIGESTS) {
        claim->verdict = VERDICT_COLLISION;
    } else if (found == WINDOW_MATCH_BODY) {
        const struct window_entry *first = &window->entries.items[twin];
        claim->verdict = VERDICT_REPLAY;
        claim->entry = twin;
        if (window_entry_state(first) != WINDOW_PENDING)
            claim->first_position = window_entry_position(first);
    } else if (!remember(window, claim, key, leader, &claim->entry)) {
        claim->verdict = VERDICT_NO_ROOM;
    } else if (leader == WINDOW_NO_ENTRY) {
        claim->verdict = VERDICT_FRESH;
    } else {
        claim->verdict = claim->supersedes ? VERDICT_AMENDMENT : VERDICT_CONFLICT;
    }
}

/* The leader of the claim's identity, or WINDOW_NO_ENTRY; and how much of it is the claim's. */
static uint32_t find_leader(const struct window *window, const struct window_claim *claim,
                            uint64_t key, enum window_match *out_match)
{
    const struct window_entries *entries = &window->entries;
    struct window_search search;
    for (uint32_t candidate =
             window_index_first(&entries->index, window_leader_address(claim->identity), &search);
         candidate != WINDOW_NO_ENTRY; candidate = window_index_next(&entries->index, &search)) {
        const struct window_entry *entry = &entries->items[candidate];
        if (!window_key_same_identity(entry->key, key) || window_is_too_old(window, entry))
            continue;
        enum window_match found = window_compare(window, entry, claim);
        if (found != WINDOW_MATCH_NOTHING) {
            assert(window_key_scope(entry->key) == claim->scope);
            *out_match = found;
            return candidate;
        }
    }
    return WINDOW_NO_ENTRY;
}

/* The follower that has the claim's identity and body digest, or WINDOW_NO_ENTRY. */
static uint32_t find_follower(const struct window *window, const struct window_claim *claim,
                              uint64_t key, enum window_match *out_match)
{
    const struct window_entries *entries = &window->entries;
    struct window_search search;
    for (uint32_t candidate =
             window_index_first(&entries->index, window_follower_address(key), &search);
         candidate != WINDOW_NO_ENTRY; candidate = window_index_next(&entries->index, &search)) {
        const struct window_entry *entry = &entries->items[candidate];
        if (entry->key != key || window_is_too_old(window, entry))
            continue;
        enum window_match found = window_compare(window, entry, claim);
        if (found == WINDOW_MATCH_DIGESTS || found == WINDOW_MATCH_BODY) {
            *out_match = found;
            return candidate;
        }
    }
    return WINDOW_NO_ENTRY;
}

enum window_match window_compare(const struct window *window, const struct window_entry *entry,
                                 const struct window_claim *claim)
{
    assert(window_entry_state(entry) != WINDOW_GONE);
    uint64_t place = window_entry_position(entry);
    if (window_entry_state(entry) != WINDOW_PENDING)
        return window->settings.match(window->settings.context, place, claim);
    const struct window_unplaced *unplaced = &window->unplaced[place];
    if (!digest_equal(unplaced->identity, claim->identity))
        return WINDOW_MATCH_NOTHING;
    if (!digest_equal(unplaced->body_digest, claim->body_digest))
        return WINDOW_MATCH_IDENTITY;
    return bytes_equal(unplaced->body, claim->body) ? WINDOW_MATCH_BODY : WINDOW_MATCH_DIGESTS;
}

static void count_in(struct window *window, uint16_t scope)
{
    uint32_t scopes = window->scopes.count;
    window_scopes_count_in(&window->scopes, scope);
    if (window->scopes.count > scopes && window->sweep_left > 0)
        window_begin_sweep(window); /* the round has become longer */
}

/* Makes the claim a pending entry. */
static bool remember(struct window *window, const struct window_claim *claim, uint64_t key,
                     uint32_t leader, uint32_t *out_entry)
{
    uint32_t evicted;
    if (window->unplaced_free_count == 0 || !window_make_room(window, claim->scope, &evicted))
        return false;
    if (evicted == leader) /* it was the last of its circle: the oldest, and yet the latest */
        leader = WINDOW_NO_ENTRY;

    uint32_t entry = window_entries_add(&window->entries, claim->identity, key, leader);
    uint32_t slot = window->unplaced_free[--window->unplaced_free_count];
    window->unplaced[slot] = (struct window_unplaced){
        .identity = claim->identity, .body_digest = claim->body_digest, .body = claim->body};
    window_entry_set(&window->entries.items[entry], WINDOW_PENDING, slot);
    count_in(window, claim->scope);
    window->pending++;
    *out_entry = entry;
    return true;
}
