#include "io/delivery/read.h"
#include "io/front/command.h"
#include "io/front/session_records.h"

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
            read_wake(session->shard, blocked->request.streams[i].outlet);
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
        resp_write_error(&writer, READ_GROUP_GONE);
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
        read_wake(session->shard, request->streams[i].outlet);
    read_try_again(session);
}
