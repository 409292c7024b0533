#include "routes/rules/rule_set.h"

#include <assert.h>

const uint64_t rule_set_empty[1];
const uint64_t rule_set_empty_chunk[RULE_CHUNK_WORDS];

const uint64_t *rule_set_build(struct arena *arena, const uint32_t *numbers, size_t count)
{
    size_t blocks = 0, chunks = 0;
    assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        uint32_t number = numbers[i], before = i == 0 ? UINT32_MAX : numbers[i - 1];
        assert(number < RULE_SET_NUMBERS_MAX && (i == 0 || before <= number));
        chunks += number / RULE_CHUNK_NUMBERS != before / RULE_CHUNK_NUMBERS;
        blocks += number / RULE_BLOCK_NUMBERS != before / RULE_BLOCK_NUMBERS;
    }
    uint64_t *set =
        arena_allocate_array(arena, 1 + 2 * blocks + chunks * RULE_CHUNK_WORDS, sizeof *set);
    uint64_t *pair = NULL, *next_pair = set + 1;
    uint64_t *chunk = NULL, *next_chunk = set + 1 + 2 * blocks;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = numbers[i], before = i == 0 ? UINT32_MAX : numbers[i - 1];
        if (number / RULE_CHUNK_NUMBERS != before / RULE_CHUNK_NUMBERS) {
            chunk = next_chunk;
            next_chunk += RULE_CHUNK_WORDS;
        }
        if (number / RULE_BLOCK_NUMBERS != before / RULE_BLOCK_NUMBERS) {
            pair = next_pair;
            next_pair += 2;
            pair[1] = (uint64_t)(chunk - set);
            set[0] |= UINT64_C(1) << (number / RULE_BLOCK_NUMBERS);
        }
        pair[0] |= UINT64_C(1) << (number / RULE_CHUNK_NUMBERS % RULE_BLOCK_CHUNKS);
        chunk[number / 64 % RULE_CHUNK_WORDS] |= UINT64_C(1) << (number % 64);
    }
    return set;
}

static size_t popcount(uint64_t bits)
{
    return (size_t)__builtin_popcountll(bits);
}

size_t rule_set_words(const uint64_t *set)
{
    const uint64_t *last_pair = set + 1 + 2 * (popcount(set[0]) - 1);
    return last_pair[1] + popcount(last_pair[0]) * RULE_CHUNK_WORDS;
}

const uint64_t *rule_set_copy(struct arena *arena, const uint64_t *set)
{
    size_t words = rule_set_words(set);
    uint64_t *copy = arena_allocate_array(arena, words, sizeof *copy);
    memcpy(copy, set, words * sizeof *copy);
    return copy;
}

static unsigned take_first_bit(uint64_t *bits)
{
    unsigned bit = (unsigned)__builtin_ctzll(*bits);
    *bits &= *bits - 1;
    return bit;
}

void rule_set_sum_add(struct rule_set_sum *sum, const uint64_t *set)
{
    const uint64_t *pair = set + 1;
    sum->top |= set[0];
    for (uint64_t top = set[0]; top != 0; pair += 2) {
        unsigned block = take_first_bit(&top);
        const uint64_t *from = set + pair[1];
        sum->summaries[block] |= pair[0];
        for (uint64_t summary = pair[0]; summary != 0; from += RULE_CHUNK_WORDS) {
            unsigned chunk = block * RULE_BLOCK_CHUNKS + take_first_bit(&summary);
            for (unsigned i = 0; i < RULE_CHUNK_WORDS; i++)
                sum->words[chunk * RULE_CHUNK_WORDS + i] |= from[i];
        }
    }
}

void rule_set_sum_pack(struct rule_set_sum *sum, uint64_t *out_set)
{
    uint64_t *pair = out_set + 1;
    uint64_t *to = pair + 2 * popcount(sum->top);
    out_set[0] = sum->top;
    for (uint64_t top = sum->top; top != 0; pair += 2) {
        unsigned block = take_first_bit(&top);
        pair[0] = sum->summaries[block];
        pair[1] = (uint64_t)(to - out_set);
        for (uint64_t summary = pair[0]; summary != 0; to += RULE_CHUNK_WORDS) {
            unsigned chunk = block * RULE_BLOCK_CHUNKS + take_first_bit(&summary);
            uint64_t *from = &sum->words[chunk * RULE_CHUNK_WORDS];
            memcpy(to, from, RULE_CHUNK_WORDS * sizeof *to);
            memset(from, 0, RULE_CHUNK_WORDS * sizeof *from);
        }
        sum->summaries[block] = 0;
    }
    sum->top = 0;
}
