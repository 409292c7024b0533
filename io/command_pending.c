/* XPENDING and XCLAIM. */
#include "io/command.h"
#include "io/entry.h"
#include "io/group.h"
#include "io/read.h"

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
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

/* `(id` excludes the id itself, `-` and `+` are the ends. NULL, or what is wrong. */
static const char *parse_range_end(struct bytes text, bool is_start, struct record_id *out_id)
{
    bool exclusive = text.size > 1 && text.data[0] == '(';
    if (bytes_equal_text(text, "-")) {
        *out_id = (struct record_id){0};
        return NULL;
    }
    if (bytes_equal_text(text, "+")) {
        *out_id = (struct record_id){UINT64_MAX, UINT64_MAX};
        return NULL;
    }
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
    const char *problem = parse_range_end(command->arguments[at], true, &out->start);
    if (problem == NULL)
        problem = parse_range_end(command->arguments[at + 1], false, &out->end);
    if (problem != NULL)
        return problem;
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
        *from = record_id_after(entry->id);
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
    int64_t deliveries;    /* negative: one more than it was */
    bool just_id;
    struct bytes unknown; /* an option that is none */
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
        if ((!is_idle && !is_time && !is_retry && !is_last) || at + 1 == command->count) {
            out->unknown = option;
            return NULL;
        }
        at++;
        if (is_last)
            continue; /* for Redis's replication */
        if (!bytes_parse_i64(command->arguments[at], &number))
            return is_idle   ? "ERR Invalid IDLE option argument for XCLAIM"
                   : is_time ? "ERR Invalid TIME option argument for XCLAIM"
                             : "ERR Invalid RETRYCOUNT option argument for XCLAIM";
        if (is_idle) /* a time to come is now, as in Redis */
            out->delivered_ms = number < 0                ? now
                                : (uint64_t)number >= now ? 0
                                                          : now - (uint64_t)number;
        else if (is_time)
            out->delivered_ms = number < 0 || (uint64_t)number > now ? now : (uint64_t)number;
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
    return parse_claim_options(command, at, now, out);
}

/* The pending entry of the command's argument `at`, if it is idle for long enough; else NULL. */
static struct pending_entry *find_claimable(const struct session *session,
                                            const struct resp_command *command,
                                            const struct group *group,
                                            const struct claim_arguments *arguments, uint32_t at)
{
    struct record_id id;
    if (!command_parse_id(command->arguments[at], 0, &id))
        return NULL;
    struct pending_entry *entry = group_find_pending(group, id);
    return entry != NULL && idle_ms(entry, now_ms(session)) >= arguments->min_idle_ms ? entry
                                                                                      : NULL;
}

static void claim_one(struct group *group, uint16_t consumer, struct pending_entry *entry,
                      const struct claim_arguments *arguments)
{
    group_assign(group, entry, consumer);
    entry->delivered_ms = arguments->delivered_ms;
    if (arguments->deliveries >= 0)
        entry->deliveries = (uint32_t)arguments->deliveries;
    else if (!arguments->just_id)
        entry->deliveries++;
}

/* First all that are exhausted, so that none which was claimed is given up by the same command. */
static void bury_exhausted(struct session *session, const struct resp_command *command,
                           struct group *group, const struct claim_arguments *arguments)
{
    for (uint32_t i = 0; i < arguments->id_count; i++) {
        struct pending_entry *entry =
            find_claimable(session, command, group, arguments, arguments->first_id + i);
        if (entry != NULL)
            (void)read_bury_exhausted(session->shard, group, entry);
    }
}

static void reply_claimed(struct session *session, const struct group *group,
                          const struct record_id *claimed, uint32_t count, bool just_id)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, count);
    for (uint32_t i = 0; i < count; i++) {
        if (just_id)
            write_id(&writer, claimed[i]);
        else
            entry_write(&writer, session->shard, group->outlet,
                        outlet_record(group->outlet, group_find_pending(group, claimed[i])->index));
    }
    session_reply_end(session, &writer);
}

static void reply_unknown_option(struct session *session, struct bytes option)
{
    enum { SHOWN_MAX = 128 };
    struct bytes shown = bytes_slice(option, 0, SHOWN_MAX);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer, "ERR Unrecognized XCLAIM option '%.*s'", (int)shown.size,
                            (const char *)shown.data);
    session_reply_end(session, &writer);
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
    if (arguments.unknown.data != NULL) {
        reply_unknown_option(session, arguments.unknown);
        return;
    }
    uint16_t consumer = group_consumer(group, command->arguments[3], now);
    if (consumer == GROUP_NO_CONSUMER) {
        command_reply_error(session, "ERR too many consumers in this group, or the name is none");
        return;
    }
    if (!arguments.just_id)
        bury_exhausted(session, command, group, &arguments);
    struct record_id claimed[RESP_ARGUMENTS_MAX];
    uint32_t count = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < arguments.id_count; i++) {
        struct pending_entry *entry =
            find_claimable(session, command, group, &arguments, arguments.first_id + i);
        if (entry == NULL || bytes > session->shard->config->options.reply_max)
            continue;
        claim_one(group, consumer, entry, &arguments);
        claimed[count++] = entry->id;
        if (!arguments.just_id)
            bytes += outlet_record(group->outlet, entry->index)->size_bytes;
    }
    session->has_consumed = true;
    group->consumers[consumer].active_ms = now;
    reply_claimed(session, group, claimed, count, arguments.just_id);
}
