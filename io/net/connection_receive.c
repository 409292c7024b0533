/* Receiving: into buffers of the kernel's choice, by multishot or one at a time; what to do when
 * there are none; the peer's end. */
#include <assert.h>
#include <errno.h>

#include "io/net/transport.h"

enum {
    LIGHT_RECEIVE_BYTES = 4096, /* a peer whose last receives brought no more is light */
    LIGHT_RECEIVES_MIN = 8
};

static void complete_receive(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags);
static void take_end(struct connection *connection, int32_t error);

void connection_receive_init(struct connection *connection)
{
    connection->receive.complete = complete_receive;
}

static bool wants_to_receive(const struct connection *connection)
{
    if (connection->ended || connection->state == CONNECTION_CLOSING)
        return false;
    return !connection_is_held_up(connection) || connection->received == NULL ||
           connection->state != CONNECTION_OPEN;
}

static bool is_light(const struct connection *connection)
{
    return connection->light_receives >= LIGHT_RECEIVES_MIN;
}

/* Light peers are received from by multishot, which saves work for each receive. But a multishot
 * takes all that has come, two megabytes perhaps, before the protocol can say that it is enough;
 * so from the others one buffer is taken at a time, which costs little for so many bytes. */
static void arm_receive(struct connection *connection)
{
    struct loop *loop = connection->transport->loop;
    struct io_uring_sqe *submission = loop_submission(loop, &connection->receive);
    connection->receiving = true;
    connection->receiving_many = is_light(connection);
    if (connection->receiving_many)
        io_uring_prep_recv_multishot(submission, connection->descriptor, NULL, 0, 0);
    else
        io_uring_prep_recv(submission, connection->descriptor, NULL, CHUNK_RECEIVE_BYTES, 0);
    if (connection->drained) /* spares a receive that would find nothing */
        submission->ioprio |= IORING_RECVSEND_POLL_FIRST;
    submission->flags |= IOSQE_BUFFER_SELECT;
    submission->buf_group = (uint16_t)loop_buffer_group(loop);
}

void connection_update_receive(struct connection *connection)
{
    bool wanted = wants_to_receive(connection);
    if (connection->receiving) {
        bool too_many = connection->receiving_many && !is_light(connection);
        if ((!wanted || too_many) && !connection->receive_cancelled) {
            loop_cancel(connection->transport->loop, &connection->receive);
            connection->receive_cancelled = true;
        }
    } else if (wanted && !connection_link_stands(&connection->starved_link)) {
        arm_receive(connection);
    }
    connection_update_watch(connection);
}

/* Behind what is there. A multishot may leave a few bytes in each of many buffers: they are put
 * together while the connection is not being fed. */
static void queue_received(struct connection *connection, struct chunk *chunk)
{
    struct chunk *last = connection->received_last;
    if (connection->received == NULL) {
        connection->received = chunk;
    } else if (chunk->used <= last->capacity - last->used) {
        chunk_append(last, chunk->data, chunk->used);
        chunk_return(chunk);
        return;
    } else {
        last->next = chunk;
    }
    connection->received_last = chunk;
    connection->received_count++;
}

static void complete_receive(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags)
{
    struct connection *connection =
        (struct connection *)((uint8_t *)operation - offsetof(struct connection, receive));
    struct chunk *chunk = (flags & IORING_CQE_F_BUFFER) != 0 ? loop_take_buffer(loop, flags) : NULL;
    if ((flags & IORING_CQE_F_MORE) == 0)
        connection->receiving = connection->receive_cancelled = false;
    if (result <= 0) {
        if (chunk != NULL)
            chunk_return(chunk);
        take_end(connection, -result);
    } else {
        assert(chunk != NULL && (uint32_t)result <= chunk->capacity);
        connection->transport->figures.received_bytes += (uint32_t)result;
        connection->drained = (flags & IORING_CQE_F_SOCK_NONEMPTY) == 0;
        if (result > LIGHT_RECEIVE_BYTES)
            connection->light_receives = 0;
        else if (!is_light(connection))
            connection->light_receives++;
        chunk->used = (uint32_t)result;
        if (connection->state != CONNECTION_OPEN) {
            chunk_return(chunk);
        } else {
            queue_received(connection, chunk);
            connection_feed(connection);
        }
    }
    connection_update_receive(connection);
    if (connection->state == CONNECTION_CLOSING)
        transport_put_to_flush(connection);
}

static void take_orderly_end(struct connection *connection)
{
    const struct connection_protocol *protocol = connection->transport->settings.protocol;
    if (protocol->left != NULL)
        protocol->left(connection);
    if (connection->state == CONNECTION_OPEN)
        connection_feed(connection);
}

/* A receive that ended without bytes; `error` 0 is the peer's orderly end. */
static void take_end(struct connection *connection, int32_t error)
{
    switch (error) {
    case 0:
        connection->ended = true;
        if (connection->state == CONNECTION_LINGERING)
            connection_begin_close(connection);
        else if (connection->state == CONNECTION_OPEN)
            take_orderly_end(connection);
        return;
    case ENOBUFS:
        if (wants_to_receive(connection))
            transport_starve(connection);
        return;
    case ECANCELED:
    case EINTR:
    case EAGAIN: return; /* armed again if wanted */
    default:
        connection->ended = true;
        connection_lose_peer(connection);
        return;
    }
}
