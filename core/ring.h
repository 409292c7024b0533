/* A queue between two threads, without locks: one writes, one reads. A power of two of slots, each
 * one cache line; free-running indices, so that full and empty differ and nothing wraps in
 * practice.
 *
 * Both sides work in batches: the writer fills slots and publishes them together, the reader takes
 * what is there and gives the slots back together. Each side has cache lines of its own and a copy
 * of the other's index there, and looks at the other's only when the copy says full or empty.
 *
 * What a slot points to is handed over with it: the reader sees all that the writer wrote before
 * ring_publish, and what the reader did before ring_release is seen by the writer that finds the
 * slot consumed. The memory of the slots is the owner's, zeroed, and outlives the ring. */
#ifndef KOUAN_CORE_RING_H
#define KOUAN_CORE_RING_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RING_SLOT_BYTES = 64,
    RING_LINE_BYTES = 128 /* processors fetch cache lines in pairs: sides lie two lines apart */
};

struct ring_slot {
    _Alignas(RING_SLOT_BYTES) uint8_t bytes[RING_SLOT_BYTES];
};

struct ring {
    /* Written once. */
    _Alignas(RING_LINE_BYTES) struct ring_slot *slots;
    uint64_t mask;

    /* The writer's. */
    _Alignas(RING_LINE_BYTES) _Atomic uint64_t published;
    uint64_t written;       /* filled, and from `published` on not yet shown */
    uint64_t consumed_seen; /* the copy of `consumed` */

    /* The reader's. */
    _Alignas(RING_LINE_BYTES) _Atomic uint64_t consumed;
    uint64_t read;           /* taken, and from `consumed` on not yet given back */
    uint64_t published_seen; /* the copy of `published` */
};

/* `capacity` is a power of two. */
static inline void ring_init(struct ring *ring, struct ring_slot *slots, uint32_t capacity)
{
    assert(capacity > 0 && (capacity & (capacity - 1)) == 0);
    *ring = (struct ring){.slots = slots, .mask = capacity - 1};
}

static inline uint32_t ring_capacity(const struct ring *ring)
{
    return (uint32_t)ring->mask + 1;
}

/* ---- the writer ---- */

/* The slot to fill next, or NULL: full. */
static inline void *ring_place(struct ring *ring)
{
    if (ring->written - ring->consumed_seen > ring->mask) {
        /* Pairs with ring_release: the reader is done with the slots that are filled again. */
        ring->consumed_seen = atomic_load_explicit(&ring->consumed, memory_order_acquire);
        if (ring->written - ring->consumed_seen > ring->mask)
            return NULL;
    }
    return ring->slots[ring->written & ring->mask].bytes;
}

/* How many slots may be filled now. */
static inline uint32_t ring_room(struct ring *ring)
{
    ring->consumed_seen = atomic_load_explicit(&ring->consumed, memory_order_acquire);
    return (uint32_t)(ring->mask + 1 - (ring->written - ring->consumed_seen));
}

/* The place is filled; its index is what ring_written() said before. */
static inline void ring_push(struct ring *ring)
{
    assert(ring->written - ring->consumed_seen <= ring->mask);
    ring->written++;
}

/* The index behind the last slot that was filled. */
static inline uint64_t ring_written(const struct ring *ring)
{
    return ring->written;
}

/* Shows the reader all that was pushed. False: nothing new. */
static inline bool ring_publish(struct ring *ring)
{
    if (atomic_load_explicit(&ring->published, memory_order_relaxed) == ring->written)
        return false;
    /* Pairs with the loads in ring_front and ring_count. */
    atomic_store_explicit(&ring->published, ring->written, memory_order_release);
    return true;
}

/* Is the reader done with all slots before `index`? */
static inline bool ring_is_consumed(struct ring *ring, uint64_t index)
{
    if (ring->consumed_seen < index)
        ring->consumed_seen = atomic_load_explicit(&ring->consumed, memory_order_acquire);
    return ring->consumed_seen >= index;
}

/* ---- the reader ---- */

/* How many slots are there to be taken now. */
static inline uint32_t ring_count(struct ring *ring)
{
    ring->published_seen = atomic_load_explicit(&ring->published, memory_order_acquire);
    return (uint32_t)(ring->published_seen - ring->read);
}

/* The next slot, or NULL: empty. It stays until ring_release. */
static inline const void *ring_front(struct ring *ring)
{
    if (ring->read == ring->published_seen && ring_count(ring) == 0)
        return NULL;
    return ring->slots[ring->read & ring->mask].bytes;
}

static inline void ring_pop(struct ring *ring)
{
    assert(ring->read < ring->published_seen);
    ring->read++;
}

/* Gives all slots that were taken back to the writer. False: none was. */
static inline bool ring_release(struct ring *ring)
{
    if (atomic_load_explicit(&ring->consumed, memory_order_relaxed) == ring->read)
        return false;
    /* Pairs with the loads in ring_place and ring_is_consumed. */
    atomic_store_explicit(&ring->consumed, ring->read, memory_order_release);
    return true;
}

#endif
