#include "io/read.h"

#include <assert.h>

#include "io/append.h"
#include "io/command.h"
#include "io/outlet_watch.h"
#include "io/read_reply.h"
#include "io/session_records.h"

/* How far a stream's part of a reply came. */
struct progress {
    bool lacks;          /* it ends before an entry whose record is not at hand */
    bool is_old;         /* some of it was not in memory */
    uint64_t next_index; /* behind the last one */
};

static bool read_new(struct read_reply *reply, const struct read_request *request,
                     const struct read_stream *stream, struct progress *out);
static bool read_history(struct read_reply *reply, const struct read_request *request,
                         const struct read_stream *stream, struct progress *out);
static enum read_outcome recall(struct session *session, const struct read_request *request,
                                const struct read_stream *stream);

/* What the destinations have at hand; `out_progress` by stream. The first stream that lacks a
 * record, NULL if none does. */
static const struct read_stream *read_all(struct read_reply *reply,
                                          const struct read_request *request,
                                          struct progress *out_progress)
{
    const struct read_stream *lacking = NULL;
    for (uint32_t i = 0; i < request->stream_count; i++) {
        const struct read_stream *stream = &request->streams[i];
        if (stream->outlet == NULL)
            continue;
        if (reply->destinations > 0 && read_reply_is_full(reply))
            break; /* one that is named without entries would seem to have none */
        read_reply_begin_destination(reply, stream->outlet);
        bool is_there = stream->is_history ? read_history(reply, request, stream, &out_progress[i])
                                           : read_new(reply, request, stream, &out_progress[i]);
        if (out_progress[i].lacks && lacking == NULL)
            lacking = stream;
        if (is_there)
            read_reply_end_destination(reply);
    }
    return lacking;
}

enum read_outcome read_run(struct session *session, const struct read_request *request)
{
    struct read_reply reply;
    struct progress progress[READ_STREAMS_MAX] = {{0}};
    read_reply_begin(&reply, session);
    const struct read_stream *lacking = read_all(&reply, request, progress);
    if (reply.destinations == 0)
        return lacking != NULL ? recall(session, request, lacking) : READ_NOTHING;
    read_reply_send(&reply);
    for (uint32_t i = 0; i < request->stream_count; i++) {
        const struct read_stream *stream = &request->streams[i];
        if (stream->group != NULL && !stream->is_history &&
            (request->no_ack || stream->group->order != NULL)) /* more may be passed over */
            read_settled(session->shard, stream->group);
        if (progress[i].is_old || progress[i].lacks)
            session_records_read_ahead(session, stream->outlet, progress[i].next_index);
    }
    return READ_REPLIED;
}

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
}

static uint64_t next_new(const struct read_request *request, const struct read_stream *stream)
{
    if (stream->group != NULL)
        return group_next(stream->group, stream->consumer, request->no_ack);
    uint64_t index = outlet_lower_bound(stream->outlet, record_id_after(stream->after));
    return index < stream->outlet->end ? index : GROUP_NOTHING;
}

/* False if there is nothing new, or it is not at hand: entries are taken only when they are. */
static bool read_new(struct read_reply *reply, const struct read_request *request,
                     const struct read_stream *stream, struct progress *out)
{
    struct session *session = reply->session;
    const struct outlet *outlet = stream->outlet;
    uint64_t index = next_new(request, stream);
    while (reply->count < request->count && !read_reply_is_full(reply) && index != GROUP_NOTHING) {
        uint64_t position = outlet_entry(outlet, index)->position;
        const struct record *record = session_record(session, position);
        out->next_index = index;
        out->lacks = record == NULL;
        if (record == NULL)
            break;
        out->is_old |= !journal_has(&session->shard->journal, position);
        if (stream->group != NULL) {
            uint64_t taken =
                group_take(stream->group, stream->consumer, request->no_ack, now_ms(session));
            assert(taken == index);
        }
        read_reply_add(reply, record);
        out->next_index = ++index;
        if (stream->group != NULL)
            index = group_next(stream->group, stream->consumer, request->no_ack);
        else if (index == outlet->end)
            break;
    }
    return reply->count > 0;
}

