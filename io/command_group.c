/* The group commands beside XREADGROUP: XGROUP, XACK, XPENDING, XCLAIM, XLEN. */
#include <stdio.h>

#include "io/append.h"
#include "io/command.h"
#include "io/entry.h"
#include "io/group.h"
#include "io/read.h"

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
}

static void reply_integer(struct session *session, int64_t value)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_integer(&writer, value);
    session_reply_end(session, &writer);
}

static void reply_no_group(struct session *session, struct bytes key, struct bytes group)
{
    enum { SHOWN_MAX = 128 };
    key = bytes_slice(key, 0, SHOWN_MAX);
    group = bytes_slice(group, 0, SHOWN_MAX);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer, "NOGROUP No such key '%.*s' or consumer group '%.*s'",
                            (int)key.size, (const char *)key.data, (int)group.size,
                            (const char *)group.data);
    session_reply_end(session, &writer);
}

static void write_id(struct resp_writer *writer, struct record_id id)
{
    resp_write_id(writer, id.ms, id.seq);
}

/* The group that arguments 1 and 2 name; NULL after an error reply. */
static struct group *named_group(struct session *session, const struct resp_command *command)
{
    bool denied;
    struct outlet *outlet = command_outlet(session, command->arguments[1], &denied);
    if (denied)
        return NULL;
    struct group *group = outlet != NULL ? outlet_find_group(outlet, command->arguments[2]) : NULL;
    if (group == NULL)
        reply_no_group(session, command->arguments[1], command->arguments[2]);
    return group;
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
    if (acknowledged > 0) {
        outlet_trim(outlet);
        if (group->waiters != NULL) /* pending_max may have stopped them */
            destination_set_add(&session->shard->pushed, outlet->destination->index);
        shard_wake(session->shard);
    }
    session->has_consumed = true;
    reply_integer(session, acknowledged);
}

/* ---- XGROUP ---- */

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
            command_reply_error(session, "ERR syntax error");
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
                         : "ERR The XGROUP subcommand requires the key to exist. Note that for "
                           "CREATE you may want to use the MKSTREAM option to create an empty "
                           "stream automatically.");
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
    if (outlet_create_group(outlet, command->arguments[3], start, after, &group) != STATUS_OK)
        command_reply_error(session, "ERR no room for another group, or its name is too long");
    else
        command_reply_ok(session);
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
    struct group *group = outlet != NULL ? outlet_find_group(outlet, command->arguments[3]) : NULL;
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

/* ---- XPENDING ---- */

static void reply_pending_summary(struct session *session, const struct group *group)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, 4);
    resp_write_integer(&writer, (int64_t)group->account.pending);
    if (group->account.pending == 0) {
        resp_write_null(&writer);
        resp_write_null(&writer);
        resp_write_null_array(&writer);
        session_reply_end(session, &writer);
        return;
    }
    write_id(&writer, group_next_pending(group, (struct record_id){0}, GROUP_NO_CONSUMER)->id);
    write_id(&writer, group_last_pending(group)->id);
    uint32_t with_pending = 0;
    for (uint16_t i = 0; i < group->consumer_count; i++)
        with_pending += group->consumers[i].pending > 0;
    resp_write_array(&writer, with_pending);
    for (uint16_t i = 0; i < group->consumer_count; i++) {
        if (group->consumers[i].pending == 0)
            continue;
        resp_write_array(&writer, 2);
        resp_write_bulk_text(&writer, group->consumers[i].name);
        resp_write_bulk_format(&writer, "%u", group->consumers[i].pending);
    }
    session_reply_end(session, &writer);
}

struct pending_range {
    struct record_id start, end;
    uint64_t count, min_idle_ms;
    uint16_t consumer; /* GROUP_NO_CONSUMER: any */
    bool nobody;       /* a consumer that does not exist */
};

/* `(id` excludes the id itself, `-` and `+` are the ends. */
static bool parse_range_end(struct bytes text, bool is_start, struct record_id *out_id)
{
    bool exclusive = text.size > 1 && text.data[0] == '(';
    if (bytes_equal_text(text, "-")) {
        *out_id = (struct record_id){0};
        return true;
    }
    if (bytes_equal_text(text, "+")) {
        *out_id = (struct record_id){UINT64_MAX, UINT64_MAX};
        return true;
    }
    if (!command_parse_id(exclusive ? bytes_slice(text, 1, text.size) : text,
                          is_start ? 0 : UINT64_MAX, out_id))
        return false;
    if (exclusive && is_start)
        out_id->seq++;
    else if (exclusive)
        out_id->seq--;
    return true;
}

