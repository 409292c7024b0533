/* A set of destinations, by their indices in the generation. */
#ifndef KOUAN_CORE_DESTINATION_SET_H
#define KOUAN_CORE_DESTINATION_SET_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

enum { DESTINATIONS_MAX = 256 };

struct destination_set {
    uint64_t words[DESTINATIONS_MAX / 64];
};

static inline void destination_set_add(struct destination_set *set, uint16_t destination)
{
    set->words[destination / 64] |= UINT64_C(1) << (destination % 64);
}

static inline void destination_set_remove(struct destination_set *set, uint16_t destination)
{
    set->words[destination / 64] &= ~(UINT64_C(1) << (destination % 64));
}

static inline bool destination_set_has(const struct destination_set *set, uint16_t destination)
{
    return (set->words[destination / 64] >> (destination % 64) & 1) != 0;
}

static inline bool destination_set_is_empty(const struct destination_set *set)
{
    uint64_t any = 0;
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        any |= set->words[i];
    return any == 0;
}

/* The members in rising order: for (d = next(set, 0); d < DESTINATIONS_MAX; d = next(set, d + 1)).
 * DESTINATIONS_MAX when there is none from `from` on. Most servers have few destinations, so what
 * lies behind the first word is looked at together. */
static inline unsigned destination_set_next(const struct destination_set *set, unsigned from)
{
    static_assert(DESTINATIONS_MAX / 64 == 4, "all words but the first");
    unsigned word = from / 64;
    if (word == 0) {
        uint64_t bits = set->words[0] & ~UINT64_C(0) << from;
        if (bits != 0)
            return (unsigned)__builtin_ctzll(bits);
        if ((set->words[1] | set->words[2] | set->words[3]) == 0)
            return DESTINATIONS_MAX;
    }
    for (; word < DESTINATIONS_MAX / 64; word++) {
        uint64_t bits = set->words[word];
        if (word == from / 64)
            bits &= ~UINT64_C(0) << (from % 64);
        if (bits != 0)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return DESTINATIONS_MAX;
}

static inline uint16_t destination_set_count(const struct destination_set *set)
{
    uint16_t count = 0; /* of few: one after the other, for not every processor counts bits */
    for (unsigned d = destination_set_next(set, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(set, d + 1))
        count++;
    return count;
}

#endif
