/* XPENDING: what was delivered and not acknowledged. Its claiming: io/front/command_claim.c. */
#include "io/delivery/group.h"
#include "io/front/command.h"

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
}

static void write_id(struct resp_writer *writer, struct record_id id)
{
    resp_write_id(writer, id.ms, id.seq);
}

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
    for (uint16_t i = 0; i < group->consumer_places; i++)
        with_pending += group->consumers[i].pending > 0;
    resp_write_array(&writer, with_pending);
    for (uint16_t i = 0; i < group->consumer_places; i++) {
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
    const char *problem = command_parse_range_end(command->arguments[at], true, &out->start);
    if (problem == NULL)
        problem = command_parse_range_end(command->arguments[at + 1], false, &out->end);
    if (problem != NULL)
        return problem;
    if (command->count == at + 4) {
        out->consumer = group_find_consumer(group, command->arguments[at + 3]);
        out->nobody = out->consumer == GROUP_NO_CONSUMER;
    }
    return NULL;
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
        if (group_idle_ms(entry, now) >= range->min_idle_ms)
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
        resp_write_integer(&writer, (int64_t)group_idle_ms(entry, now));
        resp_write_integer(&writer, entry->deliveries);
    }
    session_reply_end(session, &writer);
}

void command_xpending(struct session *session, const struct resp_command *command)
{
    struct group *group = command_group(session, command);
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
