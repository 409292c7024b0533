#include "core/window_scopes.h"

void window_scopes_init(struct window_scopes *scopes, struct window_queue *queues,
                        uint16_t log_count)
{
    assert(log_count >= 1 && log_count <= WINDOW_LOGS_MAX);
    for (uint32_t i = 0; i < (uint32_t)WINDOW_SCOPES_MAX * log_count; i++)
        queues[i] = (struct window_queue){WINDOW_NO_ENTRY, WINDOW_NO_ENTRY};
    ranking_init(&scopes->held);
    scopes->queues = queues;
    scopes->count = 0;
    scopes->log_count = log_count;
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
    uint32_t scope = window_key_scope(items[entry].key);
    struct window_queue *queue =
        &scopes->queues[scope * scopes->log_count + window_entry_log(&items[entry])];
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
                                   uint32_t queue)
{
    struct window_queue *from = &scopes->queues[queue];
    uint32_t entry = from->oldest;
    assert(entry != WINDOW_NO_ENTRY);
    from->oldest = items[entry].after;
    if (from->oldest == WINDOW_NO_ENTRY)
        from->newest = WINDOW_NO_ENTRY;
    return entry;
}

uint32_t window_scopes_oldest(const struct window_scopes *scopes, const struct window_entry *items,
                              uint16_t scope)
{
    uint32_t first = (uint32_t)scope * scopes->log_count, oldest = first;
    for (uint32_t queue = first + 1; queue < first + scopes->log_count; queue++) {
        uint32_t entry = scopes->queues[queue].oldest, before = scopes->queues[oldest].oldest;
        if (entry != WINDOW_NO_ENTRY &&
            (before == WINDOW_NO_ENTRY || items[entry].time_s < items[before].time_s))
            oldest = queue;
    }
    return oldest;
}

static bool has_confirmed(const struct window_scopes *scopes, uint16_t scope)
{
    const struct window_queue *queues = &scopes->queues[(uint32_t)scope * scopes->log_count];
    for (uint16_t log = 0; log < scopes->log_count; log++)
        if (queues[log].oldest != WINDOW_NO_ENTRY)
            return true;
    return false;
}

bool window_scopes_choose(const struct window_scopes *scopes, uint16_t claimant,
                          uint16_t *out_scope)
{
    uint32_t claimant_holds = ranking_count(&scopes->held, claimant);
    for (uint32_t rank = 0; rank < scopes->count; rank++) {
        uint16_t scope = ranking_at(&scopes->held, rank);
        if (ranking_count(&scopes->held, scope) <= claimant_holds)
            break;
        if (has_confirmed(scopes, scope)) {
            *out_scope = scope;
            return true;
        }
    }
    *out_scope = claimant;
    return has_confirmed(scopes, claimant);
}
