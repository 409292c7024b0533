/* The scalars of JSON (RFC 8259), checked strictly. Beyond its grammar every string, captured or
 * not, must be well-formed UTF-8 and have its surrogates in pairs: what passes here passes any
 * strict parser behind us. Readers return what follows, or NULL after a fault. */
#ifndef KOUAN_ROUTES_JSON_LEX_H
#define KOUAN_ROUTES_JSON_LEX_H

#include "routes/scan/find_bytes.h"
#include "routes/scan/scan_source.h"

enum json_kind { JSON_TEXT, JSON_NUMBER, JSON_BOOLEAN, JSON_NULL };

struct json_scalar {
    enum json_kind kind;
    struct bytes raw; /* as it stands; TEXT: between the quotes */
    bool escaped;     /* TEXT: `raw` has backslashes */
};

/* The rest of a string that begins at `start` and is plain up to `at`. */
const uint8_t *json_read_text_on(struct scan_source *source, const uint8_t *start,
                                 const uint8_t *at, struct json_scalar *out_text);

/* A string, at its opening quote. Most are plain to their closing one. */
static inline const uint8_t *json_read_text(struct scan_source *source, const uint8_t *at,
                                            struct json_scalar *out_text)
{
    at = scan_expect_byte(source, at, '"', "expected a string");
    if (at == NULL)
        return NULL;
    const uint8_t *stop = find_json_stop(at, source->end);
    if (stop == source->end || *stop != '"')
        return json_read_text_on(source, at, stop, out_text);
    *out_text = (struct json_scalar){JSON_TEXT, bytes_make(at, (size_t)(stop - at)), false};
    return stop + 1;
}

/* A number, true, false or null. */
const uint8_t *json_read_word(struct scan_source *source, const uint8_t *at,
                              struct json_scalar *out_scalar);

/* An escape, at its backslash; with the second one if it begins a surrogate pair. */
const uint8_t *json_read_escape(struct scan_source *source, const uint8_t *at,
                                uint32_t *out_code_point);

#endif
