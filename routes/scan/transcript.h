/* A body in a character set that cannot be scanned in place (UTF-16, Big5, Shift_JIS), as UTF-8 in
 * the reading space. The text begins with a byte order mark, so that it is UTF-8 whatever an XML
 * declaration or UNB in it says. The body itself stays as it came. */
#ifndef KOUAN_ROUTES_TRANSCRIPT_H
#define KOUAN_ROUTES_TRANSCRIPT_H

#include "routes/scan/charset.h"
#include "routes/scan/scan.h"

struct transcript {
    struct bytes text;   /* in the space, with padding behind it */
    struct bytes source; /* the body behind its own byte order mark */
    uint32_t source_offset;
    enum charset charset;
};

/* True if the body is in such a set: by its byte order mark, by the zero byte of its first
 * character (which is ASCII in all three formats), or by its XML declaration. No body of which this
 * is true can be read in place. */
bool transcript_is_needed(struct bytes body, enum charset *out_charset);

/* What the body says that it is written in, in any of these ways; else UTF-8. */
enum charset transcript_charset(struct bytes body);

/* Converts the body into the space of the scan. INVALID with a fault at the first byte that does
 * not fit the set; FULL if the space has no room for it. */
MUST_CHECK enum status transcript_make(struct scan *scan, enum charset charset, struct bytes body,
                                       struct transcript *out_transcript,
                                       struct scan_fault *out_fault);

/* Where in the body the character stands that the text has at `text_offset`. Slow: for faults. */
uint32_t transcript_body_offset(const struct transcript *transcript, struct charsets *charsets,
                                uint32_t text_offset);

#endif
