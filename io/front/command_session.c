/* The commands of a connection about itself: AUTH, HELLO, CLIENT, PING, ECHO, SELECT, RESET, QUIT.
 */
#include <stdio.h>

#include "io/front/command.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

/* ---- authentication ---- */

/* Compares without telling by its time where the difference is. */
static bool secret_matches(struct bytes given, struct bytes secret)
{
    volatile uint8_t difference = given.size != secret.size;
    for (size_t i = 0; i < given.size; i++)
        difference |= (uint8_t)(given.data[i] ^ secret.data[secret.size > 0 ? i % secret.size : 0]);
    return difference == 0 && secret.size > 0;
}

static bool authenticate(struct session *session, struct bytes name, struct bytes secret)
{
    const struct generation *generation = session->shard->generation;
    const struct participant *participant = participant_find(&generation->directory, name);
    static const uint8_t nobody[] = "no such participant";
    struct bytes expected = participant != NULL && participant->secret.size > 0
                                ? participant->secret
                                : bytes_make(nobody, sizeof nobody - 1);
    bool matches = secret_matches(secret, expected);
    if (!matches || participant == NULL || participant->secret.size == 0)
        return false;
    session->participant = participant;
    connection_set_deadline(session->connection, 0);
    return true;
}

static const char no_secrets[] =
    "ERR AUTH <password> called without any password configured for the default user. Are you "
    "sure your configuration is correct?";
static const char wrong_pass[] = "WRONGPASS invalid username-password pair or user is disabled.";

void command_auth(struct session *session, const struct resp_command *command)
{
    if (command->count > 3) {
        command_reply_error(session, "ERR syntax error");
        return;
    }
    if (session->shard->generation->open) {
        command_reply_error(session, no_secrets);
        return;
    }
    /* `AUTH secret` alone is the user named default, as in Redis. */
    struct bytes name = command->count == 3 ? command->arguments[1] : BYTES_LITERAL("default");
    if (authenticate(session, name, command->arguments[command->count - 1]))
        command_reply_ok(session);
    else
        command_reply_error(session, wrong_pass);
}

/* ---- names ---- */

static bool name_is_plain(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] < '!' || name.data[i] > '~')
            return false;
    return true;
}

static bool set_text(char out[SESSION_NAME_BYTES], struct bytes text)
{
    if (!name_is_plain(text) || text.size >= SESSION_NAME_BYTES)
        return false;
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

/* ---- HELLO ---- */

static void reply_hello(struct session *session)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_map(&writer, 8);
    resp_write_bulk_text(&writer, "server");
    resp_write_bulk_text(&writer, "redis"); /* clients choose their dialect by it */
    resp_write_bulk_text(&writer, "version");
    resp_write_bulk_text(&writer, COMMAND_REDIS_VERSION);
    resp_write_bulk_text(&writer, "proto");
    resp_write_integer(&writer, session->protocol);
    resp_write_bulk_text(&writer, "id");
    resp_write_integer(&writer, (int64_t)connection_id(session->connection));
    resp_write_bulk_text(&writer, "mode");
    resp_write_bulk_text(&writer, "standalone");
    resp_write_bulk_text(&writer, "role");
    resp_write_bulk_text(&writer, "master");
    resp_write_bulk_text(&writer, "modules");
    resp_write_array(&writer, 0);
    resp_write_bulk_text(&writer, "kouan_version");
    resp_write_bulk_text(&writer, KOUAN_VERSION);
    session_reply_end(session, &writer);
}

struct hello_arguments {
    uint64_t protocol;
    struct bytes user, secret, name;
    struct bytes unknown; /* an option that is none */
};

static const char *parse_hello(const struct resp_command *command, struct hello_arguments *out)
{
    *out = (struct hello_arguments){0};
    if (command->count == 1)
        return NULL;
    if (!bytes_parse_u64(command->arguments[1], &out->protocol))
        return "ERR Protocol version is not an integer or out of range";
    if (out->protocol < 2 || out->protocol > 3)
        return "NOPROTO unsupported protocol version";
    for (uint32_t at = 2; at < command->count;) {
        uint32_t left = command->count - at - 1;
        if (is(command->arguments[at], "AUTH") && left >= 2) {
            out->user = command->arguments[at + 1];
            out->secret = command->arguments[at + 2];
            at += 3;
        } else if (is(command->arguments[at], "SETNAME") && left >= 1) {
            out->name = command->arguments[at + 1];
            at += 2;
        } else {
            out->unknown = command->arguments[at];
            return NULL;
        }
    }
    return NULL;
}

