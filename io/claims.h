/* The claim interface: identities are asked for a batch at a time, and answered later. The identity
 * window is local, so an answer is there at once as a rule; the delays of a test run (--test-delay)
 * make it come after a random number of turns instead, as it will when another shard or another
 * machine answers. And where the record that the claim has to be compared with is on the disk only,
 * it is read first (io/recall.h), and then the claim is asked again.
 *
 *   ask -> [answer_turn] -> settle ... -> end        settle: in the order of arrival, until DECIDED
 *
 * While a claim waits for a record, no later one of its identity is asked: those wait behind it, so
 * that none is answered as if it had not been there. Memory: reserved at open. One owner thread. */
#ifndef KOUAN_IO_CLAIMS_H
#define KOUAN_IO_CLAIMS_H

#include "core/window.h"
#include "io/recall.h"

struct shard;

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
};

MUST_CHECK enum status claims_open(struct claims *claims, struct shard *shard, uint32_t claims_max);
void claims_close(struct claims *claims);

/* Asks for `count` claims, and for the records that some of them need. */
void claims_ask(struct claims *claims, struct window_claim *items, struct claim_way *ways,
                uint32_t count);

enum claim_state {
    CLAIM_DECIDED, /* the verdict stands. REPLAY: first_id is known, or the first is not written yet
                    */
    CLAIM_WAITS,   /* for a record; the shard is woken */
    CLAIM_FAILED   /* that record cannot be read, and nothing is known without it */
};

/* How an answered claim stands now; asks again where its record was read or its first was
 * withdrawn. Cheap to repeat. */
enum claim_state claims_settle(struct claims *claims, struct window_claim *item,
                               struct claim_way *way);

static inline bool claim_is_replay(const struct window_claim *item, const struct claim_way *way)
{
    return item->verdict == VERDICT_REPLAY && way->first_position != WINDOW_NO_POSITION;
}

/* It waits for nothing more, whatever became of it. */
void claims_end(struct claims *claims, const struct window_claim *item, struct claim_way *way);

#endif
