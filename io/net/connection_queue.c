#include "io/net/connection_queue.h"

#include <assert.h>
#include <stddef.h>

void connection_queue_push(struct connection_queue *queue, struct connection_link *link,
                           struct connection *connection)
{
    if (link->queue == queue)
        return;
    assert(link->queue == NULL);
    *link =
        (struct connection_link){.connection = connection, .previous = queue->last, .queue = queue};
    if (queue->last != NULL)
        queue->last->next = link;
    else
        queue->first = link;
    queue->last = link;
    queue->count++;
}

struct connection *connection_queue_pop(struct connection_queue *queue)
{
    struct connection_link *link = queue->first;
    if (link == NULL)
        return NULL;
    connection_link_leave(link);
    return link->connection;
}

void connection_link_leave(struct connection_link *link)
{
    struct connection_queue *queue = link->queue;
    if (queue == NULL)
        return;
    if (link->previous != NULL)
        link->previous->next = link->next;
    else
        queue->first = link->next;
    if (link->next != NULL)
        link->next->previous = link->previous;
    else
        queue->last = link->previous;
    queue->count--;
    link->next = link->previous = NULL;
    link->queue = NULL;
}
