/* The peer's end, seen by poll: a connection that is paused and holds more than a carry does not
 * receive, and would learn of the end only when it goes on. */
#include <poll.h>

#include "io/net/transport.h"

static void complete_watch(struct loop *loop, struct operation *operation, int32_t result,
                           uint32_t flags);

void connection_watch_init(struct connection *connection)
{
    connection->watch.complete = complete_watch;
}

void connection_watch(struct connection *connection, bool watched)
{
    connection->watched = watched;
    if (!connection->feeding) /* else the feeding ends with it */
        connection_update_watch(connection);
}

void connection_update_watch(struct connection *connection)
{
    struct loop *loop = connection->transport->loop;
    bool wanted = connection->watched && connection->state == CONNECTION_OPEN &&
                  !connection->receiving && !connection->ended;
    if (wanted && !connection->watching) {
        struct io_uring_sqe *submission = loop_submission(loop, &connection->watch);
        io_uring_prep_poll_add(submission, connection->descriptor, POLLRDHUP);
        connection->watching = true;
    } else if (!wanted && connection->watching && !connection->watch_cancelled) {
        loop_cancel(loop, &connection->watch);
        connection->watch_cancelled = true;
    }
}

static void complete_watch(struct loop *loop, struct operation *operation, int32_t result,
                           uint32_t flags)
{
    (void)loop;
    (void)flags;
    struct connection *connection =
        (struct connection *)((uint8_t *)operation - offsetof(struct connection, watch));
    const struct connection_protocol *protocol = connection->transport->settings.protocol;
    connection->watching = connection->watch_cancelled = false;
    if (connection->state == CONNECTION_CLOSING)
        transport_put_to_flush(connection);
    if (connection->state != CONNECTION_OPEN || !connection->watched)
        return;
    if (result > 0 && (result & (POLLERR | POLLHUP)) != 0)
        connection_lose_peer(connection);
    else if (result > 0 && protocol->left != NULL)
        protocol->left(connection);
    else
        connection_update_watch(connection); /* cancelled, and wanted again since */
}
