/* The stages of the intake, in the order in which a publication passes them. Only they include
 * this. */
#ifndef KOUAN_IO_INTAKE_PARTS_H
#define KOUAN_IO_INTAKE_PARTS_H

#include "io/shard.h"

/* ---- io/admission.c: refused, parked, or room reserved and a claim listed ---- */

/* One publication, whose messages begin at `first`; so below. */
void admission_decide(struct shard *shard, struct intake_batch *batch, uint32_t first);

/* Gives back the room that was reserved for a message. */
void admission_unreserve(struct shard *shard, const struct routing *routing, uint32_t record_bytes);

/* ---- io/retire.c: answered claims become records, a receipt or a refusal ---- */

/* False if it has to wait for room among the commits. */
bool retire_publication(struct shard *shard, struct intake_batch *batch, uint32_t first);

/* ---- io/intake.c: how a publication ends without a receipt; all its messages without a verdict
 * are refused ---- */

void intake_refuse(struct shard *shard, struct publication *publication, enum refusal refusal,
                   const char *reason);
void intake_refuse_plainly(struct shard *shard, struct publication *publication,
                           enum refusal refusal);

#endif
