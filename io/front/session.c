#include "io/front/session.h"

#include <assert.h>

#include "io/delivery/errand.h"
#include "io/delivery/read.h"
#include "io/front/command.h"
#include "io/front/control.h"
#include "io/front/session_input.h"
#include "io/front/session_records.h"
#include "io/resp/resp_put.h"

static void session_opened(struct connection *connection);
static void session_output_room(struct connection *connection);
static void session_left(struct connection *connection);
static void session_ended(struct connection *connection);
static void session_closed(struct connection *connection);

const struct connection_protocol session_protocol = {
    .opened = session_opened,
    .input = session_input,
    .output_room = session_output_room,
    .left = session_left,
    .ended = session_ended,
    .closed = session_closed,
};

/* ---- life ---- */

static void session_opened(struct connection *connection)
{
    struct session *session = session_of(connection);
    struct shard *shard = transport_context(connection_transport(connection));
    session->connection = connection;
    session->shard = shard;
    session->protocol = 2;
    session->parked.waited.destination = NO_DESTINATION;
    if (shard->control != NULL && shard->control->opening != NULL) {
        session->is_control = true;
        session->control_uid = shard->control->opening->uid;
        session->control_pid = shard->control->opening->pid;
    }
    session_forget_participant(session);
}

void session_forget_participant(struct session *session)
{
    const struct shard *shard = session->shard;
    session->participant = NULL;
    if (session->is_control) {
        session->participant = shard->generation->operator;
        return;
    }
    if (shard->generation->open) {
        session->participant = shard->generation->directory.participants[0];
        return;
    }
    uint64_t handshake_ns = shard->config->options.handshake_time * UINT64_C(1000000);
    connection_set_deadline(session->connection, loop_now_ns(shard->loop) + handshake_ns);
}

static void leave_unflushed(struct shard *shard, struct session *session)
{
    struct session **link = &shard->unflushed;
    while (*link != session)
        link = &(*link)->next_unflushed;
    *link = session->next_unflushed;
}

static void return_slot(struct shard *shard, struct reply_slot *slot)
{
    if (slot->is_publication)
        publication_return(&shard->publications, publication_of(slot));
    else
        reply_slot_return(&shard->promises, slot);
}

static void session_closed(struct connection *connection)
{
    struct session *session = session_of(connection);
    struct shard *shard = session->shard;
    read_stop_waiting(session);
    session_records_end(session);
    if (session->errand != NULL)
        errand_leave(session);
    control_leave(session);
    transaction_end(&session->transaction);
    if (session->in_unflushed)
        leave_unflushed(shard, session);
    /* Its parked messages go on: the sender may have died, what it sent is still wanted. */
    for (struct publication *then, *parked = parking_leave(shard, session); parked != NULL;
         parked = then) {
        then = parked->queued;
        intake_queue(shard, parked);
    }
    struct reply_slot *next;
    for (struct reply_slot *slot = session->first; slot != NULL; slot = next) {
        next = slot->next;
        slot->session = NULL;
        if (slot->ready)
            return_slot(shard, slot);
    }
    if (shard->publications_wanted || shard->promises_wanted)
        shard_wake(shard);
    atomic_fetch_add_explicit(&shard->connections_closed, 1, memory_order_relaxed);
}

/* Nobody is there to acknowledge what a blocking read would bring. */
static void session_left(struct connection *connection)
{
    const struct session *session = session_of(connection);
    if ((session->waits & SESSION_WAIT_READ) != 0)
        connection_finish(connection);
}

/* The client sends no more, and reads on perhaps. */
static void session_ended(struct connection *connection)
{
    control_end(session_of(connection));
    session_finish(session_of(connection));
}

void session_finish(struct session *session)
{
    session->finishing = true;
    if (session->first == NULL && !errand_must_end(session) &&
        (session->waits & SESSION_WAIT_RELOAD) == 0)
        connection_finish(session->connection);
}

/* ---- waiting ---- */

void session_wait_for(struct session *session, enum session_wait reason)
{
    if (session->waits == 0 && session->connection != NULL)
        connection_pause(session->connection);
    session->waits |= (uint8_t)reason;
}

void session_wait_over(struct session *session, enum session_wait reason)
{
    if ((session->waits & reason) == 0)
        return;
    session->waits &= (uint8_t)~reason;
    if (session->waits != 0)
        return;
    if (session->connection != NULL)
        connection_resume(session->connection);
    else
        errand_part_resume(session);
}

/* ---- replies ---- */

uint64_t session_reply_max(const struct session *session)
{
    return session->terms != NULL ? session->terms->bytes_max
                                  : session->shard->config->options.reply_max;
}

struct resp_writer session_reply_begin(struct session *session)
{
    struct resp_writer writer;
    resp_writer_init(&writer, session->protocol, session->shard->reply_memory,
                     session->shard->reply_capacity);
    return writer;
}

/* A long reply is sent from where it was written, and the next one is written elsewhere. False: it
 * is to be copied, since it is short or there is no such place left. */
static bool lend_reply(struct session *session, const struct resp_writer *writer)
{
    enum { LONG_REPLY_BYTES = 16 * 1024 };
    struct shard *shard = session->shard;
    struct chunk *reply = shard->reply;
    const uint8_t *end = reply->data + reply->capacity;
    bool lies_there = writer->data >= reply->data && writer->data < end;
    if (writer->needed < LONG_REPLY_BYTES || !lies_there || shard->replies.free_count == 0)
        return false;
    reply->start = (uint32_t)(writer->data - reply->data);
    reply->used = reply->start + (uint32_t)writer->needed;
    if (!connection_lend(session->connection, reply))
        return false;
    shard->reply = chunk_take(&shard->replies);
    shard->reply_memory = shard->reply->data;
    return true;
}

