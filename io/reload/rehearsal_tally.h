/* What a rehearsal (io/reload/rehearsal.h) has found: each message is decided by two generations,
 * by the one that runs and by a candidate, and what differs is counted by what it is, with the ids
 * of a few such messages. Bounded: what finds no line of its own any more is counted together.
 *
 * Both generations give participants, channels and destinations the same indices (struct
 * config_source, `before`). One thread. The caller owns the memory. */
#ifndef KOUAN_IO_REHEARSAL_TALLY_H
#define KOUAN_IO_REHEARSAL_TALLY_H

#include <stdio.h>

#include "core/record.h"
#include "routes/router.h"

enum {
    REHEARSAL_LINES_MAX = 40,
    REHEARSAL_LINE_BYTES = 512, /* longer ones end early */
    REHEARSAL_SAMPLES_MAX = 3
};

struct rehearsal_line {
    char text[REHEARSAL_LINE_BYTES];
    uint64_t count;
    struct record_id samples[REHEARSAL_SAMPLES_MAX]; /* the last of them, in a circle */
};

struct rehearsal_lines {
    struct rehearsal_line lines[REHEARSAL_LINES_MAX];
    uint32_t used;
    uint64_t others; /* messages without a line */
};

struct rehearsal_tally {
    uint64_t messages;       /* that were decided by both, or are barred */
    uint64_t elsewhere;      /* of them: other destinations, holds, or refused otherwise */
    uint64_t unroutable;     /* of them: no rule gives them a destination any more */
    uint64_t refused;        /* of them: accepted by the present one, refused by the candidate */
    uint64_t barred;         /* of these: their participant may not send them any more */
    uint64_t read_otherwise; /* other profile, entries, fields, keys or identity */
    uint64_t left_out;       /* could not be decided again; in none of the others */
    struct rehearsal_lines ways, readings;
};

/* A message under both. `candidate_routing` NULL: its participant may not send there any more. */
struct rehearsed {
    struct record_id id;
    const struct generation *present, *candidate;
    const struct routing *present_routing, *candidate_routing;
};

void rehearsal_tally_add(struct rehearsal_tally *tally, const struct rehearsed *rehearsed);

/* One more that this line is true of; and all lines, the most frequent first. */
void rehearsal_lines_add(struct rehearsal_lines *lines, const char *text, struct record_id id);
void rehearsal_lines_print(const struct rehearsal_lines *lines, FILE *out);

/* Lines for people. */
void rehearsal_tally_print(const struct rehearsal_tally *tally, FILE *out);

#endif
