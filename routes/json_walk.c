#include "routes/json_walk.h"

static uint8_t closing_of(uint64_t objects)
{
    return (objects & 1) != 0 ? '}' : ']';
}

const uint32_t *json_skip_container(struct json_text *text, const uint32_t *token, unsigned depth)
{
    static_assert(SCAN_DEPTH_MAX <= 64, "a level has a bit");
    uint64_t objects = 0; /* a bit per open level, the innermost lowest */
    struct json_scalar unused;
    unsigned outer_depth = depth;
    for (;;) {
        uint8_t byte = json_byte(text, token);
        bool has_items = false;
        if (byte == '"') {
            token = json_pass_string(text, token);
        } else if (byte == '{' || byte == '[') {
            if (depth++ == SCAN_DEPTH_MAX)
                return json_refuse(text, SCAN_TOO_DEEP, json_place(text, token), NULL);
            objects = objects << 1 | (byte == '{');
            token++;
            has_items = json_byte(text, token) != closing_of(objects);
        } else {
            token = json_pass_word(text, token, closing_of(objects), &unused);
        }
        if (token == NULL)
            return NULL;
        if (!has_items) {
            while (json_byte(text, token) != ',') {
                if (json_byte(text, token) != closing_of(objects))
                    return json_refuse_end(text, json_place(text, token), closing_of(objects));
                objects >>= 1;
                token++;
                if (--depth == outer_depth)
                    return token;
            }
            token++;
        }
        token = json_index_ensure(&text->index, token);
        if ((objects & 1) != 0) {
            token = json_pass_name(text, token);
            if (token == NULL)
                return NULL;
        }
    }
}

const uint32_t *json_read_string(struct json_text *text, const uint32_t *token,
                                 struct json_scalar *out_string)
{
    const uint8_t *at = json_read_text(&text->source, json_place(text, token), out_string);
    return at == NULL ? NULL : json_index_seek(&text->index, token + 1, at);
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\n' || byte == '\r' || byte == '\t';
}

const uint32_t *json_pass_word(struct json_text *text, const uint32_t *token, uint8_t closing,
                               struct json_scalar *out_scalar)
{
    const uint8_t *at = json_read_word(&text->source, json_place(text, token), out_scalar);
    if (at == NULL)
        return NULL;
    token++;
    if (at != json_place(text, token) && !is_blank(*at)) /* the run goes on */
        return json_refuse_end(text, at, closing);
    return token;
}

/* ---- Faults ---------------------------------------------------------------------------------- */

const uint32_t *json_refuse(struct json_text *text, enum scan_reason reason, const uint8_t *at,
                            const char *what)
{
    scan_refuse(&text->source, at == text->source.end ? SCAN_TRUNCATED : reason, at, what);
    return NULL;
}

const uint32_t *json_refuse_end(struct json_text *text, const uint8_t *at, uint8_t closing)
{
    return json_refuse(text, SCAN_MALFORMED, at,
                       closing == '}' ? "expected `,` or `}`" : "expected `,` or `]`");
}
