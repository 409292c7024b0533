#include "bench/random.h"

#include <criterion/criterion.h>

/* First outputs of splitmix64 from state 0, as its authors' code gives them. */
Test(random, mix_is_splitmix64)
{
    cr_assert_eq(random_mix(0), UINT64_C(0xE220A8397B1DCDAF));
    cr_assert_eq(random_mix(UINT64_C(0x9E3779B97F4A7C15)), UINT64_C(0x6E789E6AA1B965F4));
}

Test(random, next_is_xoshiro256_star_star)
{
    static const uint64_t expected[] = {11520, 0, 1509978240, UINT64_C(1215971899390074240)};
    struct random random = {.state = {1, 2, 3, 4}};
    for (size_t i = 0; i < 4; i++)
        cr_assert_eq(random_next(&random), expected[i], "output %zu", i);
}

Test(random, equal_seeds_agree_and_others_do_not)
{
    struct random a, b, c;
    random_seed(&a, 7);
    random_seed(&b, 7);
    random_seed(&c, 8);
    int equal = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t from_a = random_next(&a);
        cr_assert_eq(from_a, random_next(&b));
        equal += from_a == random_next(&c);
    }
    cr_assert_eq(equal, 0);
}

Test(random, below_is_even_and_bounded)
{
    enum { BOUND = 7, DRAWS = 70000 };
    int counts[BOUND] = {0};
    struct random random;
    random_seed(&random, 3);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t drawn = random_below(&random, BOUND);
        cr_assert_lt(drawn, BOUND);
        counts[drawn]++;
    }
    for (int i = 0; i < BOUND; i++)
        cr_assert(counts[i] > 9500 && counts[i] < 10500, "%d came %d times", i, counts[i]);
    cr_assert_eq(random_below(&random, 1), 0);
}

Test(random, weighted_follows_weights)
{
    static const uint8_t weights[] = {0, 10, 0, 30, 60, 0};
    int counts[6] = {0};
    struct random random;
    random_seed(&random, 11);
    for (int i = 0; i < 100000; i++)
        counts[random_weighted(&random, weights, 6)]++;
    cr_assert_eq(counts[0] + counts[2] + counts[5], 0);
    cr_assert(counts[1] > 9500 && counts[1] < 10500);
    cr_assert(counts[3] > 29200 && counts[3] < 30800);
}
