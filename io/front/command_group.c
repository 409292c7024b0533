/* XGROUP, XACK, XLEN, and the refusals of XDEL and XTRIM. What is delivered and not acknowledged:
 * io/front/command_pending.c. */
#include "io/delivery/group.h"
#include "io/delivery/read.h"
#include "io/front/command.h"

static const char log_is_full[] = "TRYAGAIN the log has no room for it now";
static_assert(FACTS_SHARE_MIN == 64, "no_share says it");
static const char no_share[] =
    "ERR no room for another group: what all of them have not acknowledged is written down at the "
    "head of each segment of the journal, and less than 64 messages would be left for each "
    "(`segment` in the configuration)";
static const char invalid_id[] = "ERR Invalid stream ID specified as stream command argument";

/* ---- XLEN ---- */

void command_xlen(struct session *session, const struct resp_command *command)
{
    bool denied;
    const struct outlet *outlet = command_outlet(session, command->arguments[1], &denied);
    if (!denied)
        command_reply_integer(session, outlet != NULL ? (int64_t)outlet_length(outlet) : 0);
}

/* ---- XDEL and XTRIM ---- */

void command_xdel(struct session *session, const struct resp_command *command)
{
    (void)command;
    command_reply_error(session, "ERR Kouan deletes no message by command: it goes when all groups "
                                 "have acknowledged it");
}

void command_xtrim(struct session *session, const struct resp_command *command)
{
    (void)command;
    command_reply_error(session, COMMAND_NO_TRIM);
}

/* ---- XACK ---- */

void command_xack(struct session *session, const struct resp_command *command)
{
    bool denied;
    struct outlet *outlet = command_seek_outlet(session, command->arguments[1], &denied);
    if (denied) {
        command_refuse_in_order(session, COMMAND_NOT_CONSUMED);
        return;
    }
    struct record_id ids[RESP_ARGUMENTS_MAX];
    for (uint32_t i = 3; i < command->count; i++)
        if (!command_parse_id(command->arguments[i], 0, &ids[i])) {
            command_refuse_in_order(session, invalid_id);
            return;
        }
    struct group *group = outlet != NULL ? outlet_find_group(outlet, command->arguments[2]) : NULL;
    int64_t acknowledged = 0;
    for (uint32_t i = 3; group != NULL && i < command->count; i++)
        acknowledged += group_acknowledge(group, ids[i]);
    if (acknowledged > 0) {
        facts_flush_much(session->shard, group);
        read_settled(session->shard, group);
    }
    session->has_consumed = true;
    command_promise_integer(session, acknowledged);
}

/* ---- XGROUP ---- */

static const char no_such_key[] =
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to use "
    "the MKSTREAM option to create an empty stream automatically.";

/* MKSTREAM, which makes nothing, and ENTRIESREAD, a hint for Redis's lag; ours is exact without it.
 * NULL, or what is wrong. */
static const char *parse_options(const struct resp_command *command, bool *out_make_stream)
{
    int64_t number;
    for (uint32_t i = 5; i < command->count; i++) {
        if (out_make_stream != NULL &&
            bytes_equal_fold(command->arguments[i], BYTES_LITERAL("MKSTREAM"))) {
            *out_make_stream = true;
        } else if (bytes_equal_fold(command->arguments[i], BYTES_LITERAL("ENTRIESREAD")) &&
                   i + 1 < command->count) {
            i++;
            if (!bytes_parse_i64(command->arguments[i], &number))
                return "ERR value is not an integer or out of range";
            if (number < -1)
                return "ERR value for ENTRIESREAD must be positive or -1";
        } else {
            return out_make_stream != NULL
                       ? "ERR unknown subcommand or wrong number of arguments for 'CREATE'. Try "
                         "XGROUP HELP."
                       : "ERR unknown subcommand or wrong number of arguments for 'SETID'. Try "
                         "XGROUP HELP.";
        }
    }
    return NULL;
}

static bool may_change_groups(const struct session *session)
{
    return session->participant->create_groups || session->participant->operate;
}

