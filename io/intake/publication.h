/* A message on its way from an XADD to its reply: the reply slot of its command, and what the
 * stages need of it until it is decided.
 *
 *   queued -> (parked ->) in a batch -> claimed -> appended -> committed -> answered
 *
 * From a pool reserved at start. A session that closes lets go of its publications; each goes on to
 * its end without a reply. */
#ifndef KOUAN_IO_PUBLICATION_H
#define KOUAN_IO_PUBLICATION_H

#include "core/ledger.h"
#include "core/record.h"
#include "io/front/reply_slot.h"
#include "io/net/chunk.h"
#include "routes/generation.h"

enum { PUBLICATION_ERROR_BYTES = 232, PUBLICATION_DENIAL_BYTES = 160 };

struct publication {
    struct reply_slot slot; /* first; its `next` is the pool's, too */
    struct publication
        *queued;         /* the next one in the shard's queue, or of the session's parked ones */
    struct chunk *chunk; /* holds the body until it is appended; NULL afterwards */
    struct bytes body, given_id, given_producer;
    const struct channel *channel;
    const struct participant *participant;
    uint32_t undecided;        /* messages in the body without a verdict; 1 until it was read */
    uint64_t park_deadline_ns; /* 0: was never parked */
    bool returned;             /* was parked, and is back in the intake */
    bool is_denied;            /* with several shards: its refusal is beside its error */
    uint32_t awaited;          /* likewise: messages that are still to be safe, somewhere */
};

static inline struct publication *publication_of(struct reply_slot *slot)
{
    return (struct publication *)(void *)slot;
}

/* What the slot says if it comes to an error: beside the publications, which so stay together in
 * the processor's cache. */
struct publication_error {
    char text[PUBLICATION_ERROR_BYTES];
    /* Of one that is denied: what it is to be refused with when nothing of it is on its way. */
    enum refusal denial;
    char denial_reason[PUBLICATION_DENIAL_BYTES];
};

struct publication_pool {
    struct publication *items;
    struct publication_error *errors; /* of the items */
    struct reply_slot *free;
    uint32_t capacity, used;
};

MUST_CHECK enum status publication_pool_open(struct publication_pool *pool, uint32_t capacity);
void publication_pool_close(struct publication_pool *pool);
struct publication *publication_take(struct publication_pool *pool); /* NULL: all are in use */
void publication_return(struct publication_pool *pool, struct publication *publication);
/* Participants and channels of those in use become those of the generation, by their indices. */
void publication_pool_adopt(struct publication_pool *pool, const struct generation *generation);
/* More than three quarters are in use. */
static inline bool publications_are_scarce(const struct publication_pool *pool)
{
    return pool->used > pool->capacity / 4 * 3;
}

static inline struct publication_error *publication_error_of(struct publication_pool *pool,
                                                             const struct publication *publication)
{
    return &pool->errors[publication - pool->items];
}

/* The reply is an error, of which PUBLICATION_ERROR_BYTES are kept. */
void publication_fail(struct publication_pool *pool, struct publication *publication,
                      const char *word, const char *text);

/* Gives back the body's chunk, when nothing reads it any more. */
void publication_drop_body(struct publication *publication);

#endif
