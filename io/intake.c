#include "io/intake.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/append.h"
#include "io/session.h"

static bool start_batch(struct shard *shard);
static bool retire_batch(struct shard *shard);
static void admit(struct shard *shard, struct intake_batch *batch, uint32_t index);
static void claim_all(struct shard *shard, struct intake_batch *batch);
static void retire(struct shard *shard, struct intake_batch *batch, uint32_t index);

enum status intake_open(struct intake *intake, const struct digest_secret *secret,
                        struct window *window, struct delays *delays)
{
    *intake = (struct intake){.claims = {.window = window, .delays = delays}};
    for (uint32_t i = 0; i < INTAKE_BATCHES; i++) {
        struct intake_batch *batch = &intake->batches[i];
        enum status status = router_open(secret, &batch->router);
        if (status != STATUS_OK)
            return status;
        batch->routings = calloc(ROUTER_BATCH_MAX, sizeof *batch->routings);
        if (batch->routings == NULL)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

void intake_close(struct intake *intake)
{
    for (uint32_t i = 0; i < INTAKE_BATCHES; i++) {
        router_close(intake->batches[i].router);
        free(intake->batches[i].routings);
    }
    *intake = (struct intake){0};
}

void intake_queue(struct shard *shard, struct publication *publication)
{
    struct intake *intake = &shard->intake;
    publication->queued = NULL;
    if (intake->queue_first == NULL)
        intake->queue_first = publication;
    else
        intake->queue_last->queued = publication;
    intake->queue_last = publication;
    intake->queue_count++;
    shard_wake(shard);
}

void intake_queue_in_front(struct shard *shard, struct publication *first)
{
    struct intake *intake = &shard->intake;
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

bool intake_run(struct shard *shard)
{
    struct intake *intake = &shard->intake;
    parking_release(shard);
    for (bool moved = true; moved;) {
        moved = false;
        if (intake->queue_count > 0 && intake->batch_count < INTAKE_BATCHES)
            moved |= start_batch(shard);
        if (intake->batch_count > 0)
            moved |= retire_batch(shard);
    }
    return !intake_is_idle(intake);
}

/* ---- how a publication ends ---- */

static void refuse(struct shard *shard, struct publication *publication, enum refusal refusal,
                   const char *reason)
{
    struct intake_account *account =
        shard_account(shard, publication->participant, publication->channel);
    account->undecided--;
    account->refused[refusal]++;
    if (refusal != REFUSAL_TRY_AGAIN) {
        struct reject reject = {
            .at_ms = loop_wall_ms(shard->loop),
            .participant = publication->participant->index,
            .channel = publication->channel->index,
            .refusal = refusal,
        };
        snprintf(reject.reason, sizeof reject.reason, "%s", reason);
        reject_add(&shard->rejects, reject, publication->body);
    }
    publication->failed = true;
    snprintf(publication->error, sizeof publication->error, "%s %s", refusal_word(refusal), reason);
    publication_drop_body(publication);
    session_publication_done(shard, publication);
}

static void refuse_plainly(struct shard *shard, struct publication *publication,
                           enum refusal refusal)
{
    refuse(shard, publication, refusal, refusal_text(refusal));
}

/* ---- full destinations ---- */

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
    refuse(shard, publication, REFUSAL_TRY_AGAIN, reason);
}

/* ---- batches ---- */

static struct intake_batch *batch_at(struct intake *intake, uint32_t number)
{
    return &intake->batches[(intake->first_batch + number) % INTAKE_BATCHES];
}

static void fill_batch(struct intake *intake, struct intake_batch *batch)
{
    uint32_t count = 0;
    struct publication *publication = intake->queue_first;
    for (; publication != NULL && count < ROUTER_BATCH_MAX; publication = publication->queued) {
        struct routing *routing = &batch->routings[count];
        routing->body = publication->body;
        routing->channel = publication->channel;
        routing->participant = publication->participant;
        routing->given_id = publication->given_id;
        routing->given_producer = publication->given_producer;
        batch->items[count++] = (struct intake_item){.publication = publication};
    }
    batch->count = count;
    batch->retired = 0;
    batch->claim_count = 0;
}

static void dequeue(struct intake *intake, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        intake->queue_first = intake->queue_first->queued;
    if (intake->queue_first == NULL)
        intake->queue_last = NULL;
    intake->queue_count -= count;
}

static bool start_batch(struct shard *shard)
{
    struct intake *intake = &shard->intake;
    struct intake_batch *batch = batch_at(intake, intake->batch_count);
    fill_batch(intake, batch);
    batch->count = router_decide(batch->router, shard->generation, batch->routings, batch->count);
    dequeue(intake, batch->count);
    intake->batch_count++;
    shard->figures.batches++;
    shard->figures.batch_messages += batch->count;

    for (uint32_t i = 0; i < batch->count; i++)
        admit(shard, batch, i);
    claim_all(shard, batch);
    return true;
}

/* Finishes what is answered of the oldest batch. True if anything moved. */
static bool retire_batch(struct shard *shard)
{
    struct intake *intake = &shard->intake;
    struct intake_batch *batch = batch_at(intake, 0);
    uint32_t before = batch->retired;
    for (; batch->retired < batch->count; batch->retired++) {
        const struct intake_item *item = &batch->items[batch->retired];
        if (item->publication == NULL)
            continue;
        if (item->answer_turn > shard->turn_number)
            return batch->retired > before;
        retire(shard, batch, batch->retired);
    }
    intake->first_batch = (intake->first_batch + 1) % INTAKE_BATCHES;
    intake->batch_count--;
    return true;
}

/* ---- room ---- */

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
        if (!outlet_has_room(&shard->outlets[d], record_bytes))
            return (uint16_t)d;
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

static void unreserve(struct shard *shard, const struct routing *routing, uint32_t record_bytes)
{
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1))
        outlet_unreserve(&shard->outlets[d], record_bytes);
    for (unsigned d = destination_set_next(&routing->hold, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->hold, d + 1))
        hold_unreserve(&shard->holds, record_bytes);
    if (shard->parked.first != NULL)
        shard_wake(shard); /* there may be room for one that waits */
}

