#include "io/intake/parking.h"

#include <assert.h>

#include "io/front/session.h"

enum {
    TRIED_AT_ONCE = 8, /* of those whose destination is not known */
    LOOK_AGAIN_NS = 1000 * 1000
};

struct parked_room {
    uint64_t messages, bytes;
};

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

bool parking_is_free(const struct publication *publication)
{
    const struct session *session = publication->slot.session;
    return session == NULL ||
           (session->parked.first == NULL && session->parked.waited.destination == NO_DESTINATION);
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
        if (need.destination == NO_DESTINATION)
            shard_wake(shard); /* it waits for nothing, and is tried in the next turn */
    }
    if (need.destination != NO_DESTINATION)
        parked->waited = need;
    session_wait_for(session, SESSION_WAIT_PARKED);
    if (!parked->in_line)
        join_line(&shard->parked, session);
    shard->figures.parked++;
}

/* What a message is thought to need: as much as those of the last that waited, each. */
static uint64_t guess_bytes(const struct parked *parked)
{
    return parked->waited.messages > 0 ? parked->waited.bytes / parked->waited.messages : 0;
}

/* What the destination has, at the log where it was too little. */
static struct parked_room room_at(const struct shard *shard, const struct parked_need *need)
{
    if (shard->mesh != NULL && need->log != mesh_self(shard->mesh)) {
        const struct room *room = rooms_at(shard->rooms, need->log, need->destination);
        return (struct parked_room){room_entries(room), room_bytes(room)};
    }
    const struct outlet *outlet = &shard->outlets[need->destination];
    return (struct parked_room){outlet_room_entries(outlet), outlet_room_bytes(outlet)};
}

bool parking_has_hope(const struct shard *shard, const struct publication *publication,
                      uint32_t count)
{
    const struct session *session = publication->slot.session;
    if (session == NULL || publication->returned ||
        session->parked.waited.destination == NO_DESTINATION)
        return true;
    uint64_t records = (uint64_t)count + 1;
    struct parked_room room = room_at(shard, &session->parked.waited);
    return room.messages >= records && room.bytes >= records * guess_bytes(&session->parked);
}

bool parking_keep(struct shard *shard, struct publication *publication)
{
    if (!parking_allows(shard, publication))
        return false;
    if (publication->returned)
        publication->slot.session->parked.returned--;
    parking_add(shard, publication, (struct parked_need){.destination = NO_DESTINATION});
    return true;
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

/* What the first needs, or the least that it can need of what is probably full. */
static struct parked_need guess_need(const struct parked *parked)
{
    if (parked->need.destination != NO_DESTINATION)
        return parked->need;
    return (struct parked_need){
        .destination = parked->waited.destination, .log = parked->waited.log, .messages = 1};
}

static uint64_t less(uint64_t room, uint64_t promised)
{
    return room > promised ? room - promised : 0;
}

/* What there is room for, less what was `promised` to sessions before it in the line; none if there
 * is not enough for the first. */
static struct parked_room find_room(const struct shard *shard, struct parked *parked,
                                    const struct parked_room *promised)
{
    const struct parked_need need = guess_need(parked);
    if (need.destination == NO_DESTINATION)
        return (struct parked_room){TRIED_AT_ONCE, UINT64_MAX};
    if (shard->mesh == NULL || need.log == mesh_self(shard->mesh))
        outlet_squeeze(&shard->outlets[need.destination]);
    struct parked_room room = room_at(shard, &need);
    room.messages = less(room.messages, promised[need.destination].messages);
    room.bytes = less(room.bytes, promised[need.destination].bytes);
    if (room.messages >= need.messages && room.bytes >= need.bytes)
        return room;
    if (parked->need.destination != NO_DESTINATION)
        return (struct parked_room){0};
    parked->waited.destination = NO_DESTINATION; /* it was a guess only: one shows if it holds */
    return (struct parked_room){.messages = 1};
}

/* How many of them fit into the room, as far as is known, and what these take. One that needs more
 * goes first all the same: its messages may be for other destinations. */
static uint32_t count_fitting(const struct parked *parked, struct parked_room room,
                              struct parked_room *out_taken)
{
    uint32_t count = 0;
    uint64_t bytes_each = guess_bytes(parked);
    struct parked_room taken = {0};
    for (const struct publication *publication = parked->first;
         publication != NULL && taken.messages < room.messages; publication = publication->queued) {
        uint64_t bytes = publication->undecided * bytes_each;
        if (count > 0 && (publication->undecided > room.messages - taken.messages ||
                          bytes > less(room.bytes, taken.bytes)))
            break;
        taken.messages += publication->undecided;
        taken.bytes += bytes;
        count++;
    }
    *out_taken = taken;
    return count;
}

static uint32_t count_released(const struct shard *shard, struct parked *parked,
                               struct parked_room *promised)
{
    if (parked->returned > 0)
        return 0; /* those before them first */
    if (shard->stopping)
        return parked->count;
    uint32_t due = count_due(parked, loop_now_ns(shard->loop));
    struct parked_room taken;
    uint32_t count = count_fitting(parked, find_room(shard, parked, promised), &taken);
    uint16_t destination = guess_need(parked).destination;
    if (destination != NO_DESTINATION) {
        promised[destination].messages += taken.messages;
        promised[destination].bytes += taken.bytes;
    }
    return count > due ? count : due;
}

void parking_release(struct shard *shard)
{
    if (shard->parked.first == NULL)
        return;
    struct parked_room promised[DESTINATIONS_MAX] = {0};
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
        if (shard->mesh != NULL) /* room at another shard's log wakes nobody here */
            arm_timer(shard, loop_now_ns(shard->loop) + LOOK_AGAIN_NS);
        if (count > 0)
            shard_wake(shard); /* the next of them, when these are decided */
    }
}
