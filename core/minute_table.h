/* What came in each minute, counted by what it was: type, customs office, participant of origin,
 * destination and verdict. A ring of rows, the newest minute's last; rows leave it when they are
 * older than the span, or as whole minutes when the ring is full. A minute has a bounded number of
 * different rows; what does not fit is counted in rows of its own, as `other`.
 *
 * One thread, its shard's, counts. Any other may read meanwhile, row by row: each figure is as it
 * was or is, and a row that goes away under the reader is not given. Memory is reserved by
 * minute_table_open. */
#ifndef KOUAN_CORE_MINUTE_TABLE_H
#define KOUAN_CORE_MINUTE_TABLE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/bytes.h"
#include "core/status.h"

enum {
    MINUTE_TYPE_BYTES = 16,  /* of a type; what is longer is cut */
    MINUTE_OFFICE_BYTES = 8, /* of an office, likewise */
    MINUTE_NOBODY = 0xffff,  /* no destination, or a participant that is gone */
    MINUTE_ROWS_SHARE = 16,  /* a minute has this part of all rows */
    MINUTE_MS = 60000,
};

enum minute_verdict {
    MINUTE_FRESH,
    MINUTE_REPLAY,
    MINUTE_CONFLICT,
    MINUTE_AMENDMENT,
    MINUTE_REFUSED,
    MINUTE_VERDICTS
};
const char *minute_verdict_name(enum minute_verdict verdict);

/* Texts are padded with zeroes. */
struct minute_key {
    char type[MINUTE_TYPE_BYTES];
    char office[MINUTE_OFFICE_BYTES];
    uint16_t participant, destination; /* indices in the generation */
    uint8_t verdict;                   /* enum minute_verdict */
    uint8_t is_other;                  /* all else but the verdict is nothing then */
    uint16_t zero;
};
static_assert(sizeof(struct minute_key) == 4 * sizeof(uint64_t), "compared word by word");

/* `first_`: of a message that goes to several destinations, at the first of them alone. So sums
 * over destinations are made of these, and count each message once. */
struct minute_figures {
    uint32_t messages, first_messages;
    uint64_t bytes, first_bytes;
};

struct minute_row {
    uint32_t minute; /* since 1970 */
    struct minute_key key;
    struct minute_figures figures;
};

struct minute_place {
    _Atomic uint64_t key[4], messages, bytes, first_bytes, minute;
};

struct minute_table {
    struct minute_place *places; /* number & mask */
    uint64_t mask;
    _Atomic uint64_t first, end; /* of the rows that are there; numbers go on for ever */
    _Atomic uint64_t others;     /* messages that did not fit, ever */
    _Atomic uint64_t cut;        /* minutes that left before their time, for want of rows */
    uint32_t span_minutes;
    /* The counting thread's: */
    uint64_t minute, minute_first; /* the newest minute, and its first row */
    uint64_t next_ms;              /* when the next minute begins */
    uint32_t minute_rows_max;
    uint32_t *index; /* of the newest minute's rows: number - minute_first + 1; 0: none */
    uint32_t index_mask;
};

/* `rows_max` >= 256; taken as the next power of two. */
MUST_CHECK enum status minute_table_open(struct minute_table *table, uint64_t rows_max,
                                         uint64_t span_s);
void minute_table_close(struct minute_table *table); /* a zeroed one, too */

/* A key with these texts, cut if need be; absent ones are empty. */
struct minute_key minute_key_make(struct bytes type, struct bytes office, uint16_t participant,
                                  enum minute_verdict verdict);

/* One message more at a destination. Time that goes back counts into the newest minute. */
void minute_table_count(struct minute_table *table, uint64_t now_ms, const struct minute_key *key,
                        uint64_t bytes, bool is_first);
/* A row as it was read from a table: before anything is counted, in the order of minutes. */
void minute_table_restore(struct minute_table *table, const struct minute_row *row);

/* For readers: rows first to end. False: it is gone. */
uint64_t minute_table_first(const struct minute_table *table);
uint64_t minute_table_end(const struct minute_table *table);
MUST_CHECK bool minute_table_read(const struct minute_table *table, uint64_t number,
                                  struct minute_row *out_row);
/* The minute alone, to look for rows. */
uint32_t minute_table_minute(const struct minute_table *table, uint64_t number);

#endif
