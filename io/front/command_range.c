/* XRANGE and XREVRANGE: what a destination keeps, and nobody's place in it changes. */
#include "io/delivery/errand.h"
#include "io/delivery/read_reply.h"
#include "io/front/command.h"
#include "io/front/session_records.h"

struct range {
    struct record_id start, end;
    uint64_t count;
};

static const char *parse(const struct resp_command *command, bool reverse, struct range *out)
{
    int64_t number;
    out->count = UINT64_MAX;
    const char *problem =
        command_parse_range_end(command->arguments[reverse ? 3 : 2], true, &out->start);
    if (problem == NULL)
        problem = command_parse_range_end(command->arguments[reverse ? 2 : 3], false, &out->end);
    for (uint32_t at = 4; at < command->count && problem == NULL; at += 2) {
        if (!bytes_equal_fold(command->arguments[at], BYTES_LITERAL("COUNT")) ||
            at + 1 == command->count)
            return "ERR syntax error";
        if (!bytes_parse_i64(command->arguments[at + 1], &number))
            return "ERR value is not an integer or out of range";
        out->count = number > 0 ? (uint64_t)number : 0;
    }
    return problem;
}

/* The entries that will be shown: as many as are asked for, and one reply may have. False if
 * records of them must be read back first: then that is under way. */
static bool have_records(struct session *session, const struct outlet *outlet, bool reverse,
                         uint64_t *first, uint64_t *end, uint64_t count)
{
    uint64_t bytes = 0, bytes_max = session_reply_max(session);
    uint64_t shown = 0, available = *end > *first ? *end - *first : 0;
    bool lacks = false;
    session_records_begin(session, bytes_max);
    for (; shown < count && shown < available; shown++) {
        const struct outlet_entry *entry =
            outlet_entry(outlet, reverse ? *end - 1 - shown : *first + shown);
        if (shown > 0 && bytes + entry->size_bytes > bytes_max) {
            errand_part_cut(session, 0);
            break;
        }
        bytes += entry->size_bytes;
        lacks |= session_record(session, entry->position) == NULL;
        (void)session_records_want(session, entry->position, entry->size_bytes);
    }
    if (lacks)
        session_records_recall(session);
    *(reverse ? first : end) = reverse ? *end - shown : *first + shown;
    return !lacks;
}

static void reply_range(struct session *session, const struct outlet *outlet,
                        const struct range *range, bool reverse)
{
    struct read_reply reply;
    uint64_t first = outlet_lower_bound(outlet, range->start);
    struct record_id last = range->end;
    if (session->terms != NULL && record_id_compare(session->terms->until[0], last) < 0)
        last = session->terms->until[0];
    uint64_t end = outlet_lower_bound(outlet, record_id_after(last));
    if (!have_records(session, outlet, reverse, &first, &end, range->count))
        return;
    read_reply_begin(&reply, session);
    read_reply_begin_destination(&reply, outlet);
    while (first < end && !read_reply_is_full(&reply)) {
        uint64_t index = reverse ? --end : first++;
        read_reply_add(&reply, session_record(session, outlet_entry(outlet, index)->position));
    }
    if (first < end)
        errand_part_cut(session, 0);
    read_reply_send_entries(&reply);
}

static void run(struct session *session, const struct resp_command *command, bool reverse)
{
    struct range range;
    bool denied;
    const char *problem = parse(command, reverse, &range);
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    const struct outlet *outlet = command_outlet(session, command->arguments[1], &denied);
    if (denied)
        return;
    if (outlet != NULL && range.count > 0) {
        reply_range(session, outlet, &range, reverse);
        return;
    }
    struct resp_writer writer = session_reply_begin(session);
    if (outlet == NULL)
        resp_write_array(&writer, 0);
    else
        resp_write_null_array(&writer); /* as Redis says to COUNT 0 */
    session_reply_end(session, &writer);
}

void command_xrange(struct session *session, const struct resp_command *command)
{
    run(session, command, false);
}

void command_xrevrange(struct session *session, const struct resp_command *command)
{
    run(session, command, true);
}
