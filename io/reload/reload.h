/* The loader of a server: one thread, behind all others in priority, that does whatever blocks for
 * them. It reads the configuration and all that it names, by the code of `check` and `serve`,
 * stores it, has the shards swap to it (io/reload/server_swap.h), frees what was before, and
 * answers who asked. One request at a time. What is wrong changes nothing.
 *
 * Asked by the control socket (io/front/control.h), on the first shard's thread, and by SIGHUP. */
#ifndef KOUAN_IO_RELOAD_H
#define KOUAN_IO_RELOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"
#include "io/reload/rule_stats.h"
#include "io/reroute/reroute.h"
#include "io/state/minute_report.h"

struct server;
struct reload;

enum { RELOAD_BY_BYTES = 96, RELOAD_DIGEST_BYTES = 65 };

enum reload_kind {
    RELOAD_FILES,
    RELOAD_REHEARSE, /* tries the files by messages of the journal (io/reload/rehearsal.h) */
    RELOAD_APPLY,    /* the files, if they are those that were rehearsed */
    RELOAD_ROLLBACK,
    RELOAD_DIFF, /* what the files would change */
    RELOAD_SHOW,
    RELOAD_HISTORY,
    RELOAD_STATS,
    RELOAD_MINUTES,
    RELOAD_REROUTE,      /* plans it (io/reroute/reroute.h), and changes nothing */
    RELOAD_REROUTE_APPLY /* a piece of what was planned last */
};

struct reload_request {
    enum reload_kind kind;
    uint64_t number;        /* ROLLBACK: to which generation; 0: the one that ran before this */
    uint32_t last, seconds; /* REHEARSE: so many of the last messages, and all for so long */
    char digest[RELOAD_DIGEST_BYTES]; /* APPLY: how the candidate's begins, or nothing */
    struct rule_stats_choice stats;   /* STATS: of which rules */
    struct minute_choice minutes;     /* MINUTES: by what, and since when */
    struct reroute_choice reroute;    /* REROUTE: of which messages; APPLY: the same again */
    char by[RELOAD_BY_BYTES];
};

/* `word`: ok, unchanged, refused; or more: of a piece, and there are others. The text has lines,
 * and is the taker's to free. */
struct reload_answer {
    const char *word;
    char *text;
    size_t size;
};

/* The server serves, or is about to. */
MUST_CHECK enum status reload_open(struct server *server, struct reload **out_reload);
/* Finishes what it does, before the shards are closed; then, when they are, frees the generation.
 * NULL, too. */
void reload_stop(struct reload *reload);
void reload_close(struct reload *reload);

/* False: another request is under way. The answer wakes the first shard's loop. */
bool reload_ask(struct reload *reload, const struct reload_request *request);
/* Nobody waits for the answer any more: a rehearsal is given up, all else goes its way. */
void reload_abandon(struct reload *reload);
/* False: there is none yet. */
bool reload_take_answer(struct reload *reload, struct reload_answer *out_answer);
/* From a signal handler: the files, and the answer goes to stderr alone. */
void reload_ask_by_signal(struct reload *reload);

#endif
