#include "core/window_scopes.h"

void window_scopes_init(struct window_scopes *scopes)
{
    for (uint32_t i = 0; i < WINDOW_SCOPES_MAX; i++)
        scopes->queues[i] = (struct window_queue){WINDOW_NO_ENTRY, WINDOW_NO_ENTRY};
    ranking_init(&scopes->held);
    scopes->count = 0;
}

void window_scopes_count_in(struct window_scopes *scopes, uint16_t scope)
{
    ranking_raise(&scopes->held, scope);
    if (scopes->count <= scope)
        scopes->count = scope + 1U;
}

void window_scopes_count_out(struct window_scopes *scopes, uint16_t scope)
{
    ranking_lower(&scopes->held, scope);
}

void window_scopes_append(struct window_scopes *scopes, struct window_entry *items, uint32_t entry)
{
    struct window_queue *queue = &scopes->queues[window_key_scope(items[entry].key)];
    items[entry].after = WINDOW_NO_ENTRY;
    if (queue->newest == WINDOW_NO_ENTRY) {
        queue->oldest = entry;
    } else {
        struct window_entry *newest = &items[queue->newest];
        assert(window_entry_position(newest) < window_entry_position(&items[entry]));
        newest->after = entry;
    }
    queue->newest = entry;
}

uint32_t window_scopes_take_oldest(struct window_scopes *scopes, const struct window_entry *items,
                                   uint16_t scope)
{
    struct window_queue *queue = &scopes->queues[scope];
    uint32_t entry = queue->oldest;
    assert(entry != WINDOW_NO_ENTRY);
    queue->oldest = items[entry].after;
    if (queue->oldest == WINDOW_NO_ENTRY)
        queue->newest = WINDOW_NO_ENTRY;
    return entry;
}

bool window_scopes_choose(const struct window_scopes *scopes, uint16_t claimant,
                          uint16_t *out_scope)
{
    uint32_t claimant_holds = ranking_count(&scopes->held, claimant);
    for (uint32_t rank = 0; rank < scopes->count; rank++) {
        uint16_t scope = ranking_at(&scopes->held, rank);
        if (ranking_count(&scopes->held, scope) <= claimant_holds)
            break;
        if (scopes->queues[scope].oldest != WINDOW_NO_ENTRY) {
            *out_scope = scope;
            return true;
        }
    }
    *out_scope = claimant;
    return scopes->queues[claimant].oldest != WINDOW_NO_ENTRY;
}
