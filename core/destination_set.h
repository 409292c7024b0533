/* A set of destinations, by their indices in the generation. */
#ifndef KOUAN_CORE_DESTINATION_SET_H
#define KOUAN_CORE_DESTINATION_SET_H

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

static inline uint16_t destination_set_count(const struct destination_set *set)
{
    uint16_t count = 0; /* of few: one after the other, for not every processor counts bits */
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        for (uint64_t bits = set->words[i]; bits != 0; bits &= bits - 1)
            count++;
    return count;
}

/* The members in rising order: for (d = next(set, 0); d < DESTINATIONS_MAX; d = next(set, d + 1)).
 * DESTINATIONS_MAX when there is none from `from` on. */
static inline unsigned destination_set_next(const struct destination_set *set, unsigned from)
{
    for (unsigned word = from / 64; word < DESTINATIONS_MAX / 64; word++) {
        uint64_t bits = set->words[word];
        if (word == from / 64)
            bits &= ~UINT64_C(0) << (from % 64);
        if (bits != 0)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
    }
    return DESTINATIONS_MAX;
}

#endif
