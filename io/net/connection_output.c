/* Replies are gathered over a turn in a list of chunks and leave in one send at its end; the next
 * send starts when that one has completed, so that the order holds whatever the kernel does. Short
 * sends are asked for (no MSG_WAITALL): each completion is progress that the deadline sees. */
#include <assert.h>
#include <errno.h>

#include "io/net/transport.h"

static void complete_send(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags);
static void drop_sent(struct connection *connection, size_t size);
static void send_queued(struct connection *connection);

void connection_output_init(struct connection *connection)
{
    connection->send.complete = complete_send;
}

/* ---- Queueing -------------------------------------------------------------------------------- */

/* Who lent a chunk gets it back when it is sent: nothing more is put into it. */
static bool is_lent(const struct connection *connection, const struct chunk *chunk)
{
    const struct transport *transport = connection->transport;
    return chunk->pool != &transport->outputs.pool && chunk->pool != &transport->small_outputs;
}

static size_t tail_room(const struct connection *connection)
{
    const struct chunk *tail = connection->output_last;
    return tail != NULL && !is_lent(connection, tail) ? tail->capacity - tail->used : 0;
}

static bool is_within_bound(struct connection *connection, size_t size)
{
    if (connection->state != CONNECTION_OPEN)
        return false;
    if (connection->queued_bytes + size <= connection->transport->settings.output_bytes_max)
        return true;
    connection->wants_room = true;
    return false;
}

static void put_last(struct connection *connection, struct chunk *chunk)
{
    if (connection->output == NULL)
        connection->output = chunk;
    else
        connection->output_last->next = chunk;
    connection->output_last = chunk;
    transport_put_to_flush(connection); /* takes it back if nothing is written */
}

static bool add_chunk(struct connection *connection, size_t size)
{
    struct transport *transport = connection->transport;
    struct chunk *chunk;
    if (size <= OUTPUT_SMALL_BYTES && !connection->has_small_output) {
        chunk = chunk_take(&transport->small_outputs);
        assert(chunk != NULL);
        connection->has_small_output = true;
    } else {
        connection->chunks_wanted = 1;
        chunk = shared_pool_take(&transport->outputs, connection, &connection->room_link);
        if (chunk == NULL)
            return false;
    }
    put_last(connection, chunk);
    return true;
}

uint8_t *connection_reserve(struct connection *connection, size_t size)
{
    assert(size > 0 && size <= CHUNK_RECEIVE_BYTES);
    if (!is_within_bound(connection, size))
        return NULL;
    if (tail_room(connection) < size && !add_chunk(connection, size))
        return NULL;
    connection->reserved_bytes = (uint32_t)size;
    return connection->output_last->data + connection->output_last->used;
}

void connection_commit(struct connection *connection, size_t size)
{
    assert(size <= connection->reserved_bytes);
    connection->reserved_bytes = 0;
    if (connection->state == CONNECTION_CLOSING)
        return;
    connection->output_last->used += (uint32_t)size;
    connection->queued_bytes += size;
    transport_put_to_flush(connection);
}

/* True if `size` bytes fit into what is left of the last chunk and what may be taken now. If not,
 * a connection that has nothing queued stands in line for so many chunks; one that has waits for
 * its own to be sent, so that those who do not read are not in the way of those who do. */
static bool can_take(struct connection *connection, size_t size)
{
    struct shared_pool *outputs = &connection->transport->outputs;
    size_t room = tail_room(connection);
    if (size <= room)
        return true;
    size_t left = size - room;
    if (left <= OUTPUT_SMALL_BYTES && !connection->has_small_output)
        return true;
    uint32_t chunks = (uint32_t)((left + CHUNK_RECEIVE_BYTES - 1) / CHUNK_RECEIVE_BYTES);
    if (shared_pool_is_open_to(outputs, connection) && chunks <= outputs->pool.free_count)
        return true;
    if (connection->queued_bytes > 0) {
        connection->wants_room = true;
        return false;
    }
    connection->chunks_wanted = chunks < outputs->pool.count ? chunks : outputs->pool.count;
    connection_queue_push(&outputs->waiting, &connection->room_link, connection);
    return false;
}

bool connection_has_room(struct connection *connection, size_t size)
{
    return is_within_bound(connection, size) && can_take(connection, size);
}

bool connection_write(struct connection *connection, struct bytes bytes)
{
    if (!connection_has_room(connection, bytes.size))
        return false;
    while (bytes.size > 0) {
        size_t size = tail_room(connection);
        if (size == 0) {
            bool added = add_chunk(connection, bytes.size);
            assert(added);
            size = tail_room(connection);
        }
        if (size > bytes.size)
            size = bytes.size;
        uint8_t *target = connection_reserve(connection, size);
        memcpy(target, bytes.data, size);
        connection_commit(connection, size);
        bytes = bytes_slice(bytes, size, bytes.size - size);
    }
    return true;
}

