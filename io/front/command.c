#include "io/front/command.h"

#include <assert.h>

#include "io/delivery/group.h"

const struct command_row command_rows[] = {
#define X(function, name, arity, flags, group, since, summary, arguments)                          \
    {name, sizeof name - 1, command_##function, arity, flags, group, since, summary, arguments},
    COMMAND_LIST(X)
#undef X
};
const uint32_t command_count = sizeof command_rows / sizeof *command_rows;

const struct command_row *command_find(struct bytes name)
{
    for (uint32_t i = 0; i < command_count; i++)
        if (name.size == command_rows[i].name_bytes &&
            bytes_equal_fold(name, bytes_make(command_rows[i].name, name.size)))
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

void command_reply_integer(struct session *session, int64_t value)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_integer(&writer, value);
    session_reply_end(session, &writer);
}

struct reply_slot *command_take_slot(struct session *session, enum reply_kind kind)
{
    struct reply_slot *slot = reply_slot_take(&session->shard->promises);
    assert(slot != NULL); /* the session waited for one */
    slot->kind = (uint8_t)kind;
    session_owe(session, slot);
    return slot;
}

void command_promise_ok(struct session *session)
{
    commit_add_reply(session->shard, command_take_slot(session, REPLY_OK));
}

void command_promise_integer(struct session *session, int64_t value)
{
    struct reply_slot *slot = command_take_slot(session, REPLY_INTEGER);
    slot->integer = value;
    commit_add_reply(session->shard, slot);
}

void command_refuse_in_order(struct session *session, const char *text)
{
    struct reply_slot *slot = command_take_slot(session, REPLY_ERROR);
    slot->error = text;
    session_slot_done(session->shard, slot);
}

enum { SHOWN_MAX = 128 }; /* of a name in an error */

void command_reply_no_group(struct session *session, struct bytes key, struct bytes group)
{
    key = bytes_slice(key, 0, SHOWN_MAX);
    group = bytes_slice(group, 0, SHOWN_MAX);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer, "NOGROUP No such consumer group '%.*s' for key name '%.*s'",
                            (int)group.size, (const char *)group.data, (int)key.size,
                            (const char *)key.data);
    session_reply_end(session, &writer);
}

bool command_parse_id(struct bytes text, uint64_t missing_seq, struct record_id *out_id)
{
    struct record_id id = {.seq = missing_seq};
    size_t digits = bytes_parse_digits(text, &id.ms);
    if (digits == 0)
        return false;
    if (digits < text.size &&
        (text.data[digits] != '-' || !bytes_parse_u64_at_end(text, digits + 1, &id.seq)))
        return false;
    *out_id = id;
    return true;
}

bool command_parse_edge_id(struct bytes text, struct record_id *out_id)
{
    if (bytes_equal_text(text, "-"))
        *out_id = (struct record_id){0};
    else if (bytes_equal_text(text, "+"))
        *out_id = (struct record_id){UINT64_MAX, UINT64_MAX};
    else
        return command_parse_id(text, 0, out_id);
    return true;
}

const char *command_parse_range_end(struct bytes text, bool is_start, struct record_id *out_id)
{
    bool exclusive = text.size > 1 && text.data[0] == '(';
    bool is_edge = bytes_equal_text(text, "-") || bytes_equal_text(text, "+");
    if (is_edge && command_parse_edge_id(text, out_id))
        return NULL;
    if (!command_parse_id(exclusive ? bytes_slice(text, 1, text.size) : text,
                          is_start ? 0 : UINT64_MAX, out_id))
        return "ERR Invalid stream ID specified as stream command argument";
    if (!exclusive)
        return NULL;
    struct record_id given = *out_id;
    *out_id = is_start ? record_id_after(given) : record_id_before(given);
    if (record_id_compare(*out_id, given) != 0)
        return NULL;
    return is_start ? "ERR invalid start ID for the interval"
                    : "ERR invalid end ID for the interval";
}

struct outlet *command_outlet(struct session *session, struct bytes key, bool *out_denied)
{
    struct outlet *outlet = command_seek_outlet(session, key, out_denied);
    if (*out_denied)
        command_reply_error(session, COMMAND_NOT_CONSUMED);
    return outlet;
}

struct outlet *command_seek_outlet(const struct session *session, struct bytes key,
                                   bool *out_denied)
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
    return NULL;
}

struct group *command_group(struct session *session, const struct resp_command *command)
{
    bool denied;
    struct bytes key = command->arguments[1], name = command->arguments[2];
    struct outlet *outlet = command_outlet(session, key, &denied);
    if (denied)
        return NULL;
    struct group *group = outlet != NULL ? outlet_find_group(outlet, name) : NULL;
    if (group != NULL)
        return group;
    key = bytes_slice(key, 0, SHOWN_MAX);
    name = bytes_slice(name, 0, SHOWN_MAX);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer, "NOGROUP No such key '%.*s' or consumer group '%.*s'",
                            (int)key.size, (const char *)key.data, (int)name.size,
                            (const char *)name.data);
    session_reply_end(session, &writer);
    return NULL;
}
