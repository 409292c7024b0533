#include <stdio.h>

#include "io/intake_parts.h"
#include "io/session.h"

static void queue_in_front(struct intake *intake, struct publication *first);
static bool may_try_again(struct shard *shard, const struct session *session);
static void arm_park_timer(struct shard *shard);
static bool may_park(const struct shard *shard, const struct publication *publication);

/* Parked sessions whose destination has room again, or whose wait is over, go on. */
void parking_try_again(struct shard *shard)
{
    struct session **link = &shard->parked;
    while (*link != NULL) {
        struct session *session = *link;
        if (!may_try_again(shard, session)) {
            link = &session->next_parked;
            continue;
        }
        *link = session->next_parked;
        session->in_parked = false;
        queue_in_front(&shard->intake, session_unpark(session));
    }
    arm_park_timer(shard);
}

void parking_add_or_refuse(struct shard *shard, struct publication *publication,
                           uint16_t destination, uint32_t record_bytes)
{
    const struct destination *full = shard->generation->destinations[destination];
    if (full->when_full != WHEN_FULL_TRY_AGAIN && may_park(shard, publication)) {
        parking_add(shard, publication, destination, record_bytes);
        return;
    }
    char reason[128];
    snprintf(reason, sizeof reason, "destination %s is full; send it again later", full->name);
    intake_refuse(shard, publication, REFUSAL_TRY_AGAIN, reason);
}

void parking_add(struct shard *shard, struct publication *publication, uint16_t destination,
                 uint32_t record_bytes)
{
    struct session *session = publication->session;
    if (publication->park_deadline_ns == 0)
        publication->park_deadline_ns =
            loop_now_ns(shard->loop) + shard->config->options.publish_wait * UINT64_C(1000000);
    if (session->parked_first == NULL) {
        session->parked_for = destination;
        session->parked_bytes = record_bytes;
        if (shard->park_timer.heap_index == 0)
            loop_timer_arm(shard->loop, &shard->park_timer, publication->park_deadline_ns);
    }
    session_park(session, publication);
    shard->figures.parked++;
}

static void queue_in_front(struct intake *intake, struct publication *first)
{
    struct publication *last = first;
    uint32_t count = 1;
    for (; last->queued != NULL; last = last->queued)
        count++;
    last->queued = intake->queue_first;
    if (intake->queue_first == NULL)
        intake->queue_last = last;
    intake->queue_first = first;
    intake->queue_count += count;
}

static bool may_try_again(struct shard *shard, const struct session *session)
{
    struct outlet *outlet = &shard->outlets[session->parked_for];
    if (shard->stopping || session->parked_first->park_deadline_ns <= loop_now_ns(shard->loop))
        return true;
    outlet_squeeze(outlet);
    return outlet_has_room(outlet, session->parked_bytes);
}

static void arm_park_timer(struct shard *shard)
{
    uint64_t soonest = UINT64_MAX;
    for (const struct session *session = shard->parked; session != NULL;
         session = session->next_parked)
        if (session->parked_first->park_deadline_ns < soonest)
            soonest = session->parked_first->park_deadline_ns;
    if (soonest != UINT64_MAX && soonest != shard->park_timer.deadline_ns)
        loop_timer_arm(shard->loop, &shard->park_timer, soonest);
}

/* Parking holds receive buffers: it ends where three quarters of them are out. */
static bool may_park(const struct shard *shard, const struct publication *publication)
{
    uint64_t buffers = shard->config->options.receive_buffers;
    const struct session *session = publication->session;
    return session != NULL && !session->has_consumed && !shard->stopping &&
           shard->config->options.publish_wait > 0 &&
           loop_buffers_out(shard->loop) < buffers - buffers / 4 &&
           (publication->park_deadline_ns == 0 ||
            publication->park_deadline_ns > loop_now_ns(shard->loop));
}
