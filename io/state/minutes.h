/* The minute statistics of a server: a table a shard (core/minute_table.h), and the file beside the
 * log in which they outlive the process. Any thread reads tables; opening, saving and closing are
 * the start's, then the loader's, then the end's.
 *
 * `minutes` in the journal's folder has whole minutes, saved when each is over, and at the end all.
 * What came behind it is counted anew from the log at a start: messages that were accepted are all
 * there, but those of segments that are no longer read; replays and refusals leave no record. */
#ifndef KOUAN_IO_MINUTES_H
#define KOUAN_IO_MINUTES_H

#include "core/minute_table.h"
#include "io/config/config.h"

struct minutes {
    const struct config *config;         /* of the start */
    const struct generation *generation; /* whose indices the rows have; the loader changes it */
    struct minute_table *tables;         /* a shard each; NULL: nothing is counted */
    uint16_t count;
    uint64_t saved_ms; /* all that came up to then is in what was read at the start */
    bool has_failed;   /* to save, and said so */
};

/* With what was saved, if it can be read; else it says why on stderr and begins anew. */
MUST_CHECK enum status minutes_open(struct minutes *minutes, const struct config *config);
void minutes_close(struct minutes *minutes); /* a zeroed one, too */

static inline struct minute_table *minutes_of(const struct minutes *minutes, uint16_t shard)
{
    return minutes->tables != NULL ? &minutes->tables[shard] : NULL;
}

/* Minutes that began before `until_ms`, which is the end of one or all that there is. One line on
 * stderr when it begins to fail. */
void minutes_save(struct minutes *minutes, uint64_t until_ms);

/* The names of what a key has by index; "" where it has none. */
const char *minutes_participant(const struct generation *generation, const struct minute_key *key);
const char *minutes_destination(const struct generation *generation, const struct minute_key *key);
/* A text of a key, which may fill its place. */
static inline struct bytes minutes_text(const char *text, size_t capacity)
{
    return bytes_make((const uint8_t *)text, strnlen(text, capacity));
}

#endif
