/* What the parts of io/recall/recall.h share: recall.c (who asks, and is answered), recall_read.c
 * (reads, and whether what they brought is right). */
#ifndef KOUAN_IO_RECALL_INSIDE_H
#define KOUAN_IO_RECALL_INSIDE_H

#include "io/recall/pace.h"
#include "io/recall/recall.h"

enum { RECALL_ALARMS_MAX = 256 /* places that are remembered as told */ };

struct recall {
    struct recall_settings settings;
    struct run_cache cache;
    struct run *in_flight[RECALL_READS_MAX];
    uint32_t reads;
    struct recall_ask *first, *last; /* not answered, in the order in which they came */
    struct recall_ask *walk;         /* the next one to be looked at, during carry_on */
    struct deferral carry_on;
    struct pace pace; /* of the disk: how busy the log's writes keep it */
    struct timer pace_timer;
    uint32_t paced_reads; /* in flight, of those that had to wait for leave */
    uint64_t charged_ns;  /* up to here, by the clock of the log's writes */
    uint64_t alarms[RECALL_ALARMS_MAX];
    uint32_t alarm_count;
    struct recall_figures figures;
};

/* The block that holds the position. False: there is none, or not any more. */
static inline bool recall_block_range(const struct recall *recall, uint64_t position,
                                      uint64_t *out_start, uint64_t *out_end)
{
    return segments_block_range(recall->settings.segments, position, 1, out_start, out_end);
}

/* The ask waits for no read any more. */
static inline void recall_detach(struct recall_ask *ask)
{
    if (ask->run != NULL)
        ask->run->waiters--;
    ask->run = NULL;
}

/* ---- recall_read.c ---- */

/* May reads go that may wait? */
bool recall_has_leave(struct recall *recall);
/* Begins to read the block at `start`, and those behind it that begin before `until`. NULL: not
 * now. */
struct run *recall_start_read(struct recall *recall, uint64_t start, uint64_t until, bool ahead,
                              bool waited);
/* The block that holds the position, once its checksum was found right; NULL: it is not. */
struct block_header *recall_verified_block(struct recall *recall, struct run *run,
                                           uint64_t position);

#endif
