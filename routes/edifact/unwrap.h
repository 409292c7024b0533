/* An EDIFACT body in lines of one length: mainframes and mail gateways break the text at a fixed
 * column, amid a tag or a value as well, so the line ends mean nothing wherever they stand. Such a
 * body is read from its text without them. The body itself stays as it came. */
#ifndef KOUAN_ROUTES_UNWRAP_H
#define KOUAN_ROUTES_UNWRAP_H

#include "routes/scan/scan.h"

enum { UNWRAP_LINE_MIN = 12, UNWRAP_LINE_MAX = 1024 }; /* bytes; the first line holds a UNA */

/* True if the body looks so: it begins with UNA or UNB; then come at least two lines of one length,
 * in bytes or in characters of UTF-8, and a last one that may be shorter; and a line ends inside of
 * a segment. Quick about all others: their first two lines mostly differ. */
bool unwrap_is_needed(struct bytes body);

/* The body without its line ends, in the space of the scan, with padding behind it. FULL if the
 * space has no room for it. */
MUST_CHECK enum status unwrap_make(struct scan *scan, struct bytes body, struct bytes *out_text);

/* Where in the body the byte stands that the text has at `text_offset`. Slow: for faults. */
uint32_t unwrap_body_offset(struct bytes body, uint32_t text_offset);

#endif
