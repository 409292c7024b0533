#include "core/window_inside.h"

static void sweep_once(struct window *window);
static uint32_t remove_oldest(struct window *window, uint16_t scope);

void window_sweep(struct window *window, uint32_t steps)
{
    for (; steps > 0 && window->sweep_left > 0; steps--)
        sweep_once(window);
}

/* The scopes are looked at in turn, each until its oldest entry may stay. */
static void sweep_once(struct window *window)
{
    assert(window->sweep_left > 0);
    uint16_t scope = (uint16_t)window->sweep_scope;
    uint32_t oldest = window->scopes.queues[scope].oldest;
    const struct window_entry *items = window->entries.items;
    if (oldest == WINDOW_NO_ENTRY || !window_is_too_old(window, &items[oldest])) {
        window->sweep_left--;
        window->sweep_scope = scope + 1U < window->scopes.count ? scope + 1U : 0;
        return;
    }
    if (window_entry_position(&items[oldest]) < window->floor)
        window->forgotten++;
    else
        window->expired++;
    remove_oldest(window, scope);
}

bool window_make_room(struct window *window, uint16_t claimant, uint32_t *out_evicted)
{
    uint16_t scope;
    *out_evicted = WINDOW_NO_ENTRY;
    while (window_entries_next_free(&window->entries) == WINDOW_NO_ENTRY && window->sweep_left > 0)
        sweep_once(window);
    if (window_entries_next_free(&window->entries) != WINDOW_NO_ENTRY)
        return true;
    if (!window_scopes_choose(&window->scopes, claimant, &scope))
        return false;
    *out_evicted = remove_oldest(window, scope);
    window->evicted_for_room++;
    return true;
}

/* Lets the oldest confirmed entry of a scope go, and fetches what the next such call will touch. */
static uint32_t remove_oldest(struct window *window, uint16_t scope)
{
    const struct window_entry *items = window->entries.items;
    uint32_t entry = window_scopes_take_oldest(&window->scopes, window->entries.items, scope);
    window_remove(window, entry);

    uint32_t next = window->scopes.queues[scope].oldest;
    if (next != WINDOW_NO_ENTRY) {
        uint64_t hash = window_entry_leads(&items[next])
                            ? window_leader_hash(items[next].key)
                            : window_follower_address(items[next].key).hash;
        window_index_prefetch(&window->entries.index, hash);
        if (items[next].after != WINDOW_NO_ENTRY)
            __builtin_prefetch(&items[items[next].after], 1);
    }
    return entry;
}

void window_remove(struct window *window, uint32_t entry)
{
    window_scopes_count_out(&window->scopes, window_key_scope(window->entries.items[entry].key));
    window_entries_remove(&window->entries, entry);
}
