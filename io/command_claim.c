/* XCLAIM and XAUTOCLAIM: pending messages of a dead consumer go to one that lives. */
#include "io/command.h"
#include "io/entry.h"
#include "io/group.h"
#include "io/read.h"
#include "io/session_records.h"

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
            (void)read_bury_exhausted(session, group, entry);
    }
}

static const struct outlet_entry *entry_of(const struct group *group,
                                           const struct pending_entry *pending)
{
    return outlet_entry(group->outlet, pending->index);
}

/* Adds up records up to what one reply may have; the first fits always. */
static bool fits(const struct session *session, const struct outlet_entry *entry, size_t *bytes)
{
    if (*bytes > 0 && *bytes + entry->size_bytes > session->shard->config->options.reply_max)
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
    session_records_begin(session, session->shard->config->options.reply_max);
    for (uint32_t i = 0; i < arguments->id_count; i++) {
        const struct pending_entry *pending =
            find_claimable(session, command, group, arguments, arguments->first_id + i);
        if (pending == NULL || !fits(session, entry_of(group, pending), &bytes))
            continue;
        const struct outlet_entry *entry = entry_of(group, pending);
        lacks |= session_record_to_repeat(session, entry->position) == NULL;
        (void)session_records_want(session, entry->position, entry->size_bytes);
    }
    if (lacks)
        session_records_recall(session);
    return lacks;
}

static void write_claimed(struct resp_writer *writer, struct session *session,
                          const struct group *group, const struct record_id *claimed,
                          uint32_t count, bool just_id)
{
    resp_write_array(writer, count);
    for (uint32_t i = 0; i < count; i++) {
        if (just_id)
            resp_write_id(writer, claimed[i].ms, claimed[i].seq);
        else
            entry_write(
                writer, session->shard, group->outlet,
                session_record(session,
                               entry_of(group, group_find_pending(group, claimed[i]))->position));
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
        if (entry == NULL || (!arguments.just_id && !fits(session, entry_of(group, entry), &bytes)))
            continue;
        claim_one(group, consumer, entry, &arguments);
        claimed[count++] = entry->id;
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

/* Chooses pending entries from `from` on, whoever's they are, gives up the exhausted ones among
 * them, and leaves `from` where to go on. Ends at a record that is not at hand. */
static bool choose(struct session *session, struct group *group, struct autoclaim *claim)
{
    uint64_t now = now_ms(session), tries = (uint64_t)claim->count * AUTOCLAIM_TRIES;
    size_t bytes = 0;
    struct pending_entry *pending;
    while ((pending = group_next_pending(group, claim->from, GROUP_NO_CONSUMER)) != NULL) {
        struct record_id id = pending->id;
        const struct outlet_entry *entry = entry_of(group, pending);
        claim->from = id;
        if (tries-- == 0 || claim->claimed_count == claim->count ||
            claim->buried_count == READ_ENTRIES_MAX)
            return true;
        if (group_idle_ms(pending, now) >= claim->min_idle_ms) {
            if (!claim->just_id && session_record_to_repeat(session, entry->position) == NULL)
                return false;
            if (!claim->just_id && read_bury_exhausted(session, group, pending))
                claim->buried[claim->buried_count++] = id;
            else if (claim->just_id || fits(session, entry, &bytes))
                claim->claimed[claim->claimed_count++] = id;
            else
                return true;
        }
        claim->from = record_id_after(id);
    }
    claim->from = (struct record_id){0};
    return true;
}

/* Records that were in memory may have made room for dead letters: what follows the first such is
 * left for the next time. */
static void keep_at_hand(struct session *session, const struct group *group,
                         struct autoclaim *claim)
{
    for (uint32_t i = 0; i < claim->claimed_count; i++) {
        const struct pending_entry *pending = group_find_pending(group, claim->claimed[i]);
        if (session_record(session, entry_of(group, pending)->position) != NULL)
            continue;
        claim->from = claim->claimed[i];
        claim->claimed_count = i;
    }
}

/* Has the records read back that would be claimed from `from` on. */
static void recall_from(struct session *session, const struct group *group,
                        const struct autoclaim *claim)
{
    uint64_t now = now_ms(session);
    const struct pending_entry *pending;
    struct record_id from = claim->from;
    session_records_begin(session, session->shard->config->options.reply_max);
    for (uint32_t count = 0; count < claim->count &&
                             (pending = group_next_pending(group, from, GROUP_NO_CONSUMER)) != NULL;
         from = record_id_after(pending->id)) {
        const struct outlet_entry *entry = entry_of(group, pending);
        if (group_idle_ms(pending, now) < claim->min_idle_ms)
            continue;
        if (!session_records_want(session, entry->position, entry->size_bytes))
            break;
        count++;
    }
    session_records_recall(session);
}

/* False if nothing is at hand yet. */
static bool autoclaim(struct session *session, struct group *group, uint16_t consumer,
                      struct autoclaim *claim)
{
    const struct claim_arguments arguments = {
        .delivered_ms = now_ms(session), .deliveries = -1, .just_id = claim->just_id};
    bool is_all_at_hand = choose(session, group, claim);
    if (!is_all_at_hand && claim->claimed_count + claim->buried_count == 0) {
        recall_from(session, group, claim);
        return false;
    }
    if (!claim->just_id)
        keep_at_hand(session, group, claim);
    for (uint32_t i = 0; i < claim->claimed_count; i++)
        claim_one(group, consumer, group_find_pending(group, claim->claimed[i]), &arguments);
    return true;
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
    if (!autoclaim(session, group, consumer, &claim))
        return;
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
