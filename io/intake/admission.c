#include <stdio.h>

#include "io/delivery/case_order.h"
#include "io/front/session.h"
#include "io/intake/append.h"
#include "io/intake/intake_parts.h"

/* What a publication needs of a destination that has too little. */
struct shortage {
    uint16_t destination; /* NO_DESTINATION: none of them */
    bool of_holds;        /* the list of held messages */
    uint16_t log;
    uint32_t messages;
    uint64_t bytes;
};

static void count_messages(struct shard *shard, struct publication *publication, uint32_t count);
static bool measure(struct shard *shard, struct intake_batch *batch, uint32_t first);
static bool reserve_all(struct shard *shard, struct intake_batch *batch, uint32_t first,
                        struct shortage *out_shortage);
static void refuse_for_room(struct shard *shard, struct publication *publication,
                            const struct shortage *shortage);
static void claim(struct intake_batch *batch, uint32_t first, struct publication *publication);
static bool reserve_one(struct shard *shard, struct routing *routing, struct intake_item *item,
                        struct shortage *out_shortage);
static bool divert(struct shard *shard, struct routing *routing, struct intake_item *item);
static bool has_room(struct shard *shard, uint16_t log, uint16_t destination,
                     uint32_t record_bytes);
static uint16_t reserve(struct shard *shard, uint16_t log, const struct routing *routing,
                        uint32_t record_bytes);
static bool reserve_holds(struct shard *shard, uint16_t log, const struct routing *routing,
                          uint32_t record_bytes);
static void unreserve_before(struct shard *shard, uint16_t log, const struct routing *routing,
                             uint32_t record_bytes, unsigned end);

/* Refuses, parks, or reserves room and lists the messages for their claims. */
void admission_decide(struct shard *shard, struct intake_batch *batch, uint32_t first)
{
    const struct routing *routing = &batch->routings[first];
    struct publication *publication = batch->publications[routing->arrival - batch->arrivals];
    struct session *session = publication->slot.session;
    struct shortage shortage;

    for (uint32_t i = first; i < first + routing->part_count; i++)
        batch->items[i] = (struct intake_item){0};
    count_messages(shard, publication, routing->part_count);
    if (session != NULL && publication->returned)
        session->parked.returned--;
    if (parking_is_behind(publication)) {
        if (parking_allows(shard, publication))
            parking_add(shard, publication, (struct parked_need){.destination = NO_DESTINATION});
        else
            intake_refuse(shard, publication, REFUSAL_TRY_AGAIN,
                          "those before it wait for room; send it again later");
        return;
    }
    const struct routing *refused = routing_find_refused(routing);
    if (refused != NULL) {
        char reason[REJECT_REASON_BYTES];
        routing_describe_refusal(refused, reason, sizeof reason);
        if (refused->rejecting_rule != NULL || refused->refusal == REFUSAL_UNROUTABLE)
            rule_hits_count(shard->rule_hits, &refused->decision, loop_wall_ms(shard->loop));
        intake_refuse(shard, publication, refused->refusal, reason);
        return;
    }
    if (!measure(shard, batch, first))
        intake_refuse_plainly(shard, publication, REFUSAL_TOO_BIG);
    else if (!reserve_all(shard, batch, first, &shortage))
        refuse_for_room(shard, publication, &shortage);
    else
        claim(batch, first, publication);
}

/* Of a body of several messages only one was known of. */
static void count_messages(struct shard *shard, struct publication *publication, uint32_t count)
{
    if (publication->undecided == count)
        return;
    struct intake_account *account =
        shard_account(shard, publication->participant, publication->channel);
    account->received += count - publication->undecided;
    account->undecided += count - publication->undecided;
    publication->undecided = count;
}

/* Messages of one case go to one log, and those that belong to none stay here. */
static uint16_t choose_log(const struct shard *shard, const struct routing *routing)
{
    if (shard->mesh == NULL)
        return 0;
    uint32_t key = case_order_key_of(&routing->reading);
    if (key == 0)
        return mesh_self(shard->mesh);
    return (uint16_t)(key % mesh_shards(shard->mesh));
}

