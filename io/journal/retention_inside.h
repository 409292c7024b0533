/* What the parts of io/journal/retention.h share: retention.c (which segment goes, and when), and
 * retention_copy.c (what is still needed of it). */
#ifndef KOUAN_IO_RETENTION_INSIDE_H
#define KOUAN_IO_RETENTION_INSIDE_H

#include "io/shard/shard.h"

enum { RETENTION_LOOK_MS = 1000 };

/* Comes by again in so much time at the latest. */
void retention_look_again(struct shard *shard, uint64_t ms);

/* Copies some of what is left. When all is written, it waits for the disk. */
void retention_copy(struct shard *shard);

/* For its recall_ask. */
void retention_note_read(struct recall_ask *ask, enum status status,
                         const struct block_header *block, const struct record_head *record);

#endif
