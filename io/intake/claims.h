/* The claim interface: identities are asked for a batch at a time, and answered later. With one
 * shard the identity window is local, so an answer is there at once as a rule; the delays of a test
 * run (--test-delay) make it come after a random number of turns instead. And where the record that
 * the claim has to be compared with is on the disk only, it is read first (io/recall/recall.h), and
 * then the claim is asked again.
 *
 *   ask -> [answer_turn] -> settle ... -> end        settle: in the order of arrival, until DECIDED
 *
 * While a claim waits for a record, no later one of its identity is asked: those wait behind it, so
 * that none is answered as if it had not been there.
 *
 * With several shards each identity belongs to the window of one of them (claims_owner), and the
 * record may go to a third one's log; who asks, who owns and whose log it is talk over the lane
 * MESH_CLAIMS (io/intake/claims_parts.h). Memory: reserved at open. One owner thread. */
#ifndef KOUAN_IO_CLAIMS_H
#define KOUAN_IO_CLAIMS_H

#include "core/window.h"
#include "io/recall/recall.h"

struct shard;
struct claims_far;

/* Random waits in turns, for tests; 0 turns: none. */
struct delays {
    uint32_t turns_max;
    uint64_t random_state;
};

/* A turn from `now_turn` to `now_turn + turns_max`. */
uint64_t delays_pick(struct delays *delays, uint64_t now_turn);

/* An identity of which a claim waits for the record at `position`. */
struct claim_unread {
    struct digest identity;
    uint64_t position;
};

struct claims {
    struct shard *shard;
    struct claim_unread *unread; /* one for each claim that waits */
    uint32_t unread_count, unread_max;
    struct claims_far *far; /* NULL: one shard */
};

enum claim_stage {
    CLAIM_AT_REST,  /* not asked yet, or answered */
    CLAIM_ASKED,    /* the owner has it, or will: nobody else touches it */
    CLAIM_COMPARED, /* so does the shard of the log where the record lies */
    CLAIM_HELD,     /* behind an earlier one of its identity, until that has ended */
    CLAIM_FOLLOWING /* it follows, and is asked again in a while */
};

/* One claim on its way: what it waits for, and what was found. Zeroed before its first use; stays
 * where it is until its end. */
struct claim_way {
    struct claims *claims;
    struct recall_ask ask;
    uint64_t answer_turn;     /* it counts as answered from this turn on */
    uint64_t failed_position; /* of a record that cannot be read; WINDOW_NO_POSITION: none */
    uint64_t first_position;  /* REPLAY: of the record whose id this is, or WINDOW_NO_POSITION */
    struct record_id first_id;
    bool is_unread; /* among the claims' unread ones */
    /* With several shards: */
    enum claim_stage stage;
    bool follows; /* a replay of a first that was not confirmed when the owner looked last */
    struct window_claim *item;
    struct window_known *known; /* what the item's `known` is, of the claims */
    struct claim_way *next;     /* in the line in which it stands */
};

/* `claims_max`: under way at once. The shard has its loop, and its mesh if there are several. */
MUST_CHECK enum status claims_open(struct claims *claims, struct shard *shard, uint32_t claims_max);
void claims_close(struct claims *claims);

/* Asks for `count` claims, and for the records that some of them need. */
void claims_ask(struct claims *claims, struct window_claim *items, struct claim_way *ways,
                uint32_t count);

enum claim_state {
    CLAIM_DECIDED, /* the verdict stands. REPLAY: first_id is known, or the first is not written yet
                    */
    CLAIM_WAITS,   /* for a record; the shard is woken */
    CLAIM_FOLLOWS, /* a replay whose first is not confirmed yet. Only with several shards, and not
                      to be waited for with others behind it: its first may be behind them */
    CLAIM_FAILED   /* that record cannot be read, and nothing is known without it */
};

/* How an answered claim stands now; asks again where its record was read or its first was
 * withdrawn. Cheap to repeat, most of all where nothing was known of its identity. */
enum claim_state claims_settle_known(struct claims *claims, struct window_claim *item,
                                     struct claim_way *way);
static inline bool claims_is_at_rest(const struct claims *claims, const struct claim_way *way)
{
    return claims->far == NULL && !way->ask.asked && !way->is_unread;
}
static inline enum claim_state claims_settle(struct claims *claims, struct window_claim *item,
                                             struct claim_way *way)
{
    bool is_settled = claims_is_at_rest(claims, way) && item->verdict != VERDICT_REPLAY &&
                      item->verdict != VERDICT_UNREAD;
    return is_settled ? CLAIM_DECIDED : claims_settle_known(claims, item, way);
}

static inline bool claim_is_replay(const struct window_claim *item, const struct claim_way *way)
{
    return item->verdict == VERDICT_REPLAY && way->first_position != WINDOW_NO_POSITION;
}

/* It waits for nothing more, whatever became of it. */
void claims_end_waiting(struct claims *claims, const struct window_claim *item,
                        struct claim_way *way);
static inline void claims_end(struct claims *claims, const struct window_claim *item,
                              struct claim_way *way)
{
    if (!claims_is_at_rest(claims, way))
        claims_end_waiting(claims, item, way);
}

/* ---- what becomes of an entry, wherever its window is ---- */

/* The shard whose window an identity belongs to. */
uint16_t claims_owner(const struct claims *claims, struct digest identity);
/* The number of this shard's log, and the window's position of what lies at `offset` in it. */
uint16_t claims_log(const struct claims *claims);
uint64_t claims_position(const struct claims *claims, uint64_t offset);

/* An entry is placed when it is appended if it stays here; with several shards, when it is
 * confirmed. So many of the next two calls may be made now. */
uint32_t claims_room(const struct claims *claims);
/* There will be no record of this entry, which answered a claim. */
void claims_withdraw(struct claims *claims, struct digest identity, uint32_t entry);
/* Its record, of this shard's log, is durable. Those of one log in the order of their positions. */
void claims_confirm(struct claims *claims, struct digest identity, uint32_t entry, uint64_t offset);
/* What lies below in this shard's log is about to go. */
void claims_forget_before(struct claims *claims, uint64_t offset);

/* Once a turn: sends what could not be sent before. */
void claims_run(struct claims *claims);

/* ---- the window's view of this shard's records ---- */

enum window_match claims_match(void *shard, uint64_t position, const struct window_claim *claim);
void claims_prefetch(void *shard, uint64_t position);

#endif
