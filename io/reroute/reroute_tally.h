/* What a reroute (io/reroute/reroute.h) would do, or has done, in words and numbers. The caller
 * owns the memory; all zero: nothing yet. */
#ifndef KOUAN_IO_REROUTE_TALLY_H
#define KOUAN_IO_REROUTE_TALLY_H

#include "io/reload/rehearsal_tally.h"
#include "io/reroute/reroute_families.h"
#include "io/reroute/reroute_write.h"

struct reroute_tally {
    uint64_t stands[REROUTE_STAND_COUNT];
    struct rehearsal_lines ways, refusals; /* of those that go on, and of those that are refused */
    uint64_t written, full, changed;
    struct rehearsal_lines rooms; /* where there was none */
};

/* As it was decided; of those that go on, `routing` says where they go now. */
void reroute_tally_add(struct reroute_tally *tally, const struct generation *generation,
                       const struct family *family, const struct routing *routing);
void reroute_tally_note(struct reroute_tally *tally, const struct generation *generation,
                        const struct reroute_item *item);

/* Lines for people: the plan, and what came of it. */
void reroute_tally_print_plan(const struct reroute_tally *tally, uint64_t generation, FILE *out);
void reroute_tally_print_result(const struct reroute_tally *tally, uint64_t generation, FILE *out);

#endif
