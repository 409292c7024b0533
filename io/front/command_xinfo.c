/* XINFO STREAM, GROUPS and CONSUMERS, in the shapes of Redis 7. */
#include "io/delivery/entry.h"
#include "io/delivery/group.h"
#include "io/delivery/merge.h"
#include "io/front/command.h"
#include "io/front/session_records.h"

static bool is(struct bytes argument, const char *word)
{
    return bytes_equal_fold(argument, bytes_from_text(word));
}

static void write_id(struct resp_writer *writer, const char *name, struct record_id id)
{
    resp_write_bulk_text(writer, name);
    resp_write_id(writer, id.ms, id.seq);
}

static void write_integer(struct resp_writer *writer, const char *name, uint64_t value)
{
    resp_write_bulk_text(writer, name);
    resp_write_integer(writer, (int64_t)value);
}

static void write_edge_entry(struct resp_writer *writer, struct session *session,
                             const struct outlet *outlet, const char *name, uint64_t index)
{
    resp_write_bulk_text(writer, name);
    if (outlet_length(outlet) == 0)
        resp_write_null(writer);
    else
        entry_write(writer, &session->shard->entry_forms, outlet->destination,
                    session_record(session, outlet_entry(outlet, index)->position));
}

/* False if the first entry or the last must be read back first: then that is under way. */
static bool has_edge_entries(struct session *session, const struct outlet *outlet)
{
    if (outlet_length(outlet) == 0)
        return true;
    const struct outlet_entry *first = outlet_entry(outlet, outlet->first);
    const struct outlet_entry *last = outlet_entry(outlet, outlet->end - 1);
    if (session_record(session, first->position) != NULL &&
        session_record(session, last->position) != NULL)
        return true;
    session_records_begin(session, UINT64_MAX);
    (void)session_records_want(session, first->position, first->size_bytes);
    (void)session_records_want(session, last->position, last->size_bytes);
    session_records_recall(session);
    return false;
}

static void reply_stream(struct session *session, const struct outlet *outlet)
{
    if (!has_edge_entries(session, outlet))
        return;
    struct resp_writer writer = session_reply_begin(session);
    resp_write_map(&writer, 10);
    write_integer(&writer, "length", outlet_length(outlet));
    write_integer(&writer, "radix-tree-keys", 0); /* a ring, not a tree */
    write_integer(&writer, "radix-tree-nodes", 0);
    write_id(&writer, "last-generated-id", outlet->last_id);
    write_id(&writer, "max-deleted-entry-id", (struct record_id){0});
    write_integer(&writer, "entries-added", outlet->pushed);
    write_id(&writer, "recorded-first-entry-id",
             outlet_length(outlet) > 0 ? outlet_entry(outlet, outlet->first)->id
                                       : (struct record_id){0});
    write_integer(&writer, "groups", outlet->group_count);
    write_edge_entry(&writer, session, outlet, "first-entry", outlet->first);
    write_edge_entry(&writer, session, outlet, "last-entry", outlet->end - 1);
    session_reply_end(session, &writer);
}

/* For a shard that counts the consumers of several: they may be the same. */
static void write_consumer_names(struct resp_writer *writer, const struct group *group)
{
    resp_write_bulk_text(writer, MERGE_CONSUMER_NAMES);
    resp_write_array(writer, group->consumer_count);
    for (uint16_t i = 0; i < group->consumer_places; i++)
        if (group->consumers[i].name != NULL)
            resp_write_bulk_text(writer, group->consumers[i].name);
}

static void reply_groups(struct session *session, const struct outlet *outlet)
{
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, outlet->group_count);
    for (uint16_t i = 0; i < outlet->group_count; i++) {
        const struct group *group = outlet->groups[i];
        bool is_part = session->terms != NULL;
        resp_write_map(&writer, is_part ? 7 : 6);
        resp_write_bulk_text(&writer, "name");
        resp_write_bulk_text(&writer, group_name(group));
        write_integer(&writer, "consumers", group->consumer_count);
        if (is_part)
            write_consumer_names(&writer, group);
        write_integer(&writer, "pending", group->account.pending);
        write_id(&writer, "last-delivered-id", group->last_delivered);
        write_integer(&writer, "entries-read", group->entries_read);
        write_integer(&writer, "lag", group->account.backlog);
    }
    session_reply_end(session, &writer);
}

static uint64_t ms_since(uint64_t now_ms, uint64_t then_ms)
{
    return now_ms > then_ms ? now_ms - then_ms : 0;
}

static void reply_consumers(struct session *session, const struct group *group)
{
    uint64_t now_ms = loop_wall_ms(session->shard->loop);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_array(&writer, group->consumer_count);
    for (uint16_t i = 0; i < group->consumer_places; i++) {
        const struct group_consumer *consumer = &group->consumers[i];
        if (consumer->name == NULL)
            continue;
        resp_write_map(&writer, 4);
        resp_write_bulk_text(&writer, "name");
        resp_write_bulk_text(&writer, consumer->name);
        write_integer(&writer, "pending", consumer->pending);
        write_integer(&writer, "idle", ms_since(now_ms, consumer->seen_ms));
        resp_write_bulk_text(&writer, "inactive");
        resp_write_integer(&writer, consumer->active_ms == 0
                                        ? -1
                                        : (int64_t)ms_since(now_ms, consumer->active_ms));
    }
    session_reply_end(session, &writer);
}

void command_xinfo(struct session *session, const struct resp_command *command)
{
    struct bytes subcommand = command->arguments[1];
    bool stream = is(subcommand, "STREAM") && command->count == 3;
    bool groups = is(subcommand, "GROUPS") && command->count == 3;
    bool consumers = is(subcommand, "CONSUMERS") && command->count == 4;
    if (!stream && !groups && !consumers) {
        command_reply_other_subcommand(session, command);
        return;
    }
    bool denied;
    const struct outlet *outlet = command_outlet(session, command->arguments[2], &denied);
    if (denied)
        return;
    if (outlet == NULL) {
        command_reply_error(session, "ERR no such key");
        return;
    }
    if (stream) {
        reply_stream(session, outlet);
        return;
    }
    if (groups) {
        reply_groups(session, outlet);
        return;
    }
    const struct group *group = outlet_find_group(outlet, command->arguments[3]);
    if (group != NULL)
        reply_consumers(session, group);
    else
        command_reply_no_group(session, command->arguments[2], command->arguments[3]);
}
