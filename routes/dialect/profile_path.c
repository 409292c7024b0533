#include "routes/dialect/profile_path.h"

#include <assert.h>

struct path_cursor {
    struct bytes text;
    size_t at;
    struct path_fault *fault;
};

static bool parse_steps(struct path_cursor *cursor, enum format format, struct tree_path *path);
static bool parse_qualifier(struct path_cursor *cursor, struct plan_component *path);
static bool parse_position(struct path_cursor *cursor, uint16_t *out_element,
                           uint16_t *out_component);

static bool fail(struct path_cursor *cursor, const char *message, const char *hint)
{
    *cursor->fault = (struct path_fault){message, hint, cursor->at};
    return false;
}

/* The byte at the cursor, or 0 at the end (paths have no NUL: YAML forbids it). */
static uint8_t peek(const struct path_cursor *cursor)
{
    return cursor->at < cursor->text.size ? cursor->text.data[cursor->at] : 0;
}

static bool skip(struct path_cursor *cursor, char byte)
{
    if (peek(cursor) != (uint8_t)byte)
        return false;
    cursor->at++;
    return true;
}

static bool is_too_long(struct path_cursor *cursor)
{
    if (cursor->text.size == 0)
        return !fail(cursor, "an empty path", NULL);
    if (cursor->text.size > PATH_TEXT_BYTES_MAX)
        return !fail(cursor, "a path longer than 512 bytes", NULL);
    return false;
}

enum status path_parse_tree(struct bytes text, enum format format, struct tree_path *out_path,
                            struct path_fault *out_fault)
{
    assert(format == FORMAT_XML || format == FORMAT_JSON);
    struct path_cursor cursor = {.text = text, .fault = out_fault};
    struct tree_path path = {0};
    if (is_too_long(&cursor))
        return STATUS_INVALID;
    if (bytes_equal_text(text, "name()")) {
        if (format == FORMAT_JSON) {
            fail(&cursor, "`name()` is the name of an XML root; JSON has none", NULL);
            return STATUS_INVALID;
        }
        path.root_name = true;
    } else if (!parse_steps(&cursor, format, &path)) {
        return STATUS_INVALID;
    }
    *out_path = path;
    return STATUS_OK;
}

enum status path_parse_edifact(struct bytes text, struct plan_component *out_path,
                               struct path_fault *out_fault)
{
    struct path_cursor cursor = {.text = text, .fault = out_fault};
    struct plan_component path = {.tap = TAP_NONE};
    if (is_too_long(&cursor))
        return STATUS_INVALID;
    if (!path_is_tag(bytes_slice(text, 0, 3))) {
        fail(&cursor, "an EDIFACT path begins with a segment's tag",
             "as in `BGM/2/1`: segment, element, component");
        return STATUS_INVALID;
    }
    memcpy(path.tag, text.data, sizeof path.tag);
    cursor.at = 3;
    if (peek(&cursor) == '[' && !parse_qualifier(&cursor, &path))
        return STATUS_INVALID;
    if (!skip(&cursor, '/')) {
        fail(&cursor, "expected `/` and the number of an element",
             "as in `BGM/2/1`: segment, element, component");
        return STATUS_INVALID;
    }
    if (!parse_position(&cursor, &path.element, &path.component))
        return STATUS_INVALID;
    if (cursor.at < text.size) {
        fail(&cursor, "the path should end here", "a path is `TAG/element/component`");
        return STATUS_INVALID;
    }
    *out_path = path;
    return STATUS_OK;
}

bool path_is_tag(struct bytes text)
{
    if (text.size != 3 || text.data[0] < 'A' || text.data[0] > 'Z')
        return false;
    for (size_t i = 1; i < 3; i++) {
        bool letter = text.data[i] >= 'A' && text.data[i] <= 'Z';
        bool digit = text.data[i] >= '0' && text.data[i] <= '9';
        if (!letter && !digit)
            return false;
    }
    return true;
}

/* ---- XML and JSON ---------------------------------------------------------------------------- */

static bool is_differs(const struct path_cursor *cursor)
{
    return bytes_start_with(bytes_slice(cursor->text, cursor->at, 2), BYTES_LITERAL("!="));
}

/* A step's name ends at `/`, `[`, `]`, `=`, `!=` or the end. */
static bool parse_name(struct path_cursor *cursor, enum format format, struct path_step *out_step)
{
    bool attribute = format == FORMAT_XML && skip(cursor, '@');
    size_t start = cursor->at;
    for (uint8_t byte = peek(cursor); byte != 0; byte = peek(cursor)) {
        if (byte == '/' || byte == '[' || byte == ']' || byte == '=' || is_differs(cursor))
            break;
        if (byte <= ' ')
            return fail(cursor, "a blank in a path", NULL);
        if (byte == ':' && format == FORMAT_XML)
            return fail(cursor, "a prefix in a path", "write the local name alone: prefixes vary");
        if (byte == '*')
            return fail(cursor, "a path has no wildcards", "use `//name` for any depth");
        cursor->at++;
    }
    if (cursor->at == start)
        return fail(cursor, "expected a name", NULL);
    *out_step = (struct path_step){bytes_slice(cursor->text, start, cursor->at - start), attribute};
    return true;
}

