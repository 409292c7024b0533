/* A set of rule numbers as a tree of three levels of 64, of which only words that are not zero are
 * stored: a set of one rule takes 32 bytes, a full one of n rules n/8 bytes and a little.
 *
 *   [0]            top: bit t is set if block t has any (4096 numbers from t * 4096)
 *   [1 + 2i]       the summary of the i-th such block: bit s is set if its word s is not zero
 *   [2 + 2i]       where that block's words begin, counted from [0]
 *   [...]          the words themselves; a word lies at its rank among the bits of its summary
 *
 * Built once, then immutable. */
#ifndef KOUAN_ROUTES_RULE_SET_H
#define KOUAN_ROUTES_RULE_SET_H

#include "core/arena.h"

enum {
    RULE_SET_BLOCKS = 64,
    RULE_SET_WORDS_PER_BLOCK = 64,
    RULE_SET_BLOCK_NUMBERS = 64 * 64,
    RULE_SET_NUMBERS_MAX = 64 * 64 * 64,
    RULE_SET_WORDS_MAX = 1 + 2 * RULE_SET_BLOCKS + RULE_SET_NUMBERS_MAX / 64 /* of the largest */
};

/* Of numbers in ascending order, which may repeat. NULL if there are none. */
const uint64_t *rule_set_build(struct arena *arena, const uint32_t *numbers, size_t count);

static inline unsigned rule_set_rank(uint64_t bits, unsigned bit)
{
    return (unsigned)__builtin_popcountll(bits & ((UINT64_C(1) << bit) - 1));
}

/* One block of a set. */
struct rule_set_block {
    uint64_t summary;
    const uint64_t *words;
};

static inline struct rule_set_block rule_set_open_block(const uint64_t *set, unsigned block)
{
    if ((set[0] >> block & 1) == 0)
        return (struct rule_set_block){0};
    const uint64_t *pair = set + 1 + 2 * rule_set_rank(set[0], block);
    return (struct rule_set_block){.summary = pair[0], .words = set + pair[1]};
}

static inline uint64_t rule_set_word(struct rule_set_block block, unsigned word)
{
    bool present = (block.summary >> word & 1) != 0;
    return present ? block.words[rule_set_rank(block.summary, word)] : 0;
}

/* Any union of sets in plain words, to be reused: cleared as it is packed. */
struct rule_set_sum {
    uint64_t top;
    uint64_t summaries[RULE_SET_BLOCKS];
    uint64_t words[RULE_SET_NUMBERS_MAX / 64];
};

void rule_set_sum_add(struct rule_set_sum *sum, const uint64_t *set);

/* Writes the sum as a set of at most RULE_SET_WORDS_MAX words, and empties the sum. */
void rule_set_sum_pack(struct rule_set_sum *sum, uint64_t *out_set);

#endif