static const char *parse_range(const struct resp_command *command, const struct group *group,
                               struct pending_range *out)
{
    uint32_t at = 3;
    int64_t number;
    *out = (struct pending_range){.consumer = GROUP_NO_CONSUMER};
    if (bytes_equal_fold(command->arguments[at], BYTES_LITERAL("IDLE"))) {
        if (command->count < at + 2 || !bytes_parse_i64(command->arguments[at + 1], &number))
            return "ERR value is not an integer or out of range";
        out->min_idle_ms = number > 0 ? (uint64_t)number : 0;
        at += 2;
    }
    if (command->count < at + 3 || command->count > at + 4)
        return "ERR syntax error";
    if (!bytes_parse_i64(command->arguments[at + 2], &number))
        return "ERR value is not an integer or out of range";
    out->count = number > 0 ? (uint64_t)number : 0;
    if (!parse_range_end(command->arguments[at], true, &out->start) ||
        !parse_range_end(command->arguments[at + 1], false, &out->end))
        return "ERR Invalid stream ID specified as stream command argument";
    if (command->count == at + 4) {
        out->consumer = group_find_consumer(group, command->arguments[at + 3]);
        out->nobody = out->consumer == GROUP_NO_CONSUMER;
    }
    return NULL;
}

static uint64_t idle_ms(const struct pending_entry *entry, uint64_t now)
{
    return now > entry->delivered_ms ? now - entry->delivered_ms : 0;
}

/* The next entry of the range at or after `*from`, which moves past it. */
static struct pending_entry *next_in_range(const struct group *group,
                                           const struct pending_range *range, uint64_t now,
                                           struct record_id *from)
{
    struct pending_entry *entry;
    while ((entry = group_next_pending(group, *from, range->consumer)) != NULL &&
           record_id_compare(entry->id, range->end) <= 0) {
        *from = entry->id;
        from->seq++;
        if (idle_ms(entry, now) >= range->min_idle_ms)
            return entry;
    }
    return NULL;
}

static void reply_pending_range(struct session *session, const struct group *group,
                                const struct pending_range *range)
{
    uint64_t now = now_ms(session);
    uint32_t count = 0;
    const struct pending_entry *entry;
    struct record_id from = range->start;
    while (!range->nobody && count < range->count &&
           next_in_range(group, range, now, &from) != NULL)
        count++;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, count);
    from = range->start;
    for (uint32_t i = 0; i < count; i++) {
        entry = next_in_range(group, range, now, &from);
        resp_write_array(&writer, 4);
        write_id(&writer, entry->id);
        resp_write_bulk_text(&writer, group->consumers[entry->consumer].name);
        resp_write_integer(&writer, (int64_t)idle_ms(entry, now));
        resp_write_integer(&writer, entry->deliveries);
    }
    session_reply_end(session, &writer);
}

void command_xpending(struct session *session, const struct resp_command *command)
{
    struct group *group = named_group(session, command);
    if (group == NULL)
        return;
    if (command->count == 3) {
        reply_pending_summary(session, group);
        return;
    }
    struct pending_range range;
    const char *problem = parse_range(command, group, &range);
    if (problem != NULL)
        command_reply_error(session, problem);
    else
        reply_pending_range(session, group, &range);
}

/* ---- XCLAIM ---- */

struct claim_arguments {
    uint64_t min_idle_ms;
    uint32_t first_id, id_count;
    uint64_t delivered_ms; /* what the entry's time becomes */
    int64_t deliveries;    /* -1: one more than it was */
    bool just_id;
};