void session_reply_end(struct session *session, const struct resp_writer *writer)
{
    struct shard *shard = session->shard;
    if (session->connection == NULL) {
        errand_part_write(session, writer);
        return;
    }
    if (writer->overflowed) {
        command_reply_error(session, "ERR the reply is too long; ask for less");
        return;
    }
    if (lend_reply(session, writer) ||
        connection_write(session->connection, bytes_make(writer->data, writer->needed)))
        return;
    /* No output memory is left in the whole server: an honest end beats half a reply. */
    shard->figures.replies_lost++;
    connection_abort(session->connection);
}

void session_owe(struct session *session, struct reply_slot *slot)
{
    slot->session = session;
    if (session->first == NULL)
        session->first = slot;
    else
        session->last->next = slot;
    session->last = slot;
    if (slot->is_publication)
        session->publication_count++;
    else
        session->promise_count++;
}

static void write_slot(struct resp_writer *writer, const struct reply_slot *slot)
{
    switch ((enum reply_kind)slot->kind) {
    case REPLY_OK: resp_write_simple(writer, "OK"); return;
    case REPLY_INTEGER: resp_write_integer(writer, slot->integer); return;
    case REPLY_ID: resp_write_id(writer, slot->id.ms, slot->id.seq); return;
    case REPLY_ERROR: break;
    }
    resp_write_error(writer, slot->error);
}

/* The only reply that a session without a connection owes. */
static void flush_part(struct session *session)
{
    struct reply_slot *slot = session->first;
    struct resp_writer writer = session_reply_begin(session);
    write_slot(&writer, slot);
    session_reply_end(session, &writer);
    session->first = session->last = NULL;
    session->promise_count = 0;
    return_slot(session->shard, slot);
    errand_part_done(session);
}

enum { REPLY_BYTES_MAX = PUBLICATION_ERROR_BYTES + 64, REPLIES_AT_ONCE = 8 };

/* Most are receipts, and share their milliseconds with those before them. */
static uint8_t *put_slot(uint8_t *out, struct session *session, const struct reply_slot *slot)
{
    if (slot->kind == REPLY_ID) {
        struct decimal_text *ms = &session->shard->receipt_ms;
        decimal_text_set(ms, slot->id.ms);
        return resp_put_id(out, resp_id_bytes(ms, slot->id.seq), ms, slot->id.seq);
    }
    struct resp_writer writer;
    resp_writer_init(&writer, session->protocol, out, REPLY_BYTES_MAX);
    write_slot(&writer, slot);
    assert(!writer.overflowed);
    return out + writer.needed;
}

static uint32_t count_ready(const struct session *session)
{
    uint32_t count = 0;
    for (const struct reply_slot *slot = session->first;
         slot != NULL && slot->ready && count < REPLIES_AT_ONCE; slot = slot->next)
        count++;
    return count;
}

/* Writes the known replies at the head of the session's list. */
static void flush(struct session *session)
{
    uint64_t share = session->shard->config->options.publications_per_connection;
    for (uint32_t count; (count = count_ready(session)) > 0;) {
        uint8_t *room = connection_reserve(session->connection, (size_t)count * REPLY_BYTES_MAX);
        if (room == NULL) {
            session_wait_for(session, SESSION_WAIT_OUTPUT);
            return;
        }
        uint8_t *out = room;
        for (; count > 0; count--) {
            struct reply_slot *slot = session->first;
            out = put_slot(out, session, slot);
            session->first = slot->next;
            if (slot->is_publication)
                session->publication_count--;
            else
                session->promise_count--;
            return_slot(session->shard, slot);
        }
        connection_commit(session->connection, (size_t)(out - room));
    }
    if (session->publication_count <= share / 2 && session->promise_count <= share / 2)
        session_wait_over(session, SESSION_WAIT_SLOTS);
    if (session->first != NULL)
        return;
    session->last = NULL;
    session_wait_over(session, SESSION_WAIT_REPLIES);
    if (session->finishing)
        session_finish(session);
}

void session_slot_done(struct shard *shard, struct reply_slot *slot)
{
    struct session *session = slot->session;
    slot->ready = true;
    if (session == NULL) {
        return_slot(shard, slot);
        return;
    }
    if (session->in_unflushed)
        return;
    session->in_unflushed = true;
    session->next_unflushed = shard->unflushed;
    shard->unflushed = session;
    shard_wake(shard);
}

static void offer_slots(struct connection *connection, void *context)
{
    (void)context;
    session_wait_over(session_of(connection), SESSION_WAIT_SLOTS);
}

void session_flush_all(struct shard *shard)
{
    while (shard->unflushed != NULL) {
        struct session *session = shard->unflushed;
        shard->unflushed = session->next_unflushed;
        session->in_unflushed = false;
        if (session->connection != NULL)
            flush(session);
        else
            flush_part(session);
    }
    bool publications = shard->publications_wanted && shard->publications.free != NULL;
    bool promises = shard->promises_wanted && shard->promises.free != NULL;
    if (!publications && !promises)
        return;
    shard->publications_wanted &= !publications;
    shard->promises_wanted &= !promises;
    transport_visit(shard->transport, offer_slots, NULL);
    if (shard->errands != NULL) /* of which some may wait for slots, too */
        shard_wake(shard);
}

static void session_output_room(struct connection *connection)
{
    struct session *session = session_of(connection);
    session_wait_over(session, SESSION_WAIT_OUTPUT);
    flush(session);
    read_try_again(session);
    if (session->errand != NULL)
        errand_try_reply(session);
}
