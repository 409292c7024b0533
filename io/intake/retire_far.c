/* The receipt is the first message's id, and due when all are safe, in whichever logs they are:
 * each that is on its way is counted, and the last one answers. */
#include <assert.h>
#include <stdio.h>

#include "io/front/session.h"
#include "io/intake/append.h"
#include "io/intake/intake_parts.h"

static bool has_room(struct shard *shard, const struct intake_batch *batch, uint32_t first,
                     uint32_t end);
static void find_denied(struct shard *shard, struct intake_batch *batch, uint32_t first,
                        uint32_t end);
static bool advance(struct shard *shard, struct intake_batch *batch, uint32_t index,
                    uint32_t first);
static bool append_here(struct shard *shard, struct intake_batch *batch, uint32_t index,
                        bool is_first);
static void stand_aside(struct shard *shard, struct intake_batch *batch, uint32_t index);
static void give_up(struct shard *shard, struct intake_batch *batch, uint32_t index);
static bool is_safe_elsewhere(struct shard *shard, struct intake_batch *batch, uint32_t index);

/* ---- on their way ---- */

bool retire_far_publication(struct shard *shard, struct intake_batch *batch, uint32_t first)
{
    struct publication *publication = batch->items[first].publication;
    uint32_t end = first + batch->routings[first].part_count;
    if (batch->advanced <= first) {
        if (!has_room(shard, batch, first, end))
            return false;
        publication->awaited = 1; /* until all are on their way */
        find_denied(shard, batch, first, end);
        batch->advanced = first;
    }
    for (; batch->advanced < end; batch->advanced++)
        if (!advance(shard, batch, batch->advanced, first))
            return false;
    retire_far_settle(shard, publication);
    return true;
}

/* For what may have to be written here, answered, and withdrawn elsewhere. */
static bool has_room(struct shard *shard, const struct intake_batch *batch, uint32_t first,
                     uint32_t end)
{
    uint64_t bytes = 0;
    for (uint32_t i = first; i < end; i++)
        if (batch->items[i].log == mesh_self(shard->mesh))
            bytes += batch->items[i].shape.size_bytes;
    if (bytes > 0 && append_has_message_room(shard, bytes) == STATUS_INCOMPLETE)
        return false; /* there will be, when the disk has written what came before */
    if (claims_room(&shard->intake.claims) < end - first)
        return false; /* there will be, when others have taken what they are told */
    if (!commit_has_spare_room(shard, end - first)) {
        shard_wake(shard); /* there will be, when this turn's are complete */
        return false;
    }
    return true;
}

/* One that is denied already denies all of them; none is written then. */
static void find_denied(struct shard *shard, struct intake_batch *batch, uint32_t first,
                        uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (!batch->ways[batch->items[i].claim].follows)
            retire_far_deny(shard, batch->items[i].publication, &batch->routings[i],
                            retire_judge(shard, batch, i));
}

/* False if there is no room on its way. */
static bool advance(struct shard *shard, struct intake_batch *batch, uint32_t index, uint32_t first)
{
    const struct intake_item *item = &batch->items[index];
    const struct claim_way *way = &batch->ways[item->claim];
    struct publication *publication = item->publication;
    if (way->follows) {
        stand_aside(shard, batch, index);
        return true;
    }
    if (publication->is_denied) {
        give_up(shard, batch, index);
        return true;
    }
    if (claim_is_replay(&batch->claims[item->claim], way)) {
        if (index == first)
            publication->slot.id = way->first_id;
        retire_count_replay(shard, batch, index);
        return true;
    }
    publication->awaited++;
    bool is_sent = item->log == mesh_self(shard->mesh)
                       ? append_here(shard, batch, index, index == first)
                       : messages_send(shard, batch, index, index == first);
    publication->awaited -= !is_sent;
    return is_sent;
}

static bool append_here(struct shard *shard, struct intake_batch *batch, uint32_t index,
                        bool is_first)
{
    struct publication *publication = batch->items[index].publication;
    struct commit_item item;
    struct record_id id;
    struct denial denial = retire_accept(shard, batch, index, &item, &id);
    if (denial.reason != NULL) {
        retire_far_deny(shard, publication, &batch->routings[index], denial);
        give_up(shard, batch, index);
        publication->awaited--;
        return true;
    }
    if (is_first)
        publication->slot.id = id;
    item.slot = &publication->slot;
    commit_add(shard, &item);
    return true;
}

