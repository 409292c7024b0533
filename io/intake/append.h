/* Writing records into the log, and making room for them. Without a disk the oldest block is
 * recycled, and what somebody still needs of it is copied forward to the end under its old id. With
 * one it is the disk that must have written what came before, and have room for a next segment. */
#ifndef KOUAN_IO_APPEND_H
#define KOUAN_IO_APPEND_H

#include "core/fact.h"
#include "core/status.h"
#include "routes/router.h"

struct journal;
struct shard;

/* What a message's record will be made of; for as long as its routing stays as it is. */
struct append_shape {
    uint32_t size_bytes; /* of all of it */
    uint32_t text_bytes;
    uint16_t value_count, destination_count, rule_count;
};
struct append_shape append_measure(const struct routing *routing);

/* Room for messages of so many bytes together? INCOMPLETE: not yet, the disk is behind (the shard
 * is woken); FULL: it has none. Without a disk it is never said here. */
MUST_CHECK enum status append_has_message_room(const struct shard *shard, uint64_t size_bytes);
/* What messages leave to facts at the end of the last segment, when there is no room for another:
 * acknowledgements go on, and make some. */
uint64_t append_reserve_bytes(const struct journal *journal);
/* The same of facts, which have that reserve. */
MUST_CHECK enum status append_has_fact_room(const struct shard *shard, uint64_t size_bytes);

/* FULL: everything in the log is still needed, or as above. */
MUST_CHECK enum status append_message(struct shard *shard, const struct routing *routing,
                                      const struct append_shape *shape, enum verdict verdict,
                                      struct record **out_record, uint64_t *out_position);

/* A message that was decided once more, behind its first record, of which only the head is looked
 * at; in one block with the ends of its holds. Statuses as of append_message. */
MUST_CHECK enum status append_rerouted(struct shard *shard, const struct routing *routing,
                                       const struct append_shape *shape, const struct record *first,
                                       const struct fact_hold_end *ends, uint32_t end_count,
                                       uint64_t *out_position);

/* Room for one more record of this size; all others may move. */
MUST_CHECK enum status append_make_room(struct shard *shard, uint32_t size_bytes);

/* A record that repeats `source` for one destination under a new id, and its commit; with a disk,
 * in one block with the fact that belongs to it: both survive, or neither. Room was made for it
 * before `source` was looked up. FULL if the destination, the queue of commits or the log has none.
 */
MUST_CHECK enum status append_repeat(struct shard *shard, const struct record *source,
                                     enum record_cause cause, uint16_t destination,
                                     const struct record_head *companion);

/* As journal_reserve, behind the checkpoint where a segment begins. */
MUST_CHECK enum status append_reserve(struct shard *shard, uint32_t size_bytes,
                                      struct record_head **out_head, uint64_t *out_position);
/* A fact, to be filled in at once, and its end. */
MUST_CHECK enum status append_fact(struct shard *shard, uint32_t size_bytes,
                                   struct record_head **out_head);
void append_fact_end(struct shard *shard, const struct record_head *head);

#endif
