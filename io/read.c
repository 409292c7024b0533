#include "io/read.h"

#include "io/append.h"
#include "io/command.h"
#include "io/entry.h"

/* ---- replies ---- */

/* Entries are written first, behind room for the header, whose count is known only then. */
enum { HEADER_ROOM = 512 };

struct read_reply {
    struct resp_writer entries;
    uint32_t count;
};

static void reply_begin(struct session *session, struct read_reply *reply)
{
    struct shard *shard = session->shard;
    *reply = (struct read_reply){0};
    resp_writer_init(&reply->entries, session->protocol, shard->reply_memory + HEADER_ROOM,
                     shard->reply_capacity - HEADER_ROOM);
}

static bool reply_is_full(const struct session *session, const struct read_reply *reply)
{
    return reply->entries.needed >= session->shard->config->options.reply_max;
}

static void reply_send(struct session *session, const struct outlet *outlet,
                       struct read_reply *reply)
{
    uint8_t header[HEADER_ROOM];
    struct resp_writer writer;
    resp_writer_init(&writer, session->protocol, header, sizeof header);
    if (session->protocol == 3) {
        resp_write_map(&writer, 1);
    } else {
        resp_write_array(&writer, 1);
        resp_write_array(&writer, 2);
    }
    resp_write_bulk_text(&writer, outlet->destination->name);
    resp_write_array(&writer, reply->count);
    struct resp_writer whole = reply->entries;
    whole.data = reply->entries.data - writer.needed;
    whole.needed = reply->entries.needed + writer.needed;
    memcpy(whole.data, header, writer.needed);
    session_reply_end(session, &whole);
}

/* ---- what was settled ---- */

void read_settled(struct shard *shard, struct group *group)
{
    outlet_trim(group->outlet);
    if (group->waiters != NULL) /* pending_max may have stopped them */
        destination_set_add(&shard->pushed, group->outlet->destination->index);
    shard_wake(shard);
}

/* ---- new entries ---- */

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
}

/* True if there was anything to send. */
static bool send_new(struct session *session, struct group *group, uint16_t consumer,
                     uint32_t count, bool no_ack)
{
    struct read_reply reply;
    reply_begin(session, &reply);
    while (reply.count < count && !reply_is_full(session, &reply)) {
        uint64_t index = group_take(group, consumer, no_ack, now_ms(session));
        if (index == GROUP_NOTHING)
            break;
        entry_write(&reply.entries, session->shard, group->outlet,
                    outlet_record(group->outlet, index));
        reply.count++;
    }
    if (reply.count == 0)
        return false;
    reply_send(session, group->outlet, &reply);
    if (no_ack)
        read_settled(session->shard, group);
    return true;
}

/* ---- own pending entries ---- */

static bool is_exhausted(const struct group *group, const struct pending_entry *entry)
{
    uint32_t deliveries_max = group->outlet->destination->deliveries_max;
    return deliveries_max > 0 && entry->deliveries >= deliveries_max;
}

bool read_bury_exhausted(struct shard *shard, struct group *group, struct pending_entry *entry)
{
    struct record_id id;
    if (!is_exhausted(group, entry) || append_make_room(shard) != STATUS_OK)
        return false;
    const struct record *record = outlet_record(group->outlet, entry->index);
    if (append_repeat(shard, record, RECORD_DEAD_LETTER, group->outlet->destination->dead_letter,
                      &id) != STATUS_OK)
        return false; /* the dead letter is full: deliver it once more */
    group_bury(group, entry);
    read_settled(shard, group);
    return true;
}

static void send_history(struct session *session, struct group *group, uint16_t consumer,
                         struct record_id after, uint32_t count)
{
    struct read_reply reply;
    struct pending_entry *entry;
    reply_begin(session, &reply);
    after = record_id_after(after);
    while (reply.count < count && !reply_is_full(session, &reply) &&
           (entry = group_next_pending(group, after, consumer)) != NULL) {
        after = record_id_after(entry->id);
        if (read_bury_exhausted(session->shard, group, entry))
            continue;
        entry->deliveries++;
        entry->delivered_ms = now_ms(session);
        entry_write(&reply.entries, session->shard, group->outlet,
                    outlet_record(group->outlet, entry->index));
        reply.count++;
    }
    reply_send(session, group->outlet, &reply);
}

/* ---- blocking ---- */

