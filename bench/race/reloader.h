/* An operator who has the server reload as fast as it answers, in a thread of its own, while a run
 * is driven: what that takes from the receipts is what is measured. Every second reload is of a
 * table with a mistake and has to be refused; the others of one with another rule, which no message
 * meets. */
#ifndef KOUAN_BENCH_RELOADER_H
#define KOUAN_BENCH_RELOADER_H

#include "bench/peers/server.h"

struct reloader;

struct reloader_counts {
    uint64_t taken, refused;
};

/* Of a server that has a journal and a table `rules-1.csv` in its directory. IO, TOO_BIG (the
 * table), NO_MEMORY. */
MUST_CHECK enum status reloader_start(const struct server *server, struct reloader **out_reloader);

/* When both kinds were answered; the table is as it was, but not loaded. Frees it. INVALID, and
 * words on stderr, if an answer was another than it should have been. */
MUST_CHECK enum status reloader_stop(struct reloader *reloader, struct reloader_counts *out_counts);

#endif
