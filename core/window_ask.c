#include "core/window_inside.h"

enum {
    LOOK_AHEAD = 64,      /* claims whose memory is fetched together */
    SWEEP_STEPS = 16,     /* per ask: scopes looked at or entries let go ... */
    SWEEP_STEPS_CLAIM = 2 /* ... and per claim in it, so that sweeping outruns asking */
};

/* What the window has of a claim's identity. */
struct finding {
    uint32_t leader;         /* of its circle in the claim's log, or WINDOW_NO_ENTRY */
    uint32_t twin;           /* the entry that `match` is about */
    enum window_match match; /* NOTHING: it is new; IDENTITY: no entry with this body digest;
                                UNREAD: the twin's record has to be read first */
    bool has_followers;
};

static void look_ahead(const struct window *window, const struct window_claim *claims,
                       uint32_t count);
static const struct window_claim *find_unread(const struct window_claim *claims, uint32_t count,
                                              const struct window_claim *claim);
static void answer_unread(struct window_claim *claim, uint64_t position);
static void answer(struct window *window, struct window_claim *claim);
static struct finding find_leaders(const struct window *window, const struct window_claim *claim);
static enum window_match compare_circle(const struct window *window,
                                        const struct window_claim *claim, uint32_t leader,
                                        uint32_t *out_twin);
static void find_follower(const struct window *window, const struct window_claim *claim,
                          struct finding *finding);
static bool remember(struct window *window, struct window_claim *claim, uint32_t leader);

const char *verdict_name(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_FRESH: return "fresh";
    case VERDICT_REPLAY: return "replay";
    case VERDICT_CONFLICT: return "conflict";
    case VERDICT_AMENDMENT: return "amendment";
    case VERDICT_COLLISION: return "collision";
    case VERDICT_NO_ROOM: return "no-room";
    case VERDICT_UNREAD: return "unread";
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

    uint64_t unread_identities = 0; /* a bit for what each is in 64 */
    for (uint32_t i = 0; i < count; i++) {
        if (i % LOOK_AHEAD == 0)
            look_ahead(window, claims + i, count - i < LOOK_AHEAD ? count - i : LOOK_AHEAD);
        uint64_t bit = UINT64_C(1) << (claims[i].identity.low & 63);
        const struct window_claim *unread =
            (unread_identities & bit) != 0 ? find_unread(claims, i, &claims[i]) : NULL;
        if (unread != NULL)
            answer_unread(&claims[i], unread->first_position);
        else
            answer(window, &claims[i]);
        if (claims[i].verdict == VERDICT_UNREAD)
            unread_identities |= bit;
    }
}

/* The one before the claim that is unread and has its identity. */
static const struct window_claim *find_unread(const struct window_claim *claims, uint32_t count,
                                              const struct window_claim *claim)
{
    for (uint32_t i = 0; i < count; i++)
        if (claims[i].verdict == VERDICT_UNREAD &&
            digest_equal(claims[i].identity, claim->identity))
            return &claims[i];
    return NULL;
}

static void answer_unread(struct window_claim *claim, uint64_t position)
{
    claim->verdict = VERDICT_UNREAD;
    claim->entry = WINDOW_NO_ENTRY;
    claim->first_position = position;
}

/* Three passes, each over the whole group, so that loads overlap: the buckets, the entries that
 * they name, and what those will be compared with. It changes nothing and answers nothing. */
