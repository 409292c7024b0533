#include <stdio.h>

#include "io/append.h"
#include "io/intake_parts.h"
#include "io/session.h"

static void divert(struct shard *shard, struct routing *routing, struct intake_item *item);
static uint16_t find_full(const struct shard *shard, const struct routing *routing,
                          uint32_t record_bytes);
static void reserve(struct shard *shard, const struct routing *routing, uint32_t record_bytes);
static bool holds_have_room(const struct shard *shard, const struct routing *routing,
                            uint32_t record_bytes);
static void park_or_refuse(struct shard *shard, struct publication *publication,
                           uint16_t destination, uint32_t record_bytes);

/* Refuses, parks, or reserves room and lists the item for its claim. */
void admission_decide(struct shard *shard, struct intake_batch *batch, uint32_t index)
{
    struct intake_item *item = &batch->items[index];
    struct routing *routing = &batch->routings[index];
    struct publication *publication = item->publication;
    struct session *session = publication->session;

    item->publication = NULL; /* unless it goes on */
    if (session != NULL && publication->returned)
        session->parked.returned--;
    if (parking_is_behind(publication)) {
        if (parking_allows(shard, publication))
            parking_add(shard, publication, NO_DESTINATION, 0);
        else
            intake_refuse(shard, publication, REFUSAL_TRY_AGAIN,
                          "those before it wait for room; send it again later");
        return;
    }
    if (routing->refused) {
        char reason[REJECT_REASON_BYTES];
        routing_describe_refusal(routing, reason, sizeof reason);
        intake_refuse(shard, publication, routing->refusal, reason);
        return;
    }
    item->record_bytes = append_measure(routing);
    if (item->record_bytes > journal_record_bytes_max(&shard->journal)) {
        intake_refuse_plainly(shard, publication, REFUSAL_TOO_BIG);
        return;
    }
    divert(shard, routing, item);
    uint16_t full = find_full(shard, routing, item->record_bytes);
    if (full != NO_DESTINATION) {
        park_or_refuse(shard, publication, full, item->record_bytes);
        return;
    }
    if (!holds_have_room(shard, routing, item->record_bytes)) {
        intake_refuse(shard, publication, REFUSAL_TRY_AGAIN, "the list of held messages is full");
        return;
    }
    reserve(shard, routing, item->record_bytes);
    item->publication = publication;
    item->claim = batch->claim_count++;
    batch->claims[item->claim] = (struct window_claim){
        .identity = routing->identity,
        .body_digest = routing->body_digest,
        .scope = publication->participant->scope,
        .supersedes = routing->supersedes,
        .body = routing->body,
    };
}

/* Where a destination is full and says so, its messages go to its dead letter. */
static void divert(struct shard *shard, struct routing *routing, struct intake_item *item)
{
    struct destination_set full = {0};
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1)) {
        const struct destination *destination = shard->generation->destinations[d];
        if (destination->when_full == WHEN_FULL_DEAD_LETTER &&
            !outlet_has_room(&shard->outlets[d], item->record_bytes))
            destination_set_add(&full, (uint16_t)d);
    }
    if (destination_set_is_empty(&full))
        return;
    item->diverted = full;
    for (unsigned d = destination_set_next(&full, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&full, d + 1)) {
        destination_set_remove(&routing->deliver, (uint16_t)d);
        destination_set_add(&routing->deliver, shard->generation->destinations[d]->dead_letter);
    }
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        routing->hold.words[i] &= ~routing->deliver.words[i];
    item->record_bytes = append_measure(routing); /* it may have fewer destinations now */
}

/* The first destination without room, or NO_DESTINATION. */
static uint16_t find_full(const struct shard *shard, const struct routing *routing,
                          uint32_t record_bytes)
{
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1))
        if (!outlet_has_room(&shard->outlets[d], record_bytes)) {
            outlet_squeeze(&shard->outlets[d]);
            if (!outlet_has_room(&shard->outlets[d], record_bytes))
                return (uint16_t)d;
        }
    return NO_DESTINATION;
}

static void reserve(struct shard *shard, const struct routing *routing, uint32_t record_bytes)
{
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1))
        outlet_reserve(&shard->outlets[d], record_bytes);
    for (unsigned d = destination_set_next(&routing->hold, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->hold, d + 1))
        hold_reserve(&shard->holds, record_bytes);
}

static bool holds_have_room(const struct shard *shard, const struct routing *routing,
                            uint32_t record_bytes)
{
    uint32_t count = destination_set_count(&routing->hold);
    return count == 0 ||
           (hold_has_room(&shard->holds, (uint64_t)record_bytes * count) &&
            shard->holds.live + shard->holds.reserved + count <= shard->holds.capacity);
}

static void park_or_refuse(struct shard *shard, struct publication *publication,
                           uint16_t destination, uint32_t record_bytes)
{
    const struct destination *full = shard->generation->destinations[destination];
    if (full->when_full != WHEN_FULL_TRY_AGAIN && parking_allows(shard, publication)) {
        parking_add(shard, publication, destination, record_bytes);
        return;
    }
    char reason[128];
    snprintf(reason, sizeof reason, "destination %s is full; send it again later", full->name);
    intake_refuse(shard, publication, REFUSAL_TRY_AGAIN, reason);
}
