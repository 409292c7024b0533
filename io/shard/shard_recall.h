/* The shard's way back to records that its memory no longer holds (io/recall/recall.h), over the
 * files of its log (io/shard/shard_log.h). Part of io/shard/shard.h, cut out for its length. */
#ifndef KOUAN_IO_SHARD_RECALL_H
#define KOUAN_IO_SHARD_RECALL_H

#include "core/status.h"

struct shard;

/* Its segments and its writer are open. NO_MEMORY. */
MUST_CHECK enum status shard_recall_open(struct shard *shard);
/* Before they are closed; nothing if it was not opened. */
void shard_recall_close(struct shard *shard);

#endif
