/* Who decides a message borrows its routing, its claim and its body to whose log takes it: the
 * batch until that has consumed the ask, the body until the answer. The record is counted in the
 * account of its log's shard, as received there, too; who decided it takes that back, so that each
 * shard's accounts balance by themselves. */
#include <assert.h>

#include "io/intake/append.h"
#include "io/intake/intake_parts.h"

/* Of an ask: what it is about, in the asker's memory; the context is the publication. */
enum { ASK_ROUTING, ASK_CLAIM, ASK_ITEM, ASK_IS_FIRST };
/* Of an answer. */
enum { ANSWER_ID_MS, ANSWER_ID_SEQUENCE, ANSWER_IS_SAFE, ANSWER_IS_FIRST };

static bool asked(void *context, const struct mesh_message *message);
static void answered(void *context, const struct mesh_message *message);
static void consumed(void *context);

void messages_open(struct shard *shard)
{
    mesh_on(shard->mesh, MESH_MESSAGES,
            &(struct mesh_handler){.asked = asked, .answered = answered, .context = shard});
    mesh_on_consumption(shard->mesh, consumed, shard);
}

static void consumed(void *context)
{
    shard_wake(context);
}

bool messages_send(struct shard *shard, struct intake_batch *batch, uint32_t index, bool is_first)
{
    const struct intake_item *item = &batch->items[index];
    const struct mesh_message message = {
        .context = item->publication,
        .words = {[ASK_ROUTING] = (uintptr_t)&batch->routings[index],
                  [ASK_CLAIM] = (uintptr_t)&batch->claims[item->claim],
                  [ASK_ITEM] = (uintptr_t)item,
                  [ASK_IS_FIRST] = is_first}};
    if (!mesh_ask(shard->mesh, item->log, MESH_MESSAGES, &message))
        return false;
    batch->sent_to |= UINT64_C(1) << item->log;
    batch->sent_index[item->log] = mesh_asked(shard->mesh, item->log, MESH_MESSAGES);
    return true;
}

/* ---- where the log is ---- */

static void count(struct shard *shard, const struct routing *routing, enum verdict verdict)
{
    struct intake_account *account =
        shard_account(shard, routing->arrival->participant, routing->arrival->channel);
    account->received++;
    intake_count_accepted(account, verdict);
}

static void refuse(struct shard *shard, const struct mesh_message *message,
                   const struct routing *routing, const struct window_claim *claim,
                   const struct intake_item *item)
{
    admission_unreserve(shard, routing, item);
    claims_withdraw(&shard->intake.claims, claim->identity, claim->entry);
    mesh_answer(
        shard->mesh, message->from, MESH_MESSAGES,
        &(struct mesh_message){.context = message->context, .words = {[ANSWER_IS_SAFE] = false}});
}

static bool asked(void *context, const struct mesh_message *message)
{
    struct shard *shard = context;
    const struct routing *routing = (const struct routing *)(uintptr_t)message->words[ASK_ROUTING];
    const struct window_claim *claim =
        (const struct window_claim *)(uintptr_t)message->words[ASK_CLAIM];
    const struct intake_item *item =
        (const struct intake_item *)(uintptr_t)message->words[ASK_ITEM];
    if (append_has_message_room(shard, item->shape.size_bytes) == STATUS_INCOMPLETE ||
        claims_room(&shard->intake.claims) == 0)
        return false; /* there will be, when the disk has written, or others have taken, something
                       */
    if (!commit_has_spare_room(shard, 1)) {
        shard_wake(shard);
        return false;
    }
    struct record *record;
    uint64_t position;
    shard_log_set_time(shard);
    if (append_message(shard, routing, &item->shape, claim->verdict, &record, &position) !=
        STATUS_OK) {
        refuse(shard, message, routing, claim, item);
        return true;
    }
    shard_log_note_identity(shard, record, claim->body_digest, position);
    count(shard, routing, claim->verdict);
    retire_count_diverted(shard, &item->diverted);
    commit_add(shard, &(struct commit_item){.slot = message->context,
                                            .position = position,
                                            .durable_from = shard->journal.end_position,
                                            .window_entry = claim->entry,
                                            .reserved_bytes = record->head.size_bytes,
                                            .asked_by = (uint16_t)(message->from + 1),
                                            .is_first = message->words[ASK_IS_FIRST] != 0});
    return true;
}

void messages_answer(struct shard *shard, const struct commit_item *item)
{
    struct record_id id = journal_message(&shard->journal, item->position)->id;
    mesh_answer(shard->mesh, (uint16_t)(item->asked_by - 1), MESH_MESSAGES,
                &(struct mesh_message){.context = item->slot,
                                       .words = {[ANSWER_ID_MS] = id.ms,
                                                 [ANSWER_ID_SEQUENCE] = id.seq,
                                                 [ANSWER_IS_SAFE] = true,
                                                 [ANSWER_IS_FIRST] = item->is_first}});
}

/* ---- where it was decided ---- */

static void answered(void *context, const struct mesh_message *message)
{
    struct shard *shard = context;
    struct publication *publication = message->context;
    if (message->words[ANSWER_IS_SAFE] == 0) {
        retire_far_deny(shard, publication, NULL,
                        (struct denial){REFUSAL_TRY_AGAIN, retire_no_room_text(shard)});
    } else {
        struct intake_account *account =
            shard_account(shard, publication->participant, publication->channel);
        account->undecided--;
        account->received--;
        publication->undecided--;
        if (message->words[ANSWER_IS_FIRST] != 0)
            publication->slot.id = (struct record_id){message->words[ANSWER_ID_MS],
                                                      message->words[ANSWER_ID_SEQUENCE]};
    }
    retire_far_settle(shard, publication);
    shard_wake(shard);
}
