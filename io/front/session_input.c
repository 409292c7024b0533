#include "io/front/session_input.h"

#include <assert.h>
#include <stdio.h>

#include "io/delivery/errand.h"
#include "io/front/command.h"
#include "io/front/session_records.h"

static struct resp_limits input_limits(const struct session *session);
static bool run(struct session *session, struct resp_command *command, struct bytes frame);
static int must_wait(const struct session *session, const struct command_row *row,
                     const struct resp_command *command);
static void run_now(struct session *session, const struct command_row *row,
                    struct resp_command *command, struct bytes frame);
static bool refuse(struct session *session, const struct command_row *row,
                   const struct resp_command *command);
static bool arity_fits(const struct command_row *row, uint32_t count);
static bool is_queued(const struct session *session, const struct command_row *row);
static void queue(struct session *session, struct bytes frame);
static bool run_transaction(struct session *session);

static void end_badly(struct session *session, const char *error)
{
    if (error != NULL)
        command_reply_error(session, error);
    connection_finish(session->connection);
}

size_t session_input(struct connection *connection, struct bytes input, size_t *out_needed)
{
    struct session *session = session_of(connection);
    const struct resp_limits limits = input_limits(session);
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
        if (command.count > 0 && !run(session, &command, bytes_slice(rest, 0, command.frame_bytes)))
            return consumed;
        consumed += command.frame_bytes;
    }
    return consumed;
}

static struct resp_limits input_limits(const struct session *session)
{
    const struct options *options = &session->shard->config->options;
    return (struct resp_limits){
        .arguments_max = RESP_ARGUMENTS_MAX,
        .argument_bytes_max = (uint32_t)options->message_max * 2,
        .command_bytes_max = (uint32_t)options->message_max * 2 + CHUNK_RECEIVE_BYTES,
    };
}

struct chunk *session_input_chunk(struct session *session)
{
    return session->transaction.running ? session->transaction.queue
                                        : connection_input_chunk(session->connection);
}

/* ---- one command ---- */

/* Mostly the client's last command comes again. */
static const struct command_row *find_row(const struct session *session, struct bytes name)
{
    const struct command_row *last = session->last_row;
    return last != NULL && bytes_equal(name, bytes_make(last->name, last->name_bytes))
               ? last
               : command_find(name);
}

/* Runs one command, whose bytes are `frame`. False if it has to wait, and will be parsed again. */
static bool run(struct session *session, struct resp_command *command, struct bytes frame)
{
    if (session->transaction.running)
        return run_transaction(session);
    const struct command_row *row = find_row(session, command->arguments[0]);
    bool is_for_later = is_queued(session, row);
    int reason = must_wait(session, is_for_later ? NULL : row, command);
    if (reason != 0) {
        session_wait_for(session, (enum session_wait)reason);
        return false;
    }
    if (!is_for_later) {
        run_now(session, row, command, frame);
        if (session_awaits_records(session))
            return false;
    } else if (refuse(session, row, command))
        session->transaction.failed = true;
    else
        queue(session, frame);
    return !session->transaction.running || run_transaction(session);
}

/* How much may be queued when the next command begins: its reply must fit in what is left. */
static size_t output_low_water(const struct session *session)
{
    return session->shard->config->options.output_max / 2;
}

/* Most replies are short, or as long as what they return. */
static size_t reply_bytes_max(const struct session *session, const struct command_row *row,
                              const struct resp_command *command)
{
    enum { SHORT_REPLY_BYTES = 3072 };
    bool is_long = row != NULL && (row->flags & COMMAND_LONG) != 0;
    return is_long ? session->shard->reply_capacity : command->frame_bytes + SHORT_REPLY_BYTES;
}

/* Why a publication cannot be taken; 0 if it can. */
static int must_wait_to_publish(const struct session *session)
{
    struct shard *shard = session->shard;
    if (session->publication_count >= shard->config->options.publications_per_connection)
        return SESSION_WAIT_SLOTS;
    if (shard->publications.free != NULL)
        return 0;
    shard->publications_wanted = true;
    return SESSION_WAIT_SLOTS;
}

static bool has_room_to_spread(const struct shard *shard)
{
    return shard->errands == NULL || errands_have_room(shard->errands);
}

/* The same of the slot of any other reply, and of an errand. */
static int must_wait_to_promise(const struct session *session)
{
    struct shard *shard = session->shard;
    if (session->promise_count >= shard->config->options.publications_per_connection)
        return SESSION_WAIT_SLOTS;
    if (shard->promises.free != NULL && has_room_to_spread(shard))
        return 0;
    shard->promises_wanted = true;
    return SESSION_WAIT_SLOTS;
}

/* Why a command cannot run yet; 0 if it can. XADD and XACK need a slot and go on; all others, and
 * errors, need the replies before them to be known. */
