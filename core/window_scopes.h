/* Who holds how much of the identity window, and the confirmed entries of each scope, those of each
 * log in the order in which they were confirmed. A part of core/window; nobody else's. */
#ifndef KOUAN_CORE_WINDOW_SCOPES_H
#define KOUAN_CORE_WINDOW_SCOPES_H

#include "core/ranking.h"
#include "core/window_entries.h"

static_assert((int)WINDOW_SCOPES_MAX == (int)RANKING_MAX, "every scope is ranked");

struct window_queue {
    uint32_t oldest, newest; /* WINDOW_NO_ENTRY: none */
};

struct window_scopes {
    struct window_queue *queues; /* scope * log_count + log */
    struct ranking held;         /* entries of each scope, pending ones among them */
    uint32_t count;              /* scopes at or above it never held any */
    uint16_t log_count;
};

/* `queues`: WINDOW_SCOPES_MAX for each log. */
void window_scopes_init(struct window_scopes *scopes, struct window_queue *queues,
                        uint16_t log_count);

void window_scopes_count_in(struct window_scopes *scopes, uint16_t scope);
void window_scopes_count_out(struct window_scopes *scopes, uint16_t scope);

/* The queues that may hold any. */
static inline uint32_t window_scopes_queue_count(const struct window_scopes *scopes)
{
    return scopes->count * scopes->log_count;
}

/* Appends an entry that was just confirmed, by its `after`; and takes a queue's oldest away again.
 */
void window_scopes_append(struct window_scopes *scopes, struct window_entry *items, uint32_t entry);
uint32_t window_scopes_take_oldest(struct window_scopes *scopes, const struct window_entry *items,
                                   uint32_t queue);

/* The queue with the oldest entry of a scope, by seconds, which has one. */
uint32_t window_scopes_oldest(const struct window_scopes *scopes, const struct window_entry *items,
                              uint16_t scope);

/* Whose oldest entry is to go, so that `claimant` gets room: of the scopes that have a confirmed
 * entry and hold more than the claimant, the one that holds the most; or else the claimant itself;
 * false if it has no confirmed entry either. Passes the scopes that have only pending entries and
 * hold more than the one that it finds. */
bool window_scopes_choose(const struct window_scopes *scopes, uint16_t claimant,
                          uint16_t *out_scope);

#endif
