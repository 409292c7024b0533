/* Counters in the order of their values: each may be raised or lowered by one, and the greatest,
 * the second greatest and so on are at hand, all exactly and in O(1). Caller's memory, never
 * allocates, one thread at a time.
 *
 * The identifiers stand in one array from the greatest count to the least. Equal counts form a
 * block there. To raise one, it changes places with the first of its block and moves from that
 * block into the one before, or into a block of its own; to lower one, the same at the other end.
 */
#ifndef KOUAN_CORE_RANKING_H
#define KOUAN_CORE_RANKING_H

#include <assert.h>
#include <stdint.h>

enum { RANKING_MAX = 4096 }; /* identifiers are below this */

struct ranking_block {
    uint32_t count;
    uint16_t first, last; /* ranks */
};

struct ranking {
    uint16_t order[RANKING_MAX];    /* rank -> identifier */
    uint16_t rank_of[RANKING_MAX];  /* identifier -> rank */
    uint16_t block_of[RANKING_MAX]; /* identifier -> block */
    struct ranking_block blocks[RANKING_MAX];
    uint16_t free_blocks[RANKING_MAX]; /* a stack */
    uint32_t free_block_count;
};

void ranking_init(struct ranking *ranking); /* all zero */
void ranking_raise(struct ranking *ranking, uint16_t id);
void ranking_lower(struct ranking *ranking, uint16_t id); /* its count must not be zero */

static inline uint32_t ranking_count(const struct ranking *ranking, uint16_t id)
{
    assert(id < RANKING_MAX);
    return ranking->blocks[ranking->block_of[id]].count;
}

/* The identifier at `rank` from the top; equal ones stand in any order. */
static inline uint16_t ranking_at(const struct ranking *ranking, uint32_t rank)
{
    assert(rank < RANKING_MAX);
    return ranking->order[rank];
}

#endif
