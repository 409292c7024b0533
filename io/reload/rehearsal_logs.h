/* The logs of a journal while a rehearsal reads them: which messages are the last, and which have
 * come in since. Messages only as they came in: what was released, or went to a dead letter, is a
 * repeat, and what retention copied forward is old. For rehearsal*.c only. */
#ifndef KOUAN_IO_REHEARSAL_LOGS_H
#define KOUAN_IO_REHEARSAL_LOGS_H

#include "io/audit/log_walk.h"

struct rehearsal_logs {
    const char *folder;
    bool (*is_over)(const void *context);
    const void *context;
    /* A status other than OK ends the reading. */
    enum status (*take)(void *taker, const struct log_reader *reader, const struct record *record);
    void *taker;
    struct record_id after[LOGS_MAX]; /* of each log: up to there all is taken */
};

/* Sets `after` so that the last `count` messages are to be taken; 0: none of those that there are.
 * Statuses as of rehearsal_run. */
MUST_CHECK enum status rehearsal_logs_go_back(struct rehearsal_logs *logs, uint32_t count,
                                              char out_problem[LOG_PROBLEM_BYTES]);
/* Takes each message behind `after`, which goes on to the last of them. */
MUST_CHECK enum status rehearsal_logs_read(struct rehearsal_logs *logs,
                                           char out_problem[LOG_PROBLEM_BYTES]);

#endif
