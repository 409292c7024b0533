/* The way in: publications in, records and replies out. A turn's publications are decided in
 * batches; each stage runs over the whole batch before the next.
 *
 *   queue -> router (read, digest, match) -> room? -> claim -> [answer] -> append -> commit ->
 * reply, push
 *
 * Several batches may await their answers; they retire in the order of arrival. A publication whose
 * destination is full parks on its session, if that never consumed, and comes back in order.
 *
 * A publication of several messages goes through it as one: room for all of them or for none, and
 * refused whole if one is. Each has its own claim and its own record. */
#ifndef KOUAN_IO_INTAKE_H
#define KOUAN_IO_INTAKE_H

#include "io/intake/append.h"
#include "io/intake/claims.h"
#include "io/intake/publication.h"
#include "io/shard/mesh.h"
#include "routes/router.h"

enum { INTAKE_BATCHES = 4 };

struct shard;

/* One message under way. Those of one publication stand together, as their routings do. */
struct intake_item {
    struct publication *publication; /* NULL: refused, or parked */
    struct append_shape shape; /* of its record, so large as is reserved at each destination */
    uint32_t claim;            /* index of its claim */
    uint16_t log;              /* the shard that its record goes to */
    bool is_aside;             /* in the batch's list of those */
    struct destination_set diverted; /* full ones whose dead letter takes it instead */
};

struct intake_batch {
    struct router *router;
    struct arrival arrivals[ROUTER_BATCH_MAX];
    struct publication *publications[ROUTER_BATCH_MAX]; /* of the arrivals */
    struct routing *routings;                           /* ROUTER_BATCH_MAX */
    struct intake_item items[ROUTER_BATCH_MAX];         /* by routing */
    struct window_claim claims[ROUTER_BATCH_MAX];
    struct claim_way ways[ROUTER_BATCH_MAX]; /* of the claims */
    uint32_t count, retired, claim_count;    /* of messages */
    /* With several shards: */
    uint32_t advanced; /* before this one all messages of the publication at `retired` are on their
                          way */
    uint16_t aside[ROUTER_BATCH_MAX]; /* replays that wait for their first by themselves */
    uint32_t aside_count;
    uint64_t sent_to;                     /* a bit for each log that borrows the routings ... */
    uint64_t sent_index[MESH_SHARDS_MAX]; /* ... until it is done with all before this one */
};

struct intake {
    struct intake_batch batches[INTAKE_BATCHES];
    uint32_t first_batch, batch_count; /* those under way: a ring */
    uint32_t retired_batches; /* of these, the first ones that only wait for other shards */
    struct publication *queue_first, *queue_last;
    uint32_t queue_count;
    bool
        is_paused; /* nothing is decided until another generation is there (io/reload/adoption.h) */
    struct claims claims;
};

/* `shard` has its configuration, its secret and its window. */
MUST_CHECK enum status intake_open(struct shard *shard);
/* Before the recall goes: claims may still wait for it. */
void intake_close(struct intake *intake);

/* Takes a publication in at the end of the queue. */
void intake_queue(struct shard *shard, struct publication *publication);
/* Takes those in that were parked, linked by `queued`, in front of all others. */
void intake_queue_in_front(struct shard *shard, struct publication *first);

/* One turn's work. True if something is left to do in the next turn without any new event. */
bool intake_run(struct shard *shard);

static inline bool intake_is_idle(const struct intake *intake)
{
    return intake->queue_count == 0 && intake->batch_count == 0;
}

#endif
