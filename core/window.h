/* The identity window: which messages were seen lately, exactly. Fixed capacity, reserved at start,
 * at most 40 bytes an entry all told; bounded in time and entries, fair per scope; one owner
 * thread.
 *
 * The first key is (identity, body digest); the identity alone is the second:
 *
 *   identity  body          verdict
 *   new       -             FRESH       remembered as pending
 *   known     known with it REPLAY      not remembered again; `first_position` names the first's
 * record known     other         AMENDMENT if the claim's function is change or cancel, else
 * CONFLICT; remembered
 *
 * A claim is asked, then answered, later perhaps; the asker then appends and confirms, or
 * withdraws: ask -> (FRESH | CONFLICT | AMENDMENT: entry pending) -> place(position) -> confirm or
 * -> withdraw ask -> REPLAY of a pending entry: the caller waits for the same commit, see
 * window_state(). Duplicates inside one batch find each other. The digest finds a candidate; the
 * caller's `same_bytes` callback compares with the journal's copy, and only then is it a replay.
 * Equal digests of unequal bytes are COLLISION: an alarm.
 *
 * Fairness: every scope may use the whole window while there is room. When it is full, the entry
 * that goes is the oldest of the scope that holds the most, so that no scope pushes out one that
 * holds less than its share. */
#ifndef KOUAN_CORE_WINDOW_H
#define KOUAN_CORE_WINDOW_H

#include "core/digest.h"
#include "core/status.h"

enum {
    WINDOW_SCOPES_MAX = 4096,
    WINDOW_BATCH_MAX = 1024,
    WINDOW_ENTRY_BYTES_MAX = 40 /* of memory, over everything that grows with the capacity */
};
#define WINDOW_NO_POSITION UINT64_MAX
#define WINDOW_NO_ENTRY    UINT32_MAX

enum verdict {
    VERDICT_FRESH,
    VERDICT_REPLAY,
    VERDICT_CONFLICT,
    VERDICT_AMENDMENT,
    VERDICT_COLLISION, /* nothing remembered; refuse and alarm */
    VERDICT_NO_ROOM    /* every entry is pending: nothing remembered; try again */
};
const char *verdict_name(enum verdict verdict); /* "fresh", "replay" ... */

struct window_claim {
    struct digest identity, body_digest;
    uint16_t scope;  /* below WINDOW_SCOPES_MAX */
    bool supersedes; /* the function is change or cancel */
    struct bytes body;
    /* Answers: */
    enum verdict verdict;
    uint32_t entry; /* REPLAY: the first's; the others: the new one; else WINDOW_NO_ENTRY */
    uint64_t first_position; /* REPLAY: the first's position, WINDOW_NO_POSITION until placed */
};

enum window_state { WINDOW_GONE, WINDOW_PENDING, WINDOW_PLACED, WINDOW_CONFIRMED };

struct window_settings {
    uint64_t entries_max; /* 1024 .. 2^31 */
    uint32_t span_s;      /* older entries are forgotten; by the log's time */
    /* True if the record at `position` has just these bytes as its body (and, where `identity` is
     * not NULL, that identity). Called for placed and confirmed entries only. */
    bool (*same_bytes)(void *context, uint64_t position, const struct digest *identity,
                       struct bytes body);
    void *context;
};

struct window;

/* Reserves and touches all memory. NO_MEMORY if it is not to be had. */
MUST_CHECK enum status window_open(const struct window_settings *settings,
                                   struct window **out_window);
void window_close(struct window *window);

/* Answers `count` (1..WINDOW_BATCH_MAX) claims: hashes are known, so all buckets are prefetched
 * first, then probed. A claim sees the claims before it in the batch. `now_s` is the log's time,
 * never falling. A claim whose pending twin is in memory only (not placed) compares by `body` of
 * the earlier claim, which must stay readable until that entry is placed or withdrawn: the caller
 * guarantees it. */
void window_ask(struct window *window, struct window_claim *claims, uint32_t count, uint32_t now_s);

/* The record of a pending entry was appended at `position` (positions only grow, over all calls).
 */
void window_place(struct window *window, uint32_t entry, uint64_t position);

/* The record is durable; the entry begins to age. */
void window_confirm(struct window *window, uint32_t entry);

/* The record will not be: the identity is free again. */
void window_withdraw(struct window *window, uint32_t entry);

/* Of an entry that a claim was answered with, while its asker waits. An entry that was withdrawn,
 * and perhaps used again since, is told apart by `identity`. */
enum window_state window_entry_state(const struct window *window, uint32_t entry,
                                     struct digest identity, uint64_t *out_position);

/* Forgets the placed entries whose record lies below `position`: its bytes are about to go. */
void window_forget_before(struct window *window, uint64_t position);

struct window_figures {
    uint64_t capacity, used, pending, memory_bytes;
    uint64_t evicted_for_room, expired, forgotten; /* cumulative */
    uint32_t oldest_s;                             /* log time of the oldest entry; 0 if none */
};
void window_figures(const struct window *window, struct window_figures *out_figures);
uint64_t window_scope_used(const struct window *window, uint16_t scope);

#endif
