#include <stdio.h>
#include <unistd.h>

#include "io/net/transport.h"

static struct connection *take_free(struct transport *transport);
static void expire_deadline(struct loop *loop, struct timer *timer);
static void take_back_lent(struct connection *connection);
static void close_descriptor(struct connection *connection);
static void set_free(struct connection *connection);

/* ---- A connection's life --------------------------------------------------------------------- */

enum status transport_adopt(struct transport *transport, int descriptor, const char *peer_text)
{
    struct connection *connection = take_free(transport);
    if (connection == NULL) {
        transport->figures.refused_full++;
        return STATUS_FULL;
    }
    memset(connection, 0, transport->stride_bytes);
    connection->transport = transport;
    connection->id = ++transport->last_id;
    connection->opened_ns = loop_now_ns(transport->loop);
    connection->descriptor = descriptor;
    connection->timer.expire = expire_deadline;
    snprintf(connection->peer, sizeof connection->peer, "%s", peer_text);
    connection_receive_init(connection);
    connection_watch_init(connection);
    connection_output_init(connection);
    connection_queue_push(&transport->open, &connection->open_link, connection);
    transport->figures.accepted++;
    transport->settings.protocol->opened(connection);
    connection_update_receive(connection);
    return STATUS_OK;
}

static struct connection *take_free(struct transport *transport)
{
    struct connection *connection = transport->free;
    if (connection != NULL) {
        transport->free = connection->next_free;
        return connection;
    }
    if (transport->fresh_count == transport->settings.connections_max)
        return NULL;
    size_t offset = transport->fresh_count++ * transport->stride_bytes;
    return (struct connection *)(transport->memory + offset);
}

void connection_finish(struct connection *connection)
{
    if (connection->state != CONNECTION_OPEN)
        return;
    connection->state = CONNECTION_FINISHING;
    connection_set_end(connection, DEADLINE_HALF_COMMAND, 0);
    connection_set_end(connection, DEADLINE_PROTOCOL, 0);
    if (!connection->feeding) /* else the feeding ends with it */
        connection_drop_input(connection);
    connection_update_receive(connection);
    transport_put_to_flush(connection);
}

void connection_abort(struct connection *connection)
{
    if (connection->state == CONNECTION_CLOSING)
        return;
    connection->resets = true;
    connection_begin_close(connection);
}

void connection_lose_peer(struct connection *connection)
{
    if (connection->state == CONNECTION_CLOSING)
        return;
    if (!connection->ended_told)
        connection->transport->figures.closed_by_peer++;
    connection_abort(connection);
}

void connection_begin_close(struct connection *connection)
{
    struct loop *loop = connection->transport->loop;
    connection->state = CONNECTION_CLOSING;
    loop_timer_disarm(loop, &connection->timer);
    connection_link_leave(&connection->starved_link);
    connection_link_leave(&connection->room_link);
    if (!connection->feeding)
        connection_drop_input(connection);
    connection_update_receive(connection);
    if (connection->sending)
        loop_cancel(loop, &connection->send);
    transport_put_to_flush(connection);
}

void connection_continue_end(struct connection *connection)
{
    switch (connection->state) {
    case CONNECTION_OPEN:
    case CONNECTION_LINGERING: return;
    case CONNECTION_FINISHING:
        if (connection->ended || shutdown(connection->descriptor, SHUT_WR) != 0) {
            connection_begin_close(connection);
            return;
        }
        connection->state = CONNECTION_LINGERING;
        connection_set_end(connection, DEADLINE_LINGER,
                           loop_now_ns(connection->transport->loop) + LINGER_NS);
        return;
    case CONNECTION_CLOSING:
        if (connection->receiving || connection->watching)
            return;
        if (!connection->sending)
            set_free(connection);
        else if (connection->is_lending)
            take_back_lent(connection);
        return;
    }
}

/* The kernel reads what it was lent until the peer has it, which may be never: a reset throws that
 * away, and the send completes. */
static void take_back_lent(struct connection *connection)
{
    connection->resets = true;
    close_descriptor(connection);
}

static void close_descriptor(struct connection *connection)
{
    if (connection->descriptor < 0)
        return;
    if (connection->resets) {
        struct linger none = {.l_onoff = 1, .l_linger = 0};
        setsockopt(connection->descriptor, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    }
    close(connection->descriptor);
    connection->descriptor = -1;
}

static void set_free(struct connection *connection)
{
    struct transport *transport = connection->transport;
    connection_drop_input(connection);
    connection_drop_output(connection);
    close_descriptor(connection);
    connection_link_leave(&connection->open_link);
    transport->settings.protocol->closed(connection);
    /* Writes of `closed` were refused; what stands in a queue would outlive the connection. */
    connection_link_leave(&connection->work_link);
    connection_link_leave(&connection->flush_link);
    connection->next_free = transport->free;
    transport->free = connection;
}

/* ---- Deadlines ------------------------------------------------------------------------------- */

/* The timer moves only to earlier times; when it expires early it is set to what is left. So a
 * deadline that is set and taken away with every send costs nothing. */
void connection_set_end(struct connection *connection, enum deadline which, uint64_t deadline_ns)
{
    connection->deadlines_ns[which] = deadline_ns;
    bool armed = connection->timer.heap_index != 0;
    if (deadline_ns != 0 && (!armed || deadline_ns < connection->timer.deadline_ns))
        loop_timer_arm(connection->transport->loop, &connection->timer, deadline_ns);
}

static void expire_deadline(struct loop *loop, struct timer *timer)
{
    struct connection *connection =
        (struct connection *)((uint8_t *)timer - offsetof(struct connection, timer));
    struct transport_figures *figures = &connection->transport->figures;
    uint64_t *counters[DEADLINE_COUNT] = {
        [DEADLINE_HALF_COMMAND] = &figures->aborted_half_command,
        [DEADLINE_STUCK_SEND] = &figures->aborted_stuck_send,
        [DEADLINE_PROTOCOL] = &figures->aborted_deadline,
        [DEADLINE_LINGER] = NULL, /* an ordinary end */
    };
    uint64_t next_ns = UINT64_MAX;
    for (int i = 0; i < DEADLINE_COUNT; i++) {
        uint64_t deadline_ns = connection->deadlines_ns[i];
        if (deadline_ns == 0)
            continue;
        if (deadline_ns <= loop_now_ns(loop)) {
            connection->resets = counters[i] != NULL;
            if (counters[i] != NULL)
                ++*counters[i];
            connection_begin_close(connection);
            return;
        }
        if (deadline_ns < next_ns)
            next_ns = deadline_ns;
    }
    if (next_ns != UINT64_MAX)
        loop_timer_arm(loop, timer, next_ns);
}

void connection_set_deadline(struct connection *connection, uint64_t deadline_ns)
{
    if (connection->state == CONNECTION_OPEN)
        connection_set_end(connection, DEADLINE_PROTOCOL, deadline_ns);
}

/* ---- What it is ------------------------------------------------------------------------------ */

struct transport *connection_transport(const struct connection *connection)
{
    return connection->transport;
}

struct loop *connection_loop(const struct connection *connection)
{
    return connection->transport->loop;
}

void *connection_session(struct connection *connection)
{
    return connection->session;
}

uint64_t connection_id(const struct connection *connection)
{
    return connection->id;
}

const char *connection_peer(const struct connection *connection)
{
    return connection->peer;
}

uint64_t connection_opened_ns(const struct connection *connection)
{
    return connection->opened_ns;
}

bool connection_is_closing(const struct connection *connection)
{
    return connection->state != CONNECTION_OPEN;
}
