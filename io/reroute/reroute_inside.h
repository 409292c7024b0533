/* A reroute from inside, for reroute*.c only: reroute.c finds the families, reroute_decide.c
 * decides their messages and has them written. */
#ifndef KOUAN_IO_REROUTE_INSIDE_H
#define KOUAN_IO_REROUTE_INSIDE_H

#include "io/audit/stored_body.h"
#include "io/reroute/origins.h"
#include "io/reroute/reroute.h"
#include "io/reroute/reroute_tally.h"

enum { LOG_NUMBER_MASK = 0xFF }; /* in an id */
enum {
    REROUTE_BATCH = 32,
    REROUTE_BATCH_BYTES = 4 * 1024 * 1024,
    REROUTE_ENDS_MAX = REROUTE_BATCH * DESTINATIONS_MAX
};

/* Messages that are decided together: their own bytes, and what is found out about them. */
struct reroute_batch {
    uint32_t count;
    size_t bytes;
    struct arrival arrivals[REROUTE_BATCH];
    struct stored_body bodies[REROUTE_BATCH];
    struct record firsts[REROUTE_BATCH]; /* heads */
    struct family *families[REROUTE_BATCH];
    struct reroute_item items[REROUTE_BATCH];
    uint32_t item_count;
    struct fact_hold_end ends[REROUTE_ENDS_MAX];
    uint32_t end_count;
};

struct reroute {
    struct reroute_settings settings;
    struct reroute_choice choice;
    uint64_t number; /* of the present generation */
    uint64_t now_ms; /* by the wall, for the whole of it */
    struct origins origins;
    struct families families;
    struct reroute_tally tally;
    struct router *router;
    struct routing *routings;
    uint64_t done;
    /* While a log is walked. */
    const struct log_reader *reader;
    bool writes;       /* else it only decides */
    uint64_t pause_ns; /* no batch is begun behind it, but the first */
    bool is_paused;
    uint64_t left;           /* of this log, that are to be decided */
    uint64_t log_generation; /* by which the log's facts name destinations */
    struct reroute_batch batch;
};

/* ---- io/reroute/reroute_decide.c ---- */

/* Of the log that `reader` reads: those that are asked for, or go on, are decided, and written if
 * it `writes`. INCOMPLETE: given up. */
MUST_CHECK enum status reroute_decide_log(struct reroute *reroute, const struct log_reader *reader);
void reroute_close_batch(struct reroute_batch *batch);
uint64_t reroute_read_ns(void);

#endif
