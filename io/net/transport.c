#include "io/net/transport.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

static enum status reserve(struct transport *transport);
static void open_shared_pool(struct shared_pool *shared, struct transport *transport);
static void return_shared(struct chunk_pool *pool, struct chunk *chunk);
static void run_carry_on(struct loop *loop, struct deferral *deferral);
static void run_hand_out(struct loop *loop, struct deferral *deferral);
static void run_rearm(struct loop *loop, struct deferral *deferral);
static void run_flush(struct loop *loop, struct deferral *deferral);

/* ---- Opening and closing --------------------------------------------------------------------- */

enum status transport_open(struct loop *loop, const struct transport_settings *settings,
                           struct transport **out_transport)
{
    assert(settings->connections_max > 0 && settings->protocol != NULL);
    assert(settings->command_bytes_max >= CARRY_SMALL_BYTES);
    assert(settings->output_bytes_max >= CHUNK_RECEIVE_BYTES);
    assert(settings->half_command_ns > 0 && settings->stuck_send_ns > 0);
    struct transport *transport = calloc(1, sizeof *transport);
    if (transport == NULL)
        return STATUS_NO_MEMORY;
    transport->loop = loop;
    transport->settings = *settings;
    if (reserve(transport) != STATUS_OK) {
        transport_close(transport);
        return STATUS_NO_MEMORY;
    }
    open_shared_pool(&transport->small_carries, transport);
    open_shared_pool(&transport->large_carries, transport);
    open_shared_pool(&transport->outputs, transport);
    transport->carry_on.run = run_carry_on;
    transport->hand_out.run = run_hand_out;
    transport->rearm.run = run_rearm;
    transport->flush.run = run_flush;
    transport->flush.last = true;
    uint32_t buffers = loop_buffers_free(loop) + loop_buffers_out(loop);
    transport->held_buffers_max = buffers - (buffers + 3) / 4;
    *out_transport = transport;
    return STATUS_OK;
}

