/* XCLAIM and XAUTOCLAIM over several logs.
 *
 * XCLAIM asks the shards of its ids one after the other, so that one reply has room for what is
 * claimed. XAUTOCLAIM looks first, at all, what would be claimed, in the order of ids, which the
 * logs share; then each claims up to the same id. So its cursor neither skips nor repeats. */
#include <assert.h>

#include "io/delivery/errand_inside.h"

/* ---- XCLAIM ---- */

/* Of a reply that shows something. */
static size_t claimed_bytes(const struct errand_part *part)
{
    const struct bytes reply = errand_part_bytes(part);
    bool is_none = reply.data[0] == '-' || bytes_equal_text(reply, "*0\r\n");
    return is_none ? 0 : reply.size;
}

static enum errand_step step_claim(struct errand *errand)
{
    struct errand_ids *ids = &errand->ids;
    uint64_t reply_max = errand->errands->shard->config->options.reply_max;
    if (errand->round++ == 0)
        errand_begin_round(errand);
    else
        ids->bytes += claimed_bytes(&errand->parts[ids->at - 1]);
    while (ids->at < errand->errands->count && (ids->shards >> ids->at & 1) == 0)
        ids->at++;
    if (ids->at == errand->errands->count || ids->bytes >= reply_max)
        return ERRAND_REPLIES;
    errand->terms.bytes_max = reply_max - ids->bytes;
    errand_ask(errand, ids->at++, ERRAND_RUN);
    return ERRAND_ASKS;
}

/* What was claimed is shown, whatever went wrong elsewhere. */
static void reply_claimed(struct errand *errand, struct resp_writer *writer)
{
    const struct errand_part *failure = errand_failure(errand);
    struct record_id claimed[RESP_ARGUMENTS_MAX];
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    if (failure != NULL && errand->ids.bytes == 0) {
        resp_write_raw(writer, errand_part_bytes(failure));
        return;
    }
    for (uint32_t i = errand->ids.first; i < errand->ids.end; i++) {
        bool is_id = command_parse_id(errand->terms.command.arguments[i], 0,
                                      &claimed[i - errand->ids.first]);
        assert(is_id);
    }
    struct merge merge = errand_merge(errand, parts, count);
    merge_claimed(&merge, claimed, errand->ids.end - errand->ids.first, writer);
}

static const struct errand_kind claim_kind = {step_claim, reply_claimed, .is_long = true,
                                              .bears_failures = true};

bool errand_plan_claim(struct errand *errand, const struct resp_command *command)
{
    errand->kind = &claim_kind;
    return errand_find_shards(errand, command, 5);
}

/* ---- XAUTOCLAIM ---- */

enum autoclaim_round { AUTOCLAIM_BEGINS, AUTOCLAIM_HAS_LOOKED, AUTOCLAIM_HAS_CLAIMED };

/* So far all that may be claimed is known: to before the first id that some shard did not reach. */
static struct record_id known_until(const struct errand *errand)
{
    struct record_id until = {UINT64_MAX, UINT64_MAX};
    for (uint16_t i = 0; i < errand->errands->count; i++) {
        const struct errand_part *part = &errand->parts[i];
        if (part->cut != 0 && record_id_compare(part->watermark, until) <= 0)
            until = record_id_before(part->watermark);
    }
    return until;
}

/* The last id that all claim: that of the last which is asked for, if there are as many. */
static struct record_id claim_until(struct errand *errand)
{
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    struct record_id until = known_until(errand);
    struct merge merge = errand_merge(errand, parts, count);
    const struct merge_limits limits = {
        .count = errand->ids.count, .bytes_max = errand->errands->shard->config->options.reply_max};
    struct record_id last = merge_last_id(&merge, &limits);
    return record_id_compare(last, until) < 0 ? last : until;
}

static enum errand_step step_autoclaim(struct errand *errand)
{
    switch ((enum autoclaim_round)errand->round++) {
    case AUTOCLAIM_BEGINS:
        errand->terms.looks = true;
        errand_ask_all(errand, ERRAND_RUN);
        return ERRAND_ASKS;
    case AUTOCLAIM_HAS_LOOKED:
        if (errand_failure(errand) != NULL)
            return ERRAND_REPLIES;
        errand->terms.until[0] = claim_until(errand);
        errand->terms.looks = false;
        errand->terms.bytes_max = UINT64_MAX; /* that is bounded already */
        errand_ask_all(errand, ERRAND_RUN);
        return ERRAND_ASKS;
    case AUTOCLAIM_HAS_CLAIMED: break;
    }
    return ERRAND_REPLIES;
}

/* The first that any shard did not look at; 0-0: all were. */
static struct record_id least_cursor(const struct bytes *cursors, uint32_t count)
{
    const struct record_id none = {0};
    struct record_id least = none;
    for (uint32_t i = 0; i < count; i++) {
        struct record_id id = merge_entry_id(cursors[i]);
        if (record_id_compare(id, none) != 0 &&
            (record_id_compare(least, none) == 0 || record_id_compare(id, least) < 0))
            least = id;
    }
    return least;
}

static void reply_autoclaimed(struct errand *errand, struct resp_writer *writer)
{
    struct bytes parts[MESH_SHARDS_MAX], cursors[MESH_SHARDS_MAX], claimed[MESH_SHARDS_MAX],
        buried[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    const struct errand_part *failure = errand_failure(errand);
    if (failure != NULL) {
        resp_write_raw(writer, errand_part_bytes(failure));
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct resp_cursor cursor = resp_cursor_make(parts[i]);
        struct resp_item item;
        bool is_there = resp_cursor_next(&cursor, &item) && item.count == 3 &&
                        merge_take(&cursor, &item, &cursors[i]) &&
                        merge_take(&cursor, &item, &claimed[i]) &&
                        merge_take(&cursor, &item, &buried[i]);
        assert(is_there);
    }
    const struct record_id from = least_cursor(cursors, count);
    const struct merge_limits all = {.count = UINT64_MAX, .bytes_max = UINT64_MAX};
    struct merge merge_claims = errand_merge(errand, claimed, count);
    struct merge merge_buried = errand_merge(errand, buried, count);
    resp_write_array(writer, 3);
    resp_write_id(writer, from.ms, from.seq);
    merge_entries(&merge_claims, &all, writer);
    merge_entries(&merge_buried, &all, writer);
}

static const struct errand_kind autoclaim_kind = {step_autoclaim, reply_autoclaimed,
                                                  .is_long = true, .bears_failures = true};

/* What is wrong is for its handler to say, everywhere the same. */
bool errand_plan_autoclaim(struct errand *errand, const struct resp_command *command)
{
    int64_t count = COMMAND_AUTOCLAIM_COUNT;
    for (uint32_t at = 6; at + 1 < command->count; at++)
        if (bytes_equal_fold(command->arguments[at], BYTES_LITERAL("COUNT")) &&
            (!bytes_parse_i64(command->arguments[++at], &count) || count <= 0))
            return false;
    errand->kind = &autoclaim_kind;
    errand->ids = (struct errand_ids){
        .count = (uint64_t)count < READ_ENTRIES_MAX ? (uint64_t)count : READ_ENTRIES_MAX};
    return true;
}
