#include "io/parking.h"

#include <assert.h>

#include "io/session.h"

enum { TRIED_AT_ONCE = 8 }; /* of those whose destination is not known */

static bool keeps_scarce_queue(const struct shard *shard, const struct publication *publication);

/* ---- who may wait ---- */

bool parking_allows(const struct shard *shard, const struct publication *publication)
{
    const struct session *session = publication->slot.session;
    return session != NULL && !session->has_consumed && !shard->stopping &&
           shard->config->options.publish_wait > 0 &&
           !transport_input_is_scarce(shard->transport) &&
           !publications_are_scarce(&shard->publications) &&
           !keeps_scarce_queue(shard, publication) &&
           (publication->park_deadline_ns == 0 ||
            publication->park_deadline_ns > loop_now_ns(shard->loop));
}

/* What EXEC published keeps the queue that it stood in. */
static bool keeps_scarce_queue(const struct shard *shard, const struct publication *publication)
{
    const struct chunk_pool *queues = &shard->transactions;
    uint64_t taken = queues->count - queues->free_count;
    return publication->chunk->pool == queues && taken * 4 > (uint64_t)queues->count * 3;
}

bool parking_is_behind(const struct publication *publication)
{
    const struct session *session = publication->slot.session;
    return session != NULL && session->parked.first != NULL &&
           (!publication->returned || session->parked.again != NULL);
}

/* ---- the line of sessions ---- */

static void join_line(struct parking_line *line, struct session *session)
{
    session->parked.in_line = true;
    session->parked.next = NULL;
    if (line->first == NULL)
        line->first = session;
    else
        line->last->parked.next = session;
    line->last = session;
}

static struct session *take_from_line(struct parking_line *line)
{
    struct session *session = line->first;
    line->first = session->parked.next;
    if (line->first == NULL)
        line->last = NULL;
    session->parked.in_line = false;
    return session;
}

static void leave_line(struct parking_line *line, struct session *session)
{
    struct session *previous = NULL;
    for (struct session *at = line->first; at != session; at = at->parked.next)
        previous = at;
    if (previous == NULL)
        line->first = session->parked.next;
    else
        previous->parked.next = session->parked.next;
    if (line->last == session)
        line->last = previous;
    session->parked.in_line = false;
}

/* ---- in ---- */

static void arm_timer(struct shard *shard, uint64_t deadline_ns)
{
    if (shard->park_timer.heap_index == 0 || deadline_ns < shard->park_timer.deadline_ns)
        loop_timer_arm(shard->loop, &shard->park_timer, deadline_ns);
}

/* One that came back stands before those that stayed, behind those that came back before it. */
static void insert(struct parked *parked, struct publication *publication)
{
    struct publication *before = publication->returned ? parked->again : parked->last;
    struct publication **link = before != NULL ? &before->queued : &parked->first;
    publication->queued = *link;
    *link = publication;
    if (publication->queued == NULL)
        parked->last = publication;
    if (publication->returned)
        parked->again = publication;
    publication->returned = false;
    parked->count++;
}

void parking_add(struct shard *shard, struct publication *publication, struct parked_need need)
{
    struct session *session = publication->slot.session;
    struct parked *parked = &session->parked;
    if (publication->park_deadline_ns == 0)
        publication->park_deadline_ns =
            loop_now_ns(shard->loop) + shard->config->options.publish_wait * UINT64_C(1000000);
    insert(parked, publication);
    if (parked->first == publication) {
        parked->need = need;
        arm_timer(shard, publication->park_deadline_ns);
    }
    session_wait_for(session, SESSION_WAIT_PARKED);
    if (!parked->in_line)
        join_line(&shard->parked, session);
    shard->figures.parked++;
}

/* ---- out ---- */

static struct publication *take_first(struct session *session, uint32_t count)
{
    struct parked *parked = &session->parked;
    struct publication *first = parked->first, *last = NULL;
    assert(count > 0 && count <= parked->count);
    for (uint32_t i = 0; i < count; i++) {
        last = last == NULL ? first : last->queued;
        last->returned = true;
    }
    parked->first = last->queued;
    last->queued = NULL;
    parked->count -= count;
    parked->returned += count;
    parked->again = NULL;
    parked->need = (struct parked_need){.destination = NO_DESTINATION};
    if (parked->first == NULL) {
        parked->last = NULL;
        session_wait_over(session, SESSION_WAIT_PARKED);
    }
    return first;
}

struct publication *parking_leave(struct shard *shard, struct session *session)
{
    if (session->parked.in_line)
        leave_line(&shard->parked, session);
    return session->parked.first != NULL ? take_first(session, session->parked.count) : NULL;
}

static uint32_t count_due(const struct parked *parked, uint64_t now_ns)
{
    uint32_t count = 0;
    const struct publication *publication = parked->first;
    for (; publication != NULL && publication->park_deadline_ns <= now_ns;
         publication = publication->queued)
        count++;
    return count;
}

/* How many messages there is room for, less what was `promised` to sessions before it in the line;
 * 0 if not for the first. */
static uint64_t count_room(const struct shard *shard, const struct parked *parked,
                           const uint64_t *promised)
{
    const struct parked_need *need = &parked->need;
    if (need->destination == NO_DESTINATION)
        return TRIED_AT_ONCE;
    struct outlet *outlet = &shard->outlets[need->destination];
    outlet_squeeze(outlet);
    if (!outlet_has_room_for(outlet, promised[need->destination] + need->messages, need->bytes))
        return 0;
    return outlet_room_entries(outlet) - promised[need->destination];
}

/* How many of them have that many messages, and how many these are. One that has more than there is
 * room for goes first all the same: they may be for other destinations. */
static uint32_t count_fitting(const struct parked *parked, uint64_t room, uint64_t *out_messages)
{
    uint32_t count = 0;
    *out_messages = 0;
    for (const struct publication *publication = parked->first;
         publication != NULL && *out_messages < room; publication = publication->queued) {
        if (count > 0 && publication->undecided > room - *out_messages)
            break;
        *out_messages += publication->undecided;
        count++;
    }
    return count;
}

static uint32_t count_released(const struct shard *shard, const struct parked *parked,
                               uint64_t *promised)
{
    if (parked->returned > 0)
        return 0; /* those before them first */
    if (shard->stopping)
        return parked->count;
    uint32_t due = count_due(parked, loop_now_ns(shard->loop));
    uint64_t messages;
    uint32_t count = count_fitting(parked, count_room(shard, parked, promised), &messages);
    if (parked->need.destination != NO_DESTINATION)
        promised[parked->need.destination] += messages;
    return count > due ? count : due;
}

void parking_release(struct shard *shard)
{
    if (shard->parked.first == NULL)
        return;
    uint64_t promised[DESTINATIONS_MAX] = {0};
    const struct session *last = shard->parked.last;
    for (struct session *session = NULL; session != last;) {
        session = take_from_line(&shard->parked);
        uint32_t count = count_released(shard, &session->parked, promised);
        if (count > 0)
            intake_queue_in_front(shard, take_first(session, count));
        if (session->parked.first == NULL)
            continue;
        join_line(&shard->parked, session);
        arm_timer(shard, session->parked.first->park_deadline_ns);
        if (count > 0)
            shard_wake(shard); /* the next of them, when these are decided */
    }
}
