/* Random numbers for property tests: the same for the same seed, everywhere. */
#ifndef KOUAN_TESTS_CORE_RANDOM_H
#define KOUAN_TESTS_CORE_RANDOM_H

#include <stdint.h>

struct random {
    uint64_t state;
};

/* SplitMix64 (Steele, Lea and Flood, 2014). */
static inline uint64_t random_u64(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline uint32_t random_below(struct random *random, uint32_t limit)
{
    return (uint32_t)((random_u64(random) >> 32) * limit >> 32);
}

#endif
