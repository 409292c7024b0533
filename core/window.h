/* The identity window: which messages were seen lately, exactly. Fixed capacity, reserved and
 * touched at start, at most 40 bytes an entry; bounded in time and entries, fair per scope; one
 * owner thread; no allocation and no system call after window_open.
 *
 * The first key is (identity, body digest); the identity alone is the second:
 *
 *   identity   body           verdict
 *   new        -              FRESH      remembered as pending
 *   known      known with it  REPLAY     not remembered again; says which entry was the first
 *   known      other          AMENDMENT  if the claim's function is change or cancel, or else
 *                             CONFLICT   both remembered as pending
 *
 * "Known with it" is any body seen with this identity, whatever its verdict was then.
 *
 *   ask --> FRESH | CONFLICT | AMENDMENT: the entry is pending --> place --> confirm
 *    |                                                         `-> withdraw <-'
 *    |--> REPLAY of an entry that is not confirmed yet: the caller waits, see window_claim_state.
 *    `--> UNREAD: the record of a candidate is not at hand. The caller reads it and asks again.
 *
 * One window may serve several logs, as that of a shard does. A position names its log in its upper
 * bits (window_position), and each log has a floor of its own, below which it is forgotten.
 *
 * What is kept of the digests is a filter: 59 bits of the identity's, or 59 of both for the second
 * body of an identity and those after it. The verdict is the record's: every candidate that lives
 * is shown to the caller's `match`, which compares both whole digests and the bytes in the journal
 * (the window does so itself for entries not placed yet; without the bytes where the body was lent
 * for its ask only, and then a REPLAY stands when its first is placed). So FRESH never errs, a
 * REPLAY always has the bytes of its first, and REPLAY, CONFLICT and AMENDMENT err only if two
 * identities have one digest of 128 bits. The filter lets through in vain one claim in about 2^59 /
 * entries: that costs a call of `match`, and a read where the record is not in memory. What the
 * caller has found out about a record elsewhere comes with the claim (`known`), and goes before
 * `match`: so records of a log that this thread cannot read are never read here.
 *
 * Fairness: every scope may use the whole window while there is room. In a full one, a claim pushes
 * out the oldest entry of the scope that holds the most; never of one that holds no more than the
 * claimant's own, which then gives up its own oldest. So no flood pushes out a smaller scope's.
 * Only confirmed entries are pushed out, and only if nothing has expired.
 *
 * Cost: everything is O(1), also with a million bodies behind one identity, but for three things:
 * making room skips scopes whose every entry is pending, and looks at each log's oldest; an
 * identity costs a comparison for each log that has records of it; and confirming an entry passes
 * the older entries of the same identity and log that are still pending: none, when asked, placed
 * and confirmed in one order. Forgetting by time or position takes effect at once; its work is
 * spread over the asks that follow. */
#ifndef KOUAN_CORE_WINDOW_H
#define KOUAN_CORE_WINDOW_H

#include "core/digest.h"
#include "core/status.h"

enum {
    WINDOW_ENTRIES_MIN = 1024,
    WINDOW_SCOPES_MAX = 4096,
    WINDOW_BATCH_MAX = 1024,
    WINDOW_LOGS_MAX = 64,
    WINDOW_LOG_SHIFT = 53,
    WINDOW_ENTRY_BYTES_MAX = 40 /* of memory, over everything that grows with the capacity */
};
#define WINDOW_ENTRIES_MAX  (UINT64_C(1) << 31)
#define WINDOW_NO_POSITION  UINT64_MAX
#define WINDOW_POSITION_MAX ((UINT64_C(1) << 61) - 1)
#define WINDOW_NO_ENTRY     UINT32_MAX

/* The position of what lies at `offset` in a log. With one log, number 0, they are the same. */
static inline uint64_t window_position(uint16_t log, uint64_t offset)
{
    return (uint64_t)log << WINDOW_LOG_SHIFT | offset;
}
static inline uint16_t window_position_log(uint64_t position)
{
    return (uint16_t)(position >> WINDOW_LOG_SHIFT);
}
static inline uint64_t window_position_offset(uint64_t position)
{
    return position & ((UINT64_C(1) << WINDOW_LOG_SHIFT) - 1);
}

enum verdict {
    VERDICT_FRESH,
    VERDICT_REPLAY,
    VERDICT_CONFLICT,
    VERDICT_AMENDMENT,
    VERDICT_COLLISION, /* known with this identity and body digest, but other bytes: nothing
                          remembered; refuse and alarm */
    VERDICT_NO_ROOM,   /* nothing may go, or too many are not placed: nothing remembered; try again
                          when some are */
    VERDICT_UNREAD     /* no verdict before the record at first_position is read: nothing
                          remembered; ask again then */
};
const char *verdict_name(enum verdict verdict); /* "fresh", "replay" ... */

/* How much of a record is the claim's. */
enum window_match {
    WINDOW_MATCH_NOTHING,  /* another identity; or there is no such record any more */
    WINDOW_MATCH_IDENTITY, /* the identity, not the body digest */
    WINDOW_MATCH_DIGESTS,  /* identity and body digest, not the bytes */
    WINDOW_MATCH_BODY,     /* the identity and the bytes */
    WINDOW_MATCH_UNREAD    /* the record is not at hand */
};

/* What the caller found the record at `position` to be for a claim; never UNREAD. */
struct window_known {
    uint64_t position;
    enum window_match match;
};

