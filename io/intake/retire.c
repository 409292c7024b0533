#include <assert.h>
#include <stdio.h>

#include "io/intake/append.h"
#include "io/intake/intake_parts.h"
#include "io/state/minute_count.h"

static uint32_t find_denied(struct shard *shard, struct intake_batch *batch, uint32_t first,
                            struct denial *out_denial);
static struct denial retire_message(struct shard *shard, struct intake_batch *batch, uint32_t index,
                                    struct commit_item *out_item, struct record_id *out_id);
static void give_up(struct shard *shard, struct intake_batch *batch, uint32_t from, uint32_t end,
                    uint32_t denied, struct denial denial);
static struct denial judge_verdict(const struct routing *routing, const struct window_claim *claim);

static const struct denial none = {0};
static const struct denial is_undecided = {REFUSAL_TRY_AGAIN, "its twin is being decided"};

static uint64_t measure(const struct intake_batch *batch, uint32_t first)
{
    uint64_t bytes = 0;
    for (uint32_t i = first; i < first + batch->routings[first].part_count; i++)
        bytes += batch->items[i].shape.size_bytes;
    return bytes;
}

/* The receipt is the first message's id, and due when the last is safe: commits complete in their
 * order. */
bool retire_publication(struct shard *shard, struct intake_batch *batch, uint32_t first)
{
    struct publication *publication = batch->items[first].publication;
    uint32_t count = batch->routings[first].part_count, end = first + count;
    struct denial denial = none;
    if (append_has_message_room(shard, measure(batch, first)) == STATUS_INCOMPLETE)
        return false; /* there will be, when the disk has written what came before */
    if (count > 1 && !commit_has_spare_room(shard, count - 1)) {
        shard_wake(shard); /* there will be, when this turn's are complete */
        return false;
    }
    if (count > 1) {
        uint32_t denied = find_denied(shard, batch, first, &denial);
        if (denied != end) {
            give_up(shard, batch, first, end, denied, denial);
            return true;
        }
    }
    for (uint32_t i = first; i < end; i++) {
        struct commit_item item;
        struct record_id id;
        denial = retire_message(shard, batch, i, &item, &id);
        if (denial.reason != NULL) {
            give_up(shard, batch, i, end, i, denial);
            return true;
        }
        if (i == first)
            publication->slot.id = id;
        if (i + 1 == end) {
            publication_drop_body(publication);
            item.slot = &publication->slot;
        }
        commit_add(shard, &item);
    }
    return true;
}

/* The first of several messages that is denied already; none of them is written then. */
static uint32_t find_denied(struct shard *shard, struct intake_batch *batch, uint32_t first,
                            struct denial *out_denial)
{
    uint32_t index = first, end = first + batch->routings[first].part_count;
    for (; index < end; index++) {
        *out_denial = retire_judge(shard, batch, index);
        if (batch->claims[batch->items[index].claim].verdict == VERDICT_REPLAY &&
            out_denial->reason == is_undecided.reason)
            continue; /* of one before it among these */
        if (out_denial->reason != NULL)
            break;
    }
    return index;
}

static struct denial retire_message(struct shard *shard, struct intake_batch *batch, uint32_t index,
                                    struct commit_item *out_item, struct record_id *out_id)
{
    const struct intake_item *item = &batch->items[index];
    const struct claim_way *way = &batch->ways[item->claim];
    struct denial denial = retire_judge(shard, batch, index);
    if (denial.reason != NULL)
        return denial;
    if (!claim_is_replay(&batch->claims[item->claim], way))
        return retire_accept(shard, batch, index, out_item, out_id);
    /* The first's receipt again, once the first is safe. */
    retire_count_replay(shard, batch, index);
    *out_item =
        (struct commit_item){.position = WINDOW_NO_POSITION, .window_entry = WINDOW_NO_ENTRY};
    *out_id = way->first_id;
    return none;
}

void retire_count_replay(struct shard *shard, struct intake_batch *batch, uint32_t index)
{
    const struct routing *routing = &batch->routings[index];
    struct intake_account *account =
        shard_account(shard, routing->arrival->participant, routing->arrival->channel);
    account->undecided--;
    account->replay++;
    minute_count_replay(shard, routing);
    batch->items[index].publication->undecided--;
    admission_unreserve(shard, routing, &batch->items[index]);
}

/* Messages [from, end) of a publication come to nothing, and it is refused: those before them stay
 * written, and are replays when it is sent again. */
