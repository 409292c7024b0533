#include "core/window_inside.h"

enum { SWEEP_FETCHED = 16 }; /* entries whose memory is fetched together */

static void fetch_oldest(const struct window *window, uint32_t queue);
static uint32_t sweep_once(struct window *window);
static uint32_t remove_oldest(struct window *window, uint32_t queue);

void window_sweep(struct window *window, uint32_t steps)
{
    for (uint32_t step = 0; step < steps && window->sweep_left > 0; step++) {
        if (step % SWEEP_FETCHED == 0)
            fetch_oldest(window, window->sweep_queue);
        sweep_once(window);
    }
}

/* The buckets of those that a sweep will let go next: a queue's are far apart in the index. */
static void fetch_oldest(const struct window *window, uint32_t queue)
{
    const struct window_entry *items = window->entries.items;
    uint32_t entry = window->scopes.queues[queue].oldest;
    for (uint32_t i = 0;
         i < SWEEP_FETCHED && entry != WINDOW_NO_ENTRY && window_is_too_old(window, &items[entry]);
         i++, entry = items[entry].after)
        window_index_prefetch(&window->entries.index, window_key_hash(items[entry].key));
}

bool window_make_room(struct window *window, uint16_t claimant, uint32_t *out_gone)
{
    uint16_t scope;
    *out_gone = WINDOW_NO_ENTRY;
    if (window_entries_next_free(&window->entries) != WINDOW_NO_ENTRY)
        return true;
    while (*out_gone == WINDOW_NO_ENTRY && window->sweep_left > 0)
        *out_gone = sweep_once(window);
    if (*out_gone != WINDOW_NO_ENTRY)
        return true;
    if (!window_scopes_choose(&window->scopes, claimant, &scope))
        return false;
    *out_gone =
        remove_oldest(window, window_scopes_oldest(&window->scopes, window->entries.items, scope));
    window->evicted_for_room++;
    return true;
}

/* The queues are looked at in turn, each until its oldest entry may stay. Gives the entry that
 * went, or WINDOW_NO_ENTRY. */
static uint32_t sweep_once(struct window *window)
{
    assert(window->sweep_left > 0);
    uint32_t queue = window->sweep_queue, oldest = window->scopes.queues[queue].oldest;
    const struct window_entry *items = window->entries.items;
    if (oldest == WINDOW_NO_ENTRY || !window_is_too_old(window, &items[oldest])) {
        window->sweep_left--;
        window->sweep_queue =
            queue + 1 < window_scopes_queue_count(&window->scopes) ? queue + 1 : 0;
        return WINDOW_NO_ENTRY;
    }
    if (window_entry_position(&items[oldest]) < window->floors[window_entry_log(&items[oldest])])
        window->forgotten++;
    else
        window->expired++;
    return remove_oldest(window, queue);
}

/* Lets the oldest entry of a queue go, and fetches what the next such call will touch:
 * in a full window that comes soon. */
static uint32_t remove_oldest(struct window *window, uint32_t queue)
{
    const struct window_entry *items = window->entries.items;
    uint32_t entry = window_scopes_take_oldest(&window->scopes, items, queue);
    window_remove(window, entry);

    uint32_t next = window->scopes.queues[queue].oldest;
    if (next != WINDOW_NO_ENTRY) {
        uint32_t leaves = window_entry_leads(&items[next]) ? items[next].circle_next : next;
        window_index_prefetch(&window->entries.index, window_key_hash(items[leaves].key));
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
