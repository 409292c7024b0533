/* The minute statistics as a source of a link to Redis (io/state/redis_link.h): a hash a minute and
 * log. The newest two minutes are looked at each second and written if they have changed; a sweep
 * writes all others again, one a second, for ever; a refill takes that sweep's way through all at
 * once. docs/redis.md says what is written. On the thread of the link; tables belong to their
 * shards. */
#ifndef KOUAN_IO_REDIS_MINUTES_H
#define KOUAN_IO_REDIS_MINUTES_H

#include "core/minute_table.h"
#include "io/state/redis_link.h"

struct shard;
struct redis_minutes;

/* Names are those of the shard's generation as it is then. */
MUST_CHECK enum status redis_minutes_open(const struct shard *shard,
                                          const struct minute_table *tables, uint16_t count,
                                          uint64_t span_s, struct redis_minutes **out_minutes);
void redis_minutes_close(struct redis_minutes *minutes); /* NULL, too */
struct redis_source redis_minutes_source(struct redis_minutes *minutes);

#endif
