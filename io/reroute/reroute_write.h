/* A message that was decided once more, written into its log by the shard whose log it is: one
 * record for all destinations that it goes to now, or none; in one block with the ends of the holds
 * that it was under. Whoever asks keeps all that the item names until its fate is known. On the
 * shard's thread. */
#ifndef KOUAN_IO_REROUTE_WRITE_H
#define KOUAN_IO_REROUTE_WRITE_H

#include "core/fact.h"
#include "routes/router.h"

struct shard;

enum reroute_fate {
    REROUTE_WAITS,
    REROUTE_WRITTEN,
    REROUTE_NO_ROOM, /* at the destination `full`, or for held messages: nothing was written */
    REROUTE_LOG_FULL,
    REROUTE_CHANGED /* a hold has ended since it was looked at: nothing was written */
};

struct reroute_item {
    /* Where it goes now, and nowhere else, is what `deliver` and `hold` say. */
    const struct routing *routing;
    struct record first; /* the head of the message's first record */
    struct fact_hold_end *ends;
    uint32_t end_count;
    enum reroute_fate fate;
    uint16_t full; /* NO_ROOM: NO_DESTINATION: for held messages */
};

/* False: it waits, for the disk or for what is on its way; ask again. */
bool reroute_write(struct shard *shard, struct reroute_item *item);

#endif
