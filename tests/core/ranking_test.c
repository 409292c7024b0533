#include <criterion/criterion.h>
#include <stdlib.h>

#include "core/ranking.h"
#include "random.h"

static struct ranking *open_ranking(void)
{
    struct ranking *ranking = malloc(sizeof *ranking);
    cr_assert_not_null(ranking);
    ranking_init(ranking);
    return ranking;
}

/* Every identifier stands once, in falling order, and has the count that the model has. */
static void check(const struct ranking *ranking, const uint32_t *counts)
{
    bool seen[RANKING_MAX] = {false};
    uint32_t before = UINT32_MAX;
    for (uint32_t rank = 0; rank < RANKING_MAX; rank++) {
        uint16_t id = ranking_at(ranking, rank);
        cr_assert(!seen[id]);
        seen[id] = true;
        cr_assert_eq(ranking_count(ranking, id), counts[id]);
        cr_assert_leq(counts[id], before);
        before = counts[id];
    }
}

static void play(uint64_t seed, uint32_t ids, uint32_t steps)
{
    struct ranking *ranking = open_ranking();
    struct random random = {seed};
    static uint32_t counts[RANKING_MAX];
    memset(counts, 0, sizeof counts);
    uint32_t stride = RANKING_MAX / ids;
    for (uint32_t step = 0; step < steps; step++) {
        uint16_t id = (uint16_t)(random_below(&random, ids) * stride);
        bool raise = counts[id] == 0 || random_below(&random, 100) < (step / 500 % 2 ? 70U : 35U);
        if (raise) {
            ranking_raise(ranking, id);
            counts[id]++;
        } else {
            ranking_lower(ranking, id);
            counts[id]--;
        }
        if (step % 97 == 0)
            check(ranking, counts);
        uint32_t most = 0;
        for (uint32_t i = 0; i < ids; i++)
            most = counts[i * stride] > most ? counts[i * stride] : most;
        cr_assert_eq(ranking_count(ranking, ranking_at(ranking, 0)), most, "seed %lu",
                     (unsigned long)seed);
    }
    check(ranking, counts);
    free(ranking);
}

Test(ranking, keeps_the_order_of_any_counts)
{
    for (uint64_t seed = 1; seed <= 10; seed++) {
        play(seed, 1, 300);
        play(seed, 5, 2000);
        play(seed, 64, 3000);
        play(seed, RANKING_MAX, 1000);
    }
}

Test(ranking, has_a_block_for_each_of_as_many_counts_as_identifiers)
{
    struct ranking *ranking = open_ranking();
    static uint32_t counts[RANKING_MAX];
    for (uint32_t id = 0; id < RANKING_MAX; id++)
        for (uint32_t i = 0; i < id; i += 1) {
            ranking_raise(ranking, (uint16_t)id);
            counts[id]++;
        }
    check(ranking, counts);
    for (uint32_t id = 0; id < RANKING_MAX; id++)
        while (counts[id] > 0) {
            ranking_lower(ranking, (uint16_t)id);
            counts[id]--;
        }
    check(ranking, counts);
    cr_assert_eq(ranking->free_block_count, RANKING_MAX - 1U);
    free(ranking);
}
