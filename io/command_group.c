/* XGROUP, XACK and XLEN. What is delivered and not acknowledged: io/command_pending.c. */
#include "io/command.h"
#include "io/group.h"
#include "io/read.h"

static void reply_integer(struct session *session, int64_t value)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_integer(&writer, value);
    session_reply_end(session, &writer);
}

/* ---- XLEN ---- */

void command_xlen(struct session *session, const struct resp_command *command)
{
    bool denied;
    const struct outlet *outlet = command_outlet(session, command->arguments[1], &denied);
    if (!denied)
        reply_integer(session, outlet != NULL ? (int64_t)outlet_length(outlet) : 0);
}

/* ---- XACK ---- */

void command_xack(struct session *session, const struct resp_command *command)
{
    bool denied;
    struct outlet *outlet = command_outlet(session, command->arguments[1], &denied);
    if (denied)
        return;
    struct record_id id;
    for (uint32_t i = 3; i < command->count; i++)
        if (!command_parse_id(command->arguments[i], 0, &id)) {
            command_reply_error(session,
                                "ERR Invalid stream ID specified as stream command argument");
            return;
        }
    struct group *group = outlet != NULL ? outlet_find_group(outlet, command->arguments[2]) : NULL;
    int64_t acknowledged = 0;
    for (uint32_t i = 3; group != NULL && i < command->count; i++)
        if (command_parse_id(command->arguments[i], 0, &id))
            acknowledged += group_acknowledge(group, id);
    if (acknowledged > 0)
        read_settled(session->shard, group);
    session->has_consumed = true;
    reply_integer(session, acknowledged);
}

/* ---- XGROUP ---- */

static const char no_such_key[] =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use "
    "the MKSTREAM option to create an empty stream automatically.";

static void create_group(struct session *session, const struct resp_command *command)
{
    bool make_stream = false, denied;
    for (uint32_t i = 5; i < command->count; i++) {
        if (bytes_equal_fold(command->arguments[i], BYTES_LITERAL("MKSTREAM"))) {
            make_stream = true;
        } else if (bytes_equal_fold(command->arguments[i], BYTES_LITERAL("ENTRIESREAD")) &&
                   i + 1 < command->count) {
            i++; /* a hint for Redis's lag; ours is exact without it */
        } else {
            command_reply_error(session, "ERR unknown subcommand or wrong number of arguments for "
                                         "'CREATE'. Try XGROUP HELP.");
            return;
        }
    }
    enum group_start start = GROUP_AFTER_ID;
    struct record_id after = {0};
    if (bytes_equal_text(command->arguments[4], "$")) {
        start = GROUP_FROM_NOW;
    } else if (!command_parse_id(command->arguments[4], 0, &after)) {
        command_reply_error(session, "ERR Invalid stream ID specified as stream command argument");
        return;
    }
    struct outlet *outlet = command_outlet(session, command->arguments[2], &denied);
    if (denied)
        return;
    if (outlet == NULL) {
        command_reply_error(
            session, make_stream
                         ? "ERR no such destination: destinations are made in the configuration"
                         : no_such_key);
        return;
    }
    if (outlet_find_group(outlet, command->arguments[3]) != NULL) {
        command_reply_error(session, "BUSYGROUP Consumer Group name already exists");
        return;
    }
    if (!session->participant->create_groups && !session->participant->operate) {
        command_reply_error(session, "NOPERM this participant may not create groups "
                                     "(`create_groups: yes` in its configuration)");
        return;
    }
    struct group *group;
    switch (outlet_create_group(outlet, command->arguments[3], start, after, &group)) {
    case STATUS_OK: command_reply_ok(session); return;
    case STATUS_INVALID:
        command_reply_error(session, "ERR a group's name has 1 to 255 bytes, none of them zero");
        return;
    case STATUS_INCOMPLETE:
        command_reply_error(session, "TRYAGAIN more messages are on their way there than a group "
                                     "may keep (backlog_max, backlog_bytes_max)");
        return;
    default: command_reply_error(session, "ERR no room for another group"); return;
    }
}

static bool is_configured(const struct outlet *outlet, const struct group *group)
{
    for (uint16_t i = 0; i < outlet->destination->group_count; i++)
        if (strcmp(outlet->destination->groups[i], group_name(group)) == 0)
            return true;
    return false;
}

/* Only of what XGROUP CREATE made: the configuration's own would be missed. */
static void destroy_group(struct session *session, const struct resp_command *command)
{
    bool denied;
    struct outlet *outlet = command_outlet(session, command->arguments[2], &denied);
    if (denied)
        return;
    if (outlet == NULL) {
        command_reply_error(session, no_such_key);
        return;
    }
    struct group *group = outlet_find_group(outlet, command->arguments[3]);
    if (group == NULL) {
        reply_integer(session, 0);
        return;
    }
    if (!session->participant->create_groups && !session->participant->operate) {
        command_reply_error(session, "NOPERM this participant may not remove groups "
                                     "(`create_groups: yes` in its configuration)");
        return;
    }
    if (is_configured(outlet, group)) {
        command_reply_error(session, "NOPERM that group stands in the configuration, and stays");
        return;
    }
    read_dismiss_waiters(group);
    outlet_destroy_group(outlet, group);
    shard_wake(session->shard); /* there may be room for parked publications now */
    reply_integer(session, 1);
}

void command_xgroup(struct session *session, const struct resp_command *command)
{
    if (command->count >= 5 && bytes_equal_fold(command->arguments[1], BYTES_LITERAL("CREATE")))
        create_group(session, command);
    else if (command->count == 4 &&
             bytes_equal_fold(command->arguments[1], BYTES_LITERAL("DESTROY")))
        destroy_group(session, command);
    else
        command_reply_unknown_subcommand(session, command);
}
