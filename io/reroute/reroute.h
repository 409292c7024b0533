/* Messages of the journal are decided once more, by the generation that runs, and go where they
 * have not been: first a plan, that changes nothing, then a piece of it at a time.
 *
 * What became of a message is read from the journal (io/reroute/reroute_families.h), whatever the
 * server has been through; so each is rerouted once by one generation, as long as its first record
 * is where it was written. What was written is on stable storage before anything is planned anew.
 *
 * Blocking, on a thread that may wait; it reads logs as the tools do (io/audit/log_walk.h). The
 * caller owns all that it gives. */
#ifndef KOUAN_IO_REROUTE_H
#define KOUAN_IO_REROUTE_H

#include <stdio.h>

#include "io/audit/log_reader.h"
#include "io/reload/generation_store.h"

struct reroute;
struct server;

enum { REROUTE_IDS_MAX = 32, REROUTE_NAME_BYTES = 256, REROUTE_MESSAGES_MAX = 1000000 };

/* Which messages: these, or those that went to a destination, or were held for it. */
struct reroute_choice {
    struct record_id ids[REROUTE_IDS_MAX];
    uint32_t id_count;
    char from[REROUTE_NAME_BYTES];
    char rule[REROUTE_NAME_BYTES]; /* only by this one, table/id; empty: by any */
    uint64_t since_ms;             /* only what went there since then; 0: all */
    uint32_t last;                 /* only so many of them; 0: all */
};

struct reroute_settings {
    struct server *server;
    const struct generation *present;
    const struct generation_names *names; /* of the present one */
    const struct generation_store *store;
    const char *folder; /* of the journal */
    uint16_t entries_max;
    bool (*is_over)(const void *context); /* asked now and then: to be given up? */
    const void *context;
};

/* OK; else with a line in `out_problem`: INCOMPLETE: given up; CORRUPT: the journal is damaged, and
 * what was rerouted before cannot be known; TOO_BIG: more messages than REROUTE_MESSAGES_MAX;
 * NO_MEMORY; what log_reader_open says. */
MUST_CHECK enum status reroute_plan(const struct reroute_settings *settings,
                                    const struct reroute_choice *choice,
                                    struct reroute **out_reroute,
                                    char out_problem[LOG_PROBLEM_BYTES]);
void reroute_close(struct reroute *reroute); /* NULL, too */

bool reroute_is_of(const struct reroute *reroute, const struct reroute_choice *choice);
/* So many of the plan go on, and so many of these are done with. */
uint64_t reroute_total(const struct reroute *reroute);
uint64_t reroute_done(const struct reroute *reroute);

/* Carries out as much of the plan as `work_ms` allow, at least a batch. Statuses as of
 * reroute_plan. */
MUST_CHECK enum status reroute_carry_out(struct reroute *reroute, uint64_t work_ms,
                                         bool *out_has_more, char out_problem[LOG_PROBLEM_BYTES]);

void reroute_print_plan(const struct reroute *reroute, FILE *out);
void reroute_print_result(const struct reroute *reroute, FILE *out);

#endif