struct window_claim {
    struct digest identity; /* of scope, family, type and id: two scopes share none */
    struct digest body_digest;
    struct bytes body;
    const struct window_known *known;
    uint16_t known_count;
    uint16_t scope;    /* below WINDOW_SCOPES_MAX; numbered from 0 without wide gaps */
    uint16_t log;      /* that its record would go to, below the window's log_count */
    bool supersedes;   /* the function is change or cancel */
    bool is_body_lent; /* it can be read during the ask only */
    /* Answers: */
    enum verdict verdict;
    uint32_t entry;          /* REPLAY: the first's; FRESH, CONFLICT, AMENDMENT: the new one;
                                else WINDOW_NO_ENTRY */
    uint64_t first_position; /* REPLAY: the first's position, WINDOW_NO_POSITION until placed;
                                UNREAD: of the record to read; else WINDOW_NO_POSITION */
};

struct window_settings {
    uint64_t entries_max;  /* WINDOW_ENTRIES_MIN .. WINDOW_ENTRIES_MAX */
    uint32_t unplaced_max; /* 1 .. entries_max: entries between ask and place, at any time */
    uint16_t log_count;    /* 1 .. WINDOW_LOGS_MAX */
    uint32_t span_s;       /* what was confirmed longer ago is forgotten; by the log's time */

    /* Compares the record at `position`, of a placed or confirmed entry that is not forgotten,
     * with the claim's identity, body digest and body. A record that is in memory stays there
     * during an ask. */
    enum window_match (*match)(void *context, uint64_t position, const struct window_claim *claim);
    /* `match` will probably look at `position` soon. NULL: none. */
    void (*prefetch)(void *context, uint64_t position);
    void *context;
};

struct window;

/* The memory that a window with these settings takes. */
uint64_t window_memory_bytes(const struct window_settings *settings);

/* Reserves and touches all memory. NO_MEMORY if it is not to be had. */
MUST_CHECK enum status window_open(const struct window_settings *settings,
                                   struct window **out_window);
void window_close(struct window *window);

/* Answers `count` (1..WINDOW_BATCH_MAX) claims in their order; each sees those before it. Memory is
 * fetched ahead for the whole batch. `now_s` is the log's time; it never falls over all calls.
 *
 * Behind a claim that is UNREAD, those of its identity in the batch are UNREAD, too, for the same
 * record. Later asks know nothing of it: it is for the caller to ask in the order of arrival.
 *
 * The body of a claim that was answered FRESH, CONFLICT or AMENDMENT must stay readable where it is
 * until its entry is placed or withdrawn: twins are compared with it. One that is lent need not:
 * then a twin of the same digest is a REPLAY until window_claim_state has compared it. */
void window_ask(struct window *window, struct window_claim *claims, uint32_t count, uint32_t now_s);

/* The record of a pending entry was appended at `position`, in the claim's log. */
void window_place(struct window *window, uint32_t entry, uint64_t position);

/* The record of a placed entry is durable: it begins to age, from the last ask's time on. Entries
 * of one scope and log are confirmed in the order of their positions. */
void window_confirm(struct window *window, uint32_t entry);

/* The record of an entry, placed or not, will not be: nothing is remembered of it. */
void window_withdraw(struct window *window, uint32_t entry);

enum window_state {
    WINDOW_GONE,
    WINDOW_PENDING,
    WINDOW_PLACED,
    WINDOW_CONFIRMED,
    WINDOW_UNREAD /* not to be told before the record is read; no entry is in this state */
};

/* What became of the entry that answered this claim with REPLAY. The entry's number may be in use
 * again, for another body or identity, so the claim is compared with it once more. GONE: the first
 * was withdrawn or forgotten; ask again. UNREAD comes only where the claim's first_position is not
 * the entry's: where it is, no record is looked at. `out_position` is set for PLACED, CONFIRMED and
 * UNREAD only. */
enum window_state window_claim_state(const struct window *window, const struct window_claim *claim,
                                     uint64_t *out_position);

/* Forgets the entries of the position's log whose record lies below it: its bytes are about to go.
 * None of them may be placed and not confirmed. */
void window_forget_before(struct window *window, uint64_t position);

/* An identity that was confirmed in an earlier life of the window, as the log knows it. */
struct window_restored {
    struct digest identity, body_digest;
    uint64_t position; /* of its record */
    uint32_t time_s;   /* when it was confirmed */
    uint16_t scope;
};

/* Remembers confirmed identities again, as if each had just been asked, placed and confirmed: what
 * is too old at `now_s` is passed over, and in a full window the oldest leave, so those of several
 * logs come merged by time. Before the first ask; by growing position within a log, over all calls.
 * No record is looked at. */
void window_restore(struct window *window, const struct window_restored *items, uint32_t count,
                    uint32_t now_s);

struct window_figures {
    uint64_t capacity, used, pending; /* used: with pending, and with what is not yet swept out */
    uint64_t memory_bytes;            /* all of it */
    uint64_t entries_bytes;           /* the part of it that grows with the capacity */
    uint64_t evicted_for_room, expired, forgotten, withdrawn; /* cumulative */
    uint32_t oldest_s; /* log time at which the oldest entry was confirmed; 0 if there is none */
};
void window_figures(const struct window *window, struct window_figures *out_figures);

/* The entries that a scope holds, pending ones among them. */
uint64_t window_scope_used(const struct window *window, uint16_t scope);

#endif
