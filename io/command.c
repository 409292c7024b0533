#include "io/command.h"

#include <stdio.h>

const struct command_row command_rows[] = {
#define X(function, name, arity, flags, group, since, summary, arguments)                          \
    {name, command_##function, arity, flags, group, since, summary, arguments},
    COMMAND_LIST(X)
#undef X
};
const uint32_t command_count = sizeof command_rows / sizeof *command_rows;

const struct command_row *command_find(struct bytes name)
{
    for (uint32_t i = 0; i < command_count; i++)
        if (bytes_equal_fold(name, bytes_from_text(command_rows[i].name)))
            return &command_rows[i];
    return NULL;
}

void command_reply_error(struct session *session, const char *text)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error(&writer, text);
    session_reply_end(session, &writer);
}

void command_reply_ok(struct session *session)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_simple(&writer, "OK");
    session_reply_end(session, &writer);
}

/* Where a wrong number of arguments is told from an unknown word. */
static const struct {
    const char *command, *subcommand;
} subcommands[] = {
    {"CLIENT", "GETNAME"}, {"CLIENT", "ID"},      {"CLIENT", "INFO"},     {"CLIENT", "LIST"},
    {"CLIENT", "SETINFO"}, {"CLIENT", "SETNAME"}, {"COMMAND", "COUNT"},   {"COMMAND", "LIST"},
    {"CONFIG", "GET"},     {"KOUAN", "HEALTH"},   {"KOUAN", "HOLDS"},     {"KOUAN", "LEDGER"},
    {"KOUAN", "REJECT"},   {"KOUAN", "REJECTS"},  {"KOUAN", "RELEASE"},   {"KOUAN", "VERSION"},
    {"XGROUP", "CREATE"},  {"XGROUP", "DESTROY"}, {"XINFO", "CONSUMERS"}, {"XINFO", "GROUPS"},
    {"XINFO", "STREAM"},
};

static bool is_subcommand(struct bytes command, struct bytes subcommand)
{
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++)
        if (bytes_equal_fold(command, bytes_from_text(subcommands[i].command)) &&
            bytes_equal_fold(subcommand, bytes_from_text(subcommands[i].subcommand)))
            return true;
    return false;
}

struct folded {
    char text[32];
};

static struct folded fold(struct bytes name, bool upper)
{
    struct folded folded = {0};
    for (size_t i = 0; i < name.size && i < sizeof folded.text - 1; i++)
        folded.text[i] = (char)(upper ? name.data[i] & ~0x20 : name.data[i] | 0x20);
    return folded;
}

void command_reply_unknown_subcommand(struct session *session, const struct resp_command *command)
{
    enum { SHOWN_MAX = 128 };
    struct bytes name = command->arguments[0], subcommand = command->arguments[1];
    struct resp_writer writer = session_reply_begin(session);
    if (is_subcommand(name, subcommand)) {
        resp_write_error_format(&writer, "ERR wrong number of arguments for '%s|%s' command",
                                fold(name, false).text, fold(subcommand, false).text);
    } else {
        struct bytes shown = bytes_slice(subcommand, 0, SHOWN_MAX);
        resp_write_error_format(&writer, "ERR unknown subcommand '%.*s'. Try %s HELP.",
                                (int)shown.size, (const char *)shown.data, fold(name, true).text);
    }
    session_reply_end(session, &writer);
}

bool command_parse_id(struct bytes text, uint64_t missing_seq, struct record_id *out_id)
{
    const uint8_t *dash = text.size > 0 ? memchr(text.data, '-', text.size) : NULL;
    struct record_id id = {.seq = missing_seq};
    size_t first = dash != NULL ? (size_t)(dash - text.data) : text.size;
    if (!bytes_parse_u64(bytes_slice(text, 0, first), &id.ms))
        return false;
    if (dash != NULL && !bytes_parse_u64(bytes_slice(text, first + 1, text.size), &id.seq))
        return false;
    *out_id = id;
    return true;
}

struct outlet *command_outlet(struct session *session, struct bytes key, bool *out_denied)
{
    struct shard *shard = session->shard;
    const struct destination *destination = generation_destination(shard->generation, key);
    *out_denied = false;
    if (shard->generation->open)
        return destination != NULL ? &shard->outlets[destination->index] : NULL;
    if (destination != NULL &&
        (session->participant->operate ||
         destination_set_has(&session->participant->consume, destination->index)))
        return &shard->outlets[destination->index];
    /* The same words for a name that does not exist, so that names cannot be probed. */
    *out_denied = true;
    command_reply_error(session, "NOPERM this participant may not consume that destination");
    return NULL;
}