static bool holds_have_room(const struct shard *shard, const struct routing *routing,
                            uint32_t record_bytes)
{
    uint32_t count = destination_set_count(&routing->hold);
    return count == 0 ||
           (hold_has_room(&shard->holds, (uint64_t)record_bytes * count) &&
            shard->holds.live + shard->holds.reserved + count <= shard->holds.capacity);
}

/* Refuses, parks, or reserves room and lists the item for its claim. */
static void admit(struct shard *shard, struct intake_batch *batch, uint32_t index)
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
            refuse(shard, publication, REFUSAL_TRY_AGAIN,
                   "those before it wait for room; send it again later");
        return;
    }
    if (routing->refused) {
        char reason[REJECT_REASON_BYTES];
        routing_describe_refusal(routing, reason, sizeof reason);
        refuse(shard, publication, routing->refusal, reason);
        return;
    }
    item->record_bytes = append_measure(routing);
    if (item->record_bytes > journal_record_bytes_max(&shard->journal)) {
        refuse_plainly(shard, publication, REFUSAL_TOO_BIG);
        return;
    }
    divert(shard, routing, item);
    uint16_t full = find_full(shard, routing, item->record_bytes);
    if (full != NO_DESTINATION) {
        park_or_refuse(shard, publication, full, item->record_bytes);
        return;
    }
    if (!holds_have_room(shard, routing, item->record_bytes)) {
        refuse(shard, publication, REFUSAL_TRY_AGAIN, "the list of held messages is full");
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

/* ---- claims ---- */

static void claim_all(struct shard *shard, struct intake_batch *batch)
{
    uint64_t answer_turns[ROUTER_BATCH_MAX];
    if (batch->claim_count == 0)
        return;
    claims_ask(&shard->intake.claims, batch->claims, batch->claim_count, shard_window_time_s(shard),
               shard->turn_number, answer_turns);
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->items[i].publication != NULL)
            batch->items[i].answer_turn = answer_turns[batch->items[i].claim];
}

static void count_accepted(struct shard *shard, const struct publication *publication,
                           enum verdict verdict)
{
    struct intake_account *account =
        shard_account(shard, publication->participant, publication->channel);
    account->undecided--;
    if (verdict == VERDICT_FRESH)
        account->fresh++;
    else if (verdict == VERDICT_CONFLICT)
        account->conflict++;
    else
        account->amendment++;
}