bool connection_lend(struct connection *connection, struct chunk *chunk)
{
    assert(is_lent(connection, chunk) && chunk->next == NULL && chunk->used > chunk->start);
    size_t size = chunk->used - chunk->start;
    if (!is_within_bound(connection, size))
        return false;
    put_last(connection, chunk);
    connection->queued_bytes += size;
    return true;
}

size_t connection_queued_bytes(const struct connection *connection)
{
    return connection->queued_bytes;
}

void connection_await_room(struct connection *connection)
{
    assert(connection->queued_bytes > connection->transport->settings.output_bytes_max / 2);
    connection->wants_room = true;
}

/* ---- Sending --------------------------------------------------------------------------------- */

void connection_flush(struct connection *connection)
{
    if (connection->state != CONNECTION_CLOSING) {
        if (connection->sending)
            return;
        if (connection->queued_bytes > 0) {
            send_queued(connection);
            return;
        }
        connection_drop_output(connection);
    }
    connection_continue_end(connection);
}

static void prepare_send(const struct connection *connection, struct io_uring_sqe *submission)
{
    uint32_t uncopied_min = loop_granted(connection->transport->loop)->zero_copy_send;
    size_t size = 0;
    for (size_t i = 0; i < connection->message.msg_iovlen; i++)
        size += connection->parts[i].iov_len;
    if (uncopied_min > 0 && size >= uncopied_min && !connection->must_copy)
        io_uring_prep_sendmsg_zc(submission, connection->descriptor, &connection->message,
                                 MSG_NOSIGNAL);
    else
        io_uring_prep_sendmsg(submission, connection->descriptor, &connection->message,
                              MSG_NOSIGNAL);
}

static void send_queued(struct connection *connection)
{
    struct transport *transport = connection->transport;
    size_t count = 0;
    for (struct chunk *chunk = connection->output; chunk != NULL && count < OUTPUT_PARTS_MAX;
         chunk = chunk->next) {
        if (chunk->used > chunk->start) /* one that was reserved may have been left empty */
            connection->parts[count++] =
                (struct iovec){chunk->data + chunk->start, chunk->used - chunk->start};
    }
    assert(count > 0);
    connection->message = (struct msghdr){.msg_iov = connection->parts, .msg_iovlen = count};
    struct io_uring_sqe *submission = loop_submission(transport->loop, &connection->send);
    prepare_send(connection, submission);
    connection->sending = true;
    connection_set_end(connection, DEADLINE_STUCK_SEND,
                       loop_now_ns(transport->loop) + transport->settings.stuck_send_ns);
}

/* What is sent without copying completes twice: with its count, and when its memory is free again.
 */
static void complete_send(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags)
{
    (void)loop;
    struct connection *connection =
        (struct connection *)((uint8_t *)operation - offsetof(struct connection, send));
    if ((flags & IORING_CQE_F_MORE) != 0) {
        connection->uncopied_result = result;
        connection->is_lending = true;
        if (connection->state == CONNECTION_CLOSING)
            transport_put_to_flush(connection);
        return;
    }
    if ((flags & IORING_CQE_F_NOTIF) != 0)
        result = connection->uncopied_result;
    connection->sending = connection->is_lending = false;
    transport_put_to_flush(connection); /* the rest, or the end */
    if (connection->state == CONNECTION_CLOSING)
        return;
    connection_set_end(connection, DEADLINE_STUCK_SEND, 0);
    if (result == -EOPNOTSUPP && !connection->must_copy) { /* a Unix socket */
        connection->must_copy = true;
        return;
    }
    if (result < 0) {
        if (result != -EINTR && result != -EAGAIN)
            connection_lose_peer(connection);
        return;
    }
    connection->transport->figures.sent_bytes += (uint32_t)result;
    drop_sent(connection, (uint32_t)result);
    if (connection->wants_room &&
        connection->queued_bytes <= connection->transport->settings.output_bytes_max / 2) {
        connection->wants_room = false;
        connection->room_due = true;
        transport_put_to_work(connection);
    }
}

static void drop_first(struct connection *connection)
{
    struct chunk *chunk = connection->output;
    connection->output = chunk->next;
    if (connection->output == NULL)
        connection->output_last = NULL;
    if (chunk->pool == &connection->transport->small_outputs)
        connection->has_small_output = false;
    chunk->next = NULL;
    chunk_return(chunk);
}

static void drop_sent(struct connection *connection, size_t size)
{
    assert(size <= connection->queued_bytes);
    connection->queued_bytes -= size;
    while (size > 0) {
        struct chunk *chunk = connection->output;
        size_t left = chunk->used - chunk->start;
        if (size < left) {
            chunk->start += (uint32_t)size;
            return;
        }
        size -= left;
        drop_first(connection);
    }
}

void connection_drop_output(struct connection *connection)
{
    assert(!connection->sending);
    while (connection->output != NULL)
        drop_first(connection);
    connection->queued_bytes = 0;
}
