/* MULTI, EXEC, DISCARD, WATCH and UNWATCH. What is queued, and how EXEC goes on:
 * io/front/session.c. */
#include "io/front/command.h"

static void end(struct session *session)
{
    if (session->transaction.queue != NULL)
        connection_set_deadline(session->connection, 0);
    transaction_end(&session->transaction);
}

void command_multi(struct session *session, const struct resp_command *command)
{
    (void)command;
    if (session->transaction.open) {
        command_reply_error(session, "ERR MULTI calls can not be nested");
        return;
    }
    session->transaction.open = true;
    command_reply_ok(session);
}

void command_exec(struct session *session, const struct resp_command *command)
{
    struct transaction *transaction = &session->transaction;
    (void)command;
    if (!transaction->open) {
        command_reply_error(session, "ERR EXEC without MULTI");
        return;
    }
    if (transaction->failed) {
        end(session);
        command_reply_error(session, "EXECABORT Transaction discarded because of previous errors.");
        return;
    }
    if (transaction->queue != NULL)
        connection_set_deadline(session->connection, 0);
    transaction->running = true;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, transaction->count);
    session_reply_end(session, &writer);
}

void command_discard(struct session *session, const struct resp_command *command)
{
    (void)command;
    if (!session->transaction.open) {
        command_reply_error(session, "ERR DISCARD without MULTI");
        return;
    }
    end(session);
    command_reply_ok(session);
}

void command_watch(struct session *session, const struct resp_command *command)
{
    (void)command;
    command_reply_error(session, session->transaction.open
                                     ? "ERR WATCH inside MULTI is not allowed"
                                     : "ERR WATCH is not offered: EXEC is not atomic here, and "
                                       "there are no keys to be changed by others");
}

void command_unwatch(struct session *session, const struct resp_command *command)
{
    (void)command;
    command_reply_ok(session);
}
