/* One run from plan to verdict: a day, a checker, and the load client between them and a server. */
#ifndef KOUAN_BENCH_TRIAL_H
#define KOUAN_BENCH_TRIAL_H

#include "bench/load/report.h"

struct trial_settings {
    struct day_settings day;
    enum checker_model model; /* PLAIN: the server is a redis-server */
    const char *address, *channel;
    const char *secrets_directory; /* or NULL */
    uint32_t window, batch;
    uint64_t rate;
    uint32_t patience_ms;
    pid_t server;
    bool shows_progress;
    const volatile sig_atomic_t *stop;
};

struct trial {
    struct day day;
    struct checker checker;
    struct target target;
    struct load_settings load;
    struct load_result result;
};

/* Fills in what a command line does not say. */
void trial_defaults(struct trial_settings *settings);

/* Runs it all; result.problem tells what went wrong, if not the checker. The trial is to be closed
 * whatever the status. */
MUST_CHECK enum status trial_run(const struct trial_settings *settings, struct trial *out_trial);
void trial_close(struct trial *trial);

static inline struct report trial_report(const struct trial *trial)
{
    return (struct report){&trial->load, &trial->result};
}

#endif
