#include "bench/random.h"

#include <assert.h>

void random_seed(struct random *random, uint64_t seed)
{
    for (size_t i = 0; i < 4; i++)
        random->state[i] = random_mix(seed + i * UINT64_C(0x9E3779B97F4A7C15));
}

static uint64_t rotate_left(uint64_t value, int bits)
{
    return value << bits | value >> (64 - bits);
}

uint64_t random_next(struct random *random)
{
    uint64_t *state = random->state;
    uint64_t result = rotate_left(state[1] * 5, 7) * 9;
    uint64_t shifted = state[1] << 17;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= shifted;
    state[3] = rotate_left(state[3], 45);
    return result;
}

uint32_t random_below(struct random *random, uint32_t bound)
{
    assert(bound >= 1);
    return random_scale(random_next(random), bound);
}

uint32_t random_weighted(struct random *random, const uint8_t *weights, size_t count)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += weights[i];
    uint32_t at = random_below(random, sum);
    for (uint32_t i = 0;; i++) {
        if (at < weights[i])
            return i;
        at -= weights[i];
    }
}