static int must_wait(const struct session *session, const struct command_row *row,
                     const struct resp_command *command)
{
    bool is_whole = row != NULL && arity_fits(row, command->count) && session->participant != NULL;
    uint16_t flags = is_whole ? row->flags : 0;
    if (connection_queued_bytes(session->connection) > output_low_water(session)) {
        connection_await_room(session->connection);
        return SESSION_WAIT_OUTPUT;
    }
    if ((flags & COMMAND_PUBLISH) != 0)
        return must_wait_to_publish(session);
    if ((flags & COMMAND_PIPELINE) != 0)
        return must_wait_to_promise(session);
    if (session->first != NULL)
        return SESSION_WAIT_REPLIES;
    if (!connection_has_room(session->connection, reply_bytes_max(session, row, command)))
        return SESSION_WAIT_OUTPUT;
    bool may_spread = (flags & COMMAND_SPREADS) != 0 && session->shard->errands != NULL;
    return (flags & COMMAND_PROMISE) != 0 || may_spread ? must_wait_to_promise(session) : 0;
}

/* Here, or in several shards. */
static void carry_out(struct session *session, const struct command_row *row,
                      const struct resp_command *command)
{
    bool may_spread = session->shard->errands != NULL && (row->flags & COMMAND_SPREADS) != 0;
    if (!may_spread || !errand_begin(session, row, command))
        row->run(session, command);
}

/* Runs a command, which may wait for old records then: it has changed nothing, and comes once more.
 */
static void run_now(struct session *session, const struct command_row *row,
                    struct resp_command *command, struct bytes frame)
{
    struct shard *shard = session->shard;
    bool was_quoted = command->is_quoted;
    if (was_quoted) { /* which is undone in place */
        memcpy(shard->quoted_memory, frame.data, frame.size);
        resp_unquote(command);
    }
    session->last_row = row;
    if (!refuse(session, row, command))
        carry_out(session, row, command);
    else if (!session->transaction.running)
        session->transaction.failed = session->transaction.open;
    if (session_awaits_records(session)) {
        if (was_quoted)
            memcpy((uint8_t *)(uintptr_t)frame.data, shard->quoted_memory, frame.size);
        return;
    }
    if (session->recalled.state != RECALL_LIST_NONE)
        session_records_end(session);
    session->commands++;
    shard->figures.commands++;
}

/* ---- what stands in the way ---- */

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

/* ---- MULTI and EXEC ---- */

static bool is_queued(const struct session *session, const struct command_row *row)
{
    const struct transaction *transaction = &session->transaction;
    return transaction->open && !transaction->running &&
           (row == NULL || (row->flags & COMMAND_AT_ONCE) == 0);
}

/* Who keeps a queue is given as long as for a half command: the queues are few. */
static void queue(struct session *session, struct bytes frame)
{
    struct shard *shard = session->shard;
    struct transaction *transaction = &session->transaction;
    if (transaction->queue == NULL)
        connection_set_deadline(session->connection,
                                loop_now_ns(shard->loop) +
                                    shard->config->options.half_command_time * UINT64_C(1000000));
    enum status status = transaction_add(transaction, &shard->transactions, frame);
    transaction->failed |= status != STATUS_OK;
    if (transaction->queue == NULL)
        connection_set_deadline(session->connection, 0);
    if (status == STATUS_FULL) {
        command_reply_error(session, "TRYAGAIN too many connections are between MULTI and EXEC "
                                     "(transactions)");
    } else if (status == STATUS_TOO_BIG) {
        command_reply_error(session, "TOOBIG these are more commands than one transaction may have "
                                     "(transaction_max)");
    } else {
        struct resp_writer writer = session_reply_begin(session);
        resp_write_simple(&writer, "QUEUED");
        session_reply_end(session, &writer);
    }
}

/* Goes on with EXEC. False if the next of its commands has to wait: EXEC is parsed again then, and
 * comes here. */
static bool run_transaction(struct session *session)
{
    struct transaction *transaction = &session->transaction;
    struct bytes arguments[RESP_ARGUMENTS_MAX], rest;
    const struct resp_limits limits = input_limits(session);
    while ((rest = transaction_rest(transaction)).size > 0 &&
           !connection_is_closing(session->connection)) {
        struct resp_command command = {.arguments = arguments};
        uint32_t needed = 0;
        const char *error = NULL;
        enum status status =
            resp_parse(&(struct resp_parser){0}, &limits, rest, &command, &needed, &error);
        assert(status == STATUS_OK && command.count > 0); /* as when it was queued */
        const struct command_row *row = command_find(command.arguments[0]);
        int reason = session->waits == 0 ? must_wait(session, row, &command) : 0;
        if (reason != 0)
            session_wait_for(session, (enum session_wait)reason);
        if (session->waits != 0)
            return false;
        run_now(session, row, &command, bytes_slice(rest, 0, command.frame_bytes));
        if (session_awaits_records(session))
            return false;
        transaction->done_bytes += command.frame_bytes;
    }
    transaction_end(transaction);
    return true;
}
