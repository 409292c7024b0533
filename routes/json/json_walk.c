#include "routes/json/json_walk.h"

#include <assert.h>

/* The containers that the lean walk has opened. */
struct levels {
    unsigned outer_depth, depth;
    uint64_t objects; /* a bit per level, the innermost lowest */
};

static inline bool open_level(struct json_text *text, struct levels *levels, const uint8_t *at);
static inline bool close_levels(struct json_text *text, struct levels *levels);
static inline bool pass_name(struct json_text *text);
static bool pass_scalar(struct json_text *text, uint8_t closing);

bool json_begin(struct json_text *text, struct bytes body, struct scan *scan)
{
    scan_source_init(&text->source, body, scan);
    const uint8_t *at = scan_begin_text(&text->source);
    if (at == NULL)
        return false;
    text->after = at;
    at = json_next(text);
    if (*at != '{' && *at != '[')
        return json_refuse(text, SCAN_MALFORMED, at, "expected an object or an array");
    text->token = json_index_open(&text->index, body, text->after);
    return true;
}

/* ---- The lean walk --------------------------------------------------------------------------- */

static uint8_t closing_of(const struct levels *levels)
{
    return (levels->objects & 1) != 0 ? '}' : ']';
}

bool json_skip_container(struct json_text *text, unsigned depth)
{
    const uint8_t *begin = text->source.begin, *end = text->source.end;
    struct levels levels = {depth, depth, 0};
    do {
        text->token = json_index_ensure(&text->index, text->token);
        if ((levels.objects & 1) != 0 && !pass_name(text))
            return false;
        const uint8_t *at = begin + *text->token;
        if (*at == '"' && at != end) {
            text->token++;
            text->after = at + 1;
        } else if ((*at == '{' || *at == '[') && at != end) {
            if (!open_level(text, &levels, at))
                return false;
            if (!json_ends_here(text, closing_of(&levels)))
                continue;
        } else if (!pass_scalar(text, closing_of(&levels))) {
            return false;
        }
        if (!close_levels(text, &levels))
            return false;
    } while (levels.depth > depth);
    return true;
}

static inline bool open_level(struct json_text *text, struct levels *levels, const uint8_t *at)
{
    static_assert(SCAN_DEPTH_MAX <= 64, "a level has a bit");
    if (levels->depth == SCAN_DEPTH_MAX)
        return json_refuse(text, SCAN_TOO_DEEP, at, NULL);
    levels->depth++;
    levels->objects = levels->objects << 1 | (*at == '{');
    text->token++;
    text->after = at + 1;
    return true;
}

/* After a value: closes what ends here, and stops past a comma or past the end of all levels. */
static inline bool close_levels(struct json_text *text, struct levels *levels)
{
    while (levels->depth > levels->outer_depth) {
        uint8_t byte = json_end_value(text, closing_of(levels));
        if (byte == ',')
            break;
        if (byte == 0)
            return false;
        levels->depth--;
        levels->objects >>= 1;
    }
    return true;
}

/* True for a member whose value is a string, with the comma behind it, as most are. It has two
 * tokens. */
static inline bool json_is_text_member(const uint8_t *begin, const uint8_t *end,
                                       const uint32_t *token)
{
    const uint8_t *name_end = begin + token[0], *value_end = begin + token[1];
    return name_end[0] == '"' && name_end[1] == ':' && value_end[0] == '"' && value_end[1] == ',' &&
           value_end + 1 < end;
}

/* A member's name with its colon, and all members before it that are as most are. */
static inline bool pass_name(struct json_text *text)
{
    const uint8_t *begin = text->source.begin, *end = text->source.end;
    const uint32_t *token = text->token;
    struct json_scalar unused;
    while (json_is_text_member(begin, end, token)) {
        text->after = begin + token[1] + 2;
        token = json_index_ensure(&text->index, token + 2);
    }
    text->token = token;
    const uint8_t *at = begin + *token;
    if (*at != '"' || at == end)
        return json_read_string(text, &unused) && json_pass_colon(text);
    text->token++;
    text->after = at + 1;
    return json_pass_colon(text);
}

static bool pass_scalar(struct json_text *text, uint8_t closing)
{
    struct json_scalar unused;
    const uint8_t *at = json_next(text);
    if (at < text->source.end && *at == '"')
        return json_read_string(text, &unused);
    return json_read_plain(text, closing, &unused);
}

/* ---- Single steps ---------------------------------------------------------------------------- */

bool json_read_string(struct json_text *text, struct json_scalar *out_string)
{
    const uint8_t *after = json_read_text(&text->source, json_next(text), out_string);
    if (after == NULL)
        return false;
    text->token = json_index_seek(&text->index, text->token, after - 1);
    assert(text->source.begin + *text->token == after - 1);
    text->token++;
    text->after = after;
    return true;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

bool json_read_plain(struct json_text *text, uint8_t closing, struct json_scalar *out_scalar)
{
    const uint8_t *after = json_read_word(&text->source, json_next(text), out_scalar);
    if (after == NULL)
        return false;
    text->token++;
    text->after = after;
    if (after != text->source.begin + *text->token && !is_blank(*after)) /* the run goes on */
        return json_refuse_end(text, closing);
    return true;
}

bool json_find_colon(struct json_text *text)
{
    const uint8_t *at = json_next(text);
    if (*at != ':' || at == text->source.end)
        return json_refuse(text, SCAN_MALFORMED, at, "expected `:`");
    text->token++;
    text->after = at + 1;
    return true;
}

/* ---- Faults ---------------------------------------------------------------------------------- */

bool json_refuse(struct json_text *text, enum scan_reason reason, const uint8_t *at,
                 const char *what)
{
    if (at >= text->source.end) {
        at = text->source.end;
        reason = SCAN_TRUNCATED;
    }
    scan_refuse(&text->source, reason, at, what);
    return false;
}

bool json_refuse_end(struct json_text *text, uint8_t closing)
{
    return json_refuse(text, SCAN_MALFORMED, json_next(text),
                       closing == '}' ? "expected `,` or `}`" : "expected `,` or `]`");
}
