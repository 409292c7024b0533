/* What the server tells of itself as a whole: the ledger, the health of its destinations. As a
 * table for people, or as JSON. */
#ifndef KOUAN_IO_REPORT_H
#define KOUAN_IO_REPORT_H

#include "io/shard.h"
#include "io/text.h"

void report_ledger(const struct shard *shard, struct text *text);
void report_ledger_json(const struct shard *shard, struct text *text);
/* The intake of all participants and channels together. */
struct intake_account report_intake(const struct shard *shard);
/* The sum of all gaps' sizes: 0 when the books are right. */
uint64_t report_gap(const struct shard *shard);

/* One line a sick destination (nearly full, nobody reads, oldest pending too old); none if all are
 * well. The number of sick ones. */
uint32_t report_health(const struct shard *shard, struct text *text);

#endif
