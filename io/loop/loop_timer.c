#include "io/loop/loop_timer.h"

#include <assert.h>
#include <stdlib.h>

static void sift(struct timer_heap *heap, struct timer *timer, uint32_t index);

enum status timer_heap_open(struct timer_heap *heap, uint32_t capacity)
{
    struct timer **items = calloc((size_t)capacity + 1, sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *heap = (struct timer_heap){.items = items, .capacity = capacity};
    return STATUS_OK;
}

void timer_heap_close(struct timer_heap *heap)
{
    free(heap->items);
    *heap = (struct timer_heap){0};
}

void timer_heap_arm(struct timer_heap *heap, struct timer *timer, uint64_t deadline_ns)
{
    timer->deadline_ns = deadline_ns;
    if (timer->heap_index == 0) {
        assert(heap->count < heap->capacity);
        sift(heap, timer, ++heap->count);
    } else {
        assert(heap->items[timer->heap_index] == timer);
        sift(heap, timer, timer->heap_index);
    }
}

void timer_heap_disarm(struct timer_heap *heap, struct timer *timer)
{
    uint32_t index = timer->heap_index;
    if (index == 0)
        return;
    assert(heap->items[index] == timer);
    struct timer *last = heap->items[heap->count--];
    if (last != timer)
        sift(heap, last, index);
    timer->heap_index = 0;
}

uint64_t timer_heap_next_ns(const struct timer_heap *heap)
{
    return heap->count > 0 ? heap->items[1]->deadline_ns : UINT64_MAX;
}

struct timer *timer_heap_pop_due(struct timer_heap *heap, uint64_t now_ns)
{
    if (timer_heap_next_ns(heap) > now_ns || heap->count == 0)
        return NULL;
    struct timer *timer = heap->items[1];
    timer_heap_disarm(heap, timer);
    return timer;
}

static void put(struct timer_heap *heap, struct timer *timer, uint32_t index)
{
    heap->items[index] = timer;
    timer->heap_index = index;
}

/* Puts `timer` where it belongs, beginning at the hole `index`: upwards, or else downwards. */
static void sift(struct timer_heap *heap, struct timer *timer, uint32_t index)
{
    while (index > 1 && timer->deadline_ns < heap->items[index / 2]->deadline_ns) {
        put(heap, heap->items[index / 2], index);
        index /= 2;
    }
    for (;;) {
        uint64_t child = 2 * (uint64_t)index;
        if (child > heap->count)
            break;
        if (child < heap->count &&
            heap->items[child + 1]->deadline_ns < heap->items[child]->deadline_ns)
            child++;
        if (timer->deadline_ns <= heap->items[child]->deadline_ns)
            break;
        put(heap, heap->items[child], index);
        index = (uint32_t)child;
    }
    put(heap, timer, index);
}
