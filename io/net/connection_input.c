/* What a peer sends reaches the protocol in contiguous pieces. As long as whole commands come, the
 * protocol reads them where the kernel has put them. The unfinished rest of a buffer is copied into
 * a carry, so that the buffer can go back at once, and what follows is appended there: a step
 * beyond what the protocol needs at most, for as soon as the protocol has passed the carried bytes,
 * it goes on in the received buffer itself. */
#include <assert.h>

#include "io/net/transport.h"

enum {
    CARRY_STEP_BYTES = 256 /* appended at least, though the protocol asks for one byte */
};

static bool feed_received(struct connection *connection);
static bool feed_carry(struct connection *connection);
static void end_feeding(struct connection *connection);
static void advance_received(struct connection *connection, size_t size);

static size_t received_bytes(const struct connection *connection)
{
    return connection->received->used - connection->received_offset;
}

static size_t carried_bytes(const struct connection *connection)
{
    return connection->carry != NULL ? connection->carry->used - connection->carry_offset : 0;
}

static bool is_paused(const struct connection *connection)
{
    return connection->pause_count > 0;
}

bool connection_is_held_up(const struct connection *connection)
{
    return is_paused(connection) || connection_link_stands(&connection->carry_link);
}

/* True if there are bytes that the protocol has not seen in this combination. */
static bool has_input(const struct connection *connection)
{
    return connection->received != NULL ||
           (connection->carry != NULL && carried_bytes(connection) >= connection->needed);
}

/* ---- Feeding --------------------------------------------------------------------------------- */

void connection_feed(struct connection *connection)
{
    assert(!connection->feeding);
    connection->feeding = true;
    connection->consumed_some = false;
    bool goes_on = true;
    while (goes_on && connection->state == CONNECTION_OPEN && !connection_is_held_up(connection) &&
           has_input(connection))
        goes_on = connection->carry == NULL ? feed_received(connection) : feed_carry(connection);
    connection->feeding = false;
    end_feeding(connection);
}

/* Returns how much was consumed, and notes how much the protocol needs to go on behind that. */
static size_t call_protocol(struct connection *connection, struct chunk *chunk, struct bytes input)
{
    size_t needed = input.size + 1;
    connection->interrupted = false;
    connection->input_chunk = chunk;
    size_t consumed = connection->transport->settings.protocol->input(connection, input, &needed);
    connection->input_chunk = NULL;
    assert(consumed <= input.size);
    connection->consumed_some = connection->consumed_some || consumed > 0;
    size_t rest = input.size - consumed;
    size_t needed_rest = needed > consumed ? needed - consumed : 0;
    if (connection->interrupted || rest == 0)
        connection->needed = 0;
    else
        connection->needed = needed_rest > rest ? needed_rest : rest + 1;
    return consumed;
}

/* A carry for `size` bytes and at least one more; NULL: wait in line, or closed as too large. */
static struct chunk *take_carry(struct connection *connection, size_t size)
{
    struct transport *transport = connection->transport;
    if (size < CARRY_SMALL_BYTES)
        return shared_pool_take(&transport->small_carries, connection, &connection->carry_link);
    if (size < transport->settings.command_bytes_max)
        return shared_pool_take(&transport->large_carries, connection, &connection->carry_link);
    connection_abort(connection); /* a protocol that knew its own limit would have ended it */
    return NULL;
}

static void drop_carry(struct connection *connection)
{
    if (connection->carry != NULL)
        chunk_return(connection->carry);
    connection->carry = NULL;
    connection->carry_offset = 0;
}

/* The first received chunk in place; what it leaves unfinished begins a carry. False: stop for now.
 * A protocol that paused and resumed inside the call goes on by the deferral. */
static bool feed_received(struct connection *connection)
{
    struct chunk *chunk = connection->received;
    struct bytes input = {chunk->data + connection->received_offset, received_bytes(connection)};
    size_t consumed = 0;
    if (input.size >= connection->needed) {
        consumed = call_protocol(connection, chunk, input);
        if (connection->interrupted || consumed == input.size) {
            advance_received(connection, consumed);
            return !connection->interrupted;
        }
        if (connection->state != CONNECTION_OPEN)
            return false;
    }
    size_t rest = input.size - consumed;
    connection->received_offset += (uint32_t)consumed;
    struct chunk *carry = take_carry(connection, rest);
    if (carry == NULL)
        return false;
    chunk_append(carry, input.data + consumed, rest);
    connection->carry = carry;
    advance_received(connection, rest);
    return true;
}

/* True if the carry has room for one byte at least. */
static bool make_room(struct connection *connection)
{
    struct chunk *carry = connection->carry;
    if (carry->used < carry->capacity)
        return true;
    size_t size = carried_bytes(connection);
    const uint8_t *data = carry->data + connection->carry_offset;
    if (connection->carry_offset > 0 && carry->references == 1) {
        memmove(carry->data, data, size);
        carry->used = (uint32_t)size;
        connection->carry_offset = 0;
        return true;
    }
    struct chunk *larger = take_carry(connection, size);
    if (larger == NULL)
        return false;
    chunk_append(larger, data, size);
    drop_carry(connection);
    connection->carry = larger;
    return true;
}

