#include "core/ring.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "tests/core/random.h"

static struct ring_slot slots[1024];

static bool push(struct ring *ring, uint64_t value)
{
    uint64_t *place = ring_place(ring);
    if (place == NULL)
        return false;
    *place = value;
    ring_push(ring);
    return true;
}

Test(ring, shows_nothing_before_it_is_published)
{
    struct ring ring;
    ring_init(&ring, slots, 4);
    cr_assert_eq(ring_capacity(&ring), 4);
    cr_assert_null(ring_front(&ring));
    cr_assert_not(ring_publish(&ring));
    cr_assert(push(&ring, 7));
    cr_assert_null(ring_front(&ring));
    cr_assert_eq(ring_count(&ring), 0);
    cr_assert(ring_publish(&ring));
    cr_assert_eq(ring_count(&ring), 1);
    cr_assert_eq(*(const uint64_t *)ring_front(&ring), 7);
    ring_pop(&ring);
    cr_assert_null(ring_front(&ring));
}

Test(ring, is_full_until_slots_are_given_back)
{
    struct ring ring;
    ring_init(&ring, slots, 4);
    for (uint64_t i = 0; i < 4; i++)
        cr_assert(push(&ring, i));
    cr_assert_not(push(&ring, 4));
    ring_publish(&ring);
    cr_assert_eq(*(const uint64_t *)ring_front(&ring), 0);
    ring_pop(&ring);
    cr_assert_not(push(&ring, 4), "a slot that was only taken may still be read");
    cr_assert_not(ring_is_consumed(&ring, 1));
    cr_assert(ring_release(&ring));
    cr_assert_not(ring_release(&ring));
    cr_assert(ring_is_consumed(&ring, 1));
    cr_assert_not(ring_is_consumed(&ring, 2));
    cr_assert(push(&ring, 4));
    cr_assert_not(push(&ring, 5));
    cr_assert_eq(ring_written(&ring), 5);
}

Test(ring, keeps_the_order_around_the_end_at_any_fill)
{
    struct ring ring;
    ring_init(&ring, slots, 8);
    struct random random = {1};
    uint64_t written = 0, read = 0;
    while (read < 10000) {
        uint64_t wanted = random_below(&random, 12);
        while (wanted-- > 0 && push(&ring, written))
            written++;
        ring_publish(&ring);
        uint64_t taken = random_below(&random, 12);
        const uint64_t *front;
        while (taken-- > 0 && (front = ring_front(&ring)) != NULL) {
            cr_assert_eq(*front, read);
            read++;
            ring_pop(&ring);
        }
        ring_release(&ring);
        cr_assert_eq(ring_is_consumed(&ring, read), true);
        cr_assert_eq(ring_is_consumed(&ring, read + 1), false);
    }
}

/* ---- two threads ---- */

enum { HANDED = 300000, BODY_WORDS = 3 };

/* The slot points to memory that is handed over with it, and used again when it is consumed. */
struct handed {
    uint64_t index;
    uint64_t *body;
};

static void *write_all(void *context)
{
    struct ring *ring = context;
    uint32_t capacity = ring_capacity(ring);
    uint64_t(*bodies)[BODY_WORDS] = calloc(capacity, sizeof *bodies);
    struct random random = {3};
    for (uint64_t i = 0; i < HANDED;) {
        uint64_t batch = 1 + random_below(&random, capacity * 2);
        for (; batch > 0 && i < HANDED; batch--, i++) {
            struct handed *place = ring_place(ring);
            if (place == NULL)
                break;
            /* The slot `capacity` before is consumed, so its body is free. */
            uint64_t *body = bodies[i % capacity];
            for (int word = 0; word < BODY_WORDS; word++)
                body[word] = i + (uint64_t)word;
            *place = (struct handed){i, body};
            ring_push(ring);
        }
        if (!ring_publish(ring))
            sched_yield();
    }
    while (!ring_is_consumed(ring, HANDED))
        sched_yield();
    free(bodies);
    return NULL;
}

static void *read_all(void *context)
{
    struct ring *ring = context;
    struct random random = {5};
    uint64_t wrong = 0;
    for (uint64_t i = 0; i < HANDED;) {
        uint64_t batch = 1 + random_below(&random, ring_capacity(ring) * 2);
        const struct handed *front;
        for (; batch > 0 && (front = ring_front(ring)) != NULL; batch--, i++) {
            wrong += front->index != i;
            for (int word = 0; word < BODY_WORDS; word++)
                wrong += front->body[word] != i + (uint64_t)word;
            ring_pop(ring);
        }
        if (!ring_release(ring))
            sched_yield();
    }
    return (void *)(uintptr_t)wrong;
}

Test(ring, hands_memory_from_thread_to_thread)
{
    static const uint32_t capacities[] = {1, 2, 64, 1024};
    for (size_t i = 0; i < sizeof capacities / sizeof *capacities; i++) {
        struct ring ring;
        ring_init(&ring, slots, capacities[i]);
        pthread_t writer, reader;
        cr_assert_eq(pthread_create(&writer, NULL, write_all, &ring), 0);
        cr_assert_eq(pthread_create(&reader, NULL, read_all, &ring), 0);
        void *wrong = NULL;
        pthread_join(writer, NULL);
        pthread_join(reader, &wrong);
        cr_assert_null(wrong, "%u slots", capacities[i]);
    }
}
