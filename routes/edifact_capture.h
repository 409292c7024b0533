/* From a segment's elements to captures: the plan's rows, repetitions, components, releases and
 * character sets. */
#ifndef KOUAN_ROUTES_EDIFACT_CAPTURE_H
#define KOUAN_ROUTES_EDIFACT_CAPTURE_H

#include <assert.h>

#include "routes/charset.h"
#include "routes/edifact_walk.h"

enum {
    EDIFACT_TAG_SLOTS = 512, /* of a hash table that is at most half full */
    EDIFACT_NO_ROW = 0xFFFF
};

static_assert(PLAN_TAPS_MAX * 2 <= EDIFACT_TAG_SLOTS, "the tags of a plan fit its table");

/* A tag as a number: its first character is the lowest byte. */
static inline uint32_t edifact_tag(const uint8_t *tag)
{
    return tag[0] | (uint32_t)tag[1] << 8 | (uint32_t)tag[2] << 16;
}

struct edifact_capturer {
    const struct plan *plan;
    struct edifact_syntax *syntax;
    struct bytes body;
    struct scan *scan;
    bool charset_known;
    enum charset charset; /* if known; else values are UTF-8, or failing that Latin-1 */
    uint16_t first_rows[EDIFACT_TAG_SLOTS]; /* of plan->components; EDIFACT_NO_ROW */
};

void edifact_capturer_init(struct edifact_capturer *capturer, const struct plan *plan,
                           struct edifact_syntax *syntax, struct bytes body, struct scan *scan);

/* The first of the rows that tap segments of this tag, or EDIFACT_NO_ROW. */
uint16_t edifact_capturer_find(const struct edifact_capturer *capturer, uint32_t tag);

/* Heeds what the UNB says of character set and syntax version. */
MUST_CHECK enum status edifact_capturer_begin(struct edifact_capturer *capturer,
                                              const struct edifact_elements *unb,
                                              struct scan_fault *out_fault);

/* Captures what the rows from `row` on tap in one segment, the `number`th. */
MUST_CHECK enum status edifact_capturer_take(struct edifact_capturer *capturer, uint16_t row,
                                             const struct edifact_elements *elements,
                                             uint16_t entry, uint32_t number,
                                             struct scan_fault *out_fault);

#endif