/* Appends received bytes until the protocol has what it needs, and feeds the carry. */
static bool feed_carry(struct connection *connection)
{
    size_t before = carried_bytes(connection);
    size_t appended = 0;
    if (before < connection->needed) {
        if (!make_room(connection))
            return false;
        size_t room = connection->carry->capacity - connection->carry->used;
        appended = connection->needed - before;
        if (appended < CARRY_STEP_BYTES)
            appended = CARRY_STEP_BYTES;
        if (appended > room)
            appended = room;
        if (appended > received_bytes(connection))
            appended = received_bytes(connection);
        chunk_append(connection->carry, connection->received->data + connection->received_offset,
                     appended);
        if (before + appended < connection->needed) {
            advance_received(connection, appended);
            return true;
        }
    }
    struct chunk *carry = connection->carry;
    struct bytes input = {carry->data + connection->carry_offset, before + appended};
    size_t consumed = call_protocol(connection, carry, input);
    if (consumed >= before) { /* the rest lies in the received chunk, too */
        drop_carry(connection);
        advance_received(connection, consumed - before);
    } else {
        connection->carry_offset += (uint32_t)consumed;
        advance_received(connection, appended);
    }
    return !connection->interrupted;
}

static void advance_received(struct connection *connection, size_t size)
{
    if (size == 0)
        return;
    struct chunk *chunk = connection->received;
    connection->received_offset += (uint32_t)size;
    assert(connection->received_offset <= chunk->used);
    if (connection->received_offset < chunk->used)
        return;
    connection->received = chunk->next;
    connection->received_offset = 0;
    connection->received_count--;
    chunk->next = NULL;
    chunk_return(chunk);
}

/* A paused connection keeps little in a carry rather than in receive buffers, which all share. */
static void settle(struct connection *connection)
{
    struct shared_pool *small = &connection->transport->small_carries;
    while (connection->received != NULL) {
        size_t size = received_bytes(connection);
        if (connection->carry == NULL && size <= CARRY_SMALL_BYTES &&
            shared_pool_is_open_to(small, connection))
            connection->carry = chunk_take(&small->pool);
        struct chunk *carry = connection->carry;
        if (carry == NULL || size > carry->capacity - carry->used)
            return;
        chunk_append(carry, connection->received->data + connection->received_offset, size);
        advance_received(connection, size);
    }
}

static void update_half_command(struct connection *connection)
{
    bool unfinished = connection->received != NULL || connection->carry != NULL;
    if (!unfinished || is_paused(connection))
        connection_set_end(connection, DEADLINE_HALF_COMMAND, 0);
    else if (connection->consumed_some || connection->deadlines_ns[DEADLINE_HALF_COMMAND] == 0)
        connection_set_end(connection, DEADLINE_HALF_COMMAND,
                           loop_now_ns(connection->transport->loop) +
                               connection->transport->settings.half_command_ns);
}

static void end_feeding(struct connection *connection)
{
    if (connection->state != CONNECTION_OPEN) {
        connection_drop_input(connection);
        return;
    }
    if (is_paused(connection))
        settle(connection);
    update_half_command(connection);
    transport_note_held(connection,
                        connection_is_held_up(connection) ? connection->received_count : 0);
    connection_update_receive(connection);
    if (connection->state == CONNECTION_OPEN && connection->ended && !connection->ended_told &&
        !has_input(connection)) {
        const struct connection_protocol *protocol = connection->transport->settings.protocol;
        connection->ended_told = true;
        connection->transport->figures.closed_by_peer++;
        connection_set_end(connection, DEADLINE_HALF_COMMAND, 0);
        if (protocol->ended != NULL)
            protocol->ended(connection);
        else
            connection_finish(connection);
    }
}

void connection_drop_input(struct connection *connection)
{
    assert(!connection->feeding);
    while (connection->received != NULL)
        advance_received(connection, received_bytes(connection));
    drop_carry(connection);
    connection_link_leave(&connection->carry_link);
    transport_note_held(connection, 0);
}

/* ---- Pausing --------------------------------------------------------------------------------- */

struct chunk *connection_input_chunk(struct connection *connection)
{
    assert(connection->input_chunk != NULL);
    return connection->input_chunk;
}

void connection_pause(struct connection *connection)
{
    connection->pause_count++;
    connection->interrupted = true;
    if (connection->state == CONNECTION_OPEN)
        connection_set_end(connection, DEADLINE_HALF_COMMAND, 0);
}

void connection_resume(struct connection *connection)
{
    assert(connection->pause_count > 0);
    if (--connection->pause_count > 0 || connection->state != CONNECTION_OPEN)
        return;
    connection->feed_due = true;
    transport_put_to_work(connection);
}
