/* The intersection of all rows and sets that a message leads to, chunk by chunk. */
#include "routes/match/match_parts.h"

/* The chunks that a block has. */
static inline uint64_t chunks_of_block(const struct matcher *matcher, uint32_t block)
{
    uint32_t chunks = matcher->chunk_count - block * RULE_BLOCK_CHUNKS;
    return chunks >= RULE_BLOCK_CHUNKS ? UINT64_MAX : (UINT64_C(1) << chunks) - 1;
}

/* Finds each set's part of a block, and which chunks of the block are worth a look. */
__attribute__((always_inline)) static inline void
open_block(const struct matcher *matcher, struct match_scratch *scratch, uint32_t block)
{
    uint64_t all = chunks_of_block(matcher, block);
    for (uint32_t i = 0; i < scratch->row_count; i++)
        all &= scratch->rows[i][block];
    for (uint32_t i = 0; i < scratch->union_count; i++) {
        const struct dense_union *united = &scratch->unions[i];
        uint64_t summary = united->base[block];
        for (uint32_t k = 0; k < united->count; k++)
            summary |= united->rows[k][block];
        all &= summary;
    }
    uint32_t sparse_count = matcher->field_count - matcher->dense_count;
    const uint64_t *base_summaries = matcher->base_summaries + (size_t)block * sparse_count;
    for (uint32_t f = 0, i = 0; f < sparse_count; f++) {
        uint64_t summary = base_summaries[f];
        for (; i < scratch->set_ends[f]; i++) {
            scratch->blocks[i] = rule_set_open_block(scratch->sets[i], block);
            summary |= scratch->blocks[i].summary;
        }
        all &= summary;
    }
    scratch->summary = all;
    scratch->open_block = block;
}

static inline struct rule_chunk load_chunk(const uint64_t *words)
{
    return (struct rule_chunk){rule_pair_load(words), rule_pair_load(words + 2)};
}

/* B xor H, where each row is B xor its hits. */
static inline struct rule_chunk unite_rows(const struct dense_union *united, size_t offset)
{
    struct rule_chunk base = load_chunk(united->base + offset);
    struct rule_chunk row = load_chunk(united->rows[0] + offset);
    struct rule_chunk hits = {row.low ^ base.low, row.high ^ base.high};
    for (uint32_t i = 1; i < united->count; i++) {
        row = load_chunk(united->rows[i] + offset);
        hits.low |= row.low ^ base.low;
        hits.high |= row.high ^ base.high;
    }
    return (struct rule_chunk){base.low ^ hits.low, base.high ^ hits.high};
}

__attribute__((always_inline)) static inline struct rule_chunk
intersect_sparse(const struct matcher *matcher, const struct match_scratch *scratch, uint32_t chunk,
                 struct rule_chunk all)
{
    uint32_t sparse_count = matcher->field_count - matcher->dense_count;
    size_t chunk_of_all = (size_t)scratch->open_block * RULE_BLOCK_CHUNKS + chunk;
    const uint64_t *base = matcher->base_chunks + chunk_of_all * sparse_count * RULE_CHUNK_WORDS;
    const struct rule_set_block *block = scratch->blocks;
    for (uint32_t f = 0; f < sparse_count; f++, base += RULE_CHUNK_WORDS) {
        const struct rule_set_block *end = scratch->blocks + scratch->set_ends[f];
        struct rule_chunk hits = rule_set_chunk(*block, chunk); /* each field has at least one */
        while (++block < end) {
            struct rule_chunk more = rule_set_chunk(*block, chunk);
            hits.low |= more.low;
            hits.high |= more.high;
        }
        all.low &= rule_pair_load(base) ^ hits.low;
        all.high &= rule_pair_load(base + 2) ^ hits.high;
    }
    return all;
}

/* The rules of one chunk that hold; false if none does. */
__attribute__((always_inline)) static inline bool
intersect_chunk(const struct matcher *matcher, const struct match_scratch *scratch, uint32_t chunk,
                uint64_t out_rules[RULE_CHUNK_WORDS])
{
    size_t chunk_of_all = (size_t)scratch->open_block * RULE_BLOCK_CHUNKS + chunk;
    size_t offset = matcher->block_count + chunk_of_all * RULE_CHUNK_WORDS;
    rule_pair none = {0, 0};
    struct rule_chunk all = {~none, ~none};
    for (uint32_t i = 0; i < scratch->row_count; i++) {
        const uint64_t *words = scratch->rows[i] + offset;
        all.low &= rule_pair_load(words);
        all.high &= rule_pair_load(words + 2);
    }
    for (uint32_t i = 0; i < scratch->union_count; i++) {
        struct rule_chunk united = unite_rows(&scratch->unions[i], offset);
        all.low &= united.low;
        all.high &= united.high;
    }
    if (matcher->dense_count < matcher->field_count)
        all = intersect_sparse(matcher, scratch, chunk, all);
    memcpy(out_rules, &all, sizeof all);
    rule_pair any = all.low | all.high;
    return (any[0] | any[1]) != 0;
}

/* The first bit from `from` on, or RULE_CHUNK_NUMBERS. */
static inline unsigned first_bit(const uint64_t words[RULE_CHUNK_WORDS], unsigned from)
{
    for (unsigned k = from / 64; k < RULE_CHUNK_WORDS; k++) {
        uint64_t word = words[k];
        if (k == from / 64)
            word &= ~UINT64_C(0) << (from % 64);
        if (word != 0)
            return k * 64 + (unsigned)__builtin_ctzll(word);
    }
    return RULE_CHUNK_NUMBERS;
}

__attribute__((always_inline)) static inline uint32_t
find_inline(const struct matcher *matcher, struct match_scratch *scratch, uint32_t from)
{
    while (from < matcher->first_number[matcher->table_count]) { /* a block a turn */
        unsigned block = from / RULE_BLOCK_NUMBERS;
        if (scratch->open_block != block)
            open_block(matcher, scratch, block);
        unsigned first_chunk = from / RULE_CHUNK_NUMBERS % RULE_BLOCK_CHUNKS;
        uint64_t chunks = scratch->summary & (~UINT64_C(0) << first_chunk);
        for (; chunks != 0; chunks &= chunks - 1) {
            unsigned chunk = (unsigned)__builtin_ctzll(chunks);
            uint64_t rules[RULE_CHUNK_WORDS];
            if (!intersect_chunk(matcher, scratch, chunk, rules))
                continue;
            unsigned bit = first_bit(rules, chunk == first_chunk ? from % RULE_CHUNK_NUMBERS : 0);
            if (bit < RULE_CHUNK_NUMBERS)
                return block * RULE_BLOCK_NUMBERS + chunk * RULE_CHUNK_NUMBERS + bit;
        }
        from = (block + 1) * RULE_BLOCK_NUMBERS;
    }
    return MATCH_NO_NUMBER;
}

uint32_t match_find_portable(const struct matcher *matcher, struct match_scratch *scratch,
                             uint32_t from)
{
    return find_inline(matcher, scratch, from);
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static uint32_t
find_popcnt(const struct matcher *matcher, struct match_scratch *scratch, uint32_t from)
{
    return find_inline(matcher, scratch, from);
}

void match_choose_find(struct match_scratch *scratch)
{
    scratch->find_from = __builtin_cpu_supports("popcnt") ? find_popcnt : match_find_portable;
}
#else
void match_choose_find(struct match_scratch *scratch)
{
    scratch->find_from = match_find_portable;
}
#endif
