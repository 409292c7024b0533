#include "io/intake/intake.h"

#include <stdio.h>
#include <stdlib.h>

#include "io/front/session.h"
#include "io/intake/intake_parts.h"
#include "io/state/minute_count.h"

static bool start_batch(struct shard *shard);
static bool retire_batches(struct shard *shard);
static bool retire_batch(struct shard *shard, struct intake_batch *batch);
static void claim_all(struct shard *shard, struct intake_batch *batch);

enum status intake_open(struct shard *shard)
{
    struct intake *intake = &shard->intake;
    *intake = (struct intake){0};
    if (shard->mesh != NULL)
        messages_open(shard);
    enum status status = claims_open(&intake->claims, shard, INTAKE_BATCHES * ROUTER_BATCH_MAX);
    for (uint32_t i = 0; status == STATUS_OK && i < INTAKE_BATCHES; i++) {
        struct intake_batch *batch = &intake->batches[i];
        status = router_open(&shard->secret, (uint16_t)shard->config->options.entries_max,
                             &batch->router);
        batch->routings = calloc(ROUTER_BATCH_MAX, sizeof *batch->routings);
        if (status == STATUS_OK && batch->routings == NULL)
            status = STATUS_NO_MEMORY;
    }
    return status;
}

void intake_close(struct intake *intake)
{
    for (uint32_t i = 0; i < INTAKE_BATCHES; i++) {
        struct intake_batch *batch = &intake->batches[i];
        for (uint32_t k = 0; k < ROUTER_BATCH_MAX; k++)
            claims_end(&intake->claims, &batch->claims[k], &batch->ways[k]);
        router_close(batch->router);
        free(batch->routings);
    }
    claims_close(&intake->claims);
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
    claims_run(&intake->claims);
    if (!intake->is_paused)
        parking_release(shard);
    for (bool moved = true; moved;) {
        moved = false;
        if (intake->queue_count > 0 && intake->batch_count < INTAKE_BATCHES && !intake->is_paused)
            moved |= start_batch(shard);
        moved |= retire_batches(shard);
    }
    return !intake_is_idle(intake);
}

/* ---- batches ---- */

static struct intake_batch *batch_at(struct intake *intake, uint32_t number)
{
    return &intake->batches[(intake->first_batch + number) % INTAKE_BATCHES];
}

/* From the queue, but for those that park at once. How many publications it took. */
static uint32_t fill_batch(struct shard *shard, struct intake_batch *batch)
{
    struct intake *intake = &shard->intake;
    struct publication *last = NULL;
    uint32_t count = 0;
    while (count < ROUTER_BATCH_MAX) {
        struct publication **link = last != NULL ? &last->queued : &intake->queue_first;
        struct publication *publication = *link;
        if (publication == NULL)
            break;
        struct publication *next = publication->queued;
        if (!parking_is_free(publication)) {
            /* Asked once: with several shards the answer may be another a moment later. */
            bool is_behind = parking_is_behind(publication);
            bool is_hopeless = !parking_has_hope(shard, publication, count);
            if (is_hopeless && !is_behind && count > 0)
                break; /* one before it in its session may be in this batch: that one first */
            if ((is_hopeless || is_behind) && parking_keep(shard, publication)) {
                *link = next;
                intake->queue_count--;
                continue;
            }
        }
        batch->publications[count] = last = publication;
        batch->arrivals[count++] = (struct arrival){
            .body = publication->body,
            .channel = publication->channel,
            .participant = publication->participant,
            .given_id = publication->given_id,
            .given_producer = publication->given_producer,
        };
    }
    if (last == NULL || last->queued == NULL)
        intake->queue_last = last;
    batch->retired = batch->advanced = 0;
    batch->claim_count = batch->aside_count = 0;
    batch->sent_to = 0;
    return count;
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
    uint32_t publications = fill_batch(shard, batch);
    if (publications == 0)
        return false;
    publications = router_decide(batch->router, shard->generation, batch->arrivals, publications,
                                 loop_wall_ms(shard->loop), batch->routings, &batch->count);
    dequeue(intake, publications);
    intake->batch_count++;
    shard->figures.batches++;
    shard->figures.batch_messages += batch->count;

    for (uint32_t i = 0; i < batch->count; i += batch->routings[i].part_count)
        admission_decide(shard, batch, i);
    claim_all(shard, batch);
    return true;
}