static void reply_hello_syntax(struct session *session, struct bytes unknown)
{
    enum { SHOWN_MAX = 128 };
    struct bytes shown = bytes_slice(unknown, 0, SHOWN_MAX);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer, "ERR Syntax error in HELLO option '%.*s'", (int)shown.size,
                            (const char *)shown.data);
    session_reply_end(session, &writer);
}

void command_hello(struct session *session, const struct resp_command *command)
{
    struct hello_arguments arguments;
    const char *problem = parse_hello(command, &arguments);
    if (problem == NULL && arguments.unknown.data != NULL) {
        reply_hello_syntax(session, arguments.unknown);
        return;
    }
    if (problem == NULL && arguments.user.data != NULL) {
        /* Clients send AUTH even to a server without users; there it is as good as said. */
        if (!session->shard->generation->open &&
            !authenticate(session, arguments.user, arguments.secret))
            problem = wrong_pass;
    }
    if (problem == NULL && session->participant == NULL)
        problem = "NOAUTH HELLO must be called with the client already authenticated, otherwise "
                  "the HELLO <proto> AUTH <user> <pass> option can be used to authenticate the "
                  "client and select the RESP protocol version at the same time";
    if (problem == NULL && arguments.name.data != NULL && !set_text(session->name, arguments.name))
        problem = "ERR Client names cannot contain spaces, newlines or special characters.";
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    if (arguments.protocol != 0)
        session->protocol = (uint8_t)arguments.protocol;
    reply_hello(session);
}

/* ---- CLIENT ---- */

static const char *participant_name(const struct session *session)
{
    return session->participant != NULL ? session->participant->name : "";
}

/* A client that has sent none has NULL there, as in Redis. */
static const char *last_command(const struct session *session)
{
    if (session->last_row != NULL)
        return session->last_row->name;
    return session->commands > 0 ? "unknown" : "NULL";
}

static void describe(struct connection *connection, char *out, size_t capacity)
{
    enum { NS_PER_S = 1000000000 };
    const struct session *session = session_of(connection);
    uint64_t age_s =
        (loop_now_ns(session->shard->loop) - connection_opened_ns(connection)) / NS_PER_S;
    snprintf(out, capacity,
             "id=%llu addr=%s name=%s age=%llu db=0 cmd=%s user=%s resp=%u lib-name=%s lib-ver=%s "
             "tot-cmds=%llu owed=%u omem=%zu\n",
             (unsigned long long)connection_id(connection), connection_peer(connection),
             session->name, (unsigned long long)age_s, last_command(session),
             participant_name(session), session->protocol, session->library,
             session->library_version, (unsigned long long)session->commands,
             session->publication_count + session->promise_count,
             connection_queued_bytes(connection));
}

enum { CLIENT_LINE_BYTES = 768 };

struct client_list {
    uint8_t *text; /* in the reply memory's second half */
    size_t used, capacity;
};

static void add_line(struct connection *connection, void *context)
{
    struct client_list *list = context;
    char line[CLIENT_LINE_BYTES];
    describe(connection, line, sizeof line);
    size_t size = strlen(line);
    if (list->capacity - list->used < size)
        return;
    memcpy(list->text + list->used, line, size);
    list->used += size;
}

static void reply_client_list(struct session *session)
{
    struct shard *shard = session->shard;
    size_t half = shard->reply_capacity / 2;
    /* The text stands in the second half; the reply, longer by its header, is written into the
     * first. */
    struct client_list list = {.text = shard->reply_memory + half, .capacity = half - 64};
    transport_visit(shard->transport, add_line, &list);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_verbatim(&writer, bytes_make(list.text, list.used));
    session_reply_end(session, &writer);
}

static void reply_client_info(struct session *session)
{
    char line[CLIENT_LINE_BYTES];
    describe(session->connection, line, sizeof line);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_verbatim(&writer, bytes_from_text(line));
    session_reply_end(session, &writer);
}

