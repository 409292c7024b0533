/* XCLAIM: pending messages of a dead consumer go to one that lives. */
#include "io/front/command_claim.h"

#include "io/delivery/entry.h"
#include "io/delivery/group.h"
#include "io/delivery/read.h"
#include "io/front/command.h"
#include "io/front/session_records.h"

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
}

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
    return entry != NULL && group_idle_ms(entry, now_ms(session)) >= arguments->min_idle_ms ? entry
                                                                                            : NULL;
}

void claim_take(struct group *group, uint16_t consumer, struct pending_entry *entry,
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
            (void)read_bury_exhausted(session, group, entry);
    }
}

const struct outlet_entry *claim_entry(const struct group *group,
                                       const struct pending_entry *pending)
{
    return outlet_entry(group->outlet, pending->index);
}

bool claim_fits(const struct session *session, const struct outlet_entry *entry, size_t *bytes)
{
    if (*bytes > 0 && *bytes + entry->size_bytes > session_reply_max(session))
        return false;
    *bytes += entry->size_bytes;
    return true;
}

/* True if records of what will be claimed must be read back first: then that is under way, and
 * nothing else was done. */
static bool recalls_claimable(struct session *session, const struct resp_command *command,
                              const struct group *group, const struct claim_arguments *arguments)
{
    bool lacks = false;
    size_t bytes = 0;
    session_records_begin(session, session_reply_max(session));
    for (uint32_t i = 0; i < arguments->id_count; i++) {
        const struct pending_entry *pending =
            find_claimable(session, command, group, arguments, arguments->first_id + i);
        if (pending == NULL || !claim_fits(session, claim_entry(group, pending), &bytes))
            continue;
        const struct outlet_entry *entry = claim_entry(group, pending);
        lacks |= session_record_to_repeat(session, entry->position) == NULL;
        (void)session_records_want(session, entry->position, entry->size_bytes);
    }
    if (lacks)
        session_records_recall(session);
    return lacks;
}

void claim_write(struct resp_writer *writer, struct session *session, const struct group *group,
                 const struct record_id *claimed, uint32_t count, bool just_id)
{
    resp_write_array(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        if (just_id)
            resp_write_id(writer, claimed[i].ms, claimed[i].seq);
        else
            entry_write(
                writer, &session->shard->entry_forms, group->outlet->destination,
                session_record(
                    session, claim_entry(group, group_find_pending(group, claimed[i]))->position));
    }
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
    struct group *group = command_group(session, command);
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
        command_reply_error(session, COMMAND_NO_CONSUMER);
        return;
    }
    if (!arguments.just_id) {
        bury_exhausted(session, command, group, &arguments);
        if (recalls_claimable(session, command, group, &arguments))
            return;
    }
    struct record_id claimed[RESP_ARGUMENTS_MAX];
    uint32_t count = 0;
    size_t bytes = 0;
    for (uint32_t i = 0; i < arguments.id_count; i++) {
        struct pending_entry *entry =
            find_claimable(session, command, group, &arguments, arguments.first_id + i);
        if (entry == NULL ||
            (!arguments.just_id && !claim_fits(session, claim_entry(group, entry), &bytes)))
            continue;
        claim_take(group, consumer, entry, &arguments);
        claimed[count++] = entry->id;
    }
    session->has_consumed = true;
    group->consumers[consumer].active_ms = now;
    read_settled(session->shard, group); /* with `order: case`, more may go to the consumer now */
    struct resp_writer writer = session_reply_begin(session);
    claim_write(&writer, session, group, claimed, count, arguments.just_id);
    session_reply_end(session, &writer);
}
