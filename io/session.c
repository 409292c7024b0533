#include "io/session.h"

#include <assert.h>
#include <stdio.h>

#include "io/command.h"
#include "io/read.h"

static bool arity_fits(const struct command_row *row, uint32_t count);
static void session_opened(struct connection *connection);
static size_t session_input(struct connection *connection, struct bytes input, size_t *out_needed);
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
    session->last_command = "NULL"; /* as Redis says of a client that has sent none */
    session_forget_participant(session);
}

void session_forget_participant(struct session *session)
{
    const struct shard *shard = session->shard;
    session->participant = NULL;
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

static void session_closed(struct connection *connection)
{
    struct session *session = session_of(connection);
    struct shard *shard = session->shard;
    read_stop_waiting(session);
    if (session->in_unflushed)
        leave_unflushed(shard, session);
    /* Its parked messages go on: the sender may have died, what it sent is still wanted. */
    for (struct publication *then, *parked = parking_leave(shard, session); parked != NULL;
         parked = then) {
        then = parked->queued;
        intake_queue(shard, parked);
    }
    struct publication *next;
    for (struct publication *publication = session->first; publication != NULL;
         publication = next) {
        next = publication->next;
        publication->session = NULL;
        if (publication->ready)
            publication_return(&shard->publications, publication);
    }
    if (shard->publications_wanted)
        shard_wake(shard);
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
    session_finish(session_of(connection));
}

void session_finish(struct session *session)
{
    session->finishing = true;
    if (session->first == NULL)
        connection_finish(session->connection);
}

/* ---- waiting ---- */

void session_wait_for(struct session *session, enum session_wait reason)
{
    if (session->waits == 0)
        connection_pause(session->connection);
    session->waits |= (uint8_t)reason;
}

void session_wait_over(struct session *session, enum session_wait reason)
{
    if ((session->waits & reason) == 0)
        return;
    session->waits &= (uint8_t)~reason;
    if (session->waits == 0)
        connection_resume(session->connection);
}

/* ---- replies ---- */

/* How much may be queued when the next command begins: its reply must fit in what is left. */
static size_t output_low_water(const struct session *session)
{
    return session->shard->config->options.output_max / 2;
}

struct resp_writer session_reply_begin(struct session *session)
{
    struct resp_writer writer;
    resp_writer_init(&writer, session->protocol, session->shard->reply_memory,
                     session->shard->reply_capacity);
    return writer;
}

void session_reply_end(struct session *session, const struct resp_writer *writer)
{
    struct shard *shard = session->shard;
    if (writer->overflowed) {
        command_reply_error(session, "ERR the reply is too long; ask for less");
        return;
    }
    if (connection_write(session->connection, bytes_make(writer->data, writer->needed)))
        return;
    /* No output memory is left in the whole server: an honest end beats half a reply. */
    shard->figures.replies_lost++;
    connection_abort(session->connection);
}

/* Writes the known replies at the head of the session's list. */
static void flush(struct session *session)
{
    enum { REPLY_BYTES_MAX = PUBLICATION_ERROR_BYTES + 64 };
    struct shard *shard = session->shard;
    while (session->first != NULL && session->first->ready) {
        struct publication *publication = session->first;
        uint8_t *room = connection_reserve(session->connection, REPLY_BYTES_MAX);
        if (room == NULL) {
            session_wait_for(session, SESSION_WAIT_OUTPUT);
            return;
        }
        struct resp_writer writer;
        resp_writer_init(&writer, session->protocol, room, REPLY_BYTES_MAX);
        if (publication->failed)
            resp_write_error(&writer, publication->error);
        else
            resp_write_id(&writer, publication->id.ms, publication->id.seq);
        assert(!writer.overflowed);
        connection_commit(session->connection, writer.needed);
        session->first = publication->next;
        session->publication_count--;
        publication_return(&shard->publications, publication);
    }
    if (session->publication_count <= shard->config->options.publications_per_connection / 2)
        session_wait_over(session, SESSION_WAIT_PUBLICATIONS);
    if (session->first != NULL)
        return;
    session->last = NULL;
    session_wait_over(session, SESSION_WAIT_REPLIES);
    if (session->finishing)
        session_finish(session);
}

void session_publication_done(struct shard *shard, struct publication *publication)
{
    struct session *session = publication->session;
    publication->ready = true;
    if (session == NULL) {
        publication_return(&shard->publications, publication);
        return;
    }
    if (session->in_unflushed)
        return;
    session->in_unflushed = true;
    session->next_unflushed = shard->unflushed;
    shard->unflushed = session;
    shard_wake(shard);
}

static void offer_publications(struct connection *connection, void *context)
{
    (void)context;
    session_wait_over(session_of(connection), SESSION_WAIT_PUBLICATIONS);
}

void session_flush_all(struct shard *shard)
{
    while (shard->unflushed != NULL) {
        struct session *session = shard->unflushed;
        shard->unflushed = session->next_unflushed;
        session->in_unflushed = false;
        flush(session);
    }
    if (shard->publications_wanted && shard->publications.free != NULL) {
        shard->publications_wanted = false;
        transport_visit(shard->transport, offer_publications, NULL);
    }
}

static void session_output_room(struct connection *connection)
{
    struct session *session = session_of(connection);
    session_wait_over(session, SESSION_WAIT_OUTPUT);
    flush(session);
    read_try_again(session);
}

/* ---- input ---- */

static void reply_unknown(struct session *session, const struct resp_command *command)
{
    enum { SHOWN_MAX = 128 };
    char arguments[SHOWN_MAX + 8] = "";
    size_t used = 0;
    for (uint32_t i = 1; i < command->count && used < SHOWN_MAX; i++) {
        struct bytes shown = bytes_slice(command->arguments[i], 0, SHOWN_MAX - used);
        int wrote = snprintf(arguments + used, sizeof arguments - used, "'%.*s' ", (int)shown.size,
                             (const char *)shown.data);
        used += (size_t)wrote;
        if (used >= sizeof arguments)
            used = sizeof arguments - 1;
    }
    struct bytes name = bytes_slice(command->arguments[0], 0, SHOWN_MAX);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer, "ERR unknown command '%.*s', with args beginning with: %s",
                            (int)name.size, (const char *)name.data, arguments);
    session_reply_end(session, &writer);
}

