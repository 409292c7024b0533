/* What one session's command needs of old records: a list of positions, gathered by the command,
 * read back (io/recall/recall.h) and copied into staging memory of a pool reserved at start; then
 * the session is told, runs the command again, and finds them here.
 *
 *   gather_begin, gather_add ... -> start -> [read] -> `ready` -> find ... -> end
 *
 * Who finds no staging memory free stands in line, without its list: when it is its turn, it is
 * told, too, and gathers once more. Staging that nobody comes for within RECALL_CLAIM_MS while
 * others stand in line is given back: a client that does not take its replies holds up nobody.
 *
 * Reading old records must not slow who reads new ones: io/recall/pace.h says when it may go on,
 * and who may not waits here, too. One owner thread, the loop's. */
#ifndef KOUAN_IO_RECALL_LIST_H
#define KOUAN_IO_RECALL_LIST_H

#include "io/recall/pace.h"
#include "io/recall/recall.h"
#include "io/recall/recall_items.h"

enum {
    RECALL_LIST_ASKS = 4,         /* at once, of each list */
    RECALL_GAP_BYTES = 64 * 1024, /* more between two that are wanted is not read along */
    RECALL_CLAIM_MS = 1000,
    RECALL_PACED_AT_ONCE = 4 /* so many are told together that they may go on */
};

enum recall_list_state {
    RECALL_LIST_NONE,  /* nothing was asked for, or it was given back: to be gathered again */
    RECALL_LIST_PACED, /* waits until it may go on */
    RECALL_LIST_LINE,  /* in line for memory */
    RECALL_LIST_TURN,  /* told to gather again, and first in the line until it has */
    RECALL_LIST_READS,
    RECALL_LIST_READY,
    RECALL_LIST_FAILED
};

struct recall_list;

struct recall_list_ask {
    struct recall_ask ask;
    struct recall_list *list;
    uint32_t first_item;
};

/* Embedded in its session; zeroed before first use. */
struct recall_list {
    struct recall_lists *lists;
    enum recall_list_state state;
    struct recall_list *next, *previous; /* in line, or of those that are ready */
    uint64_t since_ns;                   /* TURN, READY */
    uint8_t *memory;                     /* the items, and the records behind them */
    uint64_t memory_bytes;
    uint32_t item_count, next_item; /* those before are asked for */
    struct recall_list_ask asks[RECALL_LIST_ASKS];
    uint32_t asks_open;
    enum status failure; /* FAILED: why, and where */
    uint64_t failed_position;
};

struct recall_line {
    struct recall_list *first, *last;
};

/* Of the shard. */
struct recall_lists {
    struct recall *recall;
    struct loop *loop;
    struct page_pool staging;
    struct recall_item *gathered;
    uint32_t gathered_count, gathered_max;
    uint64_t gathered_bytes, gathered_bytes_max;
    struct recall_line waiting, ready_ones, paced;
    struct deferral hand_out;
    struct timer claim_timer, pace_timer;
    struct pace pace;
    uint64_t charged_ns; /* of the recall's busy_ns */
    /* A list is READY or FAILED, or its TURN has come, or one that was PACED may go on. Never
     * called from within these functions. */
    void (*ready)(struct recall_list *list);
};

MUST_CHECK enum status recall_lists_open(struct recall_lists *lists, struct recall *recall,
                                         struct loop *loop, uint64_t staging_bytes);
void recall_lists_close(struct recall_lists *lists);

/* `bytes_max`: of the records together; a single one may be larger. */
void recall_gather_begin(struct recall_lists *lists, uint64_t bytes_max);
/* False: it is not taken, and no more are; what was gathered is enough for one reply. */
bool recall_gather_add(struct recall_lists *lists, uint64_t position, uint32_t size_bytes);
/* Was the position gathered? */
bool recall_gather_has(const struct recall_lists *lists, uint64_t position);

/* Asks for what was gathered, at least one; what the list had is given back. FAILED at once,
 * without `ready`, if so much memory there will never be. */
void recall_list_start(struct recall_lists *lists, struct recall_list *list);
/* May old records be shown now? One that was read back for it was promised that. */
bool recall_list_may_go(struct recall_lists *lists, const struct recall_list *list);
/* Waits until it may; what the list had is given back. */
void recall_list_pace(struct recall_lists *lists, struct recall_list *list);
/* Old records of so many bytes were shown since `started_ns` by pace_clock_ns. */
void recall_lists_charge(struct recall_lists *lists, uint64_t started_ns, uint64_t bytes);

/* NULL if it is not there. There until recall_list_end. */
const struct record_head *recall_list_find(const struct recall_list *list, uint64_t position);
/* Gives everything back, whatever the list's state. */
void recall_list_end(struct recall_list *list);

#endif
