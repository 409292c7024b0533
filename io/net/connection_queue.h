/* First-in-first-out queues of connections, each through a link embedded in the connection: it can
 * leave from the middle at any time, and stands at most once in each queue. */
#ifndef KOUAN_IO_CONNECTION_QUEUE_H
#define KOUAN_IO_CONNECTION_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connection;

struct connection_link {
    struct connection *connection;
    struct connection_link *next, *previous;
    struct connection_queue *queue; /* where it stands; NULL: nowhere */
};

struct connection_queue {
    struct connection_link *first, *last;
    uint32_t count;
};

/* At the end; nothing if it stands there already. It must not stand in another queue. */
void connection_queue_push(struct connection_queue *queue, struct connection_link *link,
                           struct connection *connection);
struct connection *connection_queue_pop(struct connection_queue *queue); /* NULL when empty */
/* Takes the link out of whatever queue it stands in. */
void connection_link_leave(struct connection_link *link);

static inline bool connection_link_stands(const struct connection_link *link)
{
    return link->queue != NULL;
}

#endif
