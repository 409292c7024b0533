/* The loader from inside, for reload*.c only. */
#ifndef KOUAN_IO_RELOAD_INSIDE_H
#define KOUAN_IO_RELOAD_INSIDE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>

#include "io/config/config_diff.h"
#include "io/reload/config_history.h"
#include "io/reload/generation_store.h"
#include "io/reload/reload.h"
#include "io/reload/server_swap.h"

/* What records may name for as long as the server runs. */
struct reload_names {
    struct reload_names *before;
    struct arena arena;
    struct generation_names names;
    struct sha256 manifest;
};

/* A configuration that runs, or shall. */
struct reload_loaded {
    struct config *config;
    struct stored_generation *stored; /* whose config it is, after a rollback; else NULL */
    struct reload_names *names;
    struct config_diff diff; /* to what ran before it */
    struct {
        bool has_pending_max, has_order;
    } kept[DESTINATIONS_MAX]; /* as before until a restart, by destination */
};

/* What was rehearsed last, since the current generation decides. */
struct reload_candidate {
    bool is_there;
    struct sha256 manifest, secrets;
};

struct reload {
    struct server *server;
    pthread_t thread;
    sem_t asked; /* a post each for a request, a signal, the end */
    _Atomic bool is_signalled, ends;
    _Atomic bool is_abandoned; /* the request under way */
    pthread_mutex_t lock;      /* of what follows, down to the blank line */
    bool is_busy;              /* from the request to its answer's taking */
    bool has_request, has_answer;
    struct reload_request request;
    struct reload_answer answer;

    /* The thread's own. */
    struct config *start;         /* whose options hold to the end; the server's caller's */
    struct reload_loaded current; /* `config` may be the start's */
    struct reload_loaded torn;    /* without a config: none; to which only some shards went */
    struct reload_candidate rehearsed;
    struct reroute *reroute;       /* that was planned last, by the current generation; or NULL */
    struct generation_store store; /* folder_count is 0: there is no journal */
    struct history history;
    struct rule_totals totals;      /* of the current generation */
    struct diagnostics diagnostics; /* of what is loaded */
    uint64_t save_at_ms;            /* minutes (io/state/minutes.h), by the wall clock */
    FILE *out;                      /* where the answer is written */
    const char *word;
};

/* ---- io/reload/reload_load.c: from files, or a store, to what may run ---- */

/* False: what is wrong is in the answer. */
MUST_CHECK bool reload_load_files(struct reload *reload, struct reload_loaded *out_loaded);
MUST_CHECK bool reload_load_stored(struct reload *reload, uint64_t number,
                                   struct reload_loaded *out_loaded);
void reload_unload(struct reload_loaded *loaded);
/* With its names: no record bears its number. */
void reload_drop(struct reload_loaded *loaded);
MUST_CHECK enum status reload_name(const struct config *config, struct reload_names **out_names);
/* The same content under another number. */
bool reload_is_same(const struct reload_loaded *left, const struct reload_loaded *right);

/* ---- io/reload/reload_rehearse.c ---- */

void reload_rehearse(struct reload *reload, const struct reload_request *request);
/* May it be applied? False: why not is in the answer. Asked before it is loaded, and then. */
MUST_CHECK bool reload_is_rehearsed(struct reload *reload, const struct reload_request *request);
MUST_CHECK bool reload_is_candidate(struct reload *reload, const struct reload_loaded *next);

/* ---- io/reload/reload_reroute.c ---- */

void reload_plan_reroute(struct reload *reload, const struct reload_request *request);
void reload_carry_out_reroute(struct reload *reload, const struct reload_request *request);
/* The plan that there is, if any, holds no longer. */
void reload_drop_reroute(struct reload *reload);

/* ---- io/reload/reload_report.c: what changed ---- */

void reload_report_changes(FILE *out, const struct reload_loaded *next);
/* From what runs to the files as they are now; nothing changes. */
void reload_report_difference(struct reload *reload);
void reload_report_current(FILE *out, const struct reload *reload);
void reload_report_history(FILE *out, const struct reload *reload);

/* ---- io/reload/reload_stats.c: the hits of rules ---- */

/* To those of the next generation, which all shards have adopted; the one before is still there. */
void reload_stats_advance(struct reload *reload, const struct generation *next, uint64_t now_ms);
/* False: there is no such table. */
bool reload_stats_report(FILE *out, const struct reload *reload,
                         const struct rule_stats_choice *choice);

#endif
