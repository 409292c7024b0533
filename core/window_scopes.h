/* Who holds how much of the identity window, and each scope's confirmed entries in the order in
 * which they were confirmed. A part of core/window; nobody else's. */
#ifndef KOUAN_CORE_WINDOW_SCOPES_H
#define KOUAN_CORE_WINDOW_SCOPES_H

#include "core/ranking.h"
#include "core/window_entries.h"

static_assert((int)WINDOW_SCOPES_MAX == (int)RANKING_MAX, "every scope is ranked");

struct window_queue {
    uint32_t oldest, newest; /* WINDOW_NO_ENTRY: none */
};

struct window_scopes {
    struct window_queue queues[WINDOW_SCOPES_MAX];
    struct ranking held; /* entries of each scope, pending ones among them */
    uint32_t count;      /* scopes at or above it never held any */
};

void window_scopes_init(struct window_scopes *scopes);

void window_scopes_count_in(struct window_scopes *scopes, uint16_t scope);
void window_scopes_count_out(struct window_scopes *scopes, uint16_t scope);

/* Appends an entry that was just confirmed, by its `after`; and takes the oldest away again. */
void window_scopes_append(struct window_scopes *scopes, struct window_entry *items, uint32_t entry);
uint32_t window_scopes_take_oldest(struct window_scopes *scopes, const struct window_entry *items,
                                   uint16_t scope);

/* Whose oldest entry is to go, so that `claimant` gets room: of the scopes that have a confirmed
 * entry and hold more than the claimant, the one that holds the most; or else the claimant itself;
 * false if it has no confirmed entry either. Passes the scopes that have only pending entries and
 * hold more than the one that it finds. */
bool window_scopes_choose(const struct window_scopes *scopes, uint16_t claimant,
                          uint16_t *out_scope);

#endif
