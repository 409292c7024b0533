#include "io/read.h"

#include "io/append.h"
#include "io/command.h"
#include "io/read_reply.h"

static bool read_new(struct read_reply *reply, const struct read_request *request,
                     const struct read_stream *stream);
static void read_history(struct read_reply *reply, const struct read_request *request,
                         const struct read_stream *stream);

bool read_run(struct session *session, const struct read_request *request)
{
    struct read_reply reply;
    bool settled[READ_STREAMS_MAX] = {false};
    read_reply_begin(&reply, session);
    for (uint32_t i = 0; i < request->stream_count; i++) {
        const struct read_stream *stream = &request->streams[i];
        if (stream->outlet == NULL)
            continue;
        if (reply.destinations > 0 && read_reply_is_full(&reply))
            break; /* one that is named without entries would seem to have none */
        read_reply_begin_destination(&reply, stream->outlet);
        if (stream->is_history)
            read_history(&reply, request, stream);
        else if (!read_new(&reply, request, stream))
            continue;
        read_reply_end_destination(&reply);
        settled[i] =
            stream->group != NULL && !stream->is_history &&
            (request->no_ack || stream->group->order != NULL); /* more may be passed over */
    }
    if (reply.destinations == 0)
        return false;
    read_reply_send(&reply);
    for (uint32_t i = 0; i < request->stream_count; i++)
        if (settled[i])
            read_settled(session->shard, request->streams[i].group);
    return true;
}

static uint64_t now_ms(const struct session *session)
{
    return loop_wall_ms(session->shard->loop);
}

/* False if there is nothing new. */
static bool read_new(struct read_reply *reply, const struct read_request *request,
                     const struct read_stream *stream)
{
    const struct outlet *outlet = stream->outlet;
    uint64_t index = outlet->end;
    if (stream->group == NULL)
        index = outlet_lower_bound(outlet, record_id_after(stream->after));
    while (reply->count < request->count && !read_reply_is_full(reply)) {
        if (stream->group != NULL)
            index = group_take(stream->group, stream->consumer, request->no_ack,
                               now_ms(reply->session));
        if (index == GROUP_NOTHING || index == outlet->end)
            break;
        read_reply_add(reply, index);
        index++;
    }
    return reply->count > 0;
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

static void read_history(struct read_reply *reply, const struct read_request *request,
                         const struct read_stream *stream)
{
    struct group *group = stream->group;
    struct pending_entry *entry;
    struct record_id after = record_id_after(stream->after);
    while (reply->count < request->count && !read_reply_is_full(reply) &&
           (entry = group_next_pending(group, after, stream->consumer)) != NULL) {
        after = record_id_after(entry->id);
        if (read_bury_exhausted(reply->session->shard, group, entry))
            continue;
        entry->deliveries++;
        entry->delivered_ms = now_ms(reply->session);
        read_reply_add(reply, entry->index);
    }
}

/* ---- what was settled ---- */

void read_settled(struct shard *shard, struct group *group)
{
    outlet_trim(group->outlet);
    if (group->waiters.first != NULL) /* pending_max may have stopped them */
        destination_set_add(&shard->pushed, group->outlet->destination->index);
    shard_wake(shard);
}

/* ---- blocking ---- */

static void stop_blocking(struct session *session)
{
    read_stop_waiting(session);
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
    for (uint32_t i = 0; i < blocked->request.stream_count; i++)
        waiter_leave(&blocked->waiters[i]);
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
    if (!read_run(session, &session->blocked.request))
        return SERVED_NOTHING;
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
