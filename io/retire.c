#include <assert.h>

#include "io/append.h"
#include "io/intake_parts.h"

static void unreserve(struct shard *shard, const struct routing *routing, uint32_t record_bytes);
static void accept_message(struct shard *shard, struct intake_batch *batch, uint32_t index);
static bool settle_replay(struct shard *shard, struct window_claim *claim,
                          struct publication *publication);
static void refuse_verdict(struct shard *shard, struct publication *publication,
                           enum verdict verdict);

void retire_item(struct shard *shard, struct intake_batch *batch, uint32_t index)
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
        intake_refuse(shard, publication, REFUSAL_TRY_AGAIN,
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
    case VERDICT_CONFLICT: intake_refuse_plainly(shard, publication, REFUSAL_CONFLICT); return;
    case VERDICT_COLLISION:
        shard->figures.collisions++;
        intake_refuse_plainly(shard, publication, REFUSAL_COLLISION);
        return;
    case VERDICT_REPLAY: /* of a message that came after it, and is not written yet */
        intake_refuse(shard, publication, REFUSAL_TRY_AGAIN, "its twin is being decided");
        return;
    default:
        intake_refuse(shard, publication, REFUSAL_TRY_AGAIN, "the dedupe window has no room");
        return;
    }
}