static void give_up(struct shard *shard, struct intake_batch *batch, uint32_t from, uint32_t end,
                    uint32_t denied, struct denial denial)
{
    char part[ROUTING_PART_TEXT_BYTES], reason[REJECT_REASON_BYTES];
    for (uint32_t i = from; i < end; i++) {
        const struct window_claim *claim = &batch->claims[batch->items[i].claim];
        admission_unreserve(shard, &batch->routings[i], &batch->items[i]);
        if (claim->entry != WINDOW_NO_ENTRY && claim->verdict != VERDICT_REPLAY)
            window_withdraw(shard->window, claim->entry);
    }
    if (denial.refusal == REFUSAL_COLLISION)
        shard->figures.collisions++;
    routing_describe_part(&batch->routings[denied], part, sizeof part);
    snprintf(reason, sizeof reason, "%s%s", denial.reason, part);
    bool is_whole = batch->routings[from].part_number == 1;
    intake_refuse(shard, batch->items[from].publication,
                  is_whole ? denial.refusal : REFUSAL_TRY_AGAIN, reason);
}

/* Why the message gets no receipt, as its claim stands now. */
struct denial retire_judge(struct shard *shard, struct intake_batch *batch, uint32_t index)
{
    uint32_t number = batch->items[index].claim;
    struct window_claim *claim = &batch->claims[number];
    struct claim_way *way = &batch->ways[number];
    switch (claims_settle(&shard->intake.claims, claim, way)) {
    case CLAIM_DECIDED: break;
    case CLAIM_WAITS:
    case CLAIM_FOLLOWS: return is_undecided;
    case CLAIM_FAILED:
        return (struct denial){REFUSAL_TRY_AGAIN,
                               "the journal cannot be read where it may have it already"};
    }
    return claim_is_replay(claim, way) ? none : judge_verdict(&batch->routings[index], claim);
}

static struct denial judge_verdict(const struct routing *routing, const struct window_claim *claim)
{
    switch (claim->verdict) {
    case VERDICT_FRESH:
    case VERDICT_AMENDMENT: return none;
    case VERDICT_CONFLICT:
        return routing->reading.profile->conflict != CONFLICT_REFUSE
                   ? none
                   : (struct denial){REFUSAL_CONFLICT, refusal_text(REFUSAL_CONFLICT)};
    case VERDICT_COLLISION:
        return (struct denial){REFUSAL_COLLISION, refusal_text(REFUSAL_COLLISION)};
    case VERDICT_REPLAY: /* of a message that came after it, and is not written yet */
    case VERDICT_UNREAD: return is_undecided;
    case VERDICT_NO_ROOM: break;
    }
    return (struct denial){REFUSAL_TRY_AGAIN, "the dedupe window has no room"};
}

static void count_accepted(struct shard *shard, struct publication *publication,
                           enum verdict verdict)
{
    struct intake_account *account =
        shard_account(shard, publication->participant, publication->channel);
    publication->undecided--;
    account->undecided--;
    intake_count_accepted(account, verdict);
}

void retire_count_diverted(struct shard *shard, const struct destination_set *diverted)
{
    for (unsigned d = destination_set_next(diverted, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(diverted, d + 1)) {
        shard->outlets[d].account.routed++;
        shard->outlets[d].account.diverted++;
    }
}

struct denial retire_accept(struct shard *shard, struct intake_batch *batch, uint32_t index,
                            struct commit_item *out_item, struct record_id *out_id)
{
    struct intake_item *item = &batch->items[index];
    const struct window_claim *claim = &batch->claims[item->claim];
    struct record *record;
    uint64_t position;
    if (append_message(shard, &batch->routings[index], &item->shape, claim->verdict, &record,
                       &position) != STATUS_OK)
        return (struct denial){REFUSAL_TRY_AGAIN, retire_no_room_text(shard)};
    if (shard->mesh == NULL)
        window_place(shard->window, claim->entry, position);
    shard_log_note_identity(shard, record, claim->body_digest, position);
    count_accepted(shard, item->publication, claim->verdict);
    retire_count_diverted(shard, &item->diverted);
    *out_item = (struct commit_item){.position = position,
                                     .durable_from = shard->journal.end_position,
                                     .window_entry = claim->entry,
                                     .reserved_bytes = record->head.size_bytes};
    *out_id = record->id;
    return none;
}

const char *retire_no_room_text(const struct shard *shard)
{
    return shard->facts.are_kept ? "the journal has no room for it"
                                 : "the log's memory is full of messages that groups still need";
}
