/* The identity window from inside, for its own modules only:
 *
 *   window.c          opening, an entry's life, figures
 *   window_ask.c      claims and verdicts           window_restore.c  what the log knows of them
 *   window_room.c     what goes, and when
 *   window_entries.c  the entries of an identity      window_index.c  from hashes to entries
 *   window_scopes.c   what each scope holds           ranking.c       ... and who holds the most */
#ifndef KOUAN_CORE_WINDOW_INSIDE_H
#define KOUAN_CORE_WINDOW_INSIDE_H

#include "core/region.h"
#include "core/window_entries.h"
#include "core/window_scopes.h"

/* What a pending entry is compared with while no journal has it. */
struct window_unplaced {
    struct digest identity, body_digest;
    struct bytes body; /* without data: it was lent */
};

struct window {
    struct window_settings settings;
    struct region region; /* this window itself, too */
    struct window_entries entries;
    struct window_scopes scopes;

    struct window_unplaced *unplaced;
    uint32_t *unplaced_free; /* a stack of numbers */
    uint32_t unplaced_free_count;

    uint64_t floors[WINDOW_LOGS_MAX]; /* what of a log lies below is forgotten */
    uint32_t now_s;
    uint32_t sweep_queue, sweep_left; /* the next queue to sweep; how many may still need it */

    uint64_t pending, evicted_for_room, expired, forgotten, withdrawn;
};

/* How much of an entry is the claim's: asks the journal, or while nothing is placed the memory. */
enum window_match window_compare(const struct window *window, uint32_t entry,
                                 const struct window_claim *claim);

/* Adds a pending entry for the claim to the circle of `leader`, if it has one, and makes room for
 * it. WINDOW_NO_ENTRY: there is none. */
uint32_t window_add(struct window *window, const struct window_claim *claim, uint32_t leader);

/* Confirms an entry at `position`, which is not counted as pending. */
void window_settle(struct window *window, uint32_t entry, uint64_t position, uint32_t time_s);

/* A confirmed entry that is forgotten already, whether swept out or not. */
static inline bool window_is_too_old(const struct window *window, const struct window_entry *entry)
{
    return window_entry_state(entry) == WINDOW_CONFIRMED &&
           (window_entry_position(entry) < window->floors[window_entry_log(entry)] ||
            window->now_s - entry->time_s > window->settings.span_s);
}

/* Of the circle that this entry leads, one that is not forgotten: it or the tail; or
 * WINDOW_NO_ENTRY. */
static inline uint32_t window_witness(const struct window *window, uint32_t leader)
{
    const struct window_entry *items = window->entries.items;
    if (!window_is_too_old(window, &items[leader]))
        return leader;
    uint32_t tail = items[leader].circle_previous;
    return window_is_too_old(window, &items[tail]) ? WINDOW_NO_ENTRY : tail;
}

/* Every scope may have entries that have just become too old. */
static inline void window_begin_sweep(struct window *window)
{
    window->sweep_left = window_scopes_queue_count(&window->scopes);
}

/* Sweeps out what is too old, in at most `steps` steps. */
void window_sweep(struct window *window, uint32_t steps);

void window_remove(struct window *window, uint32_t entry);

/* Sees to it that an entry is free. If none was, `out_gone` went (else WINDOW_NO_ENTRY): one that
 * is too old, or else one that is pushed out. False if there is none that this scope may push out.
 */
bool window_make_room(struct window *window, uint16_t claimant, uint32_t *out_gone);

#endif