/* `a/b/@c` up to a byte that no step has. */
static bool parse_predicate(struct path_cursor *cursor, enum format format, struct tree_path *path)
{
    do {
        if (path->predicate_count == PATH_STEPS_MAX)
            return fail(cursor, "more than 16 steps", NULL);
        if (path->predicate_count > 0 && path->predicate[path->predicate_count - 1].attribute)
            return fail(cursor, "nothing lies below an attribute", NULL);
        if (!parse_name(cursor, format, &path->predicate[path->predicate_count]))
            return false;
        path->predicate_count++;
    } while (skip(cursor, '/'));
    path->predicate_differs = skip(cursor, '!');
    if (!skip(cursor, '='))
        return fail(cursor, "expected `=` and a value", "as in `Party[RoleCode=CB]/ID`");
    size_t start = cursor->at;
    while (peek(cursor) != 0 && peek(cursor) != ']')
        cursor->at++;
    path->predicate_value = bytes_slice(cursor->text, start, cursor->at - start);
    if (bytes_trim(path->predicate_value).size != path->predicate_value.size ||
        path->predicate_value.size == 0) {
        cursor->at = start;
        return fail(cursor, "expected a value without blanks around it", NULL);
    }
    if (!skip(cursor, ']'))
        return fail(cursor, "expected `]`", NULL);
    path->has_predicate = true;
    path->predicate_step = (uint8_t)(path->step_count - 1);
    return true;
}

static bool parse_steps(struct path_cursor *cursor, enum format format, struct tree_path *path)
{
    if (peek(cursor) == '/') {
        cursor->at++;
        if (!skip(cursor, '/'))
            return fail(cursor, "a path begins at the root already",
                        "leave out the first `/`; `//name` finds a name at any depth");
        path->anywhere = true;
    }
    do {
        if (path->step_count == PATH_STEPS_MAX)
            return fail(cursor, "more than 16 steps", NULL);
        if (path->step_count > 0 && path->steps[path->step_count - 1].attribute)
            return fail(cursor, "nothing lies below an attribute", NULL);
        if (!parse_name(cursor, format, &path->steps[path->step_count]))
            return false;
        path->step_count++;
        if (peek(cursor) != '[')
            continue;
        if (path->has_predicate)
            return fail(cursor, "a path has at most one predicate", NULL);
        if (path->steps[path->step_count - 1].attribute)
            return fail(cursor, "a predicate belongs to an element, not to an attribute", NULL);
        cursor->at++;
        if (!parse_predicate(cursor, format, path))
            return false;
    } while (skip(cursor, '/'));
    if (cursor->at < cursor->text.size)
        return fail(cursor, "expected `/`, `[` or the end of the path", NULL);
    if (path->anywhere && path->steps[0].attribute) {
        cursor->at = 2;
        return fail(cursor, "`//` finds elements, not attributes", "as in `//Party/@id`");
    }
    return true;
}

/* ---- EDIFACT --------------------------------------------------------------------------------- */

static bool parse_number(struct path_cursor *cursor, uint16_t *out_number)
{
    size_t start = cursor->at;
    uint64_t number = 0;
    while (peek(cursor) >= '0' && peek(cursor) <= '9')
        cursor->at++;
    struct bytes digits = bytes_slice(cursor->text, start, cursor->at - start);
    if (bytes_parse_u64(digits, &number) && number >= 1 && number <= PATH_ELEMENT_MAX) {
        *out_number = (uint16_t)number;
        return true;
    }
    cursor->at = start;
    return fail(cursor, "expected a number from 1 to 99", "elements and components count from 1");
}

/* `element/component`; a component that is left out is 1. */
static bool parse_position(struct path_cursor *cursor, uint16_t *out_element,
                           uint16_t *out_component)
{
    *out_component = 1;
    if (!parse_number(cursor, out_element))
        return false;
    return !skip(cursor, '/') || parse_number(cursor, out_component);
}

/* `[ABT]` means `[1/1=ABT]`. */
static bool parse_qualifier(struct path_cursor *cursor, struct plan_component *path)
{
    cursor->at++;
    size_t start = cursor->at;
    path->qualifier_element = 1;
    path->qualifier_component = 1;
    if (memchr(cursor->text.data + start, '=', cursor->text.size - start) != NULL) {
        if (!parse_position(cursor, &path->qualifier_element, &path->qualifier_component))
            return false;
        if (!skip(cursor, '='))
            return fail(cursor, "expected `=` and the qualifier", "as in `LOC[1/1=60]/2/1`");
        start = cursor->at;
    }
    while (peek(cursor) != 0 && peek(cursor) != ']')
        cursor->at++;
    path->qualifier = bytes_slice(cursor->text, start, cursor->at - start);
    if (bytes_trim(path->qualifier).size != path->qualifier.size || path->qualifier.size == 0) {
        cursor->at = start;
        return fail(cursor, "expected a qualifier", "as in `RFF[ABT]/1/2`");
    }
    return skip(cursor, ']') || fail(cursor, "expected `]`", NULL);
}
