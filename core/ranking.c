#include "core/ranking.h"

void ranking_init(struct ranking *ranking)
{
    for (uint32_t i = 0; i < RANKING_MAX; i++) {
        ranking->order[i] = (uint16_t)i;
        ranking->rank_of[i] = (uint16_t)i;
        ranking->block_of[i] = 0;
        ranking->free_blocks[i] = (uint16_t)(RANKING_MAX - 1 - i);
    }
    ranking->free_block_count = RANKING_MAX - 1; /* all but block 0, which is the last in there */
    ranking->blocks[0] = (struct ranking_block){.count = 0, .first = 0, .last = RANKING_MAX - 1};
}

static void exchange(struct ranking *ranking, uint16_t rank_a, uint16_t rank_b)
{
    uint16_t a = ranking->order[rank_a], b = ranking->order[rank_b];
    ranking->order[rank_a] = b;
    ranking->order[rank_b] = a;
    ranking->rank_of[a] = rank_b;
    ranking->rank_of[b] = rank_a;
}

/* Puts `id`, which stands alone between blocks, into a block of its own. There is always a free
 * one: every block holds an identifier, and this one is in none. */
static void found_block(struct ranking *ranking, uint16_t id, uint32_t count)
{
    assert(ranking->free_block_count > 0);
    uint16_t block = ranking->free_blocks[--ranking->free_block_count];
    uint16_t rank = ranking->rank_of[id];
    ranking->blocks[block] = (struct ranking_block){.count = count, .first = rank, .last = rank};
    ranking->block_of[id] = block;
}

static void free_block(struct ranking *ranking, uint16_t block)
{
    ranking->free_blocks[ranking->free_block_count++] = block;
}

static uint32_t count_at(const struct ranking *ranking, uint32_t rank)
{
    return ranking->blocks[ranking->block_of[ranking->order[rank]]].count;
}

void ranking_raise(struct ranking *ranking, uint16_t id)
{
    assert(id < RANKING_MAX);
    uint16_t block = ranking->block_of[id];
    struct ranking_block *from = &ranking->blocks[block];
    uint32_t count = from->count + 1;
    uint16_t rank = from->first;
    assert(count != 0);
    if (rank == from->last && (rank == 0 || count_at(ranking, rank - 1U) > count)) {
        from->count = count; /* it stands alone, and stays below the one before */
        return;
    }

    exchange(ranking, ranking->rank_of[id], rank);
    if (from->first == from->last)
        free_block(ranking, block);
    else
        from->first++;

    if (rank > 0) {
        uint16_t before = ranking->block_of[ranking->order[rank - 1]];
        if (ranking->blocks[before].count == count) {
            ranking->blocks[before].last = rank;
            ranking->block_of[id] = before;
            return;
        }
    }
    found_block(ranking, id, count);
}

void ranking_lower(struct ranking *ranking, uint16_t id)
{
    assert(id < RANKING_MAX);
    uint16_t block = ranking->block_of[id];
    struct ranking_block *from = &ranking->blocks[block];
    assert(from->count > 0);
    uint32_t count = from->count - 1;
    uint16_t rank = from->last;

    exchange(ranking, ranking->rank_of[id], rank);
    if (from->first == from->last)
        free_block(ranking, block);
    else
        from->last--;

    if (rank < RANKING_MAX - 1) {
        uint16_t after = ranking->block_of[ranking->order[rank + 1]];
        if (ranking->blocks[after].count == count) {
            ranking->blocks[after].first = rank;
            ranking->block_of[id] = after;
            return;
        }
    }
    found_block(ranking, id, count);
}
