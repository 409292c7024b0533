/* XREAD and XREADGROUP. */
#include "io/front/command_read.h"
#include "io/delivery/read.h"
#include "io/front/command.h"

static const char *parse_option(const struct resp_command *command, bool for_group, uint32_t *at,
                                struct read_arguments *out)
{
    struct bytes option = command->arguments[*at];
    bool has_value = *at + 1 < command->count;
    struct bytes value = has_value ? command->arguments[*at + 1] : (struct bytes){0};
    int64_t number;
    if (bytes_equal_fold(option, BYTES_LITERAL("NOACK"))) {
        if (!for_group)
            return "ERR The NOACK option is only supported by XREADGROUP. You called XREAD "
                   "instead.";
        out->no_ack = true;
        *at += 1;
        return NULL;
    }
    if (!has_value)
        return "ERR syntax error";
    if (bytes_equal_fold(option, BYTES_LITERAL("GROUP"))) {
        if (*at + 2 >= command->count)
            return "ERR syntax error";
        if (!for_group)
            return "ERR The GROUP option is only supported by XREADGROUP. You called XREAD "
                   "instead.";
        out->group = value;
        out->consumer = command->arguments[*at + 2];
        *at += 3;
        return NULL;
    }
    *at += 2;
    if (bytes_equal_fold(option, BYTES_LITERAL("COUNT"))) {
        if (!bytes_parse_i64(value, &number))
            return "ERR value is not an integer or out of range";
        out->count = number > 0 && number < UINT32_MAX ? (uint64_t)number : UINT32_MAX;
        return NULL;
    }
    if (bytes_equal_fold(option, BYTES_LITERAL("BLOCK"))) {
        if (!bytes_parse_i64(value, &number))
            return "ERR timeout is not an integer or out of range";
        if (number < 0)
            return "ERR timeout is negative";
        out->blocks = true;
        out->block_ms = (uint64_t)number;
        return NULL;
    }
    return "ERR syntax error";
}

const char *command_parse_read(const struct resp_command *command, bool for_group,
                               struct read_arguments *out)
{
    *out = (struct read_arguments){.count = UINT32_MAX};
    uint32_t at = 1;
    while (at < command->count &&
           !bytes_equal_fold(command->arguments[at], BYTES_LITERAL("STREAMS"))) {
        const char *problem = parse_option(command, for_group, &at, out);
        if (problem != NULL)
            return problem;
    }
    if (at == command->count)
        return "ERR syntax error";
    uint32_t left = command->count - at - 1;
    if (left == 0 || left % 2 != 0)
        return for_group ? "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID "
                           "or '>' must be specified."
                         : "ERR Unbalanced 'xread' list of streams: for each stream key an ID, "
                           "'+', or '$' must be specified.";
    if (for_group && out->group.data == NULL)
        return "ERR Missing GROUP option for XREADGROUP";
    if (left / 2 > READ_STREAMS_MAX)
        return "ERR one read takes at most 16 destinations here";
    static_assert(READ_STREAMS_MAX == 16, "the words say so");
    out->first_key = at + 1;
    out->stream_count = left / 2;
    if (for_group && out->count > READ_ENTRIES_MAX)
        out->count = READ_ENTRIES_MAX;
    return NULL;
}

static void reply_no_group(struct session *session, struct bytes key, struct bytes group)
{
    enum { SHOWN_MAX = 128 };
    key = bytes_slice(key, 0, SHOWN_MAX);
    group = bytes_slice(group, 0, SHOWN_MAX);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer,
                            "NOGROUP No such key '%.*s' or consumer group '%.*s' in XREADGROUP "
                            "with GROUP option",
                            (int)key.size, (const char *)key.data, (int)group.size,
                            (const char *)group.data);
    session_reply_end(session, &writer);
}

/* What stands where an id may, of a group's stream. NULL, or what is wrong. */
static const char *parse_group_id(struct bytes text, struct read_stream *stream)
{
    stream->is_history = !bytes_equal_text(text, ">");
    if (!stream->is_history || command_parse_id(text, 0, &stream->after))
        return NULL;
    if (!bytes_equal_text(text, "$"))
        return "ERR Invalid stream ID specified as stream command argument";
    return "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history "
           "of this consumer by specifying a proper ID, or use the > ID to get new messages. The $ "
           "ID would just return an empty result set.";
}

