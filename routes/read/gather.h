/* Gathers one captured value from the pieces in which a body spells it: runs of raw bytes, and code
 * points that references or escapes stand for. Trims it, bounds it, converts it to UTF-8. A value
 * of one plain run stays a view of the body; any other is copied into the space's text.
 *
 * Not to be zeroed: `gather_begin` sets what counts. Calls return false after a fault, which the
 * source then has. */
#ifndef KOUAN_ROUTES_GATHER_H
#define KOUAN_ROUTES_GATHER_H

#include "routes/scan/scan_source.h"

struct gather {
    const uint8_t *start; /* where the value begins in the body; NULL while all was blank */
    struct bytes run;     /* until the value is copied: its only run */
    bool copied;
    uint32_t text_size;
    uint8_t text[READING_VALUE_BYTES_MAX]; /* UTF-8 */
};

static inline void gather_begin(struct gather *gather)
{
    gather->start = NULL;
    gather->copied = false;
}

/* The next piece, a view of the body in its own character set. */
bool gather_add_run(struct gather *gather, struct scan_source *source, struct bytes run);

/* The next piece, spelt at `at` in some other way than by its own bytes. */
bool gather_add_code_point(struct gather *gather, struct scan_source *source, uint32_t code_point,
                           const uint8_t *at);

/* A whole value that is one run of UTF-8, checked by whoever read it: the common case, without a
 * gather. */
bool gather_capture_run(struct scan_source *source, struct bytes run, uint16_t tap, uint16_t entry,
                        uint32_t instance);

/* Writes the value, if it is not blank, as a capture of this tap, entry and instance. */
bool gather_capture(struct gather *gather, struct scan_source *source, uint16_t tap, uint16_t entry,
                    uint32_t instance);

#endif
