/* How two decisions on one message differ, in words; for rehearsal_tally.c, and in part for
 * reroute_tally.c. Equal differences
 * have equal words. Pure; a line has REHEARSAL_LINE_BYTES. */
#ifndef KOUAN_IO_REHEARSAL_WORDS_H
#define KOUAN_IO_REHEARSAL_WORDS_H

#include "io/reload/rehearsal_tally.h"
#include "io/text.h"

/* Where a message goes. */
struct rehearsal_way {
    bool is_refused;
    enum refusal refusal;
    bool is_unroutable; /* refused for it, or sent where `unroutable` says */
    struct destination_set deliver, hold;
};

struct rehearsal_way rehearsal_way(const struct generation *generation,
                                   const struct routing *routing);
bool rehearsal_way_equals(const struct rehearsal_way *left, const struct rehearsal_way *right);

/* "customs -> port, customs (held)  by rule inspection/k17" */
void rehearsal_word_way(const struct rehearsed *rehearsed, char out_line[REHEARSAL_LINE_BYTES]);
/* "customs -> refused: NOPERM  participant nansha may not publish to in" */
void rehearsal_word_bar(const struct rehearsed *rehearsed, char out_line[REHEARSAL_LINE_BYTES]);
/* "by profile event: customs_office, order"; false: both read the same, or one could not read it.
 */
bool rehearsal_word_reading(const struct rehearsed *rehearsed, char out_line[REHEARSAL_LINE_BYTES]);

/* "customs, port": `how` behind each; a comma before the first, too, unless `is_first`. */
void rehearsal_word_destinations(struct text *text, const struct generation *generation,
                                 const struct destination_set *set, const char *how,
                                 bool *is_first);

#endif