static void look_ahead(const struct window *window, const struct window_claim *claims,
                       uint32_t count)
{
    const struct window_settings *settings = &window->settings;
    const struct window_index *index = &window->entries.index;
    const struct window_entry *items = window->entries.items;
    uint32_t candidates[LOOK_AHEAD];
    struct window_search search;

    for (uint32_t i = 0; i < count; i++)
        window_index_prefetch(index, window_key_hash(window_leader_key(&claims[i])));
    for (uint32_t i = 0; i < count; i++) {
        candidates[i] = window_index_first(index, window_key_hash(window_leader_key(&claims[i])),
                                           window_leader_tag(&claims[i]), &search);
        if (candidates[i] != WINDOW_NO_ENTRY)
            __builtin_prefetch(&items[candidates[i]], 1);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (candidates[i] == WINDOW_NO_ENTRY)
            continue;
        const struct window_entry *entry = &items[candidates[i]];
        if (entry->key != window_leader_key(&claims[i]) || window_is_too_old(window, entry))
            continue;
        if (!window_entry_is_alone(items, candidates[i]))
            window_index_prefetch(index, window_key_hash(window_follower_key(&claims[i])));
        if (settings->prefetch != NULL && window_entry_state(entry) != WINDOW_PENDING)
            settings->prefetch(settings->context, window_entry_position(entry));
    }
}

static void answer(struct window *window, struct window_claim *claim)
{
    assert(claim->log < window->settings.log_count);
    struct finding finding = find_leaders(window, claim);
    if (finding.match == WINDOW_MATCH_IDENTITY && finding.has_followers)
        find_follower(window, claim, &finding);

    claim->entry = WINDOW_NO_ENTRY;
    claim->first_position = WINDOW_NO_POSITION;
    if (finding.match == WINDOW_MATCH_UNREAD) {
        answer_unread(claim, window_entry_position(&window->entries.items[finding.twin]));
    } else if (finding.match == WINDOW_MATCH_DIGESTS) {
        claim->verdict = VERDICT_COLLISION;
    } else if (finding.match == WINDOW_MATCH_BODY) {
        const struct window_entry *first = &window->entries.items[finding.twin];
        claim->verdict = VERDICT_REPLAY;
        claim->entry = finding.twin;
        if (window_entry_state(first) != WINDOW_PENDING)
            claim->first_position = window_entry_position(first);
    } else if (!remember(window, claim, finding.leader)) {
        claim->verdict = VERDICT_NO_ROOM;
    } else if (finding.match == WINDOW_MATCH_NOTHING) {
        claim->verdict = VERDICT_FRESH;
    } else {
        claim->verdict = claim->supersedes ? VERDICT_AMENDMENT : VERDICT_CONFLICT;
    }
}

/* Looks for the circles of the claim's identity, one for each log, in which an entry lives: the
 * leader, or at least the tail. One in which none does may have the claim's identity too, until it
 * is swept out: it is passed over. */
static struct finding find_leaders(const struct window *window, const struct window_claim *claim)
{
    const struct window_entries *entries = &window->entries;
    uint64_t key = window_leader_key(claim);
    struct finding finding = {.leader = WINDOW_NO_ENTRY, .match = WINDOW_MATCH_NOTHING};
    struct window_search search;
    for (uint32_t leader = window_index_first(&entries->index, window_key_hash(key),
                                              window_leader_tag(claim), &search);
         leader != WINDOW_NO_ENTRY; leader = window_index_next(&entries->index, &search)) {
        if (entries->items[leader].key != key)
            continue;
        uint32_t twin;
        enum window_match match = compare_circle(window, claim, leader, &twin);
        if (match == WINDOW_MATCH_NOTHING)
            continue;
        finding.match = match;
        finding.twin = twin;
        if (match != WINDOW_MATCH_IDENTITY)
            break;
        finding.has_followers |= !window_entry_is_alone(entries->items, leader);
        if (window_entry_log(&entries->items[leader]) == claim->log)
            finding.leader = leader;
        if (window->settings.log_count == 1)
            break;
    }
    return finding;
}

/* What was restored has a circle for each key and log. Two identities of one key are as rare as
 * searches that the filter lets through, but then the claim's may be any in the circle. */
static enum window_match compare_circle(const struct window *window,
                                        const struct window_claim *claim, uint32_t leader,
                                        uint32_t *out_twin)
{
    const struct window_entry *items = window->entries.items;
    *out_twin = window_witness(window, leader);
    if (*out_twin == WINDOW_NO_ENTRY)
        return WINDOW_MATCH_NOTHING;
    enum window_match match = window_compare(window, *out_twin, claim);
    for (uint32_t entry = items[leader].circle_next;
         match == WINDOW_MATCH_NOTHING && entry != leader; entry = items[entry].circle_next) {
        if (window_is_too_old(window, &items[entry]))
            continue;
        *out_twin = entry;
        match = window_compare(window, entry, claim);
    }
    return match;
}

