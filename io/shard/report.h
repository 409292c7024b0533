/* What the server tells of itself as a whole: the ledger, as a table for people or as JSON, and the
 * health of its destinations. */
#ifndef KOUAN_IO_REPORT_H
#define KOUAN_IO_REPORT_H

#include "io/shard/books.h"
#include "io/shard/shard.h"
#include "io/text.h"

void report_ledger(const struct books *books, struct text *text);
void report_ledger_json(const struct books *books, struct text *text);

/* The shard's books as they are now, until they are asked for again. */
struct books report_books(const struct shard *shard);
/* Of one shard: the intake of all participants and channels together. */
struct intake_account report_intake(const struct shard *shard);
/* The sum of all gaps' sizes: 0 when the books are right. What one shard received and another wrote
 * is a gap of either: io/shard/books.h. */
uint64_t report_gap(const struct shard *shard);

/* One line a sick destination (nearly full, nobody reads, oldest pending too old); none if all are
 * well. The number of sick ones. */
uint32_t report_health(const struct shard *shard, struct text *text);

#endif
