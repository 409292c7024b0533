#include "routes/json_members.h"

static const uint32_t *read_start(struct json_members *members, const uint32_t *token);
static const uint32_t *read_next(struct json_members *members, const uint32_t *token);
static const uint32_t *read_value(struct json_members *members, const uint32_t *token);

void json_members_init(struct json_members *members, struct bytes body)
{
    struct json_text *text = &members->text;
    members->token = NULL;
    members->depth = 0;
    scan_source_init(&text->source, body, NULL);
    const uint8_t *at = scan_begin_text(&text->source);
    if (at != NULL)
        members->token = json_index_open(&text->index, body, at);
    members->fault = text->source.fault;
}

bool json_members_next(struct json_members *members)
{
    struct json_text *text = &members->text;
    struct json_scalar name;
    const uint32_t *token = members->token;
    if (token == NULL)
        return false;
    token = json_index_ensure(&text->index, token);
    token = members->depth == 0 ? read_start(members, token) : read_next(members, token);
    if (token != NULL)
        token = json_read_name(text, token, &name);
    if (token != NULL)
        token = json_pass_colon(text, token);
    if (token != NULL)
        token = read_value(members, token);
    if (token != NULL)
        members->name = name.raw;
    members->fault = text->source.fault;
    members->token = token;
    return token != NULL;
}

/* To the first member's name. NULL without a fault if there are none: the object is empty, or the
 * root is an array that does not begin with an object. */
static const uint32_t *read_start(struct json_members *members, const uint32_t *token)
{
    struct json_text *text = &members->text;
    if (json_byte(text, token) == '[') {
        token++;
        members->depth++;
        if (json_byte(text, token) != '{' && json_place(text, token) != text->source.end)
            return NULL;
    }
    if (json_byte(text, token) != '{' || json_place(text, token) == text->source.end)
        return json_refuse(text, SCAN_MALFORMED, json_place(text, token),
                           "expected an object or an array");
    token++;
    members->depth++;
    return json_byte(text, token) == '}' && json_place(text, token) != text->source.end ? NULL
                                                                                        : token;
}

/* From past a value to the next member's name. NULL without a fault at the end of the object. */
static const uint32_t *read_next(struct json_members *members, const uint32_t *token)
{
    struct json_text *text = &members->text;
    if (json_byte(text, token) == ',')
        return token + 1;
    if (json_byte(text, token) == '}' && json_place(text, token) != text->source.end)
        return NULL;
    return json_refuse_end(text, json_place(text, token), '}');
}

static const uint32_t *read_value(struct json_members *members, const uint32_t *token)
{
    struct json_text *text = &members->text;
    struct json_scalar value = {.kind = JSON_NULL};
    const uint8_t *start = json_place(text, token);
    bool is_container = *start == '{' || *start == '[';
    if (is_container)
        token = json_skip_container(text, token, members->depth);
    else if (*start == '"')
        token = json_read_string(text, token, &value);
    else
        token = json_pass_word(text, token, '}', &value);
    if (token == NULL)
        return NULL;
    members->value_is_text = value.kind == JSON_TEXT;
    members->value = value.raw;
    if (is_container) {
        const uint8_t *last = json_place(text, token - 1);
        if (last == text->source.end)
            return json_refuse(text, SCAN_TRUNCATED, last, "expected a closing bracket");
        members->value = bytes_make(start, (size_t)(last + 1 - start));
    }
    return token;
}