/* False if one of them would be too large: a reply holds two records of a block each. */
static bool measure(struct shard *shard, struct intake_batch *batch, uint32_t first)
{
    const uint32_t end = first + batch->routings[first].part_count;
    for (uint32_t i = first; i < end; i++) {
        batch->items[i].log = choose_log(shard, &batch->routings[i]);
        batch->items[i].shape = append_measure(&batch->routings[i]);
        if (batch->items[i].shape.size_bytes > config_record_bytes_max(&shard->config->options))
            return false;
    }
    return true;
}

static void claim(struct intake_batch *batch, uint32_t first, struct publication *publication)
{
    const uint32_t end = first + batch->routings[first].part_count;
    for (uint32_t i = first; i < end; i++) {
        const struct routing *routing = &batch->routings[i];
        batch->items[i].publication = publication;
        batch->items[i].claim = batch->claim_count++;
        batch->claims[batch->items[i].claim] = (struct window_claim){
            .identity = routing->identity,
            .body_digest = routing->body_digest,
            .scope = publication->participant->scope,
            .log = batch->items[i].log,
            .supersedes = routing->supersedes,
            .body = routing->whole,
        };
    }
}

/* ---- room ---- */

/* What all messages of the publication need of it. */
static void add_up(const struct intake_batch *batch, uint32_t first, struct shortage *shortage)
{
    for (uint32_t i = first; i < first + batch->routings[first].part_count; i++) {
        const struct routing *routing = &batch->routings[i];
        uint32_t records = shortage->of_holds
                               ? destination_set_count(&routing->hold)
                               : destination_set_has(&routing->deliver, shortage->destination);
        shortage->messages += records;
        shortage->bytes += (uint64_t)records * batch->items[i].shape.size_bytes;
    }
}

/* For all messages of a publication, or for none. */
static bool reserve_all(struct shard *shard, struct intake_batch *batch, uint32_t first,
                        struct shortage *out_shortage)
{
    const uint32_t end = first + batch->routings[first].part_count;
    for (uint32_t i = first; i < end; i++) {
        if (reserve_one(shard, &batch->routings[i], &batch->items[i], out_shortage))
            continue;
        add_up(batch, first, out_shortage);
        out_shortage->log = batch->items[i].log;
        while (i-- > first)
            admission_unreserve(shard, &batch->routings[i], &batch->items[i]);
        return false;
    }
    return true;
}

static bool reserve_one(struct shard *shard, struct routing *routing, struct intake_item *item,
                        struct shortage *out_shortage)
{
    uint16_t full = reserve(shard, item->log, routing, item->shape.size_bytes);
    if (full != NO_DESTINATION && divert(shard, routing, item))
        full = reserve(shard, item->log, routing, item->shape.size_bytes);
    bool of_holds =
        full == NO_DESTINATION && !reserve_holds(shard, item->log, routing, item->shape.size_bytes);
    if (full == NO_DESTINATION && !of_holds)
        return true;
    *out_shortage = (struct shortage){.destination = full, .of_holds = of_holds};
    return false;
}

/* Where a destination is full and says so, its messages go to its dead letter. False if none is. */
static bool divert(struct shard *shard, struct routing *routing, struct intake_item *item)
{
    struct destination_set full = {0};
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1)) {
        const struct destination *destination = shard->generation->destinations[d];
        if (destination->when_full == WHEN_FULL_DEAD_LETTER &&
            !has_room(shard, item->log, (uint16_t)d, item->shape.size_bytes))
            destination_set_add(&full, (uint16_t)d);
    }
    if (destination_set_is_empty(&full))
        return false;
    item->diverted = full;
    for (unsigned d = destination_set_next(&full, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&full, d + 1)) {
        destination_set_remove(&routing->deliver, (uint16_t)d);
        destination_set_add(&routing->deliver, shard->generation->destinations[d]->dead_letter);
    }
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        routing->hold.words[i] &= ~routing->deliver.words[i];
    item->shape = append_measure(routing); /* it may have fewer destinations now */
    return true;
}

/* ---- at the log that a message goes to: here, or another shard's ---- */

static bool is_here(const struct shard *shard, uint16_t log)
{
    return shard->mesh == NULL || log == mesh_self(shard->mesh);
}

static bool has_room(struct shard *shard, uint16_t log, uint16_t destination, uint32_t record_bytes)
{
    if (is_here(shard, log))
        return outlet_make_room(&shard->outlets[destination], record_bytes);
    return room_has(rooms_at(shard->rooms, log, destination), 1, record_bytes);
}