/* It will be a replay, or nothing: so it needs no room. */
static void stand_aside(struct shard *shard, struct intake_batch *batch, uint32_t index)
{
    struct intake_item *item = &batch->items[index];
    admission_unreserve(shard, &batch->routings[index], item);
    item->is_aside = true;
    item->publication->awaited++;
    batch->aside[batch->aside_count++] = (uint16_t)index;
}

static void give_up(struct shard *shard, struct intake_batch *batch, uint32_t index)
{
    const struct intake_item *item = &batch->items[index];
    const struct window_claim *claim = &batch->claims[item->claim];
    admission_unreserve(shard, &batch->routings[index], item);
    if (claim->entry != WINDOW_NO_ENTRY && claim->verdict != VERDICT_REPLAY)
        claims_withdraw(&shard->intake.claims, claim->identity, claim->entry);
}

/* ---- answered ---- */

/* The first reason stands. What was written stays, and is a replay when it is sent again. */
void retire_far_deny(struct shard *shard, struct publication *publication,
                     const struct routing *routing, struct denial denial)
{
    struct publication_error *error = publication_error_of(&shard->publications, publication);
    char part[ROUTING_PART_TEXT_BYTES] = "";
    if (publication->is_denied || denial.reason == NULL)
        return;
    if (routing != NULL)
        routing_describe_part(routing, part, sizeof part);
    publication->is_denied = true;
    error->denial = denial.refusal;
    snprintf(error->denial_reason, sizeof error->denial_reason, "%s%s", denial.reason, part);
}

void retire_far_settle(struct shard *shard, struct publication *publication)
{
    assert(publication->awaited > 0);
    if (--publication->awaited > 0)
        return;
    if (publication->is_denied) {
        const struct publication_error *error =
            publication_error_of(&shard->publications, publication);
        shard->figures.collisions += error->denial == REFUSAL_COLLISION;
        intake_refuse(shard, publication, error->denial, error->denial_reason);
        return;
    }
    publication_drop_body(publication);
    session_slot_done(shard, &publication->slot);
}

/* ---- aside ---- */

bool retire_far_is_over(struct shard *shard, struct intake_batch *batch)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < batch->aside_count; i++)
        if (!is_safe_elsewhere(shard, batch, batch->aside[i]))
            batch->aside[left++] = batch->aside[i];
    batch->aside_count = left;
    for (uint64_t bits = batch->sent_to; bits != 0; bits &= bits - 1) {
        uint16_t log = (uint16_t)__builtin_ctzll(bits);
        if (mesh_is_consumed(shard->mesh, log, MESH_MESSAGES, batch->sent_index[log]))
            batch->sent_to &= ~(UINT64_C(1) << log);
    }
    if (batch->sent_to != 0)
        mesh_await_consumption(shard->mesh);
    return left == 0 && batch->sent_to == 0;
}

/* Its first is safe, or came to nothing; false: neither yet. Nothing is written for one that stood
 * aside, since others went ahead of it. */
static bool is_safe_elsewhere(struct shard *shard, struct intake_batch *batch, uint32_t index)
{
    struct intake_item *item = &batch->items[index];
    struct window_claim *claim = &batch->claims[item->claim];
    struct claim_way *way = &batch->ways[item->claim];
    struct publication *publication = item->publication;
    enum claim_state state = claims_settle(&shard->intake.claims, claim, way);
    if (state == CLAIM_FOLLOWS || state == CLAIM_WAITS || way->answer_turn > shard->turn_number ||
        claims_room(&shard->intake.claims) == 0)
        return false;
    struct denial denial = retire_judge(shard, batch, index);
    if (denial.reason == NULL && claim_is_replay(claim, way)) {
        struct intake_account *account =
            shard_account(shard, publication->participant, publication->channel);
        account->undecided--;
        account->replay++;
        publication->undecided--;
        if (batch->routings[index].part_number == 1)
            publication->slot.id = way->first_id;
    } else {
        if (claim->entry != WINDOW_NO_ENTRY)
            claims_withdraw(&shard->intake.claims, claim->identity, claim->entry);
        retire_far_deny(shard, publication, &batch->routings[index],
                        (struct denial){REFUSAL_TRY_AGAIN, "its twin came to nothing"});
    }
    claims_end(&shard->intake.claims, claim, way);
    item->is_aside = false;
    retire_far_settle(shard, publication);
    return true;
}
