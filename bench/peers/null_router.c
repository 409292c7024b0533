#include "bench/peers/null_router.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/loop/loop.h"

enum {
    CONNECTIONS_MAX = 10240,
    BUFFERS = 256,
    CARRIES = BUFFERS + CONNECTIONS_MAX, /* a command begun on each connection, or on its way out */
    PIECES_MAX = BUFFERS + CARRIES,
    PARTS_MAX = 64, /* pieces in one send */
    BACKLOG = 4096,
    RECEIPT_BYTES = sizeof NULL_ROUTER_RECEIPT - 1,
    RECEIPTS = 4096 /* in one send */
};

/* Whole commands in a chunk, one reference of which is held. */
struct piece {
    struct chunk *chunk;
    const uint8_t *data;
    size_t size;
};

struct subscriber {
    struct piece *pieces; /* PIECES_MAX */
    uint64_t first, end;  /* free-running; of the first, `offset` bytes are sent */
    size_t offset;
    struct iovec parts[PARTS_MAX];
    struct msghdr message;
};

struct null_connection {
    struct null_router *router;
    struct operation receive, send;
    int descriptor;           /* -1: free */
    bool sending, is_dirty;   /* dirty: in the router's list of those with something to send */
    bool receiving, is_ended; /* ended: closed when nothing is in flight */
    struct null_connection *next_dirty, *next_starved;
    struct chunk *carry;           /* a command that has begun */
    uint64_t receipt_bytes;        /* owed */
    struct subscriber *subscriber; /* NULL: publishes */
};

struct null_router {
    struct loop *loop;
    int listener;
    char address[64];
    struct operation accept;
    struct deferral flush, rearm;
    struct null_connection *connections; /* CONNECTIONS_MAX */
    struct null_connection *dirty, *starved;
    struct subscriber subscribers[NULL_ROUTER_SUBSCRIBERS_MAX];
    struct null_connection *subscribed[NULL_ROUTER_SUBSCRIBERS_MAX];
    uint32_t subscriber_count;
    struct chunk_pool carries;
    char receipts[(RECEIPTS + 1) * RECEIPT_BYTES];
};

static void complete_accept(struct loop *loop, struct operation *operation, int32_t result,
                            uint32_t flags);
static void flush_dirty(struct loop *loop, struct deferral *deferral);
static void rearm_starved(struct loop *loop, struct deferral *deferral);

static struct null_router *router_of(struct deferral *deferral, size_t offset)
{
    return (struct null_router *)(void *)((uint8_t *)deferral - offset);
}

/* ---- Opening --------------------------------------------------------------------------------- */

static enum status listen_on_loopback(struct null_router *router)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    router->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (router->listener < 0 ||
        bind(router->listener, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(router->listener, BACKLOG) != 0 ||
        getsockname(router->listener, (struct sockaddr *)&address, &size) != 0)
        return STATUS_IO;
    snprintf(router->address, sizeof router->address, "127.0.0.1:%u", ntohs(address.sin_port));
    return STATUS_OK;
}

static void accept_next(struct null_router *router)
{
    struct io_uring_sqe *submission = loop_submission(router->loop, &router->accept);
    io_uring_prep_multishot_accept(submission, router->listener, NULL, NULL, SOCK_CLOEXEC);
}

enum status null_router_open(struct null_router **out_router, char *out_problem,
                             size_t problem_capacity)
{
    static const struct loop_settings settings = {.submission_entries = 4096,
                                                  .completion_entries = 32768,
                                                  .receive_buffer_count = BUFFERS,
                                                  .files_max = CONNECTIONS_MAX + 64,
                                                  .timers_max = 8};
    struct null_router *router = calloc(1, sizeof *router);
    snprintf(out_problem, problem_capacity, "out of memory");
    if (router == NULL)
        return STATUS_NO_MEMORY;
    router->connections = calloc(CONNECTIONS_MAX, sizeof *router->connections);
    enum status status = STATUS_NO_MEMORY;
    if (router->connections == NULL ||
        chunk_pool_open(&router->carries, CARRIES, NULL_ROUTER_COMMAND_BYTES_MAX, false) !=
            STATUS_OK)
        goto fail;
    status = loop_open(&settings, &router->loop, out_problem, problem_capacity);
    if (status != STATUS_OK)
        goto fail;
    snprintf(out_problem, problem_capacity, "cannot listen on 127.0.0.1");
    status = listen_on_loopback(router);
    if (status != STATUS_OK)
        goto fail;
    for (uint32_t i = 0; i < CONNECTIONS_MAX; i++)
        router->connections[i].descriptor = -1;
    for (uint32_t i = 0; i <= RECEIPTS; i++)
        memcpy(router->receipts + i * RECEIPT_BYTES, NULL_ROUTER_RECEIPT, RECEIPT_BYTES);
    router->accept.complete = complete_accept;
    router->flush = (struct deferral){.run = flush_dirty, .last = true};
    router->rearm.run = rearm_starved;
    accept_next(router);
    *out_router = router;
    return STATUS_OK;

fail:
    if (router->loop != NULL)
        loop_close(router->loop);
    chunk_pool_close(&router->carries);
    free(router->connections);
    free(router);
    return status;
}