static bool try_reserve(struct shard *shard, uint16_t log, uint16_t destination,
                        uint32_t record_bytes)
{
    if (is_here(shard, log))
        return outlet_try_reserve(&shard->outlets[destination], record_bytes);
    return outlet_take_room(rooms_at(shard->rooms, log, destination),
                            shard->generation->destinations[destination], record_bytes);
}

/* At all destinations, or at none: gives the first that has no room, or NO_DESTINATION. */
static uint16_t reserve(struct shard *shard, uint16_t log, const struct routing *routing,
                        uint32_t record_bytes)
{
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1)) {
        if (try_reserve(shard, log, (uint16_t)d, record_bytes))
            continue;
        unreserve_before(shard, log, routing, record_bytes, d);
        return (uint16_t)d;
    }
    return NO_DESTINATION;
}

/* After those of the destinations; gives those back if there is no room to hold it. */
static bool reserve_holds(struct shard *shard, uint16_t log, const struct routing *routing,
                          uint32_t record_bytes)
{
    if (destination_set_is_empty(&routing->hold))
        return true;
    uint32_t count = destination_set_count(&routing->hold);
    uint64_t bytes = (uint64_t)record_bytes * count;
    if (shard->rooms != NULL ? room_take(rooms_of_holds(shard->rooms, log), count, bytes)
                             : hold_try_reserve(&shard->holds, count, bytes))
        return true;
    unreserve_before(shard, log, routing, record_bytes, DESTINATIONS_MAX);
    return false;
}

static void unreserve_before(struct shard *shard, uint16_t log, const struct routing *routing,
                             uint32_t record_bytes, unsigned end)
{
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < end;
         d = destination_set_next(&routing->deliver, d + 1)) {
        if (is_here(shard, log))
            outlet_unreserve(&shard->outlets[d], record_bytes);
        else
            room_give(rooms_at(shard->rooms, log, (uint16_t)d), 1, record_bytes);
    }
}

void admission_unreserve(struct shard *shard, const struct routing *routing,
                         const struct intake_item *item)
{
    unreserve_before(shard, item->log, routing, item->shape.size_bytes, DESTINATIONS_MAX);
    uint32_t count = destination_set_count(&routing->hold);
    uint64_t bytes = (uint64_t)item->shape.size_bytes * count;
    if (count > 0 && shard->rooms != NULL)
        room_give(rooms_of_holds(shard->rooms, item->log), count, bytes);
    else if (count > 0)
        hold_unreserve(&shard->holds, count, bytes);
}

/* ---- none ---- */

static void refuse_for_holds(struct shard *shard, struct publication *publication,
                             const struct shortage *shortage)
{
    if (shortage->messages <= shard->holds.capacity && shortage->bytes <= shard->holds.bytes_max)
        intake_refuse(shard, publication, REFUSAL_TRY_AGAIN, "the list of held messages is full");
    else
        intake_refuse(shard, publication, REFUSAL_TOO_BIG,
                      "its messages are more than may be held (holds_max, hold_bytes_max)");
}

/* Waits, or is refused: for good if the destination will never have so much. */
static void refuse_for_room(struct shard *shard, struct publication *publication,
                            const struct shortage *shortage)
{
    char reason[160];
    if (shortage->of_holds) {
        refuse_for_holds(shard, publication, shortage);
        return;
    }
    const struct destination *full = shard->generation->destinations[shortage->destination];
    if (shortage->messages > full->backlog_max || shortage->bytes > full->backlog_bytes_max) {
        snprintf(reason, sizeof reason,
                 "its %u messages for destination %s are more than that keeps (backlog_max, "
                 "backlog_bytes_max)",
                 shortage->messages, full->name);
        intake_refuse(shard, publication, REFUSAL_TOO_BIG, reason);
        return;
    }
    /* Where the oldest are dropped it is full only of what is still being written. */
    bool may_wait = full->when_full == WHEN_FULL_WAIT || full->when_full == WHEN_FULL_DEAD_LETTER;
    if (may_wait && parking_allows(shard, publication)) {
        parking_add(shard, publication,
                    (struct parked_need){.destination = shortage->destination,
                                         .log = shortage->log,
                                         .messages = shortage->messages,
                                         .bytes = shortage->bytes});
        return;
    }
    snprintf(reason, sizeof reason, "destination %s is full; send it again later", full->name);
    intake_refuse(shard, publication, REFUSAL_TRY_AGAIN, reason);
}
