/* The stages of the intake, in the order in which a publication passes them. Only they include
 * this. */
#ifndef KOUAN_IO_INTAKE_PARTS_H
#define KOUAN_IO_INTAKE_PARTS_H

#include "io/shard.h"

/* ---- io/admission.c: refused, parked, or room reserved and a claim listed ---- */

void admission_decide(struct shard *shard, struct intake_batch *batch, uint32_t index);

/* ---- io/retire.c: an answered claim becomes a record, a receipt or a refusal ---- */

void retire_item(struct shard *shard, struct intake_batch *batch, uint32_t index);

/* ---- io/intake.c: how a publication ends without a record ---- */

void intake_refuse(struct shard *shard, struct publication *publication, enum refusal refusal,
                   const char *reason);
void intake_refuse_plainly(struct shard *shard, struct publication *publication,
                           enum refusal refusal);

#endif
