/* From a segment's elements to captures: the plan's rows, repetitions, components, releases and
 * character sets. */
#ifndef KOUAN_ROUTES_EDIFACT_CAPTURE_H
#define KOUAN_ROUTES_EDIFACT_CAPTURE_H

#include "routes/edifact/edifact_walk.h"
#include "routes/scan/charset.h"
#include "routes/scan/plan_index.h"

struct edifact_capturer {
    const struct plan *plan;
    struct edifact_syntax *syntax;
    struct bytes body;
    struct scan *scan;
    bool checks_charset; /* each segment is to be checked before its values are taken */
    bool charset_known;
    enum charset charset; /* if known; else values are UTF-8, or failing that Latin-1 */
};

void edifact_capturer_init(struct edifact_capturer *capturer, const struct plan *plan,
                           struct edifact_syntax *syntax, struct bytes body, struct scan *scan);

/* Heeds what the UNB says of character set and syntax version. */
void edifact_capturer_begin(struct edifact_capturer *capturer, const struct edifact_elements *unb);

/* Refuses what would be cut in wrong places in this character set, in one segment. */
MUST_CHECK enum status edifact_capturer_check(const struct edifact_capturer *capturer,
                                              uint32_t start, uint32_t end,
                                              struct scan_fault *out_fault);

/* Captures what the rows tap in one segment, the `number`th. */
MUST_CHECK enum status edifact_capturer_take(struct edifact_capturer *capturer,
                                             const struct plan_rows *rows,
                                             const struct edifact_elements *elements,
                                             uint16_t entry, uint32_t number,
                                             struct scan_fault *out_fault);

#endif
