/* Seeded random numbers, the same on every machine: xoshiro256** seeded by splitmix64
 * (D. Blackman and S. Vigna, https://prng.di.unimi.it). Not for secrets. */
#ifndef KOUAN_BENCH_RANDOM_H
#define KOUAN_BENCH_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

/* splitmix64's finaliser: a bijection that scatters, for values derived from a number alone. */
static inline uint64_t random_mix(uint64_t value)
{
    value += UINT64_C(0x9E3779B97F4A7C15);
    value = (value ^ (value >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94D049BB133111EB);
    return value ^ (value >> 31);
}

/* `bits` scaled to 0 .. bound-1; uniform but for 2^-32. */
static inline uint32_t random_scale(uint64_t bits, uint32_t bound)
{
    return (uint32_t)((bits >> 32) * bound >> 32);
}

void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);

/* 0 .. bound-1; `bound` is at least 1. */
uint32_t random_below(struct random *random, uint32_t bound);

/* An index, each as likely as its weight; the weights' sum is at least 1. */
uint32_t random_weighted(struct random *random, const uint8_t *weights, size_t count);

#endif
