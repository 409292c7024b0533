/* Steps of a walk over a JSON text from token to token (routes/json_index.h), for the scan and for
 * the look at a root's members. A step takes the token that it begins at and returns the one that
 * follows, or NULL after a fault; it has JSON_LOOKAHEAD tokens to go.
 *
 * At the end of the body a token's byte is padding, and steps may believe it for a while: it ends
 * in a fault at the end, which is then TRUNCATED, or in a root that is closed past the end. */
#ifndef KOUAN_ROUTES_JSON_WALK_H
#define KOUAN_ROUTES_JSON_WALK_H

#include "routes/json_index.h"
#include "routes/json_lex.h"

struct json_text {
    struct scan_source source;
    struct json_index index;
};

/* A container from its bracket past its end, `depth` levels deep in others. All is checked and
 * nothing kept. */
const uint32_t *json_skip_container(struct json_text *text, const uint32_t *token, unsigned depth);

/* A string, byte by byte where it has to be. */
const uint32_t *json_read_string(struct json_text *text, const uint32_t *token,
                                 struct json_scalar *out_string);

/* A number, true, false or null, in a container that ends with `closing`. */
const uint32_t *json_pass_word(struct json_text *text, const uint32_t *token, uint8_t closing,
                               struct json_scalar *out_scalar);

/* Notes a fault at this place, and returns NULL. */
__attribute__((cold)) const uint32_t *json_refuse(struct json_text *text, enum scan_reason reason,
                                                  const uint8_t *at, const char *what);

/* Notes that no value ends here, in a container that ends with `closing`. Returns NULL. */
__attribute__((cold)) const uint32_t *json_refuse_end(struct json_text *text, const uint8_t *at,
                                                      uint8_t closing);

static inline const uint8_t *json_place(const struct json_text *text, const uint32_t *token)
{
    return text->source.begin + *token;
}

static inline uint8_t json_byte(const struct json_text *text, const uint32_t *token)
{
    return text->source.begin[*token];
}

/* True for the tokens that stand in a string. */
static inline bool json_is_marked(uint8_t byte)
{
    return (int8_t)byte < 0x20 || byte == '\\'; /* signed: high bytes are negative */
}

/* A string that nobody wants. */
static inline const uint32_t *json_pass_string(struct json_text *text, const uint32_t *token)
{
    struct json_scalar unused;
    if (json_is_marked(json_byte(text, token + 1)))
        return json_read_string(text, token, &unused);
    return token + 1;
}

static inline const uint32_t *json_pass_colon(struct json_text *text, const uint32_t *token)
{
    if (json_byte(text, token) == ':')
        return token + 1;
    return json_refuse(text, SCAN_MALFORMED, json_place(text, token), "expected `:`");
}

/* A member's name that nobody wants, and the colon. */
static inline const uint32_t *json_pass_name(struct json_text *text, const uint32_t *token)
{
    if (json_byte(text, token) != '"')
        return json_refuse(text, SCAN_MALFORMED, json_place(text, token), "expected a string");
    token = json_pass_string(text, token);
    return token == NULL ? NULL : json_pass_colon(text, token);
}

/* A member's name, up to the colon. */
static inline const uint32_t *json_read_name(struct json_text *text, const uint32_t *token,
                                             struct json_scalar *out_name)
{
    const uint8_t *start = json_place(text, token) + 1, *colon = json_place(text, token + 1);
    if (start[-1] != '"' || *colon != ':' || colon == text->source.end)
        return json_read_string(text, token, out_name);
    const uint8_t *end = colon - 1;
    while (*end != '"') /* there are only blanks in between */
        end--;
    *out_name = (struct json_scalar){JSON_TEXT, bytes_make(start, (size_t)(end - start)), false};
    return token + 1;
}

#endif