/* All claims of the publication's messages are answered. */
static bool is_answered(struct shard *shard, struct intake_batch *batch, uint32_t first)
{
    const uint32_t end = first + batch->routings[first].part_count;
    for (uint32_t i = first; i < end; i++) {
        uint32_t claim = batch->items[i].claim;
        if (batch->ways[claim].answer_turn > shard->turn_number ||
            claims_settle(&shard->intake.claims, &batch->claims[claim], &batch->ways[claim]) ==
                CLAIM_WAITS)
            return false;
    }
    return true;
}

static void end_claims(struct shard *shard, struct intake_batch *batch, uint32_t first)
{
    const uint32_t end = first + batch->routings[first].part_count;
    for (uint32_t i = first; i < end; i++) {
        uint32_t claim = batch->items[i].claim;
        if (!batch->items[i].is_aside)
            claims_end(&shard->intake.claims, &batch->claims[claim], &batch->ways[claim]);
    }
}

/* Batches are retired in order; one that others still borrow from stays until they do not. True if
 * anything moved. */
static bool retire_batches(struct shard *shard)
{
    struct intake *intake = &shard->intake;
    bool moved = false;
    if (intake->retired_batches < intake->batch_count) {
        struct intake_batch *batch = batch_at(intake, intake->retired_batches);
        moved = retire_batch(shard, batch);
        if (batch->retired == batch->count)
            intake->retired_batches++;
    }
    for (uint32_t i = 0; i < intake->retired_batches;) {
        bool is_over = shard->mesh == NULL || retire_far_is_over(shard, batch_at(intake, i));
        if (!is_over || i > 0) {
            i++;
            continue;
        }
        intake->batch_count--;
        /* When all are over it begins anew: what one has learnt and touched serves the next. */
        intake->first_batch =
            intake->batch_count > 0 ? (intake->first_batch + 1) % INTAKE_BATCHES : 0;
        intake->retired_batches--;
        moved = true; /* there is room for what stands in the queue */
    }
    return moved;
}

/* Finishes what is answered of a batch. True if anything moved. */
static bool retire_batch(struct shard *shard, struct intake_batch *batch)
{
    uint32_t before = batch->retired;
    for (uint32_t i = before; i < batch->count; i += batch->routings[i].part_count) {
        batch->retired = i;
        if (batch->items[i].publication == NULL)
            continue;
        if (!is_answered(shard, batch, i) ||
            !(shard->mesh != NULL ? retire_far_publication(shard, batch, i)
                                  : retire_publication(shard, batch, i)))
            return i > before;
        end_claims(shard, batch, i);
    }
    batch->retired = batch->count;
    return true;
}

static void claim_all(struct shard *shard, struct intake_batch *batch)
{
    if (batch->claim_count > 0)
        claims_ask(&shard->intake.claims, batch->claims, batch->ways, batch->claim_count);
}

/* ---- how a publication ends ---- */

void intake_refuse(struct shard *shard, struct publication *publication, enum refusal refusal,
                   const char *reason)
{
    struct intake_account *account =
        shard_account(shard, publication->participant, publication->channel);
    account->undecided -= publication->undecided;
    account->refused[refusal] += publication->undecided;
    if (refusal != REFUSAL_TRY_AGAIN) {
        minute_count_refused(shard, publication->participant->index, publication->undecided,
                             publication->body.size);
        struct reject reject = {
            .at_ms = loop_wall_ms(shard->loop),
            .participant = publication->participant->index,
            .channel = publication->channel->index,
            .refusal = refusal,
        };
        snprintf(reject.reason, sizeof reject.reason, "%s", reason);
        reject_add(&shard->rejects, reject, publication->body);
    }
    publication_fail(&shard->publications, publication, refusal_word(refusal), reason);
    publication_drop_body(publication);
    session_slot_done(shard, &publication->slot);
}

void intake_refuse_plainly(struct shard *shard, struct publication *publication,
                           enum refusal refusal)
{
    intake_refuse(shard, publication, refusal, refusal_text(refusal));
}