static void set_info(struct session *session, const struct resp_command *command)
{
    struct bytes attribute = command->arguments[2];
    char *target = is(attribute, "LIB-NAME")  ? session->library
                   : is(attribute, "LIB-VER") ? session->library_version
                                              : NULL;
    struct resp_writer writer = session_reply_begin(session);
    if (target == NULL)
        resp_write_error_format(&writer, "ERR Unrecognized option '%.*s'",
                                (int)bytes_slice(attribute, 0, 64).size,
                                (const char *)attribute.data);
    else if (!set_text(target, command->arguments[3]))
        resp_write_error_format(&writer,
                                "ERR %s cannot contain spaces, newlines or special characters.",
                                target == session->library ? "lib-name" : "lib-ver");
    else
        resp_write_simple(&writer, "OK");
    session_reply_end(session, &writer);
}

static void set_name(struct session *session, struct bytes name)
{
    if (set_text(session->name, name))
        command_reply_ok(session);
    else
        command_reply_error(
            session, "ERR Client names cannot contain spaces, newlines or special characters.");
}

static void get_name(struct session *session)
{
    struct resp_writer writer = session_reply_begin(session);
    if (session->name[0] == '\0')
        resp_write_null(&writer);
    else
        resp_write_bulk_text(&writer, session->name);
    session_reply_end(session, &writer);
}

/* What clients say of themselves by habit, and changes nothing here. */
static void accept_habit(struct session *session, const struct resp_command *command)
{
    struct bytes value = command->arguments[2];
    bool is_reply = is(command->arguments[1], "REPLY");
    if (is(value, "ON") || (!is_reply && is(value, "OFF")))
        command_reply_ok(session);
    else if (is_reply && (is(value, "OFF") || is(value, "SKIP")))
        command_reply_error(session, "ERR every command is answered here: CLIENT REPLY is ON");
    else
        command_reply_error(session, "ERR syntax error");
}

void command_client(struct session *session, const struct resp_command *command)
{
    struct bytes subcommand = command->arguments[1];
    bool known = session->participant != NULL;
    if (is(subcommand, "SETINFO") && command->count == 4) {
        set_info(session, command);
    } else if (is(subcommand, "SETNAME") && command->count == 3) {
        set_name(session, command->arguments[2]);
    } else if (is(subcommand, "GETNAME") && command->count == 2) {
        get_name(session);
    } else if ((is(subcommand, "NO-EVICT") || is(subcommand, "NO-TOUCH") ||
                is(subcommand, "REPLY")) &&
               command->count == 3) {
        accept_habit(session, command);
    } else if (!known) {
        command_reply_error(session, "NOAUTH Authentication required.");
    } else if (is(subcommand, "ID") && command->count == 2) {
        struct resp_writer writer = session_reply_begin(session);
        resp_write_integer(&writer, (int64_t)connection_id(session->connection));
        session_reply_end(session, &writer);
    } else if (is(subcommand, "INFO") && command->count == 2) {
        reply_client_info(session);
    } else if (is(subcommand, "LIST") && command->count == 2) {
        if (session->participant->operate)
            reply_client_list(session);
        else
            command_reply_error(session, "NOPERM only an operator may list connections");
    } else {
        command_reply_other_subcommand(session, command);
    }
}

/* ---- the small ones ---- */

void command_ping(struct session *session, const struct resp_command *command)
{
    struct resp_writer writer = session_reply_begin(session);
    if (command->count > 2)
        resp_write_error(&writer, "ERR wrong number of arguments for 'ping' command");
    else if (command->count == 2)
        resp_write_bulk(&writer, command->arguments[1]);
    else
        resp_write_simple(&writer, "PONG");
    session_reply_end(session, &writer);
}

void command_echo(struct session *session, const struct resp_command *command)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_bulk(&writer, command->arguments[1]);
    session_reply_end(session, &writer);
}

void command_select(struct session *session, const struct resp_command *command)
{
    int64_t number;
    if (!bytes_parse_i64(command->arguments[1], &number))
        command_reply_error(session, "ERR value is not an integer or out of range");
    else if (number != 0)
        command_reply_error(session, "ERR DB index is out of range");
    else
        command_reply_ok(session);
}

void command_reset(struct session *session, const struct resp_command *command)
{
    (void)command;
    transaction_end(&session->transaction);
    session->protocol = 2;
    session->name[0] = '\0';
    if (session->participant != NULL) { /* else the time to authenticate runs on */
        connection_set_deadline(session->connection, 0);
        session_forget_participant(session);
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_simple(&writer, "RESET");
    session_reply_end(session, &writer);
}

void command_quit(struct session *session, const struct resp_command *command)
{
    (void)command;
    command_reply_ok(session);
    connection_finish(session->connection);
}