/* Behind all but the last entry that may be shown; behind all if there is none. */
static struct record_id before_last(const struct outlet *outlet, struct record_id until)
{
    uint64_t end = outlet_lower_bound(outlet, record_id_after(until));
    return end > outlet->first ? record_id_before(outlet_entry(outlet, end - 1)->id)
                               : outlet->last_id;
}

/* Of a stream without a group: `$` is what is the last now, `+` what is before that. */
static const char *parse_id(struct bytes text, struct read_stream *stream)
{
    const struct outlet *outlet = stream->outlet;
    if (bytes_equal_text(text, ">"))
        return "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> "
               "<consumer> option.";
    if (bytes_equal_text(text, "$") || bytes_equal_text(text, "+")) {
        if (outlet != NULL)
            stream->after =
                text.data[0] == '+' ? before_last(outlet, stream->until) : outlet->last_id;
        return NULL;
    }
    if (command_parse_id(text, 0, &stream->after))
        return NULL;
    return "ERR Invalid stream ID specified as stream command argument";
}

/* All streams, before anything is taken from one. False after an error reply. */
static bool find_streams(struct session *session, const struct resp_command *command,
                         const struct read_arguments *arguments, struct read_request *out)
{
    const struct record_id none_above = {UINT64_MAX, UINT64_MAX};
    bool for_group = arguments->group.data != NULL;
    for (uint32_t i = 0; i < arguments->stream_count; i++) {
        bool denied;
        struct bytes key = command->arguments[arguments->first_key + i];
        struct bytes id = command->arguments[arguments->first_key + arguments->stream_count + i];
        struct read_stream *stream = &out->streams[i];
        *stream = (struct read_stream){
            .outlet = command_outlet(session, key, &denied),
            .until = session->terms != NULL ? session->terms->until[i] : none_above,
            .count = session->terms != NULL ? session->terms->counts[i] : arguments->count};
        if (denied)
            return false;
        if (for_group && stream->outlet != NULL)
            stream->group = outlet_find_group(stream->outlet, arguments->group);
        if (for_group && stream->group == NULL) {
            reply_no_group(session, key, arguments->group);
            return false;
        }
        const char *problem = for_group ? parse_group_id(id, stream) : parse_id(id, stream);
        if (problem != NULL) {
            command_reply_error(session, problem);
            return false;
        }
    }
    out->stream_count = arguments->stream_count;
    return true;
}

static bool find_consumers(struct session *session, const struct read_arguments *arguments,
                           struct read_request *request)
{
    for (uint32_t i = 0; i < request->stream_count; i++) {
        struct read_stream *stream = &request->streams[i];
        stream->consumer =
            group_consumer(stream->group, arguments->consumer, loop_wall_ms(session->shard->loop));
        if (stream->consumer == GROUP_NO_CONSUMER) {
            command_reply_error(session, COMMAND_NO_CONSUMER);
            return false;
        }
    }
    return true;
}

static void run(struct session *session, const struct read_arguments *arguments,
                const struct read_request *request)
{
    if (read_run(session, request) != READ_NOTHING)
        return;
    if (arguments->blocks && !session->transaction.running && session->terms == NULL) {
        read_block(session, request, arguments->block_ms);
        return;
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_null_array(&writer);
    session_reply_end(session, &writer);
}

void command_xread(struct session *session, const struct resp_command *command)
{
    struct read_arguments arguments;
    struct read_request request;
    const char *problem = command_parse_read(command, false, &arguments);
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    request.no_ack = false;
    if (find_streams(session, command, &arguments, &request))
        run(session, &arguments, &request);
}

void command_xreadgroup(struct session *session, const struct resp_command *command)
{
    struct read_arguments arguments;
    struct read_request request;
    const char *problem = command_parse_read(command, true, &arguments);
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    request.no_ack = arguments.no_ack;
    if (!find_streams(session, command, &arguments, &request) ||
        !find_consumers(session, &arguments, &request))
        return;
    session->has_consumed = true;
    run(session, &arguments, &request);
}
