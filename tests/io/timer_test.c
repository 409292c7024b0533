#include "io/loop/loop_timer.h"

#include <criterion/criterion.h>
#include <stdlib.h>

enum { TIMERS = 300 };

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static struct timer *earliest(struct timer *timers)
{
    struct timer *found = NULL;
    for (int i = 0; i < TIMERS; i++)
        if (timers[i].heap_index != 0 &&
            (found == NULL || timers[i].deadline_ns < found->deadline_ns))
            found = &timers[i];
    return found;
}

/* Against a model that looks at every timer. */
static void run_against_model(uint64_t seed)
{
    uint64_t random = seed;
    struct timer timers[TIMERS] = {0};
    struct timer_heap heap;
    cr_assert_eq(timer_heap_open(&heap, TIMERS), STATUS_OK);
    for (int step = 0; step < 20000; step++) {
        struct timer *timer = &timers[next_random(&random) % TIMERS];
        switch (next_random(&random) % 4) {
        case 0:
        case 1: timer_heap_arm(&heap, timer, next_random(&random) % 1000); break;
        case 2: timer_heap_disarm(&heap, timer); break;
        default: {
            uint64_t now_ns = next_random(&random) % 1000;
            struct timer *expected = earliest(timers);
            bool is_due = expected != NULL && expected->deadline_ns <= now_ns;
            struct timer *due = timer_heap_pop_due(&heap, now_ns);
            cr_assert_eq(due != NULL, is_due, "seed %lu step %d", seed, step);
            if (due != NULL) {
                cr_assert_eq(due->deadline_ns, expected->deadline_ns, "seed %lu", seed);
                cr_assert_eq(due->heap_index, 0);
            }
        }
        }
        struct timer *first = earliest(timers);
        cr_assert_eq(timer_heap_next_ns(&heap), first != NULL ? first->deadline_ns : UINT64_MAX,
                     "seed %lu step %d", seed, step);
    }
    timer_heap_close(&heap);
}

Test(timer, heap_agrees_with_a_model)
{
    for (uint64_t seed = 1; seed <= 10; seed++)
        run_against_model(seed * 7919);
}

Test(timer, come_out_in_order)
{
    struct timer timers[TIMERS] = {0};
    struct timer_heap heap;
    cr_assert_eq(timer_heap_open(&heap, TIMERS), STATUS_OK);
    uint64_t random = 42;
    for (int i = 0; i < TIMERS; i++)
        timer_heap_arm(&heap, &timers[i], next_random(&random) % 10000);
    uint64_t last_ns = 0;
    for (int i = 0; i < TIMERS; i++) {
        struct timer *timer = timer_heap_pop_due(&heap, UINT64_MAX);
        cr_assert_not_null(timer);
        cr_assert_geq(timer->deadline_ns, last_ns);
        last_ns = timer->deadline_ns;
    }
    cr_assert_null(timer_heap_pop_due(&heap, UINT64_MAX));
    cr_assert_eq(timer_heap_next_ns(&heap), UINT64_MAX);
    timer_heap_close(&heap);
}

Test(timer, disarming_an_unarmed_one_is_nothing)
{
    struct timer timer = {0};
    struct timer_heap heap;
    cr_assert_eq(timer_heap_open(&heap, 1), STATUS_OK);
    timer_heap_disarm(&heap, &timer);
    timer_heap_arm(&heap, &timer, 5);
    timer_heap_arm(&heap, &timer, 3); /* moves: the heap has room for one */
    cr_assert_eq(timer_heap_next_ns(&heap), 3);
    timer_heap_disarm(&heap, &timer);
    timer_heap_disarm(&heap, &timer);
    cr_assert_eq(heap.count, 0);
    timer_heap_close(&heap);
}
