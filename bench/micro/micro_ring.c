/* `micro ring`: Kouan's ring between two threads (core/ring.h), beside ck_ring of Concurrency Kit,
 * the single-producer single-consumer queue that C programs take from elsewhere. Items of one cache
 * line go through by the batch: written and read in turn by one thread, which is what the code
 * itself costs, and from one thread to another, both of whose CPU time is counted, waiting too.
 * ck_ring takes items one by one; it has no batches. */
#include <ck_ring.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "bench/micro/micro.h"
#include "core/ring.h"

enum {
    CAPACITY = 1024,
    BATCH = 64,
    BATCHES = 64,
    TRANSFERRED = 256 * 1024,
    SMOKE_TRANSFERRED = 4096
};

struct item {
    uint64_t number, words[7];
};
static_assert(sizeof(struct item) == RING_SLOT_BYTES, "an item is a slot");

CK_RING_PROTOTYPE(items, item)

struct rings {
    struct ring ring;
    ck_ring_t ck;
    struct ring_slot slots[CAPACITY];
    struct item ck_items[CAPACITY];
    uint64_t written, read, transferred; /* numbers of items: what is read must be the next */
    bool is_wrong;
};

/* ---- Both sides, of each ring: as many as there is room for, or that are there --------------- */

static uint32_t write_own(struct rings *rings, uint32_t count)
{
    uint32_t done = 0;
    for (struct item *item; done < count && (item = ring_place(&rings->ring)) != NULL; done++) {
        *item = (struct item){.number = rings->written++};
        ring_push(&rings->ring);
    }
    ring_publish(&rings->ring);
    return done;
}

static uint32_t read_own(struct rings *rings, uint32_t count)
{
    uint32_t done = 0;
    for (const struct item *item; done < count && (item = ring_front(&rings->ring)) != NULL;
         done++) {
        rings->is_wrong |= item->number != rings->read++;
        ring_pop(&rings->ring);
    }
    ring_release(&rings->ring);
    return done;
}

static uint32_t write_ck(struct rings *rings, uint32_t count)
{
    uint32_t done = 0;
    for (; done < count; done++) {
        struct item item = {.number = rings->written};
        if (!CK_RING_ENQUEUE_SPSC(items, &rings->ck, rings->ck_items, &item))
            break;
        rings->written++;
    }
    return done;
}

static uint32_t read_ck(struct rings *rings, uint32_t count)
{
    uint32_t done = 0;
    for (struct item item;
         done < count && CK_RING_DEQUEUE_SPSC(items, &rings->ck, rings->ck_items, &item); done++)
        rings->is_wrong |= item.number != rings->read++;
    return done;
}

/* ---- Measured -------------------------------------------------------------------------------- */

static uint64_t turn_own(void *context)
{
    for (uint32_t i = 0; i < BATCHES; i++)
        if (write_own(context, BATCH) != BATCH || read_own(context, BATCH) != BATCH)
            return 0;
    return ((struct rings *)context)->is_wrong ? 0 : (uint64_t)BATCHES * BATCH;
}

static uint64_t turn_ck(void *context)
{
    for (uint32_t i = 0; i < BATCHES; i++)
        if (write_ck(context, BATCH) != BATCH || read_ck(context, BATCH) != BATCH)
            return 0;
    return ((struct rings *)context)->is_wrong ? 0 : (uint64_t)BATCHES * BATCH;
}

static uint32_t at_most(uint64_t left)
{
    return left < BATCH ? (uint32_t)left : BATCH;
}

static void *read_all_own(void *context)
{
    struct rings *rings = context;
    for (uint64_t left = rings->transferred; left > 0;) {
        uint32_t done = read_own(rings, at_most(left));
        left -= done;
        if (done == 0)
            sched_yield();
    }
    return NULL;
}

static void *read_all_ck(void *context)
{
    struct rings *rings = context;
    for (uint64_t left = rings->transferred; left > 0;) {
        uint32_t done = read_ck(rings, at_most(left));
        left -= done;
        if (done == 0)
            sched_yield();
    }
    return NULL;
}

static uint64_t transfer(struct rings *rings, uint32_t (*write)(struct rings *, uint32_t),
                         void *(*read_all)(void *))
{
    pthread_t reader;
    if (pthread_create(&reader, NULL, read_all, rings) != 0)
        return 0;
    for (uint64_t left = rings->transferred; left > 0;) {
        uint32_t done = write(rings, at_most(left));
        left -= done;
        if (done == 0)
            sched_yield();
    }
    pthread_join(reader, NULL);
    return rings->is_wrong ? 0 : rings->transferred;
}

static uint64_t transfer_own(void *context)
{
    return transfer(context, write_own, read_all_own);
}

static uint64_t transfer_ck(void *context)
{
    return transfer(context, write_ck, read_all_ck);
}

static bool measure(struct micro *micro, struct rings *rings, const char *name,
                    uint64_t (*turn)(void *context))
{
    const struct micro_case measured = {
        .name = name, .item_bytes = sizeof(struct item), .turn = turn, .context = rings};
    *rings =
        (struct rings){.transferred = micro->settings->is_smoke ? SMOKE_TRANSFERRED : TRANSFERRED};
    ring_init(&rings->ring, rings->slots, CAPACITY);
    ck_ring_init(&rings->ck, CAPACITY);
    return micro_measure(micro, &measured);
}

bool micro_ring(struct micro *micro)
{
    struct rings *rings = aligned_alloc(RING_LINE_BYTES, sizeof *rings);
    bool good = rings != NULL && measure(micro, rings, "core/ring, one thread", turn_own) &&
                measure(micro, rings, "ck_ring, one thread", turn_ck) &&
                measure(micro, rings, "core/ring, two threads", transfer_own) &&
                measure(micro, rings, "ck_ring, two threads", transfer_ck);
    free(rings);
    return good;
}
