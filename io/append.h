/* Writing records into the log, and making room for them: the oldest block is recycled, and what
 * somebody still needs of it is copied forward to the end under its old id. */
#ifndef KOUAN_IO_APPEND_H
#define KOUAN_IO_APPEND_H

#include "io/shard.h"

/* The size of the record that append_message would write. */
uint32_t append_measure(const struct routing *routing);

/* FULL: everything in the log is still needed. */
MUST_CHECK enum status append_message(struct shard *shard, const struct routing *routing,
                                      enum verdict verdict, struct record **out_record,
                                      uint64_t *out_position);

/* Room for one more record; all others may move. FULL: everything in the log is still needed. */
MUST_CHECK enum status append_make_room(struct shard *shard);

/* A record that repeats `source` for one destination under a new id, and its commit. Room was made
 * for it before `source` was looked up. FULL if the destination or the queue of commits has none.
 */
MUST_CHECK enum status append_repeat(struct shard *shard, const struct record *source,
                                     enum record_cause cause, uint16_t destination,
                                     struct record_id *out_id);

#endif
