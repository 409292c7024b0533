/* XCLAIM and XAUTOCLAIM: pending messages of a dead consumer go to one that lives. */
#include "io/command.h"
#include "io/entry.h"
#include "io/group.h"
#include "io/read.h"

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
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
    return entry != NULL && group_idle_ms(entry, now_ms(session)) >= arguments->min_idle_ms ? entry
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

static void write_claimed(struct resp_writer *writer, const struct session *session,
                          const struct group *group, const struct record_id *claimed,
                          uint32_t count, bool just_id)
{
    resp_write_array(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        if (just_id)
            resp_write_id(writer, claimed[i].ms, claimed[i].seq);
        else
            entry_write(writer, session->shard, group->outlet,
                        outlet_record(group->outlet, group_find_pending(group, claimed[i])->index));
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
            bytes += outlet_entry(group->outlet, entry->index)->size_bytes;
    }
    session->has_consumed = true;
    group->consumers[consumer].active_ms = now;
    read_settled(session->shard, group); /* with `order: case`, more may go to the consumer now */
    struct resp_writer writer = session_reply_begin(session);
    write_claimed(&writer, session, group, claimed, count, arguments.just_id);
    session_reply_end(session, &writer);
}

/* ---- XAUTOCLAIM ---- */

/* So many are claimed unless COUNT says else; ten times as many are looked at. */
enum { AUTOCLAIM_COUNT = 100, AUTOCLAIM_TRIES = 10 };

struct autoclaim {
    uint64_t min_idle_ms;
    struct record_id from; /* the next to look at; 0-0: that was all */
    uint32_t count;
    bool just_id;
    struct record_id claimed[READ_ENTRIES_MAX], buried[READ_ENTRIES_MAX];
    uint32_t claimed_count, buried_count;
};

static const char *parse_autoclaim(const struct resp_command *command, struct autoclaim *out)
{
    int64_t number;
    if (!bytes_parse_i64(command->arguments[4], &number))
        return "ERR Invalid min-idle-time argument for XAUTOCLAIM";
    out->min_idle_ms = number > 0 ? (uint64_t)number : 0;
    out->count = AUTOCLAIM_COUNT;
    out->just_id = false;
    out->claimed_count = out->buried_count = 0;
    const char *problem = command_parse_range_end(command->arguments[5], true, &out->from);
    for (uint32_t at = 6; at < command->count && problem == NULL; at++) {
        if (bytes_equal_fold(command->arguments[at], BYTES_LITERAL("JUSTID"))) {
            out->just_id = true;
            continue;
        }
        if (!bytes_equal_fold(command->arguments[at], BYTES_LITERAL("COUNT")) ||
            ++at == command->count)
            return "ERR syntax error";
        if (!bytes_parse_i64(command->arguments[at], &number) || number <= 0 ||
            number > INT64_MAX / (int64_t)sizeof(struct record_id))
            return "ERR COUNT must be > 0";
        out->count = number < READ_ENTRIES_MAX ? (uint32_t)number : READ_ENTRIES_MAX;
    }
    return problem;
}

/* Looks at pending entries from `from` on, whoever's they are, and leaves it where to go on. */
static void autoclaim(struct session *session, struct group *group, uint16_t consumer,
                      struct autoclaim *claim)
{
    uint64_t now = now_ms(session), tries = (uint64_t)claim->count * AUTOCLAIM_TRIES;
    size_t bytes = 0;
    struct pending_entry *entry;
    while ((entry = group_next_pending(group, claim->from, GROUP_NO_CONSUMER)) != NULL &&
           tries-- > 0 && claim->claimed_count < claim->count &&
           claim->buried_count < READ_ENTRIES_MAX &&
           bytes <= session->shard->config->options.reply_max) {
        struct record_id id = entry->id;
        claim->from = record_id_after(id);
        if (group_idle_ms(entry, now) < claim->min_idle_ms)
            continue;
        if (!claim->just_id && read_bury_exhausted(session->shard, group, entry)) {
            claim->buried[claim->buried_count++] = id;
            continue;
        }
        entry = group_find_pending(group, id);
        claim_one(group, consumer, entry,
                  &(struct claim_arguments){
                      .delivered_ms = now, .deliveries = -1, .just_id = claim->just_id});
        claim->claimed[claim->claimed_count++] = id;
        if (!claim->just_id)
            bytes += outlet_entry(group->outlet, entry->index)->size_bytes;
    }
    claim->from = entry != NULL ? entry->id : (struct record_id){0};
}

void command_xautoclaim(struct session *session, const struct resp_command *command)
{
    struct autoclaim claim;
    const char *problem = parse_autoclaim(command, &claim);
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    struct group *group = command_group(session, command);
    if (group == NULL)
        return;
    uint64_t now = now_ms(session);
    uint16_t consumer = group_consumer(group, command->arguments[3], now);
    if (consumer == GROUP_NO_CONSUMER) {
        command_reply_error(session, COMMAND_NO_CONSUMER);
        return;
    }
    session->has_consumed = true;
    autoclaim(session, group, consumer, &claim);
    if (claim.claimed_count > 0) {
        group->consumers[consumer].active_ms = now;
        read_settled(session->shard, group); /* with `order: case`, more may go to it now */
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, 3);
    resp_write_id(&writer, claim.from.ms, claim.from.seq);
    write_claimed(&writer, session, group, claim.claimed, claim.claimed_count, claim.just_id);
    resp_write_array(&writer, claim.buried_count);
    for (uint32_t i = 0; i < claim.buried_count; i++)
        resp_write_id(&writer, claim.buried[i].ms, claim.buried[i].seq);
    session_reply_end(session, &writer);
}
