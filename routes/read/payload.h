/* The message that an element's text or a JSON string holds (`open:` in a profile): base64, or text
 * that is itself a message, escaped or in CDATA. Decoded from where a scan has noted its place, in
 * a document that is well-formed, into the reading space, without the bound of a value. */
#ifndef KOUAN_ROUTES_PAYLOAD_H
#define KOUAN_ROUTES_PAYLOAD_H

#include "routes/dialect/profile.h"

struct payload {
    struct bytes text; /* of the outer message, as it was scanned */
    enum format format;
    enum payload_encoding encoding;
    uint32_t offset;  /* in `text`: the element's or string's first byte */
    uint32_t skipped; /* bytes of the spelt-out text before `body`: blanks */
    struct charsets *charsets;
    struct bytes body; /* in the space, with padding behind it */
};

/* Decodes the payload whose place the scan has noted. Text becomes UTF-8 with a byte order mark, so
 * that it is UTF-8 whatever it says of itself. INVALID with a fault in `text`; FULL if the space
 * has no room. */
MUST_CHECK enum status payload_decode(const struct profile *profile, struct scan *scan,
                                      struct bytes text, struct payload *out_payload,
                                      struct scan_fault *out_fault);

/* Where in the outer text the byte is spelt that the payload's body has at `body_offset`. Slow: for
 * faults. */
uint32_t payload_outer_offset(const struct payload *payload, uint32_t body_offset);

#endif
