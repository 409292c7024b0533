/* The members of a JSON object one by one, for a look before the scan: routes/scan.h. Values are
 * passed over by their brackets and strings alone; the scan checks them. A root array is looked at
 * by its first item: it is a list of one kind. */
#include <assert.h>

#include "routes/find_bytes.h"
#include "routes/json_lex.h"

static const uint8_t *read_start(struct scan_source *source);
static const uint8_t *read_next(struct scan_source *source, const uint8_t *at);
static const uint8_t *read_member(struct scan_source *source, const uint8_t *at,
                                  struct json_members *members);
static const uint8_t *skip_container(struct scan_source *source, const uint8_t *at);

/* `at` of a walk that has ended. */
#define AT_END UINT32_MAX

void json_members_init(struct json_members *members, struct bytes body)
{
    *members = (struct json_members){.body = body, .fault = {.reason = SCAN_NONE}};
}

bool json_members_next(struct json_members *members)
{
    if (members->at == AT_END)
        return false;
    struct scan_source source;
    scan_source_init(&source, members->body, NULL);
    const uint8_t *at =
        members->at == 0 ? read_start(&source) : read_next(&source, source.begin + members->at);
    if (at != NULL)
        at = read_member(&source, at, members);
    members->fault = source.fault;
    members->at = at == NULL ? AT_END : scan_offset(&source, at);
    return at != NULL;
}

/* To the first member's name. NULL without a fault if there are none: the object is empty, or the
 * root is an array that does not begin with an object. */
static const uint8_t *read_start(struct scan_source *source)
{
    const uint8_t *at = scan_begin_text(source);
    if (at == NULL)
        return NULL;
    at = find_nonblank(at, source->end);
    if (at < source->end && *at == '[') {
        at = find_nonblank(at + 1, source->end);
        if (at < source->end && *at != '{')
            return NULL;
    }
    at = scan_expect_byte(source, at, '{', "expected an object or an array");
    if (at == NULL)
        return NULL;
    at = find_nonblank(at, source->end);
    return at < source->end && *at == '}' ? NULL : at;
}

/* From past a value to the next member's name. NULL without a fault at the end of the object. */
static const uint8_t *read_next(struct scan_source *source, const uint8_t *at)
{
    at = find_nonblank(at, source->end);
    if (at < source->end && *at == '}')
        return NULL;
    at = scan_expect_byte(source, at, ',', "expected `,` or `}`");
    return at == NULL ? NULL : find_nonblank(at, source->end);
}

static const uint8_t *read_member(struct scan_source *source, const uint8_t *at,
                                  struct json_members *members)
{
    struct json_scalar name, value = {.kind = JSON_NULL};
    at = json_read_text(source, at, &name);
    if (at != NULL)
        at = scan_expect_byte(source, find_nonblank(at, source->end), ':', "expected `:`");
    if (at == NULL)
        return NULL;
    const uint8_t *start = at = find_nonblank(at, source->end);
    if (at < source->end && (*at == '{' || *at == '['))
        at = skip_container(source, at);
    else
        at = json_read_scalar(source, at, &value);
    if (at == NULL)
        return NULL;
    members->name = name.raw;
    members->value_is_text = value.kind == JSON_TEXT;
    members->value = members->value_is_text ? value.raw : bytes_make(start, (size_t)(at - start));
    return at;
}

/* `at` is at its bracket. The root object is a level too. */
static const uint8_t *skip_container(struct scan_source *source, const uint8_t *at)
{
    uint64_t is_object = 0; /* a bit per open level, the innermost lowest */
    uint32_t depth = 0;
    static_assert(SCAN_DEPTH_MAX - 1 <= 64, "a level has a bit");
    do {
        struct json_scalar text;
        at = find_json_bracket(at, source->end);
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "expected a closing bracket");
        if (*at == '"') {
            at = json_read_text(source, at, &text);
            if (at == NULL)
                return NULL;
        } else if (*at == '{' || *at == '[') {
            if (++depth == SCAN_DEPTH_MAX)
                return scan_refuse(source, SCAN_TOO_DEEP, at, NULL);
            is_object = is_object << 1 | (*at++ == '{');
        } else {
            if (*at != ((is_object & 1) != 0 ? '}' : ']'))
                return scan_refuse(source, SCAN_MALFORMED, at, "not the bracket that closes here");
            is_object >>= 1;
            depth--;
            at++;
        }
    } while (depth > 0);
    return at;
}
