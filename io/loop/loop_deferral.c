#include "io/loop/loop_deferral.h"

#include <assert.h>
#include <stddef.h>

void deferral_queue_push(struct deferral_queue *queue, struct deferral *deferral)
{
    if (deferral->queued)
        return;
    deferral->queued = true;
    deferral->next = NULL;
    if (queue->last != NULL)
        queue->last->next = deferral;
    else
        queue->first = deferral;
    queue->last = deferral;
    queue->count++;
}

void deferral_queue_remove(struct deferral_queue *queue, struct deferral *deferral)
{
    if (!deferral->queued)
        return;
    struct deferral *previous = NULL;
    struct deferral **place = &queue->first;
    while (*place != deferral) {
        assert(*place != NULL);
        previous = *place;
        place = &previous->next;
    }
    *place = deferral->next;
    if (queue->last == deferral)
        queue->last = previous;
    deferral->next = NULL;
    deferral->queued = false;
    queue->count--;
}

void deferral_queue_run(struct deferral_queue *queue, struct loop *loop)
{
    for (uint32_t n = queue->count; n > 0 && queue->first != NULL; n--) {
        struct deferral *deferral = queue->first;
        deferral_queue_remove(queue, deferral);
        deferral->run(loop, deferral);
    }
}