const char *null_router_address(const struct null_router *router)
{
    return router->address;
}

_Noreturn void null_router_serve(struct null_router *router)
{
    for (;;)
        loop_turn(router->loop);
}

/* ---- Connections ----------------------------------------------------------------------------- */

static void complete_receive(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags);
static void complete_send(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags);

static void receive(struct null_connection *connection)
{
    struct loop *loop = connection->router->loop;
    struct io_uring_sqe *submission = loop_submission(loop, &connection->receive);
    io_uring_prep_recv_multishot(submission, connection->descriptor, NULL, 0, 0);
    submission->flags |= IOSQE_BUFFER_SELECT;
    submission->buf_group = (uint16_t)loop_buffer_group(loop);
    connection->receiving = true;
}

static void complete_accept(struct loop *loop, struct operation *operation, int32_t result,
                            uint32_t flags)
{
    (void)loop;
    struct null_router *router =
        (struct null_router *)(void *)((uint8_t *)operation - offsetof(struct null_router, accept));
    uint32_t at = 0;
    if ((flags & IORING_CQE_F_MORE) == 0)
        accept_next(router);
    if (result < 0)
        return;
    while (at < CONNECTIONS_MAX && router->connections[at].descriptor >= 0)
        at++;
    if (at == CONNECTIONS_MAX) {
        close(result);
        return;
    }
    int on = 1;
    setsockopt(result, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    struct null_connection *connection = &router->connections[at];
    *connection = (struct null_connection){.router = router,
                                           .descriptor = result,
                                           .receive.complete = complete_receive,
                                           .send.complete = complete_send};
    receive(connection);
}

static void drop_pieces(struct subscriber *subscriber)
{
    for (; subscriber->first < subscriber->end; subscriber->first++)
        chunk_return(subscriber->pieces[subscriber->first % PIECES_MAX].chunk);
    subscriber->offset = 0;
}

static void end(struct null_connection *connection)
{
    connection->is_ended = true;
    if (connection->receiving || connection->sending || connection->is_dirty)
        return; /* comes again */
    if (connection->carry != NULL)
        chunk_return(connection->carry);
    connection->carry = NULL;
    for (uint32_t i = 0; i < connection->router->subscriber_count; i++)
        if (connection->router->subscribed[i] == connection) {
            connection->router->subscribed[i] = NULL;
            drop_pieces(connection->subscriber);
        }
    close(connection->descriptor);
    connection->descriptor = -1;
}

/* ---- What comes in --------------------------------------------------------------------------- */

/* The bytes of the command that begins here, or, if it is not whole, at least how many it has,
 * which is more than `size`; 0: it is none. */
static size_t measure_command(const uint8_t *data, size_t size)
{
    uint32_t arguments = 0;
    size_t at = 1;
    if (size > 0 && data[0] != '*')
        return 0;
    while (at < size && data[at] >= '0' && data[at] <= '9')
        arguments = arguments * 10 + (uint32_t)(data[at++] - '0');
    for (at += 2; arguments > 0 && at < size; arguments--) {
        size_t bytes = 0;
        if (data[at] != '$')
            return 0;
        for (at++; at < size && data[at] >= '0' && data[at] <= '9'; at++)
            bytes = bytes * 10 + (size_t)(data[at] - '0');
        if (at >= size)
            return size + 1;
        at += 2 + bytes + 2;
    }
    return arguments == 0 || at > size ? at : size + 1;
}

static void note_dirty(struct null_connection *connection)
{
    struct null_router *router = connection->router;
    if (connection->is_dirty)
        return;
    connection->is_dirty = true;
    connection->next_dirty = router->dirty;
    router->dirty = connection;
    loop_defer(router->loop, &router->flush);
}

/* `count` whole commands. */
static void route(struct null_connection *connection, struct chunk *chunk, const uint8_t *data,
                  size_t size, uint64_t count)
{
    struct null_router *router = connection->router;
    for (uint32_t i = 0; i < router->subscriber_count; i++) {
        if (router->subscribed[i] == NULL)
            continue;
        struct subscriber *subscriber = &router->subscribers[i];
        assert(subscriber->end - subscriber->first < PIECES_MAX);
        chunk_borrow(chunk);
        subscriber->pieces[subscriber->end++ % PIECES_MAX] = (struct piece){chunk, data, size};
        note_dirty(router->subscribed[i]);
    }
    connection->receipt_bytes += count * RECEIPT_BYTES;
    note_dirty(connection);
}

/* Puts what the command lacks behind what there is of it. Returns how many bytes it took, SIZE_MAX
 * if it is no command. */
static size_t fill_carry(struct null_connection *connection, const uint8_t *data, size_t size)
{
    struct chunk *carry = connection->carry;
    size_t taken = 0, needed;
    while ((needed = measure_command(carry->data, carry->used)) > carry->used && taken < size) {
        size_t lacking = needed - carry->used, left = size - taken;
        size_t more = lacking < left ? lacking : left;
        if (needed > carry->capacity)
            return SIZE_MAX;
        chunk_append(carry, data + taken, more);
        taken += more;
    }
    if (needed == 0)
        return SIZE_MAX;
    if (needed == carry->used) {
        route(connection, carry, carry->data, carry->used, 1);
        connection->carry = NULL;
        chunk_return(carry);
    }
    return taken;
}

/* False: it is no command, too large, or cut in two while as many wait to be sent as CARRIES. */
static bool take_commands(struct null_connection *connection, struct chunk *chunk, size_t size)
{
    size_t at = connection->carry != NULL ? fill_carry(connection, chunk->data, size) : 0;
    size_t start = at, command = 0;
    uint64_t count = 0;
    if (at == SIZE_MAX)
        return false;
    while (at < size && (command = measure_command(chunk->data + at, size - at)) <= size - at) {
        if (command == 0)
            return false;
        at += command;
        count++;
    }
    if (count > 0)
        route(connection, chunk, chunk->data + start, at - start, count);
    if (at == size)
        return true;
    struct chunk *carry = connection->carry = chunk_take(&connection->router->carries);
    if (carry == NULL || size - at > carry->capacity)
        return false;
    chunk_append(carry, chunk->data + at, size - at);
    return true;
}

static bool subscribe(struct null_connection *connection)
{
    static const char answer[] = "+OK\r\n";
    struct null_router *router = connection->router;
    uint32_t at = 0;
    while (at < router->subscriber_count && router->subscribed[at] != NULL)
        at++;
    if (at == NULL_ROUTER_SUBSCRIBERS_MAX)
        return false;
    struct subscriber *subscriber = &router->subscribers[at];
    if (subscriber->pieces == NULL)
        subscriber->pieces = calloc(PIECES_MAX, sizeof *subscriber->pieces);
    if (subscriber->pieces == NULL ||
        send(connection->descriptor, answer, sizeof answer - 1, MSG_NOSIGNAL) < 0)
        return false;
    connection->subscriber = subscriber;
    router->subscribed[at] = connection;
    if (at == router->subscriber_count)
        router->subscriber_count++;
    return true;
}

static void complete_receive(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags)
{
    struct null_connection *connection =
        (struct null_connection *)(void *)((uint8_t *)operation -
                                           offsetof(struct null_connection, receive));
    struct chunk *chunk = (flags & IORING_CQE_F_BUFFER) != 0 ? loop_take_buffer(loop, flags) : NULL;
    bool good = result > 0 || result == -ENOBUFS;
    if ((flags & IORING_CQE_F_MORE) == 0)
        connection->receiving = false;
    if (result > 0 && !connection->is_ended) {
        bool subscribes = chunk->data[0] == NULL_ROUTER_SUBSCRIBE[0] &&
                          (size_t)result == sizeof NULL_ROUTER_SUBSCRIBE - 1;
        good =
            subscribes ? subscribe(connection) : take_commands(connection, chunk, (size_t)result);
    }
    if (chunk != NULL)
        chunk_return(chunk);
    if (!good || connection->is_ended) {
        shutdown(connection->descriptor, SHUT_RDWR); /* ends the receive, if there is one */
        end(connection);
    } else if (result == -ENOBUFS) {
        connection->next_starved = connection->router->starved;
        connection->router->starved = connection;
        loop_await_buffer(loop, &connection->router->rearm);
    } else if (!connection->receiving) {
        receive(connection);
    }
}

static void rearm_starved(struct loop *loop, struct deferral *deferral)
{
    (void)loop;
    struct null_router *router = router_of(deferral, offsetof(struct null_router, rearm));
    while (router->starved != NULL) {
        struct null_connection *connection = router->starved;
        router->starved = connection->next_starved;
        receive(connection);
    }
}

/* ---- What goes out --------------------------------------------------------------------------- */

static void send_receipts(struct null_connection *connection)
{
    struct null_router *router = connection->router;
    /* They are all alike: what is left of one that was sent in part begins in the middle of it. */
    size_t begun = (RECEIPT_BYTES - connection->receipt_bytes % RECEIPT_BYTES) % RECEIPT_BYTES;
    uint64_t most = (uint64_t)RECEIPTS * RECEIPT_BYTES;
    size_t size = (size_t)(connection->receipt_bytes < most ? connection->receipt_bytes : most);
    struct io_uring_sqe *submission = loop_submission(router->loop, &connection->send);
    io_uring_prep_send(submission, connection->descriptor, router->receipts + begun, size,
                       MSG_WAITALL | MSG_NOSIGNAL);
    connection->sending = true;
}

static void send_pieces(struct null_connection *connection)
{
    struct subscriber *subscriber = connection->subscriber;
    uint32_t count = 0;
    for (uint64_t i = subscriber->first; i < subscriber->end && count < PARTS_MAX; i++) {
        const struct piece *piece = &subscriber->pieces[i % PIECES_MAX];
        size_t offset = count == 0 ? subscriber->offset : 0;
        subscriber->parts[count++] = (struct iovec){
            .iov_base = (void *)(uintptr_t)(piece->data + offset), .iov_len = piece->size - offset};
    }
    subscriber->message = (struct msghdr){.msg_iov = subscriber->parts, .msg_iovlen = count};
    struct io_uring_sqe *submission = loop_submission(connection->router->loop, &connection->send);
    io_uring_prep_sendmsg(submission, connection->descriptor, &subscriber->message,
                          MSG_WAITALL | MSG_NOSIGNAL);
    connection->sending = true;
}

static void flush_dirty(struct loop *loop, struct deferral *deferral)
{
    (void)loop;
    struct null_router *router = router_of(deferral, offsetof(struct null_router, flush));
    while (router->dirty != NULL) {
        struct null_connection *connection = router->dirty;
        router->dirty = connection->next_dirty;
        connection->is_dirty = false;
        if (connection->is_ended)
            end(connection);
        else if (connection->sending)
            continue; /* goes on when that is done */
        else if (connection->subscriber != NULL &&
                 connection->subscriber->first < connection->subscriber->end)
            send_pieces(connection);
        else if (connection->receipt_bytes > 0)
            send_receipts(connection);
    }
}

static void drop_sent(struct subscriber *subscriber, size_t size)
{
    size += subscriber->offset;
    while (subscriber->first < subscriber->end) {
        const struct piece *piece = &subscriber->pieces[subscriber->first % PIECES_MAX];
        if (size < piece->size)
            break;
        size -= piece->size;
        chunk_return(piece->chunk);
        subscriber->first++;
    }
    subscriber->offset = size;
}

static void complete_send(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags)
{
    (void)loop, (void)flags;
    struct null_connection *connection =
        (struct null_connection *)(void *)((uint8_t *)operation -
                                           offsetof(struct null_connection, send));
    connection->sending = false;
    if (result < 0 || connection->is_ended) {
        shutdown(connection->descriptor, SHUT_RDWR);
        end(connection);
        return;
    }
    if (connection->subscriber != NULL)
        drop_sent(connection->subscriber, (size_t)result);
    else
        connection->receipt_bytes -= (uint64_t)result;
    note_dirty(connection);
}
