/* How each command spreads over the shards, and which merger makes one reply of theirs. What is not
 * here concerns the client's own shard alone, or no log at all. */
#include "io/delivery/errand_inside.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

/* ---- all shards at once ---- */

enum errand_step errand_step_all(struct errand *errand)
{
    if (errand->round++ > 0)
        return ERRAND_REPLIES;
    errand_ask_all(errand, ERRAND_RUN);
    return ERRAND_ASKS;
}

void errand_reply_merged(struct errand *errand, struct resp_writer *writer)
{
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    struct merge merge = errand_merge(errand, parts, count);
    errand->merge(&merge, writer);
}

static const struct errand_kind all_short = {errand_step_all, errand_reply_merged,
                                             .is_long = false};
static const struct errand_kind all_long = {errand_step_all, errand_reply_merged, .is_long = true};

/* ---- XGROUP ---- */

/* A group that one log has and another lacks, since there was no room for it, is whole when those
 * that lacked it have it: BUSYGROUP is an error only if all say so. */
static void reply_group_created(struct errand *errand, struct resp_writer *writer)
{
    const struct errand_part *busy = NULL, *created = NULL;
    for (uint16_t i = 0; i < errand->errands->count; i++) {
        const struct errand_part *part = &errand->parts[i];
        struct bytes reply = errand_part_bytes(part);
        bool is_busy = bytes_start_with(reply, BYTES_LITERAL("-BUSYGROUP"));
        if (reply.data[0] == '-' && !is_busy) {
            resp_write_raw(writer, reply);
            return;
        }
        if (is_busy)
            busy = part;
        else
            created = part;
    }
    resp_write_raw(writer, errand_part_bytes(created != NULL ? created : busy));
}

static const struct errand_kind group_created = {errand_step_all, reply_group_created,
                                                 .bears_failures = true};

/* ---- what none may do unless all can ---- */

static enum errand_step step_checked(struct errand *errand)
{
    if (errand->round == 2 || (errand->round == 1 && errand_failure(errand) != NULL))
        return ERRAND_REPLIES;
    errand->terms.looks = errand->round++ == 0;
    errand_ask_all(errand, ERRAND_RUN);
    return ERRAND_ASKS;
}

/* `-ERR 3 messages ...`: the number, and how many bytes stand before what is behind it. */
static uint64_t number_of(struct bytes error, size_t *out_behind)
{
    static const char before[] = "-ERR ";
    uint64_t number = 0;
    size_t at = sizeof before - 1;
    while (at < error.size && error.data[at] >= '0' && error.data[at] <= '9')
        number = number * 10 + (uint64_t)(error.data[at++] - '0');
    *out_behind = at;
    return number;
}

/* All that stands in the way, in the words of the first that says so. */
static void reply_checked(struct errand *errand, struct resp_writer *writer)
{
    const struct errand_part *failure = errand_failure(errand);
    uint64_t sum = 0;
    size_t behind;
    if (failure == NULL) {
        errand_reply_merged(errand, writer);
        return;
    }
    struct bytes error = errand_part_bytes(failure);
    if (number_of(error, &behind) == 0) {
        resp_write_raw(writer, error);
        return;
    }
    for (uint16_t i = 0; i < errand->errands->count; i++)
        if (errand->parts[i].reply[0] == '-')
            sum += number_of(errand_part_bytes(&errand->parts[i]), &(size_t){0});
    size_t size = error.size - behind - 2; /* without the line's end */
    resp_write_error_format(writer, "ERR %llu%.*s", (unsigned long long)sum, (int)size,
                            (const char *)error.data + behind);
}

static const struct errand_kind all_checked = {step_checked, reply_checked, .bears_failures = true};

/* ---- entries of all shards, by id ---- */

static void reply_pending_range(struct errand *errand, struct resp_writer *writer)
{
    struct bytes parts[MESH_SHARDS_MAX];
    uint64_t cut[READ_STREAMS_MAX];
    uint32_t count = errand_replies(errand, parts, cut);
    struct merge merge = errand_merge(errand, parts, count);
    const struct merge_limits limits = {.count = errand->terms.counts[0],
                                        .bytes_max = errand->terms.bytes_max};
    merge_entries(&merge, &limits, writer);
}

static const struct errand_kind pending_range = {errand_step_all, reply_pending_range,
                                                 .is_long = true};

