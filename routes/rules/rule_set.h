/* A set of rule numbers as a tree of which only what is not empty is stored. Its leaves are chunks
 * of 256 numbers: few enough that a set of one rule is small, enough that sets are intersected by
 * vector instructions and a table of 1,000 rules is four of them.
 *
 *   [0]            top: bit b is set if block b has any (16384 numbers from b * 16384)
 *   [1 + 2i]       the summary of the i-th such block: bit c is set if its chunk c has any
 *   [2 + 2i]       where that block's chunks begin, counted from [0]
 *   [...]          the chunks, each at its rank among the bits of its summary
 *
 * Built once, then immutable. */
#ifndef KOUAN_ROUTES_RULE_SET_H
#define KOUAN_ROUTES_RULE_SET_H

#include <assert.h>

#include "core/arena.h"

enum {
    RULE_CHUNK_WORDS = 4,
    RULE_CHUNK_NUMBERS = 64 * RULE_CHUNK_WORDS,
    RULE_BLOCK_CHUNKS = 64,
    RULE_BLOCK_NUMBERS = RULE_BLOCK_CHUNKS * RULE_CHUNK_NUMBERS,
    RULE_SET_BLOCKS = 16,
    RULE_SET_NUMBERS_MAX = RULE_SET_BLOCKS * RULE_BLOCK_NUMBERS,
    RULE_SET_WORDS_MAX = 1 + 2 * RULE_SET_BLOCKS + RULE_SET_NUMBERS_MAX / 64 /* of the largest */
};

/* Of numbers in ascending order, which may repeat; at least one. */
const uint64_t *rule_set_build(struct arena *arena, const uint32_t *numbers, size_t count);

/* How many words a set takes; it is not empty. */
size_t rule_set_words(const uint64_t *set);

const uint64_t *rule_set_copy(struct arena *arena, const uint64_t *set);

static inline unsigned rule_set_rank(uint64_t bits, unsigned bit)
{
    return (unsigned)__builtin_popcountll(bits & ((UINT64_C(1) << bit) - 1));
}

/* One block of a set. */
struct rule_set_block {
    uint64_t summary;
    const uint64_t *chunks;
};

extern const uint64_t rule_set_empty[1];
extern const uint64_t rule_set_empty_chunk[RULE_CHUNK_WORDS];

static inline struct rule_set_block rule_set_open_block(const uint64_t *set, unsigned block)
{
    if ((set[0] >> block & 1) == 0)
        return (struct rule_set_block){0, rule_set_empty_chunk};
    const uint64_t *pair = set + 1 + 2 * rule_set_rank(set[0], block);
    return (struct rule_set_block){pair[0], set + pair[1]};
}

/* Two words at once: a vector register of any machine has as many. */
typedef uint64_t rule_pair __attribute__((vector_size(16)));

static inline rule_pair rule_pair_load(const uint64_t *words)
{
    rule_pair pair;
    memcpy(&pair, words, sizeof pair);
    return pair;
}

struct rule_chunk {
    rule_pair low, high;
};

/* Without a branch, as it would be taken or not at random: an absent chunk is read as the first one
 * and blanked. */
static inline struct rule_chunk rule_set_chunk(struct rule_set_block block, unsigned chunk)
{
    uint64_t present = -(block.summary >> chunk & 1);
    uint64_t rank = rule_set_rank(block.summary, chunk) & present;
    const uint64_t *words = block.chunks + RULE_CHUNK_WORDS * rank;
    rule_pair mask = {present, present};
    return (struct rule_chunk){
        rule_pair_load(words) & mask,
        rule_pair_load(words + 2) & mask,
    };
}
static_assert(RULE_CHUNK_WORDS == 4, "a chunk is two pairs");

/* A union of sets in plain words, to be used again: empty after it is packed. */
struct rule_set_sum {
    uint64_t top;
    uint64_t summaries[RULE_SET_BLOCKS];
    uint64_t words[RULE_SET_NUMBERS_MAX / 64];
};

void rule_set_sum_add(struct rule_set_sum *sum, const uint64_t *set);

/* Writes the sum as a set of at most RULE_SET_WORDS_MAX words. */
void rule_set_sum_pack(struct rule_set_sum *sum, uint64_t *out_set);

#endif