static const char *parse_claim_options(const struct resp_command *command, uint32_t at,
                                       uint64_t now, struct claim_arguments *out)
{
    int64_t number;
    for (; at < command->count; at++) {
        struct bytes option = command->arguments[at];
        if (bytes_equal_fold(option, BYTES_LITERAL("FORCE")))
            continue; /* what is not pending here was acknowledged: nothing to force */
        if (bytes_equal_fold(option, BYTES_LITERAL("JUSTID"))) {
            out->just_id = true;
            continue;
        }
        bool is_idle = bytes_equal_fold(option, BYTES_LITERAL("IDLE"));
        bool is_time = bytes_equal_fold(option, BYTES_LITERAL("TIME"));
        bool is_retry = bytes_equal_fold(option, BYTES_LITERAL("RETRYCOUNT"));
        bool is_last = bytes_equal_fold(option, BYTES_LITERAL("LASTID"));
        if ((!is_idle && !is_time && !is_retry && !is_last) || at + 1 == command->count)
            return "ERR syntax error";
        at++;
        if (is_last)
            continue; /* for Redis's replication */
        if (!bytes_parse_i64(command->arguments[at], &number) || number < 0)
            return is_idle   ? "ERR Invalid IDLE option argument for XCLAIM"
                   : is_time ? "ERR Invalid TIME option argument for XCLAIM"
                             : "ERR Invalid RETRYCOUNT option argument for XCLAIM";
        if (is_idle)
            out->delivered_ms = now > (uint64_t)number ? now - (uint64_t)number : 0;
        else if (is_time)
            out->delivered_ms = (uint64_t)number < now ? (uint64_t)number : now;
        else
            out->deliveries = number > UINT32_MAX ? UINT32_MAX : number;
    }
    return NULL;
}

static const char *parse_claim(const struct resp_command *command, uint64_t now,
                               struct claim_arguments *out)
{
    int64_t min_idle;
    struct record_id id;
    if (!bytes_parse_i64(command->arguments[4], &min_idle))
        return "ERR Invalid min-idle-time argument for XCLAIM";
    *out = (struct claim_arguments){
        .min_idle_ms = min_idle > 0 ? (uint64_t)min_idle : 0,
        .first_id = 5,
        .delivered_ms = now,
        .deliveries = -1,
    };
    uint32_t at = 5;
    while (at < command->count && command_parse_id(command->arguments[at], 0, &id))
        at++;
    out->id_count = at - 5;
    if (out->id_count == 0)
        return "ERR Invalid stream ID specified as stream command argument";
    return parse_claim_options(command, at, now, out);
}

/* True if the entry is now the consumer's. */
static bool claim_one(struct session *session, struct group *group, uint16_t consumer,
                      struct pending_entry *entry, const struct claim_arguments *arguments)
{
    if (entry == NULL || idle_ms(entry, now_ms(session)) < arguments->min_idle_ms)
        return false;
    if (!arguments->just_id && read_bury_exhausted(session->shard, group, entry))
        return false;
    group_assign(group, entry, consumer);
    entry->delivered_ms = arguments->delivered_ms;
    if (arguments->deliveries >= 0)
        entry->deliveries = (uint32_t)arguments->deliveries;
    else if (!arguments->just_id)
        entry->deliveries++;
    return true;
}

void command_xclaim(struct session *session, const struct resp_command *command)
{
    struct claim_arguments arguments;
    uint64_t now = now_ms(session);
    struct group *group = named_group(session, command);
    if (group == NULL)
        return;
    const char *problem = parse_claim(command, now, &arguments);
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    uint16_t consumer = group_consumer(group, command->arguments[3], now);
    if (consumer == GROUP_NO_CONSUMER) {
        command_reply_error(session,
                            "ERR too many consumers in this group, or the name is too long");
        return;
    }
    struct record_id claimed[RESP_ARGUMENTS_MAX], id;
    uint32_t count = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < arguments.id_count; i++) {
        if (!command_parse_id(command->arguments[arguments.first_id + i], 0, &id))
            continue;
        struct pending_entry *entry = group_find_pending(group, id);
        if (bytes > session->shard->config->options.reply_max ||
            !claim_one(session, group, consumer, entry, &arguments))
            continue;
        claimed[count++] = id;
        if (!arguments.just_id)
            bytes += outlet_record(group->outlet, entry->index)->size_bytes;
    }
    session->has_consumed = true;
    group->consumers[consumer].active_ms = now;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        if (arguments.just_id)
            write_id(&writer, claimed[i]);
        else
            entry_write(&writer, session->shard, group->outlet,
                        outlet_record(group->outlet, group_find_pending(group, claimed[i])->index));
    }
    session_reply_end(session, &writer);
}