static void add_waiter(struct session *session, struct group *group)
{
    struct session *last = group->waiters;
    session->blocked.next = NULL;
    session->blocked.previous = NULL;
    if (last == NULL) {
        group->waiters = session;
        return;
    }
    while (last->blocked.next != NULL)
        last = last->blocked.next;
    last->blocked.next = session;
    session->blocked.previous = last;
}

void read_stop_waiting(struct session *session)
{
    struct blocked_read *blocked = &session->blocked;
    if (blocked->group == NULL)
        return;
    if (blocked->previous != NULL)
        blocked->previous->blocked.next = blocked->next;
    else
        blocked->group->waiters = blocked->next;
    if (blocked->next != NULL)
        blocked->next->blocked.previous = blocked->previous;
    if (blocked->timer.heap_index != 0)
        loop_timer_disarm(session->shard->loop, &blocked->timer);
    blocked->group = NULL;
}

static void stop_blocking(struct session *session)
{
    read_stop_waiting(session);
    connection_watch(session->connection, false);
    session_wait_over(session, SESSION_WAIT_READ);
}

bool read_has_waiter(const struct group *group, uint16_t consumer)
{
    for (const struct session *session = group->waiters; session != NULL;
         session = session->blocked.next)
        if (session->blocked.consumer == consumer)
            return true;
    return false;
}

void read_dismiss_waiters(struct group *group)
{
    struct session *session;
    while ((session = group->waiters) != NULL) {
        struct resp_writer writer = session_reply_begin(session);
        resp_write_error(&writer,
                         "NOGROUP the consumer group this client was blocked on no longer exists");
        session_reply_end(session, &writer);
        stop_blocking(session);
    }
}

static void time_out(struct loop *loop, struct timer *timer)
{
    (void)loop;
    struct session *session =
        (struct session *)(void *)((char *)timer - offsetof(struct session, blocked.timer));
    struct resp_writer writer = session_reply_begin(session);
    resp_write_null_array(&writer);
    session_reply_end(session, &writer);
    stop_blocking(session);
}

static void block(struct session *session, struct group *group, uint16_t consumer, uint32_t count,
                  bool no_ack, uint64_t block_ms)
{
    struct blocked_read *blocked = &session->blocked;
    add_waiter(session, group);
    blocked->group = group;
    blocked->consumer = consumer;
    blocked->count = count;
    blocked->no_ack = no_ack;
    session_wait_for(session, SESSION_WAIT_READ);
    connection_watch(session->connection, true);
    if (block_ms == 0)
        return;
    blocked->timer.expire = time_out;
    loop_timer_arm(session->shard->loop, &blocked->timer,
                   loop_now_ns(session->shard->loop) + block_ms * UINT64_C(1000000));
}

void read_serve_waiters(struct outlet *outlet)
{
    for (uint16_t i = 0; i < outlet->group_count; i++) {
        struct group *group = outlet->groups[i];
        for (struct session *next, *session = group->waiters;
             session != NULL && group_has_new(group); session = next) {
            const struct blocked_read blocked = session->blocked;
            next = blocked.next;
            if (connection_is_closing(session->connection)) { /* it would not acknowledge */
                stop_blocking(session);
                continue;
            }
            if (!connection_has_room(session->connection, session->shard->reply_capacity))
                continue; /* it is told when there is: read_try_again */
            if (!send_new(session, group, blocked.consumer, blocked.count, blocked.no_ack))
                break; /* pending_max: nobody gets anything until something is acknowledged */
            stop_blocking(session);
        }
    }
}

void read_try_again(struct session *session)
{
    if (session->blocked.group != NULL)
        read_serve_waiters(session->blocked.group->outlet);
}

/* ---- the command ---- */

struct read_arguments {
    struct bytes group, consumer, key, id;
    uint64_t count, block_ms;
    bool blocks, no_ack;
};

