/* Absolute deadlines in a binary heap of fixed capacity: arming, moving and taking away cost
 * O(log n), the next deadline O(1). Timers are embedded in their owners; one thread. */
#ifndef KOUAN_IO_LOOP_TIMER_H
#define KOUAN_IO_LOOP_TIMER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"

struct loop;

/* Zeroed before first use. */
struct timer {
    void (*expire)(struct loop *loop, struct timer *timer);
    uint64_t deadline_ns; /* absolute, monotonic */
    uint32_t heap_index;  /* from 1; 0: not armed */
};

struct timer_heap {
    struct timer **items; /* from 1; items[i / 2] is not later than items[i] */
    uint32_t count, capacity;
};

MUST_CHECK enum status timer_heap_open(struct timer_heap *heap, uint32_t capacity);
void timer_heap_close(struct timer_heap *heap);

/* Arms, or moves an armed one. More than `capacity` armed timers are a programmer's error. */
void timer_heap_arm(struct timer_heap *heap, struct timer *timer, uint64_t deadline_ns);
void timer_heap_disarm(struct timer_heap *heap, struct timer *timer); /* an unarmed one too */

/* UINT64_MAX when none is armed. */
uint64_t timer_heap_next_ns(const struct timer_heap *heap);
/* The earliest one whose deadline is not after `now_ns`, taken out; NULL: none is due. */
struct timer *timer_heap_pop_due(struct timer_heap *heap, uint64_t now_ns);

#endif