/* COUNT stands behind the range, which IDLE may stand before. */
static bool plan_pending(struct errand *errand, const struct resp_command *command)
{
    int64_t count;
    if (command->count == 3) {
        errand->kind = &all_long;
        errand->merge = merge_pending;
        return true;
    }
    uint32_t at = is(command->arguments[3], "IDLE") ? 7 : 5;
    if (command->count <= at || !bytes_parse_i64(command->arguments[at], &count))
        return false;
    errand->terms.counts[0] = count > 0 ? (uint64_t)count : 0;
    errand->terms.bytes_max = UINT64_MAX;
    errand->kind = &pending_range;
    return true;
}

/* ---- the shards of some ids ---- */

static enum errand_step ask_by_ids(struct errand *errand)
{
    if (errand->round++ > 0)
        return ERRAND_REPLIES;
    errand_begin_round(errand);
    for (uint16_t i = 0; i < errand->errands->count; i++)
        if ((errand->ids.shards >> i & 1) != 0)
            errand_ask(errand, i, ERRAND_RUN);
    return ERRAND_ASKS;
}

const struct errand_kind errand_by_ids = {ask_by_ids, errand_reply_merged, .is_long = false};

bool errand_find_shards(struct errand *errand, const struct resp_command *command, uint32_t first)
{
    enum { LOG_NUMBER_MASK = 0xFF };
    struct record_id id;
    uint32_t at = first;
    uint64_t shards = 0;
    for (; at < command->count && command_parse_id(command->arguments[at], 0, &id); at++)
        if ((id.seq & LOG_NUMBER_MASK) < errand->errands->count)
            shards |= UINT64_C(1) << (id.seq & LOG_NUMBER_MASK);
    errand->ids = (struct errand_ids){.shards = shards, .first = first, .end = at};
    return (shards & ~(UINT64_C(1) << errand->errands->self)) != 0;
}

/* What the participant may not do, and what is no id, is answered here. */
static bool plan_acknowledgement(struct errand *errand, const struct session *session,
                                 const struct resp_command *command)
{
    bool denied;
    (void)command_seek_outlet(session, command->arguments[1], &denied);
    errand->kind = &errand_by_ids;
    errand->merge = merge_sum;
    return !denied && errand_find_shards(errand, command, 3) && errand->ids.end == command->count;
}

/* ---- the table ---- */

static const struct {
    void (*run)(struct session *session, const struct resp_command *command);
    const char *subcommand; /* NULL: the command has none */
    const struct errand_kind *kind;
    void (*merge)(const struct merge *merge, struct resp_writer *writer);
} rows[] = {
    {command_xlen, NULL, &all_short, merge_sum},
    {command_memory, "USAGE", &all_short, merge_sum},
    {command_xgroup, "CREATE", &group_created, NULL},
    {command_xgroup, "SETID", &all_checked, merge_first},
    {command_xgroup, "DESTROY", &all_short, merge_greatest},
    {command_xgroup, "CREATECONSUMER", &all_short, merge_greatest},
    {command_xgroup, "DELCONSUMER", &all_checked, merge_sum},
    {command_xinfo, "STREAM", &all_long, merge_map},
    {command_xinfo, "GROUPS", &all_long, merge_maps},
    {command_xinfo, "CONSUMERS", &all_long, merge_maps},
};

static bool plan_by_table(struct errand *errand, const struct command_row *row,
                          const struct resp_command *command)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].run != row->run ||
            (rows[i].subcommand != NULL && !is(command->arguments[1], rows[i].subcommand)))
            continue;
        errand->kind = rows[i].kind;
        errand->merge = rows[i].merge;
        return true;
    }
    return false;
}

bool errand_plan(struct errand *errand, const struct session *session,
                 const struct command_row *row, const struct resp_command *command)
{
    if (row->run == command_xack)
        return plan_acknowledgement(errand, session, command);
    if (row->run == command_xreadgroup || row->run == command_xread)
        return errand_plan_read(errand, session, command, row->run == command_xreadgroup);
    if (row->run == command_xrange || row->run == command_xrevrange)
        return errand_plan_range(errand, session, command, row->run == command_xrevrange);
    if (row->run == command_xclaim)
        return errand_plan_claim(errand, command);
    if (row->run == command_xautoclaim)
        return errand_plan_autoclaim(errand, command);
    if (row->run == command_xpending)
        return plan_pending(errand, command);
    if (row->run == command_kouan || row->run == command_info || row->run == command_client)
        return errand_plan_report(errand, session, row, command);
    return plan_by_table(errand, row, command);
}