static const char *parse_option(const struct resp_command *command, uint32_t *at,
                                struct read_arguments *out)
{
    struct bytes option = command->arguments[*at];
    bool has_value = *at + 1 < command->count;
    struct bytes value = has_value ? command->arguments[*at + 1] : (struct bytes){0};
    int64_t number;
    if (bytes_equal_fold(option, BYTES_LITERAL("NOACK"))) {
        out->no_ack = true;
        *at += 1;
        return NULL;
    }
    if (!has_value)
        return "ERR syntax error";
    if (bytes_equal_fold(option, BYTES_LITERAL("GROUP"))) {
        if (*at + 2 >= command->count)
            return "ERR syntax error";
        out->group = value;
        out->consumer = command->arguments[*at + 2];
        *at += 3;
        return NULL;
    }
    *at += 2;
    if (bytes_equal_fold(option, BYTES_LITERAL("COUNT"))) {
        if (!bytes_parse_i64(value, &number))
            return "ERR value is not an integer or out of range";
        out->count = number > 0 ? (uint64_t)number : UINT32_MAX;
        return NULL;
    }
    if (bytes_equal_fold(option, BYTES_LITERAL("BLOCK"))) {
        if (!bytes_parse_i64(value, &number))
            return "ERR timeout is not an integer or out of range";
        if (number < 0)
            return "ERR timeout is negative";
        out->blocks = true;
        out->block_ms = (uint64_t)number;
        return NULL;
    }
    return "ERR syntax error";
}

static const char *parse(const struct resp_command *command, struct read_arguments *out)
{
    *out = (struct read_arguments){.count = UINT32_MAX};
    uint32_t at = 1;
    while (at < command->count &&
           !bytes_equal_fold(command->arguments[at], BYTES_LITERAL("STREAMS"))) {
        const char *problem = parse_option(command, &at, out);
        if (problem != NULL)
            return problem;
    }
    if (at == command->count)
        return "ERR syntax error";
    uint32_t left = command->count - at - 1;
    if (left == 0 || left % 2 != 0)
        return "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' must "
               "be specified.";
    if (out->group.data == NULL)
        return "ERR Missing GROUP option for XREADGROUP";
    if (left != 2)
        return "ERR XREADGROUP reads one destination at a time here";
    out->key = command->arguments[at + 1];
    out->id = command->arguments[at + 2];
    return NULL;
}

static void reply_no_group(struct session *session, const struct read_arguments *arguments)
{
    enum { SHOWN_MAX = 128 };
    struct bytes key = bytes_slice(arguments->key, 0, SHOWN_MAX);
    struct bytes group = bytes_slice(arguments->group, 0, SHOWN_MAX);
    struct resp_writer writer = session_reply_begin(session);
    resp_write_error_format(&writer,
                            "NOGROUP No such key '%.*s' or consumer group '%.*s' in XREADGROUP "
                            "with GROUP option",
                            (int)key.size, (const char *)key.data, (int)group.size,
                            (const char *)group.data);
    session_reply_end(session, &writer);
}

void command_xreadgroup(struct session *session, const struct resp_command *command)
{
    struct read_arguments arguments;
    const char *problem = parse(command, &arguments);
    if (problem != NULL) {
        command_reply_error(session, problem);
        return;
    }
    bool wants_new = bytes_equal_text(arguments.id, ">"), denied;
    struct record_id after = {0};
    if (!wants_new && !command_parse_id(arguments.id, 0, &after)) {
        command_reply_error(session,
                            bytes_equal_text(arguments.id, "$")
                                ? "ERR The $ ID is meaningless in the context of XREADGROUP: you "
                                  "want to read the history of this consumer by specifying a "
                                  "proper ID, or use the > ID to get new messages. The $ ID would "
                                  "just return an empty result set."
                                : "ERR Invalid stream ID specified as stream command argument");
        return;
    }
    struct outlet *outlet = command_outlet(session, arguments.key, &denied);
    struct group *group = outlet != NULL ? outlet_find_group(outlet, arguments.group) : NULL;
    if (denied)
        return;
    if (group == NULL) {
        reply_no_group(session, &arguments);
        return;
    }
    uint16_t consumer = group_consumer(group, arguments.consumer, now_ms(session));
    if (consumer == GROUP_NO_CONSUMER) {
        command_reply_error(session, COMMAND_NO_CONSUMER);
        return;
    }
    session->has_consumed = true;
    uint32_t count =
        arguments.count < READ_ENTRIES_MAX ? (uint32_t)arguments.count : READ_ENTRIES_MAX;
    if (!wants_new) {
        send_history(session, group, consumer, after, count);
        return;
    }
    if (send_new(session, group, consumer, count, arguments.no_ack))
        return;
    if (arguments.blocks && !session->transaction.running) {
        block(session, group, consumer, count, arguments.no_ack, arguments.block_ms);
        return;
    }
    struct resp_writer writer = session_reply_begin(session);
    resp_write_null_array(&writer);
    session_reply_end(session, &writer);
}