static bool arity_fits(const struct command_row *row, uint32_t count)
{
    return row->arity >= 0 ? count == (uint32_t)row->arity : count >= (uint32_t)-row->arity;
}

static void reply_arity(struct session *session, const struct command_row *row)
{
    char name[32];
    size_t i = 0;
    for (; row->name[i] != '\0' && i < sizeof name - 1; i++)
        name[i] = (char)(row->name[i] | 0x20);
    name[i] = '\0';
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer, "ERR wrong number of arguments for '%s' command", name);
    session_reply_end(session, &writer);
}

/* What stands in the way of a command, as an error reply; false if nothing does. */
static bool refuse(struct session *session, const struct command_row *row,
                   const struct resp_command *command)
{
    if (row == NULL) {
        reply_unknown(session, command);
        return true;
    }
    if (!arity_fits(row, command->count)) {
        reply_arity(session, row);
        return true;
    }
    if (session->participant == NULL && (row->flags & COMMAND_NO_AUTH) == 0) {
        command_reply_error(session, "NOAUTH Authentication required.");
        return true;
    }
    return false;
}

/* Most replies are short, or as long as what they return. */
static size_t reply_bytes_max(const struct session *session, const struct command_row *row,
                              const struct resp_command *command)
{
    enum { SHORT_REPLY_BYTES = 3072 };
    bool is_long = row != NULL && (row->flags & COMMAND_LONG) != 0;
    return is_long ? session->shard->reply_capacity : command->frame_bytes + SHORT_REPLY_BYTES;
}

/* Why a command cannot run yet; 0 if it can. XADD needs a publication and goes on; all others, and
 * errors, need the replies before them to be known. */
static int must_wait(const struct session *session, const struct command_row *row,
                     const struct resp_command *command)
{
    struct shard *shard = session->shard;
    if (connection_queued_bytes(session->connection) > output_low_water(session)) {
        connection_await_room(session->connection);
        return SESSION_WAIT_OUTPUT;
    }
    bool publishes = row != NULL && (row->flags & COMMAND_PUBLISH) != 0 &&
                     arity_fits(row, command->count) && session->participant != NULL;
    if (!publishes && session->first != NULL)
        return SESSION_WAIT_REPLIES;
    if (!publishes)
        return connection_has_room(session->connection, reply_bytes_max(session, row, command))
                   ? 0
                   : SESSION_WAIT_OUTPUT;
    if (session->publication_count >= shard->config->options.publications_per_connection)
        return SESSION_WAIT_PUBLICATIONS;
    if (shard->publications.free == NULL) {
        shard->publications_wanted = true;
        return SESSION_WAIT_PUBLICATIONS;
    }
    return 0;
}

/* Runs one command. False if it has to wait, and will be parsed again. */
static bool run(struct session *session, struct resp_command *command)
{
    const struct command_row *row = command_find(command->arguments[0]);
    int reason = must_wait(session, row, command);
    if (reason != 0) {
        session_wait_for(session, (enum session_wait)reason);
        return false;
    }
    resp_unquote(command);
    session->last_command = row != NULL ? row->name : "unknown";
    session->commands++;
    session->shard->figures.commands++;
    if (!refuse(session, row, command))
        row->run(session, command);
    return true;
}

static void end_badly(struct session *session, const char *error)
{
    if (error != NULL)
        command_reply_error(session, error);
    connection_finish(session->connection);
}

static size_t session_input(struct connection *connection, struct bytes input, size_t *out_needed)
{
    struct session *session = session_of(connection);
    const struct options *options = &session->shard->config->options;
    const struct resp_limits limits = {
        .arguments_max = RESP_ARGUMENTS_MAX,
        .argument_bytes_max = (uint32_t)options->message_max * 2,
        .command_bytes_max = (uint32_t)options->message_max * 2 + CHUNK_RECEIVE_BYTES,
    };
    struct bytes arguments[RESP_ARGUMENTS_MAX];
    size_t consumed = 0;
    while (consumed < input.size && session->waits == 0 && !session->finishing &&
           !connection_is_closing(connection)) {
        struct resp_command command = {.arguments = arguments};
        struct bytes rest = bytes_make(input.data + consumed, input.size - consumed);
        uint32_t needed = 0;
        const char *error = NULL;
        enum status status = resp_parse(&session->parser, &limits, rest, &command, &needed, &error);
        if (status == STATUS_INCOMPLETE) {
            *out_needed = consumed + needed;
            return consumed;
        }
        session->parser = (struct resp_parser){0};
        if (status != STATUS_OK) {
            if (session->first != NULL) { /* the replies before it first */
                session_wait_for(session, SESSION_WAIT_REPLIES);
                return consumed;
            }
            end_badly(session, error);
            return input.size;
        }
        if (command.count > 0 && !run(session, &command))
            return consumed;
        consumed += command.frame_bytes;
    }
    return consumed;
}