/* ---- own pending entries ---- */

static bool is_exhausted(const struct group *group, const struct pending_entry *entry)
{
    uint32_t deliveries_max = group->outlet->destination->deliveries_max;
    return deliveries_max > 0 && entry->deliveries >= deliveries_max;
}

bool read_bury_exhausted(struct session *session, struct group *group, struct pending_entry *entry)
{
    struct record_id id;
    struct shard *shard = session->shard;
    if (!is_exhausted(group, entry) || append_make_room(shard) != STATUS_OK)
        return false;
    const struct record *record =
        session_record_to_repeat(session, outlet_entry(group->outlet, entry->index)->position);
    if (record == NULL || append_repeat(shard, record, RECORD_DEAD_LETTER,
                                        group->outlet->destination->dead_letter, &id) != STATUS_OK)
        return false; /* the dead letter is full: deliver it once more */
    group_bury(group, entry);
    read_settled(shard, group);
    return true;
}

/* False if the first entry is not at hand; no entry at all is a reply. */
static bool read_history(struct read_reply *reply, const struct read_request *request,
                         const struct read_stream *stream, struct progress *out)
{
    struct session *session = reply->session;
    struct group *group = stream->group;
    struct pending_entry *entry;
    struct record_id after = record_id_after(stream->after);
    while (reply->count < request->count && !read_reply_is_full(reply) &&
           (entry = group_next_pending(group, after, stream->consumer)) != NULL) {
        uint64_t position = outlet_entry(group->outlet, entry->index)->position;
        out->next_index = entry->index;
        out->lacks = session_record_to_repeat(session, position) == NULL;
        if (out->lacks)
            break;
        after = record_id_after(entry->id);
        if (read_bury_exhausted(session, group, entry))
            continue;
        entry->deliveries++;
        entry->delivered_ms = now_ms(session);
        read_reply_add(reply, session_record_to_repeat(session, position));
    }
    return reply->count > 0 || !out->lacks;
}

/* ---- records that are not at hand ---- */

static void want_new(struct session *session, const struct read_request *request,
                     const struct read_stream *stream)
{
    const struct outlet *outlet = stream->outlet;
    uint64_t index = next_new(request, stream);
    for (uint32_t count = 0; index < outlet->end && count < request->count; count++, index++) {
        const struct outlet_entry *entry = outlet_entry(outlet, index);
        if (!session_records_want(session, entry->position, entry->size_bytes))
            break;
    }
}

static void want_history(struct session *session, const struct read_request *request,
                         const struct read_stream *stream)
{
    struct record_id after = record_id_after(stream->after);
    for (uint32_t count = 0; count < request->count; count++) {
        const struct pending_entry *pending =
            group_next_pending(stream->group, after, stream->consumer);
        if (pending == NULL)
            break;
        const struct outlet_entry *entry = outlet_entry(stream->outlet, pending->index);
        if (!session_records_want(session, entry->position, entry->size_bytes))
            break;
        after = record_id_after(pending->id);
    }
}

/* Those of one stream are enough to reply with. */
static enum read_outcome recall(struct session *session, const struct read_request *request,
                                const struct read_stream *stream)
{
    session_records_begin(session, session->shard->config->options.reply_max);
    if (stream->is_history)
        want_history(session, request, stream);
    else
        want_new(session, request, stream);
    session_records_recall(session);
    return session_awaits_records(session) ? READ_WAITS : READ_REPLIED;
}

/* ---- what was settled ---- */

/* Readers that are blocked there look again in this turn. */
static void wake_readers(struct shard *shard, const struct outlet *outlet)
{
    if (outlet == NULL)
        return;
    destination_set_add(&shard->pushed, outlet->destination->index);
    shard_wake(shard);
}

void read_settled(struct shard *shard, struct group *group)
{
    outlet_trim(group->outlet);
    if (group->outlet->is_nearly_full)
        outlet_watch(group->outlet);
    if (group->waiters.first != NULL) /* pending_max may have stopped them */
        wake_readers(shard, group->outlet);
    shard_wake(shard);
}

/* ---- blocking ---- */

