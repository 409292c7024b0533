/* A text body under the cursor of the XML or the JSON scanner. Internal to this folder.
 *
 * Steps of a scan return where they stopped, or NULL (or false); then `status` and `fault` of the
 * source say why. A cursor may stand at `end` but no byte from there on decides anything. */
#ifndef KOUAN_ROUTES_SCAN_SOURCE_H
#define KOUAN_ROUTES_SCAN_SOURCE_H

#include "routes/scan/charset.h"
#include "routes/scan/scan.h"

struct scan_source {
    const uint8_t *begin, *end;
    enum charset charset;
    struct scan *scan; /* NULL in a peek */
    enum status status;
    struct scan_fault fault;
};

/* Bodies are smaller than 4 GB: offsets are 32 bits. Resets `scan`, if there is one. */
void scan_source_init(struct scan_source *source, struct bytes body, struct scan *scan);

/* The source's status; an INVALID one's fault goes to `out_fault`. */
MUST_CHECK enum status scan_source_finish(const struct scan_source *source,
                                          struct scan_fault *out_fault);

/* The start of the text, past a UTF-8 byte order mark. A blank body and UTF-16 are faults. */
const uint8_t *scan_begin_text(struct scan_source *source);

/* Notes a fault at `at`, and returns NULL. Broken syntax at the very end is TRUNCATED. */
__attribute__((cold)) const uint8_t *scan_refuse(struct scan_source *source,
                                                 enum scan_reason reason, const uint8_t *at,
                                                 const char *what);

static inline uint32_t scan_offset(const struct scan_source *source, const uint8_t *at)
{
    return (uint32_t)(at - source->begin);
}

/* True if the body goes on with `text` at `at`. */
static inline bool scan_sees(const struct scan_source *source, const uint8_t *at, struct bytes text)
{
    return (size_t)(source->end - at) >= text.size && memcmp(at, text.data, text.size) == 0;
}

/* What follows `byte` at `at`, or else a fault there. */
static inline const uint8_t *scan_expect_byte(struct scan_source *source, const uint8_t *at,
                                              uint8_t byte, const char *what)
{
    if (at < source->end && *at == byte)
        return at + 1;
    return scan_refuse(source, SCAN_MALFORMED, at, what);
}

/* The same of a text; a fault stands at the first byte that differs. Returns what follows the text.
 */
const uint8_t *scan_expect(struct scan_source *source, const uint8_t *at, struct bytes text,
                           const char *what);

#endif