static void count_diverted(struct shard *shard, const struct destination_set *diverted)
{
    for (unsigned d = destination_set_next(diverted, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(diverted, d + 1)) {
        shard->outlets[d].account.routed++;
        shard->outlets[d].account.diverted++;
    }
}

static void accept_message(struct shard *shard, struct intake_batch *batch, uint32_t index)
{
    struct intake_item *item = &batch->items[index];
    struct routing *routing = &batch->routings[index];
    const struct window_claim *claim = &batch->claims[item->claim];
    struct publication *publication = item->publication;
    struct record *record;
    uint64_t position;
    if (append_message(shard, routing, claim->verdict, &record, &position) != STATUS_OK) {
        window_withdraw(shard->window, claim->entry);
        unreserve(shard, routing, item->record_bytes);
        refuse(shard, publication, REFUSAL_TRY_AGAIN,
               "the log's memory is full of messages that groups still need");
        return;
    }
    assert(record->size_bytes == item->record_bytes);
    window_place(shard->window, claim->entry, position);
    publication_drop_body(publication);
    count_accepted(shard, publication, claim->verdict);
    count_diverted(shard, &item->diverted);
    commit_add(shard, (struct commit_item){.publication = publication,
                                           .position = position,
                                           .window_entry = claim->entry,
                                           .reserved_bytes = record->size_bytes,
                                           .id = record->id});
}

/* The first's receipt again, once the first is safe. */
static void answer_replay(struct shard *shard, struct publication *publication, uint64_t position)
{
    shard_account(shard, publication->participant, publication->channel)->undecided--;
    shard_account(shard, publication->participant, publication->channel)->replay++;
    publication_drop_body(publication);
    commit_add(shard, (struct commit_item){.publication = publication,
                                           .position = WINDOW_NO_POSITION,
                                           .window_entry = WINDOW_NO_ENTRY,
                                           .id = journal_record(&shard->journal, position)->id});
}

/* What a claim that was answered REPLAY comes to now. Its first may have been withdrawn since
 * (refused after its claim): then the claim is asked once more. True if the replay was answered. */
static bool settle_replay(struct shard *shard, struct window_claim *claim,
                          struct publication *publication)
{
    uint64_t position;
    for (int tries = 0; tries < 2 && claim->verdict == VERDICT_REPLAY; tries++) {
        enum window_state state = window_claim_state(shard->window, claim, &position);
        if (state == WINDOW_PLACED || state == WINDOW_CONFIRMED) {
            answer_replay(shard, publication, position);
            return true;
        }
        if (state == WINDOW_GONE)
            window_ask(shard->window, claim, 1, shard_window_time_s(shard));
    }
    return false;
}

static void refuse_verdict(struct shard *shard, struct publication *publication,
                           enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_CONFLICT: refuse_plainly(shard, publication, REFUSAL_CONFLICT); return;
    case VERDICT_COLLISION:
        shard->figures.collisions++;
        refuse_plainly(shard, publication, REFUSAL_COLLISION);
        return;
    case VERDICT_REPLAY: /* of a message that came after it, and is not written yet */
        refuse(shard, publication, REFUSAL_TRY_AGAIN, "its twin is being decided");
        return;
    default: refuse(shard, publication, REFUSAL_TRY_AGAIN, "the dedupe window has no room"); return;
    }
}

static void retire(struct shard *shard, struct intake_batch *batch, uint32_t index)
{
    struct intake_item *item = &batch->items[index];
    struct routing *routing = &batch->routings[index];
    struct window_claim *claim = &batch->claims[item->claim];
    bool done = settle_replay(shard, claim, item->publication);
    bool refused_conflict =
        claim->verdict == VERDICT_CONFLICT && routing->reading.profile->conflict == CONFLICT_REFUSE;
    if (!done && !refused_conflict &&
        (claim->verdict == VERDICT_FRESH || claim->verdict == VERDICT_CONFLICT ||
         claim->verdict == VERDICT_AMENDMENT)) {
        accept_message(shard, batch, index);
        return;
    }
    unreserve(shard, routing, item->record_bytes);
    if (refused_conflict)
        window_withdraw(shard->window, claim->entry);
    if (!done)
        refuse_verdict(shard, item->publication, claim->verdict);
}