static void stop_blocking(struct session *session)
{
    read_stop_waiting(session);
    session_records_end(session);
    connection_watch(session->connection, false);
    session_wait_over(session, SESSION_WAIT_READ);
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

void read_block(struct session *session, const struct read_request *request, uint64_t block_ms)
{
    struct blocked_read *blocked = &session->blocked;
    blocked->request = *request;
    for (uint32_t i = 0; i < request->stream_count; i++) {
        const struct read_stream *stream = &request->streams[i];
        if (stream->group != NULL)
            waiter_stand(&blocked->waiters[i], &stream->group->waiters, session);
        else if (stream->outlet != NULL)
            waiter_stand(&blocked->waiters[i], &stream->outlet->waiters, session);
    }
    session_wait_for(session, SESSION_WAIT_READ);
    connection_watch(session->connection, true);
    if (block_ms == 0)
        return;
    blocked->timer.expire = time_out;
    loop_timer_arm(session->shard->loop, &blocked->timer,
                   loop_now_ns(session->shard->loop) + block_ms * UINT64_C(1000000));
}

void read_stop_waiting(struct session *session)
{
    struct blocked_read *blocked = &session->blocked;
    for (uint32_t i = 0; i < blocked->request.stream_count; i++) {
        if (session_awaits_records(session)) /* those behind it have waited for them, too */
            wake_readers(session->shard, blocked->request.streams[i].outlet);
        waiter_leave(&blocked->waiters[i]);
    }
    if (blocked->timer.heap_index != 0)
        loop_timer_disarm(session->shard->loop, &blocked->timer);
    blocked->request.stream_count = 0;
}

bool read_has_waiter(const struct group *group, uint16_t consumer)
{
    for (const struct waiter *waiter = group->waiters.first; waiter != NULL;
         waiter = waiter->next) {
        const struct blocked_read *blocked = &waiter->session->blocked;
        if (blocked->request.streams[waiter - blocked->waiters].consumer == consumer)
            return true;
    }
    return false;
}

void read_dismiss_waiters(struct group *group)
{
    while (group->waiters.first != NULL) {
        struct session *session = group->waiters.first->session;
        struct resp_writer writer = session_reply_begin(session);
        resp_write_error(&writer,
                         "NOGROUP the consumer group this client was blocked on no longer exists");
        session_reply_end(session, &writer);
        stop_blocking(session);
    }
}

enum served { SERVED, SERVED_NOTHING, SERVED_LATER };

static enum served serve(struct session *session)
{
    if (connection_is_closing(session->connection)) { /* it would not acknowledge */
        stop_blocking(session);
        return SERVED_LATER;
    }
    if (!connection_has_room(session->connection, session->shard->reply_capacity))
        return SERVED_LATER; /* it is told when there is: read_try_again */
    if (session_awaits_records(session))
        return SERVED_NOTHING;
    if (read_run(session, &session->blocked.request) != READ_REPLIED)
        return SERVED_NOTHING; /* or not yet: those behind it would want the same records */
    stop_blocking(session);
    return SERVED;
}

void read_serve_waiters(struct outlet *outlet)
{
    for (struct waiter *next, *waiter = outlet->waiters.first; waiter != NULL; waiter = next) {
        next = waiter_of_next_session(waiter);
        serve(waiter->session);
    }
    for (uint16_t i = 0; i < outlet->group_count; i++) {
        struct group *group = outlet->groups[i];
        for (struct waiter *next, *waiter = group->waiters.first;
             waiter != NULL && group_has_new(group); waiter = next) {
            next = waiter_of_next_session(waiter);
            if (serve(waiter->session) == SERVED_NOTHING && group->order == NULL)
                break; /* pending_max: nobody gets anything until something is acknowledged */
        }
    }
}

void read_try_again(struct session *session)
{
    if (session->blocked.request.stream_count > 0)
        serve(session);
}

void read_records_came(struct session *session)
{
    const struct read_request *request = &session->blocked.request;
    for (uint32_t i = 0; i < request->stream_count; i++)
        wake_readers(session->shard, request->streams[i].outlet);
    read_try_again(session);
}
