#include "core/window_inside.h"

enum { LOOK_AHEAD = 64 }; /* items whose memory is fetched together */

static uint32_t choose(const struct window *window, const struct window_restored *items,
                       uint32_t count, struct window_claim *out_claims, uint32_t *out_chosen);
static void look_ahead(const struct window *window, const struct window_claim *claims,
                       uint32_t count);
static void restore(struct window *window, const struct window_claim *claim,
                    const struct window_restored *item);

void window_restore(struct window *window, const struct window_restored *items, uint32_t count,
                    uint32_t now_s)
{
    assert(window->pending == 0 && now_s >= window->now_s);
    window->now_s = now_s;
    for (uint32_t first = 0; first < count; first += LOOK_AHEAD) {
        struct window_claim claims[LOOK_AHEAD];
        uint32_t chosen[LOOK_AHEAD];
        uint32_t group = count - first < LOOK_AHEAD ? count - first : LOOK_AHEAD;
        group = choose(window, items + first, group, claims, chosen);
        look_ahead(window, claims, group);
        for (uint32_t i = 0; i < group; i++)
            restore(window, &claims[i], &items[first + chosen[i]]);
    }
}

/* Those that are not too old, as claims; how many they are. */
static uint32_t choose(const struct window *window, const struct window_restored *items,
                       uint32_t count, struct window_claim *out_claims, uint32_t *out_chosen)
{
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < count; i++) {
        assert(items[i].time_s <= window->now_s && items[i].position <= WINDOW_POSITION_MAX);
        uint16_t log = window_position_log(items[i].position);
        assert(log < window->settings.log_count);
        if (items[i].position < window->floors[log] ||
            window->now_s - items[i].time_s > window->settings.span_s)
            continue;
        out_claims[chosen] = (struct window_claim){.identity = items[i].identity,
                                                   .body_digest = items[i].body_digest,
                                                   .scope = items[i].scope,
                                                   .log = log};
        out_chosen[chosen++] = i;
    }
    return chosen;
}

/* The buckets, and then the entries in them that may have the same key. */
static void look_ahead(const struct window *window, const struct window_claim *claims,
                       uint32_t count)
{
    const struct window_index *index = &window->entries.index;
    struct window_search search;
    for (uint32_t i = 0; i < count; i++)
        window_index_prefetch(index, window_key_hash(window_leader_key(&claims[i])));
    for (uint32_t i = 0; i < count; i++) {
        uint32_t candidate =
            window_index_first(index, window_key_hash(window_leader_key(&claims[i])),
                               window_leader_tag(&claims[i]), &search);
        if (candidate != WINDOW_NO_ENTRY)
            __builtin_prefetch(&window->entries.items[candidate], 1);
    }
}

/* The first circle of this key and log in which an entry lives. */
static uint32_t find_circle(const struct window *window, const struct window_claim *claim)
{
    const struct window_entries *entries = &window->entries;
    uint64_t key = window_leader_key(claim);
    struct window_search search;
    uint32_t leader = window_index_first(&entries->index, window_key_hash(key),
                                         window_leader_tag(claim), &search);
    while (leader != WINDOW_NO_ENTRY && (entries->items[leader].key != key ||
                                         window_entry_log(&entries->items[leader]) != claim->log ||
                                         window_witness(window, leader) == WINDOW_NO_ENTRY))
        leader = window_index_next(&entries->index, &search);
    return leader;
}

static void restore(struct window *window, const struct window_claim *claim,
                    const struct window_restored *item)
{
    uint32_t entry = window_add(window, claim, find_circle(window, claim));
    assert(entry != WINDOW_NO_ENTRY); /* nothing is pending, so something may go */
    window_settle(window, entry, item->position, item->time_s);
}
