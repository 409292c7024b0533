/* Work put off to the end of a turn, in the order in which it was asked for. Part of the loop;
 * deferrals are embedded in their owners; one thread. */
#ifndef KOUAN_IO_LOOP_DEFERRAL_H
#define KOUAN_IO_LOOP_DEFERRAL_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

/* Runs once at the end of each turn, after all completions: where batches are carried on. Ask again
 * with loop_defer() from inside to run in the next turn, without waiting in between. Zeroed before
 * first use. */
struct deferral {
    void (*run)(struct loop *loop, struct deferral *deferral);
    struct deferral *next; /* the loop's */
    bool last;             /* runs after all that are not: what the turn produced is sent there */
    bool queued;
};

struct deferral_queue {
    struct deferral *first, *last;
    uint32_t count;
};

/* Nothing if it is queued already. */
void deferral_queue_push(struct deferral_queue *queue, struct deferral *deferral);
/* Nothing if it is not queued; else it must be in this queue. */
void deferral_queue_remove(struct deferral_queue *queue, struct deferral *deferral);
/* As many as there are now: what they ask for comes behind, and is left for the next time. */
void deferral_queue_run(struct deferral_queue *queue, struct loop *loop);

#endif
