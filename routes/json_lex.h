/* The scalars of JSON (RFC 8259), checked strictly. Beyond its grammar every string, captured or
 * not, must be well-formed UTF-8 and have its surrogates in pairs: what passes here passes any
 * strict parser behind us. Readers return what follows, or NULL after a fault. */
#ifndef KOUAN_ROUTES_JSON_LEX_H
#define KOUAN_ROUTES_JSON_LEX_H

#include "routes/scan_source.h"

enum json_kind { JSON_TEXT, JSON_NUMBER, JSON_BOOLEAN, JSON_NULL };

struct json_scalar {
    enum json_kind kind;
    struct bytes raw; /* as it stands; TEXT: between the quotes */
    bool escaped;     /* TEXT: `raw` has backslashes */
};

/* A string, at its opening quote. */
const uint8_t *json_read_text(struct scan_source *source, const uint8_t *at,
                              struct json_scalar *out_text);

/* A string, number, true, false or null. */
const uint8_t *json_read_scalar(struct scan_source *source, const uint8_t *at,
                                struct json_scalar *out_scalar);

/* An escape, at its backslash; with the second one if it begins a surrogate pair. */
const uint8_t *json_read_escape(struct scan_source *source, const uint8_t *at,
                                uint32_t *out_code_point);

#endif