/* Looks for a follower with the claim's body digest; leaves the finding if there is none. */
static void find_follower(const struct window *window, const struct window_claim *claim,
                          struct finding *finding)
{
    const struct window_entries *entries = &window->entries;
    uint64_t key = window_follower_key(claim);
    struct window_search search;
    for (uint32_t follower = window_index_first(&entries->index, window_key_hash(key),
                                                window_follower_tag(claim), &search);
         follower != WINDOW_NO_ENTRY; follower = window_index_next(&entries->index, &search)) {
        const struct window_entry *entry = &entries->items[follower];
        if (entry->key != key || window_is_too_old(window, entry))
            continue;
        enum window_match match = window_compare(window, follower, claim);
        if (match != WINDOW_MATCH_NOTHING && match != WINDOW_MATCH_IDENTITY) {
            finding->twin = follower;
            finding->match = match;
            return;
        }
    }
}

enum window_match window_compare(const struct window *window, uint32_t entry,
                                 const struct window_claim *claim)
{
    const struct window_entry *item = &window->entries.items[entry];
    uint64_t place = window_entry_position(item);
    assert(window_entry_state(item) != WINDOW_GONE);
    if (window_entry_state(item) != WINDOW_PENDING) {
        for (uint16_t i = 0; i < claim->known_count; i++)
            if (claim->known[i].position == place)
                return claim->known[i].match;
        return window->settings.match(window->settings.context, place, claim);
    }
    const struct window_unplaced *unplaced = &window->unplaced[window_position_offset(place)];
    if (!digest_equal(unplaced->identity, claim->identity))
        return WINDOW_MATCH_NOTHING;
    if (!digest_equal(unplaced->body_digest, claim->body_digest))
        return WINDOW_MATCH_IDENTITY;
    bool is_equal = unplaced->body.data == NULL || bytes_equal(unplaced->body, claim->body);
    return is_equal ? WINDOW_MATCH_BODY : WINDOW_MATCH_DIGESTS;
}

static void count_in(struct window *window, uint16_t scope)
{
    uint32_t scopes = window->scopes.count;
    window_scopes_count_in(&window->scopes, scope);
    if (window->scopes.count > scopes && window->sweep_left > 0)
        window_begin_sweep(window); /* the round has become longer */
}

uint32_t window_add(struct window *window, const struct window_claim *claim, uint32_t leader)
{
    struct window_entry *items = window->entries.items;
    uint32_t heir = WINDOW_NO_ENTRY, gone;
    if (leader != WINDOW_NO_ENTRY && !window_entry_is_alone(items, leader))
        heir = items[leader].circle_next;
    if (!window_make_room(window, claim->scope, &gone))
        return WINDOW_NO_ENTRY;
    if (gone == leader)
        leader = heir;
    uint32_t entry = window_entries_add(&window->entries, claim, leader);
    count_in(window, claim->scope);
    return entry;
}

/* Makes the claim a pending entry in the circle of `leader`, if it has one. */
static bool remember(struct window *window, struct window_claim *claim, uint32_t leader)
{
    if (window->unplaced_free_count == 0)
        return false;
    claim->entry = window_add(window, claim, leader);
    if (claim->entry == WINDOW_NO_ENTRY)
        return false;
    uint32_t slot = window->unplaced_free[--window->unplaced_free_count];
    window->unplaced[slot] =
        (struct window_unplaced){.identity = claim->identity,
                                 .body_digest = claim->body_digest,
                                 .body = claim->is_body_lent ? (struct bytes){0} : claim->body};
    window_entry_set(&window->entries.items[claim->entry], WINDOW_PENDING,
                     window_position(claim->log, slot));
    window->pending++;
    return true;
}