static enum status reserve(struct transport *transport)
{
    const struct transport_settings *settings = &transport->settings;
    size_t unaligned = sizeof(struct connection) + settings->session_bytes;
    size_t alignment = _Alignof(struct connection);
    transport->stride_bytes = (unaligned + alignment - 1) / alignment * alignment;
    transport->memory_bytes = transport->stride_bytes * settings->connections_max;
    void *memory = mmap(NULL, transport->memory_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return STATUS_NO_MEMORY;
    transport->memory = memory;
    if (chunk_pool_open(&transport->small_carries.pool, settings->small_carries, CARRY_SMALL_BYTES,
                        false) != STATUS_OK ||
        chunk_pool_open(&transport->large_carries.pool, settings->large_carries,
                        settings->command_bytes_max, false) != STATUS_OK ||
        chunk_pool_open(&transport->outputs.pool, settings->output_chunks, CHUNK_RECEIVE_BYTES,
                        false) != STATUS_OK ||
        chunk_pool_open(&transport->small_outputs, settings->connections_max, OUTPUT_SMALL_BYTES,
                        false) != STATUS_OK)
        return STATUS_NO_MEMORY;
    return STATUS_OK;
}

void transport_close(struct transport *transport)
{
    assert(transport->open.count == 0);
    loop_undefer(transport->loop, &transport->carry_on);
    loop_undefer(transport->loop, &transport->hand_out);
    loop_undefer(transport->loop, &transport->rearm);
    loop_undefer(transport->loop, &transport->flush);
    chunk_pool_close(&transport->small_carries.pool);
    chunk_pool_close(&transport->large_carries.pool);
    chunk_pool_close(&transport->outputs.pool);
    chunk_pool_close(&transport->small_outputs);
    if (transport->memory != NULL)
        munmap(transport->memory, transport->memory_bytes);
    free(transport);
}

void *transport_context(const struct transport *transport)
{
    return transport->settings.context;
}

uint32_t transport_connection_count(const struct transport *transport)
{
    return transport->open.count;
}

void transport_visit(struct transport *transport,
                     void (*visit)(struct connection *connection, void *context), void *context)
{
    /* Connections leave only in the deferral `flush`, never inside a visit. */
    for (struct connection_link *link = transport->open.first; link != NULL; link = link->next)
        visit(link->connection, context);
}

void transport_figures(const struct transport *transport, struct transport_figures *out_figures)
{
    *out_figures = transport->figures;
    out_figures->open = transport->open.count;
    out_figures->receive_starved = transport->starved.count;
    out_figures->carry_waiting =
        transport->small_carries.waiting.count + transport->large_carries.waiting.count;
    out_figures->output_waiting = transport->outputs.waiting.count;
}

static bool is_scarce(uint32_t free_count, uint32_t count)
{
    return free_count <= count / 4;
}

bool transport_input_is_scarce(const struct transport *transport)
{
    const struct chunk_pool *small = &transport->small_carries.pool;
    const struct chunk_pool *large = &transport->large_carries.pool;
    uint32_t free_buffers = loop_buffers_free(transport->loop);
    return is_scarce(free_buffers, free_buffers + loop_buffers_out(transport->loop)) ||
           is_scarce(small->free_count, small->count) || is_scarce(large->free_count, large->count);
}

/* ---- Shared pools ---------------------------------------------------------------------------- */

static void open_shared_pool(struct shared_pool *shared, struct transport *transport)
{
    shared->transport = transport;
    shared->pool.reclaim = return_shared;
    shared->pool.context = shared;
}

bool shared_pool_is_open_to(const struct shared_pool *shared, const struct connection *connection)
{
    return shared->waiting.count == 0 || shared->served == connection;
}

struct chunk *shared_pool_take(struct shared_pool *shared, struct connection *connection,
                               struct connection_link *link)
{
    struct chunk *chunk = NULL;
    if (shared_pool_is_open_to(shared, connection))
        chunk = chunk_take(&shared->pool);
    if (chunk == NULL)
        connection_queue_push(&shared->waiting, link, connection);
    return chunk;
}

static void return_shared(struct chunk_pool *pool, struct chunk *chunk)
{
    struct shared_pool *shared = pool->context;
    chunk_pool_keep(pool, chunk);
    if (shared->waiting.count > 0)
        loop_defer(shared->transport->loop, &shared->transport->hand_out);
}

/* The first in line goes first, also if it wants more than one that is behind it. */
static bool may_serve(const struct shared_pool *shared)
{
    const struct connection_link *first = shared->waiting.first;
    if (first == NULL)
        return false;
    bool is_output = shared == &shared->transport->outputs;
    return shared->pool.free_count >= (is_output ? first->connection->chunks_wanted : 1);
}

static void serve_line(struct shared_pool *shared, void (*serve)(struct connection *connection))
{
    for (uint32_t n = shared->waiting.count; n > 0 && may_serve(shared); n--) {
        struct connection *connection = connection_queue_pop(&shared->waiting);
        shared->served = connection;
        serve(connection);
        shared->served = NULL;
    }
    if (may_serve(shared))
        loop_defer(shared->transport->loop, &shared->transport->hand_out);
}

static void offer_output_room(struct connection *connection)
{
    const struct connection_protocol *protocol = connection->transport->settings.protocol;
    if (!connection_is_closing(connection))
        protocol->output_room(connection);
}

static void run_hand_out(struct loop *loop, struct deferral *deferral)
{
    (void)loop;
    struct transport *transport =
        (struct transport *)((uint8_t *)deferral - offsetof(struct transport, hand_out));
    serve_line(&transport->large_carries, connection_feed);
    serve_line(&transport->small_carries, connection_feed);
    serve_line(&transport->outputs, offer_output_room);
}

/* ---- What is due at the end of a turn -------------------------------------------------------- */

void transport_put_to_work(struct connection *connection)
{
    struct transport *transport = connection->transport;
    connection_queue_push(&transport->work, &connection->work_link, connection);
    loop_defer(transport->loop, &transport->carry_on);
}

void transport_put_to_flush(struct connection *connection)
{
    struct transport *transport = connection->transport;
    connection_queue_push(&transport->flushes, &connection->flush_link, connection);
    loop_defer(transport->loop, &transport->flush);
}

static void run_carry_on(struct loop *loop, struct deferral *deferral)
{
    struct transport *transport =
        (struct transport *)((uint8_t *)deferral - offsetof(struct transport, carry_on));
    for (uint32_t n = transport->work.count; n > 0; n--) {
        struct connection *connection = connection_queue_pop(&transport->work);
        if (connection == NULL)
            return;
        if (connection->room_due) {
            connection->room_due = false;
            offer_output_room(connection);
        }
        if (connection->feed_due) {
            connection->feed_due = false;
            connection_feed(connection);
        }
    }
    if (transport->work.count > 0)
        loop_defer(loop, deferral);
}

static void run_flush(struct loop *loop, struct deferral *deferral)
{
    struct transport *transport =
        (struct transport *)((uint8_t *)deferral - offsetof(struct transport, flush));
    for (uint32_t n = transport->flushes.count; n > 0; n--) {
        struct connection *connection = connection_queue_pop(&transport->flushes);
        if (connection == NULL)
            return;
        connection_flush(connection);
    }
    if (transport->flushes.count > 0)
        loop_defer(loop, deferral);
}

/* ---- Receive buffers run out ----------------------------------------------------------------- */

void transport_starve(struct connection *connection)
{
    struct transport *transport = connection->transport;
    connection_queue_push(&transport->starved, &connection->starved_link, connection);
    if (loop_buffers_free(transport->loop) > 0)
        loop_defer(transport->loop, &transport->rearm); /* they have come back in the meantime */
    else
        loop_await_buffer(transport->loop, &transport->rearm);
}

static void run_rearm(struct loop *loop, struct deferral *deferral)
{
    struct transport *transport =
        (struct transport *)((uint8_t *)deferral - offsetof(struct transport, rearm));
    uint32_t count = loop_buffers_free(loop);
    for (; count > 0 && transport->starved.count > 0; count--)
        connection_update_receive(connection_queue_pop(&transport->starved));
    if (transport->starved.count > 0)
        loop_await_buffer(loop, deferral);
}

/* The one that holds the most; among equals the one that has for the longest time. */
static struct connection *find_greediest(const struct transport *transport)
{
    struct connection *found = NULL;
    for (struct connection_link *link = transport->holding.first; link != NULL; link = link->next)
        if (found == NULL || link->connection->held_buffers > found->held_buffers)
            found = link->connection;
    return found;
}

void transport_note_held(struct connection *connection, uint32_t buffer_count)
{
    struct transport *transport = connection->transport;
    bool more = buffer_count > connection->held_buffers;
    transport->held_buffers += buffer_count - connection->held_buffers;
    connection->held_buffers = buffer_count;
    if (buffer_count > 0)
        connection_queue_push(&transport->holding, &connection->holding_link, connection);
    else
        connection_link_leave(&connection->holding_link);
    while (more && transport->held_buffers > transport->held_buffers_max) {
        transport->figures.aborted_holding++;
        connection_abort(find_greediest(transport)); /* which notes 0 for it */
    }
}