static void create_group(struct session *session, const struct resp_command *command)
{
    bool make_stream = false, denied;
    const char *problem = parse_options(command, &make_stream);
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    enum group_start start = GROUP_AFTER_ID;
    struct record_id after = {0};
    if (bytes_equal_text(command->arguments[4], "$")) {
        start = GROUP_FROM_NOW;
    } else if (!command_parse_id(command->arguments[4], 0, &after)) {
        command_reply_error(session, invalid_id);
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
    if (!may_change_groups(session)) {
        command_reply_error(session, "NOPERM this participant may not create groups "
                                     "(`create_groups: yes` in its configuration)");
        return;
    }
    struct group *group;
    if (facts_prepare(session->shard, NULL) != STATUS_OK) {
        command_reply_error(session, log_is_full);
        return;
    }
    if (!facts_have_share(session->shard, 1)) {
        command_reply_error(session, no_share);
        return;
    }
    switch (outlet_create_group(outlet, command->arguments[3], start, after, &group)) {
    case STATUS_OK:
        facts_write_group(session->shard, group, GROUP_CREATED);
        facts_share(session->shard);
        command_promise_ok(session);
        return;
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

/* The destination of argument 2; NULL after an error reply. */
static struct outlet *named_outlet(struct session *session, const struct resp_command *command)
{
    bool denied;
    struct outlet *outlet = command_outlet(session, command->arguments[2], &denied);
    if (outlet == NULL && !denied)
        command_reply_error(session, no_such_key);
    return outlet;
}

/* And its group of argument 3. */
static struct group *named_group(struct session *session, const struct resp_command *command)
{
    struct outlet *outlet = named_outlet(session, command);
    if (outlet == NULL)
        return NULL;
    struct group *group = outlet_find_group(outlet, command->arguments[3]);
    if (group == NULL)
        command_reply_no_group(session, command->arguments[2], command->arguments[3]);
    return group;
}

/* Only of what XGROUP CREATE made: the configuration's own would be missed. */
static void destroy_group(struct session *session, const struct resp_command *command)
{
    struct outlet *outlet = named_outlet(session, command);
    if (outlet == NULL)
        return;
    struct group *group = outlet_find_group(outlet, command->arguments[3]);
    if (group == NULL) {
        command_reply_integer(session, 0);
        return;
    }
    if (!may_change_groups(session)) {
        command_reply_error(session, "NOPERM this participant may not remove groups "
                                     "(`create_groups: yes` in its configuration)");
        return;
    }
    if (is_configured(outlet, group)) {
        command_reply_error(session, "NOPERM that group stands in the configuration, and stays");
        return;
    }
    if (facts_prepare(session->shard, group) != STATUS_OK) {
        command_reply_error(session, log_is_full);
        return;
    }
    read_dismiss_waiters(group);
    facts_write_group(session->shard, group, GROUP_DESTROYED);
    outlet_destroy_group(outlet, group);
    facts_share(session->shard);
    read_wake(session->shard, outlet); /* there may be room for parked publications now, too */
    command_promise_integer(session, 1);
}

/* It makes a group miss messages, or see them again: of a configured one that is an operator's. */
static void set_group_id(struct session *session, const struct resp_command *command)
{
    struct record_id id;
    const char *problem = parse_options(command, NULL);
    bool is_last = bytes_equal_text(command->arguments[4], "$");
    if (problem == NULL && !is_last && !command_parse_edge_id(command->arguments[4], &id))
        problem = invalid_id;
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    struct group *group = named_group(session, command);
    if (group == NULL)
        return;
    if (!session->participant->operate &&
        (is_configured(group->outlet, group) || !session->participant->create_groups)) {
        command_reply_error(session, "NOPERM only an operator may move a configured group, and "
                                     "who may create groups (`create_groups: yes`) one of those");
        return;
    }
    bool looks = session_only_looks(session);
    if (!looks && facts_prepare(session->shard, group) != STATUS_OK) {
        command_reply_error(session, log_is_full);
        return;
    }
    if (is_last)
        id = group->outlet->last_id;
    uint64_t behind = looks ? group_pending_behind(group, id) : group_set_id(group, id);
    if (behind > 0) {
        struct resp_writer writer = session_reply_begin(session);
        resp_write_error_format(&writer,
                                "ERR %llu messages behind that id are pending: acknowledge them "
                                "first, or they would be delivered twice at once",
                                (unsigned long long)behind);
        session_reply_end(session, &writer);
        return;
    }
    if (looks) {
        command_reply_ok(session);
        return;
    }
    facts_write_group(session->shard, group, GROUP_MOVED);
    read_settled(session->shard, group);
    command_promise_ok(session);
}

static void create_consumer(struct session *session, const struct resp_command *command)
{
    struct group *group = named_group(session, command);
    if (group == NULL)
        return;
    struct bytes name = command->arguments[4];
    bool is_new = group_find_consumer(group, name) == GROUP_NO_CONSUMER;
    if (is_new &&
        group_consumer(group, name, loop_wall_ms(session->shard->loop)) == GROUP_NO_CONSUMER)
        command_reply_error(session, COMMAND_NO_CONSUMER);
    else
        command_reply_integer(session, is_new);
}

/* Redis drops what is pending at the consumer; here nothing that was accepted is dropped. */
static void delete_consumer(struct session *session, const struct resp_command *command)
{
    struct group *group = named_group(session, command);
    if (group == NULL)
        return;
    uint16_t consumer = group_find_consumer(group, command->arguments[4]);
    uint32_t pending = consumer != GROUP_NO_CONSUMER ? group->consumers[consumer].pending : 0;
    if (pending > 0) {
        struct resp_writer writer = session_reply_begin(session);
        resp_write_error_format(&writer,
                                "ERR %u messages are pending at that consumer and would be lost: "
                                "XACK them, or XAUTOCLAIM them for another, and delete it then",
                                pending);
        session_reply_end(session, &writer);
        return;
    }
    /* One whose reader is blocked would be made anew when that wakes. */
    if (consumer != GROUP_NO_CONSUMER && !session_only_looks(session) &&
        !read_has_waiter(group, consumer)) {
        group_remove_consumer(group, consumer);
        read_settled(session->shard, group); /* what it owned of cases goes to others */
    }
    command_reply_integer(session, 0);
}

static const struct {
    const char *name;
    uint32_t words_min, words_max;
    void (*run)(struct session *session, const struct resp_command *command);
} subcommands[] = {
    {"CREATE", 5, RESP_ARGUMENTS_MAX, create_group}, {"CREATECONSUMER", 5, 5, create_consumer},
    {"DELCONSUMER", 5, 5, delete_consumer},          {"DESTROY", 4, 4, destroy_group},
    {"SETID", 5, RESP_ARGUMENTS_MAX, set_group_id},
};

void command_xgroup(struct session *session, const struct resp_command *command)
{
    for (size_t i = 0; i < sizeof subcommands / sizeof *subcommands; i++) {
        if (!bytes_equal_fold(command->arguments[1], bytes_from_text(subcommands[i].name)) ||
            command->count < subcommands[i].words_min || command->count > subcommands[i].words_max)
            continue;
        subcommands[i].run(session, command);
        return;
    }
    command_reply_other_subcommand(session, command);
}
