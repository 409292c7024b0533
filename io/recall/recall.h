/* Reading old records back: what memory no longer holds of the log is read from the segment files,
 * whole blocks at a time, without ever stopping the shard's thread. Each block's checksum is looked
 * at before a byte of it is believed, and each record's own bounds before it is handed out.
 *
 * Two ways to ask. Whoever needs one record, or a segment block by block, asks and is called
 * (recall_ask). A session's command collects all that it needs and is run again when it is at hand
 * (io/recall/recall_list.h).
 *
 * What was read stays in a pool reserved at start until its room is needed, the longest unused
 * first: who reads on finds the next blocks there. Reads in flight are bounded, and asks are served
 * in the order in which they came, so that no reader starves another, nor the log's writes. What
 * cannot be read, or is not as it was written, is an error to who asked, a line on stderr once a
 * place, and a count; never other bytes. One owner thread, the loop's. */
#ifndef KOUAN_IO_RECALL_H
#define KOUAN_IO_RECALL_H

#include "core/journal_format.h"
#include "io/journal/disk.h"
#include "io/journal/segments.h"
#include "io/recall/run_cache.h"

enum {
    RECALL_READ_BYTES = RUN_BYTES_MAX, /* neighbours are read together up to this; a block may be
                                          larger */
    RECALL_READS_MAX = 4               /* in flight */
};

struct recall_settings {
    struct loop *loop;
    struct disk *disk;
    struct segments *segments;
    const struct digest_secret *secret;
    uint64_t memory_bytes; /* at least two blocks of the largest */
    uint32_t segment_bytes;
    /* For how long, in all, the log's writes have been in flight: reads that may wait go while none
     * are, and for a small share of the time in which some are (io/recall/pace.h). NULL: they go at
     * once.
     */
    uint64_t (*writes_ns)(void *context);
    /* Called once for each place that cannot be read or is damaged, before who asked is told. NULL:
     * nobody wants to know. */
    void (*alarm)(void *context, uint64_t position, const char *reason);
    void *context;
};

struct recall_figures {
    uint64_t asks, hits; /* answered from what was there */
    uint64_t reads, read_bytes, blocks, failures;
    uint64_t busy_ns; /* of the thread, for verifying and answering */
};

struct recall;

/* One block that is asked for; embedded in who asks, and the recall's until `done` was called or it
 * was withdrawn. */
struct recall_ask {
    uint64_t position; /* of a record, or of a block: durable */
    /* Bytes up to here will be asked for soon, too: they are read together with these where they
     * are neighbours. 0: none. */
    uint64_t until_position;
    bool may_wait; /* until the log's writes leave the disk some time */
    /* From the loop, never from within recall_ask. OK: `block` is verified, whole, and holds
     * `position`; `record` lies at it, checked (NULL if it is the block's own); both are there
     * until this returns. NOT_FOUND: no segment holds it any more, or no record begins there; IO:
     * it cannot be read; CORRUPT: it is not as it was written. */
    void (*done)(struct recall_ask *ask, enum status status, const struct block_header *block,
                 const struct record_head *record);
    /* The recall's: */
    struct recall_ask *next, *previous;
    struct run *run; /* that will answer it */
    enum status failure;
    bool asked;
};

/* Reserves and touches all memory. */
MUST_CHECK enum status recall_open(const struct recall_settings *settings,
                                   struct recall **out_recall);
/* At the loop's end: waits for what is in flight. Nobody who asked is called any more. */
void recall_close(struct recall *recall);

void recall_ask(struct recall *recall, struct recall_ask *ask);
void recall_withdraw(struct recall *recall, struct recall_ask *ask); /* nothing if not asked */

/* The record at `position`, if its block is at hand; NULL if not. There until the next call of any
 * other function here, or the loop's next turn. */
const struct record_head *recall_find(struct recall *recall, uint64_t position);

/* The record of a verified block at `position`; NULL: none begins there. */
const struct record_head *recall_record_in(const struct block_header *block, uint64_t position);
/* Behind the block that holds the position; behind the position alone where that is not known. */
uint64_t recall_block_end(const struct recall *recall, uint64_t position);

/* These bytes will be asked for soon, by who may wait: reads up to RECALL_READ_BYTES more of them,
 * unless the first half is here or under way. */
void recall_read_ahead(struct recall *recall, uint64_t position, uint64_t until_position);

/* Is a read of this segment in flight? Its file must not be used otherwise until it is not. */
bool recall_is_reading(const struct recall *recall, uint64_t segment_number);
/* Nothing is in flight and nobody waits. */
bool recall_is_idle(const struct recall *recall);

const struct recall_figures *recall_figures(const struct recall *recall);

#endif
