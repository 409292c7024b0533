#include "routes/json/json_members.h"

static bool read_start(struct json_members *members);
static bool read_next(struct json_members *members);
static bool read_value(struct json_members *members);

void json_members_init(struct json_members *members, struct bytes body)
{
    members->depth = 0;
    members->ended = !json_begin(&members->text, body, NULL);
    members->fault = members->text.source.fault;
}

bool json_members_next(struct json_members *members)
{
    struct json_text *text = &members->text;
    struct json_scalar name;
    if (members->ended)
        return false;
    text->token = json_index_ensure(&text->index, text->token);
    bool found = members->depth == 0 ? read_start(members) : read_next(members);
    found = found && json_read_name(text, &name) && json_pass_colon(text) && read_value(members);
    if (found)
        members->name = name.raw;
    members->ended = !found;
    members->fault = text->source.fault;
    return found;
}

/* Past the bracket `opening`, which is next, unless it is not or the container is empty. */
static bool enter(struct json_members *members, uint8_t opening, uint8_t closing)
{
    struct json_text *text = &members->text;
    const uint8_t *at = json_next(text);
    if (*at != opening || at == text->source.end)
        return false;
    text->token++;
    text->after = at + 1;
    members->depth++;
    at = json_next(text);
    return *at != closing || at == text->source.end;
}

/* To the first member's name. False without a fault if there are none: the object is empty, or the
 * root is an array that does not begin with an object. */
static bool read_start(struct json_members *members)
{
    struct json_text *text = &members->text;
    if (*json_next(text) == '[' && !enter(members, '[', ']'))
        return false;
    if (json_next(text) == text->source.end)
        return json_refuse(text, SCAN_TRUNCATED, text->source.end,
                           "expected an object or an array");
    return enter(members, '{', '}');
}

/* From past a value to the next member's name. False without a fault at the end of the object. */
static bool read_next(struct json_members *members)
{
    return json_end_value(&members->text, '}') == ',';
}

static bool read_value(struct json_members *members)
{
    struct json_text *text = &members->text;
    struct json_scalar value = {.kind = JSON_NULL};
    const uint8_t *start = json_next(text);
    if (start == text->source.end)
        return json_refuse(text, SCAN_TRUNCATED, start, "expected a value");
    if (*start == '{' || *start == '[') {
        if (!json_skip_container(text, members->depth))
            return false;
        value.raw = bytes_make(start, (size_t)(text->after - start));
    } else if (!(*start == '"' ? json_read_string(text, &value)
                               : json_read_plain(text, '}', &value))) {
        return false;
    }
    members->value_is_text = value.kind == JSON_TEXT;
    members->value = value.raw;
    return true;
}
