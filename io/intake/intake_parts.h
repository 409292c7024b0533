/* The stages of the intake, in the order in which a publication passes them. Only they include
 * this. */
#ifndef KOUAN_IO_INTAKE_PARTS_H
#define KOUAN_IO_INTAKE_PARTS_H

#include "io/shard/shard.h"

/* ---- io/intake/admission.c: refused, parked, or room reserved and a claim listed ---- */

/* One publication, whose messages begin at `first`; so below. */
void admission_decide(struct shard *shard, struct intake_batch *batch, uint32_t first);

/* Gives back the room that was reserved for a message. */
void admission_unreserve(struct shard *shard, const struct routing *routing,
                         const struct intake_item *item);

/* ---- io/intake/retire.c: answered claims become records, a receipt or a refusal ---- */

/* False if it has to wait for room among the commits. */
bool retire_publication(struct shard *shard, struct intake_batch *batch, uint32_t first);

/* Why a message gets no receipt; without a reason it does. */
struct denial {
    enum refusal refusal;
    const char *reason;
};
/* As its claim stands now. */
struct denial retire_judge(struct shard *shard, struct intake_batch *batch, uint32_t index);
/* Its record in this shard's log, the verdict counted, and the identity placed; to be committed. */
struct denial retire_accept(struct shard *shard, struct intake_batch *batch, uint32_t index,
                            struct commit_item *out_item, struct record_id *out_id);
/* A replay: counted, and its room given back. */
void retire_count_replay(struct shard *shard, struct intake_batch *batch, uint32_t index);
void retire_count_diverted(struct shard *shard, const struct destination_set *diverted);
const char *retire_no_room_text(const struct shard *shard);

/* ---- io/intake/retire_far.c: the same, where records go to several logs ---- */

bool retire_far_publication(struct shard *shard, struct intake_batch *batch, uint32_t first);
/* One of its messages is safe, or denied: answers when that was the last. */
void retire_far_settle(struct shard *shard, struct publication *publication);
/* `routing`: of the message that it is about; NULL: not known any more. */
void retire_far_deny(struct shard *shard, struct publication *publication,
                     const struct routing *routing, struct denial denial);
/* Nobody needs the batch any more; gives the replays that stand aside another look. */
bool retire_far_is_over(struct shard *shard, struct intake_batch *batch);

/* ---- io/intake/messages.c: messages on their way from who decided them to their log ---- */

void messages_open(struct shard *shard);
/* False: there is no room on the way now. The batch is borrowed until the log's shard is done with
 * it. */
MUST_CHECK bool messages_send(struct shard *shard, struct intake_batch *batch, uint32_t index,
                              bool is_first);
/* A message that another shard decided is safe in this log. */
void messages_answer(struct shard *shard, const struct commit_item *item);

/* ---- io/intake/intake.c: how a publication ends without a receipt ---- */

/* All its messages without a verdict are refused. */
void intake_refuse(struct shard *shard, struct publication *publication, enum refusal refusal,
                   const char *reason);
void intake_refuse_plainly(struct shard *shard, struct publication *publication,
                           enum refusal refusal);

#endif
