/* A rehearsal: messages of the journal are decided once more, as if they came now, by the
 * generation that runs and by a candidate, and what differs is counted
 * (io/reload/rehearsal_tally.h). They are the last ones that came in, and those that come in while
 * it lasts. It reads the logs as the tools do (io/audit/log_walk.h), and touches nothing that a
 * shard works on; what a shard decides, it knows when that is on stable storage.
 *
 * Blocking, on a thread that may wait. The caller owns all that it gives. */
#ifndef KOUAN_IO_REHEARSAL_H
#define KOUAN_IO_REHEARSAL_H

#include "io/audit/log_reader.h"
#include "io/reload/generation_store.h"
#include "io/reload/rehearsal_tally.h"

enum { REHEARSAL_LAST_MAX = 1000000, REHEARSAL_LAST_DEFAULT = 100000, REHEARSAL_SECONDS_MAX = 300 };

struct rehearsal_settings {
    const struct generation *present, *candidate;
    const struct generation_names *names; /* of the present one */
    const struct generation_store *store;
    const char *folder; /* of the journal */
    uint16_t entries_max;
    uint32_t last;    /* so many of the last messages of all logs, up to REHEARSAL_LAST_MAX */
    uint32_t seconds; /* and what comes in for so long */
    bool (*is_over)(const void *context); /* asked now and then: to be given up? */
    const void *context;
};

/* OK; else with a line in `out_problem`: INCOMPLETE: given up; NO_MEMORY; what log_reader_open
 * says. The tally begins as zeros. */
MUST_CHECK enum status rehearsal_run(const struct rehearsal_settings *settings,
                                     struct rehearsal_tally *out_tally,
                                     char out_problem[LOG_PROBLEM_BYTES]);

#endif
