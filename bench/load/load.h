/* The load client: publishes a day and consumes what comes of it, all in one thread around one
 * epoll, until the checker is satisfied or patience ends. Independent of the server's code; drives
 * Kouan and redis-server alike. */
#ifndef KOUAN_BENCH_LOAD_H
#define KOUAN_BENCH_LOAD_H

#include <signal.h>

#include "bench/histogram.h"
#include "bench/load/checker.h"
#include "bench/usage.h"
#include "bench/wire/wire.h"

struct load_outlet {
    const char *destination, *group;
};

struct load_progress {
    uint64_t elapsed_ns, answered, total, delivered;
};

struct load_settings {
    const struct day *day;
    struct checker *checker; /* its outlets are the ones below */
    const struct target *target;
    const char *channel;
    struct load_outlet outlets[CHECKER_OUTLETS_MAX];
    uint8_t outlet_count;
    const char
        *secrets_directory; /* e-ports and destinations log in by their names; NULL: nobody */
    uint32_t window, batch; /* per publishing connection; per read */
    uint64_t rate;          /* messages a second over all; 0: as fast as it goes */
    uint32_t patience_ms;   /* without any progress */
    pid_t server;           /* whose CPU time is told; 0: none */
    const volatile sig_atomic_t *stop;
    void (*on_progress)(void *context, const struct load_progress *progress); /* or NULL */
    void *context;
};

struct load_result {
    uint64_t elapsed_ns; /* from the first message to the last delivery */
    struct usage usage;  /* in that time */
    struct histogram receipt_ns, delivery_ns;
    uint64_t acknowledged[CHECKER_OUTLETS_MAX];
    uint64_t reconnects;
    bool interrupted, out_of_patience;
    char problem[224]; /* what made it end early, or "" */
};

/* OK even if the checker found much; else a problem is told in the result. */
MUST_CHECK enum status load_run(const struct load_settings *settings,
                                struct load_result *out_result);

#endif
