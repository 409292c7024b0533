/* What a shard counts by the minute (core/minute_table.h): each message once it is written, as a
 * replay, or as refused. Nothing where shard->minutes is NULL: `stats_span: 0`. */
#ifndef KOUAN_IO_MINUTE_COUNT_H
#define KOUAN_IO_MINUTE_COUNT_H

#include "io/shard/shard.h"
#include "routes/router.h"

/* A record of the log that was written at that time; at each of its destinations. */
void minute_count_message(struct shard *shard, const struct routing *routing, enum verdict verdict,
                          uint64_t now_ms);
void minute_count_replay(struct shard *shard, const struct routing *routing);
/* So many, whose body was that; what they are is not told by what could not be read. */
void minute_count_refused(struct shard *shard, uint16_t participant, uint32_t count,
                          uint64_t bytes);
/* At the start: a record of the log, which the saved figures may have already. */
void minute_count_recovered(struct shard *shard, const struct record *record);

#endif
