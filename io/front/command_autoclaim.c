/* XAUTOCLAIM: pending messages go to one consumer, whoever's they are. */
#include "io/delivery/errand.h"
#include "io/delivery/read.h"
#include "io/front/command.h"
#include "io/front/command_claim.h"
#include "io/front/session_records.h"

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
}

/* So many are claimed unless COUNT says else; ten times as many are looked at. */
enum { AUTOCLAIM_TRIES = 10 };

struct autoclaim {
    uint64_t min_idle_ms;
    struct record_id start, until; /* of the ids that are looked at */
    struct record_id from;         /* the next to look at; 0-0: that was all */
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
    out->count = COMMAND_AUTOCLAIM_COUNT;
    out->just_id = false;
    out->claimed_count = out->buried_count = 0;
    const char *problem = command_parse_range_end(command->arguments[5], true, &out->start);
    out->from = out->start;
    out->until = (struct record_id){UINT64_MAX, UINT64_MAX};
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

/* Who carries out what was looked for has all that lies between. */
static uint64_t tries_of(const struct session *session, const struct autoclaim *claim)
{
    return session->terms != NULL && !session->terms->looks
               ? UINT64_MAX
               : (uint64_t)claim->count * AUTOCLAIM_TRIES;
}

/* Chooses pending entries from `from` on, whoever's they are, gives up the exhausted ones among
 * them, and leaves `from` where to go on. Ends at a record that is not at hand. */
static bool choose(struct session *session, struct group *group, struct autoclaim *claim)
{
    uint64_t now = now_ms(session), tries = tries_of(session, claim);
    size_t bytes = 0;
    struct pending_entry *pending;
    while ((pending = group_next_pending(group, claim->from, GROUP_NO_CONSUMER)) != NULL) {
        struct record_id id = pending->id;
        const struct outlet_entry *entry = claim_entry(group, pending);
        claim->from = id;
        if (record_id_compare(id, claim->until) > 0)
            return true;
        if (tries-- == 0 || claim->claimed_count == claim->count ||
            claim->buried_count == READ_ENTRIES_MAX)
            return true;
        if (group_idle_ms(pending, now) >= claim->min_idle_ms) {
            if (!claim->just_id && session_record_to_repeat(session, entry->position) == NULL)
                return false;
            if (!claim->just_id && read_bury_exhausted(session, group, pending))
                claim->buried[claim->buried_count++] = id;
            else if (claim->just_id || claim_fits(session, entry, &bytes))
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
        if (session_record(session, claim_entry(group, pending)->position) != NULL)
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
    session_records_begin(session, session_reply_max(session));
    for (uint32_t count = 0; count < claim->count &&
                             (pending = group_next_pending(group, from, GROUP_NO_CONSUMER)) != NULL;
         from = record_id_after(pending->id)) {
        const struct outlet_entry *entry = claim_entry(group, pending);
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
    if (!is_all_at_hand && session->terms != NULL) { /* all that was looked for, or nothing */
        claim->from = claim->start;
        recall_from(session, group, claim);
        return false;
    }
    if (!is_all_at_hand && claim->claimed_count + claim->buried_count == 0) {
        recall_from(session, group, claim);
        return false;
    }
    if (!claim->just_id)
        keep_at_hand(session, group, claim);
    for (uint32_t i = 0; i < claim->claimed_count; i++)
        claim_take(group, consumer, group_find_pending(group, claim->claimed[i]), &arguments);
    return true;
}

/* What would be claimed, for a shard that chooses among several logs. */
static void look_for_claims(struct session *session, const struct group *group,
                            struct autoclaim *claim)
{
    uint64_t now = now_ms(session), tries = tries_of(session, claim);
    const struct pending_entry *pending;
    struct resp_writer writer = session_reply_begin(session);
    while ((pending = group_next_pending(group, claim->from, GROUP_NO_CONSUMER)) != NULL &&
           tries-- > 0 && claim->claimed_count < claim->count) {
        if (group_idle_ms(pending, now) >= claim->min_idle_ms)
            claim->claimed[claim->claimed_count++] = pending->id;
        claim->from = record_id_after(pending->id);
    }
    if (pending != NULL) {
        errand_part_cut(session, 0);
        errand_part_reach(session, pending->id);
    }
    resp_write_array(&writer, claim->claimed_count);
    for (uint32_t i = 0; i < claim->claimed_count; i++) {
        pending = group_find_pending(group, claim->claimed[i]);
        resp_write_array(&writer, 2);
        resp_write_id(&writer, pending->id.ms, pending->id.seq);
        resp_write_integer(&writer, claim->just_id ? 0 : claim_entry(group, pending)->size_bytes);
    }
    session_reply_end(session, &writer);
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
    if (session->terms != NULL) {
        claim.until = session->terms->until[0];
        if (session->terms->looks) {
            look_for_claims(session, group, &claim);
            return;
        }
    }
    if (!autoclaim(session, group, consumer, &claim))
        return;
    if (claim.claimed_count > 0) {
        group->consumers[consumer].active_ms = now;
        read_settled(session->shard, group); /* with `order: case`, more may go to it now */
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, 3);
    resp_write_id(&writer, claim.from.ms, claim.from.seq);
    claim_write(&writer, session, group, claim.claimed, claim.claimed_count, claim.just_id);
    resp_write_array(&writer, claim.buried_count);
    for (uint32_t i = 0; i < claim.buried_count; i++)
        resp_write_id(&writer, claim.buried[i].ms, claim.buried[i].seq);
    session_reply_end(session, &writer);
}
