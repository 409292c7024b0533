/* Steps of a walk over a JSON text from token to token (routes/json/json_index.h), for the scan and
 * for the look at a root's members. Steps return false after a fault.
 *
 * A token past the last one stands for padding, so whoever believes a token's byte has looked that
 * it is not the end, or does so before it matters. The opening quote of a string that the body cuts
 * short has no token: what comes next begins at `json_next`. */
#ifndef KOUAN_ROUTES_JSON_WALK_H
#define KOUAN_ROUTES_JSON_WALK_H

#include "routes/json/json_index.h"
#include "routes/json/json_lex.h"

struct json_text {
    struct scan_source source;
    struct json_index index;
    const uint32_t *token; /* the next one */
    const uint8_t *after;  /* past what was read last: a value, or an operator */
};

/* To the bracket with which a root begins. */
bool json_begin(struct json_text *text, struct bytes body, struct scan *scan);

/* A container from its bracket past its end, `depth` levels deep in others. All is checked and
 * nothing kept. */
bool json_skip_container(struct json_text *text, unsigned depth);

/* A string, byte by byte where it has to be. */
bool json_read_string(struct json_text *text, struct json_scalar *out_string);

/* A number, true, false or null, in a container that ends with `closing`. */
bool json_read_plain(struct json_text *text, uint8_t closing, struct json_scalar *out_scalar);

/* To past the colon behind a name, if it does not stand directly there. */
bool json_find_colon(struct json_text *text);

/* Notes a fault at this place, and returns false. */
__attribute__((cold)) bool json_refuse(struct json_text *text, enum scan_reason reason,
                                       const uint8_t *at, const char *what);

/* Notes that neither a comma nor `closing` follows. */
__attribute__((cold)) bool json_refuse_end(struct json_text *text, uint8_t closing);

/* Where what comes next begins: a string at its opening quote. */
static inline const uint8_t *json_next(const struct json_text *text)
{
    const uint8_t *end = text->source.end, *after = text->after;
    if (after >= end)
        return end;
    return after[0] == ' ' && after[1] > ' ' ? after + 1 : find_nonblank(after, end);
}

/* To past the comma or `closing` behind a value; returns which, or 0 after a fault. */
static inline uint8_t json_end_value(struct json_text *text, uint8_t closing)
{
    const uint8_t *at = text->after;
    if (at[-1] != '"' || !json_is_operator(*at)) { /* else it has no token */
        at = text->source.begin + *text->token;
        text->token = json_index_ensure(&text->index, text->token + 1);
    }
    if ((*at != ',' && *at != closing) || at >= text->source.end) {
        json_refuse_end(text, closing);
        return 0;
    }
    text->after = at + 1;
    return *at;
}

/* True if a container that was just entered is empty. */
static inline bool json_ends_here(const struct json_text *text, uint8_t closing)
{
    const uint8_t *at = text->source.begin + *text->token;
    return *at == closing && at != text->source.end;
}

static inline bool json_pass_colon(struct json_text *text)
{
    if (*text->after != ':' || text->after == text->source.end)
        return json_find_colon(text);
    text->after++;
    return true;
}

/* What a string without escapes says, by its closing quote. */
static inline struct bytes json_text_before(const struct json_text *text, const uint8_t *closing)
{
    const uint8_t *start = find_quote_before(text->source.begin, closing) + 1;
    return bytes_make(start, (size_t)(closing - start));
}

/* A member's name, up to the colon. */
static inline bool json_read_name(struct json_text *text, struct json_scalar *out_name)
{
    const uint8_t *closing = text->source.begin + *text->token;
    if (*closing != '"' || closing == text->source.end)
        return json_read_string(text, out_name);
    *out_name = (struct json_scalar){JSON_TEXT, json_text_before(text, closing), false};
    text->token++;
    text->after = closing + 1;
    return true;
}

/* True behind the name of a member whose value is a string with a comma behind it, as most are. The
 * string has one token. */
static inline bool json_has_plain_value(const struct json_text *text)
{
    const uint8_t *value_end = text->source.begin + *text->token;
    return *text->after == ':' && value_end[0] == '"' && value_end[1] == ',' &&
           value_end + 1 < text->source.end;
}

#endif
