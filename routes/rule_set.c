#include "routes/rule_set.h"

#include <assert.h>

const uint64_t *rule_set_build(struct arena *arena, const uint32_t *numbers, size_t count)
{
    if (count == 0)
        return NULL;
    size_t blocks = 0, words = 0;
    for (size_t i = 0; i < count; i++) {
        assert(numbers[i] < RULE_SET_NUMBERS_MAX);
        assert(i == 0 || numbers[i - 1] <= numbers[i]);
        words += i == 0 || numbers[i] / 64 != numbers[i - 1] / 64;
        blocks += i == 0 ||
                  numbers[i] / RULE_SET_BLOCK_NUMBERS != numbers[i - 1] / RULE_SET_BLOCK_NUMBERS;
    }
    uint64_t *set = arena_allocate_array(arena, 1 + 2 * blocks + words, sizeof *set);
    uint64_t *pair = set - 1, *word = set + 2 * blocks;
    for (size_t i = 0; i < count; i++) {
        uint32_t number = numbers[i];
        bool new_word = i == 0 || number / 64 != numbers[i - 1] / 64;
        bool new_block =
            i == 0 || number / RULE_SET_BLOCK_NUMBERS != numbers[i - 1] / RULE_SET_BLOCK_NUMBERS;
        word += new_word;
        if (new_block) {
            pair += 2;
            pair[1] = (uint64_t)(word - set);
            set[0] |= UINT64_C(1) << (number / RULE_SET_BLOCK_NUMBERS);
        }
        pair[0] |= UINT64_C(1) << (number / 64 % RULE_SET_WORDS_PER_BLOCK);
        *word |= UINT64_C(1) << (number % 64);
    }
    return set;
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
        const uint64_t *word = set + pair[1];
        sum->summaries[block] |= pair[0];
        for (uint64_t summary = pair[0]; summary != 0; word++)
            sum->words[block * RULE_SET_WORDS_PER_BLOCK + take_first_bit(&summary)] |= *word;
    }
}

void rule_set_sum_pack(struct rule_set_sum *sum, uint64_t *out_set)
{
    uint64_t *pair = out_set + 1;
    uint64_t *word = pair + 2 * __builtin_popcountll(sum->top);
    out_set[0] = sum->top;
    for (uint64_t top = sum->top; top != 0; pair += 2) {
        unsigned block = take_first_bit(&top);
        pair[0] = sum->summaries[block];
        pair[1] = (uint64_t)(word - out_set);
        for (uint64_t summary = pair[0]; summary != 0; word++) {
            uint64_t *from =
                &sum->words[block * RULE_SET_WORDS_PER_BLOCK + take_first_bit(&summary)];
            *word = *from;
            *from = 0;
        }
        sum->summaries[block] = 0;
    }
    sum->top = 0;
}
