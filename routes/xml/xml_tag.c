#include "routes/xml/xml_tag.h"

#include "routes/scan/find_bytes.h"

static inline const uint8_t *read_plain_name(struct scan_source *source, const uint8_t *at);
__attribute__((noinline)) static const uint8_t *
read_attributes(struct scan_source *source, const uint8_t *at, struct xml_tag *tag);
static const uint8_t *read_unique_attribute(struct scan_source *source, const uint8_t *at,
                                            struct xml_tag *tag);
static bool appears_already(const struct xml_tag *tag, const struct xml_name *name);
static const uint8_t *read_value(struct scan_source *source, const uint8_t *at,
                                 struct bytes *out_value);
static const uint8_t *read_name(struct scan_source *source, const uint8_t *at,
                                struct xml_name *out_name);
static const uint8_t *read_number(struct scan_source *source, const uint8_t *at,
                                  uint32_t *out_code_point);

static bool is_name_start(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26 || byte == '_' || byte >= 0x80;
}

/* ---- Tags ------------------------------------------------------------------------------------ */

/* True if the prefix of `like` with its colon stands at `at`. */
static bool sees_prefix(const struct scan_source *source, const uint8_t *at,
                        const struct xml_name *like)
{
    size_t size = like->prefix_size + 1;
    return like->prefix_size > 0 && (size_t)(source->end - at) >= size &&
           find_equal(at, like->data, size);
}

const uint8_t *xml_read_tag(struct scan_source *source, const uint8_t *at,
                            const struct xml_name *outer, struct xml_tag *out_tag)
{
    const uint8_t *start = at;
    out_tag->attribute_count = 0;
    out_tag->closed = false;
    out_tag->shares_prefix = sees_prefix(source, at, outer);
    if (out_tag->shares_prefix) {
        at = read_plain_name(source, at + outer->prefix_size + 1);
        if (at == NULL)
            return NULL;
        out_tag->name = (struct xml_name){start, (uint32_t)(at - start), outer->prefix_size};
    } else {
        at = read_name(source, at, &out_tag->name);
    }
    if (at != NULL && at < source->end && *at == '>')
        return at + 1; /* most tags have a name only */
    return read_attributes(source, at, out_tag);
}

/* `at` is past the tag's name, or NULL if there is none. */
static const uint8_t *read_attributes(struct scan_source *source, const uint8_t *at,
                                      struct xml_tag *tag)
{
    while (at != NULL) {
        const uint8_t *blank = at;
        at = find_nonblank(at, source->end);
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "expected `>`");
        if (*at == '>')
            return at + 1;
        if (*at == '/') {
            tag->closed = true;
            return scan_expect_byte(source, at + 1, '>', "expected `>`");
        }
        if (at == blank)
            return scan_refuse(source, SCAN_MALFORMED, at, "expected a blank, `/` or `>`");
        at = read_unique_attribute(source, at, tag);
    }
    return NULL;
}

static const uint8_t *read_unique_attribute(struct scan_source *source, const uint8_t *at,
                                            struct xml_tag *tag)
{
    if (tag->attribute_count == XML_ATTRIBUTES_MAX)
        return scan_refuse(source, SCAN_MALFORMED, at, "more than 128 attributes in one tag");
    struct xml_attribute *attribute = &tag->attributes[tag->attribute_count];
    const uint8_t *after = xml_read_attribute(source, at, attribute);
    if (after == NULL)
        return NULL;
    if (appears_already(tag, &attribute->name))
        return scan_refuse(source, SCAN_MALFORMED, at, "the attribute appears twice");
    tag->attribute_count++;
    return after;
}

static bool appears_already(const struct xml_tag *tag, const struct xml_name *name)
{
    for (uint32_t i = 0; i < tag->attribute_count; i++) {
        const struct xml_name *other = &tag->attributes[i].name;
        if (other->size == name->size && find_equal(other->data, name->data, name->size))
            return true;
    }
    return false;
}

const uint8_t *xml_read_attribute(struct scan_source *source, const uint8_t *at,
                                  struct xml_attribute *out_attribute)
{
    at = read_name(source, at, &out_attribute->name);
    if (at != NULL)
        at = scan_expect_byte(source, find_nonblank(at, source->end), '=', "expected `=`");
    if (at != NULL)
        at = read_value(source, find_nonblank(at, source->end), &out_attribute->value);
    return at;
}

static const uint8_t *read_value(struct scan_source *source, const uint8_t *at,
                                 struct bytes *out_value)
{
    if (at == source->end || (*at != '"' && *at != '\''))
        return scan_refuse(source, SCAN_MALFORMED, at, "expected a quote");
    struct find_set stops = {*at, '<', '&'};
    const uint8_t *start = ++at;
    for (;;) {
        uint32_t code_point;
        at = find_xml_stop(at, source->end, stops);
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "an attribute's value has no end");
        if (*at == stops.a)
            break;
        if (*at == '<')
            return scan_refuse(source, SCAN_MALFORMED, at, "`<` in an attribute's value");
        if (*at != '&')
            return scan_refuse(source, SCAN_MALFORMED, at, "a control character");
        at = xml_read_reference(source, at, &code_point);
        if (at == NULL)
            return NULL;
    }
    *out_value = bytes_make(start, (size_t)(at - start));
    return at + 1;
}

/* ---- Plain tags ------------------------------------------------------------------------------ */

/* `name` or `prefix:name`, by the bits. */
static inline const uint8_t *take_name(const struct xml_index *index, const uint8_t *at,
                                       struct xml_name *out_name)
{
    const uint8_t *local = at, *end = xml_index_name_end(index, at);
    out_name->prefix_size = 0;
    if (*end == ':') {
        out_name->prefix_size = (uint32_t)(end - at);
        local = end + 1;
        end = xml_index_name_end(index, local);
    }
    out_name->data = at;
    out_name->size = (uint32_t)(end - at);
    return is_name_start(*at) && is_name_start(*local) && end != local ? end : NULL;
}

const uint8_t *xml_read_plain_tag(const struct xml_index *index, const uint8_t *at,
                                  const struct xml_name *outer, struct xml_tag *out_tag)
{
    const struct find_set quotes = {'"', '"', '"'};
    const uint8_t *bound = xml_index_see(index); /* nothing up to here needs a closer look */
    at = take_name(index, at, &out_tag->name);
    out_tag->shares_prefix = outer->prefix_size > 0 &&
                             outer->prefix_size == out_tag->name.prefix_size &&
                             find_equal(outer->data, out_tag->name.data, outer->prefix_size);
    out_tag->attribute_count = 0;
    while (at != NULL && at < bound && *at <= ' ') {
        at = find_nonblank(at, bound);
        if (*at == '>' || *at == '/')
            break;
        struct xml_attribute *attribute = &out_tag->attributes[out_tag->attribute_count];
        at = take_name(index, at, &attribute->name);
        if (at == NULL || at[0] != '=' || at[1] != '"' ||
            appears_already(out_tag, &attribute->name))
            return NULL;
        const uint8_t *value = at + 2,
                      *quote = value < bound ? find_xml_stop(value, bound, quotes) : bound;
        if (quote == bound || ++out_tag->attribute_count == XML_ATTRIBUTES_MAX)
            return NULL;
        attribute->value = bytes_make(value, (size_t)(quote - value));
        at = quote + 1;
    }
    if (at == NULL)
        return NULL;
    out_tag->closed = *at == '/';
    at += out_tag->closed;
    return at < bound && *at == '>' ? at + 1 : NULL;
}

/* ---- Names ----------------------------------------------------------------------------------- */

bool xml_is_second_byte(const struct scan_source *source, const uint8_t *at)
{
    if (source->charset != CHARSET_GB18030)
        return false;
    const uint8_t *run = at; /* of high bytes; they go in pairs from its start */
    while (run > source->begin && run[-1] >= 0x80)
        run--;
    return (at - run) % 2 == 1;
}

/* `at` is where a name seems to end, behind a high byte. */
static const uint8_t *pass_second_bytes(const struct scan_source *source, const uint8_t *at)
{
    while (at < source->end && *at >= 0x40 && at[-1] >= 0x80 && xml_is_second_byte(source, at))
        at = find_name_end(at + 1, source->end);
    return at;
}

/* In place: this is most of the work that a tag is. */
static inline __attribute__((always_inline)) const uint8_t *
read_plain_name(struct scan_source *source, const uint8_t *at)
{
    if (at == source->end || !is_name_start(*at))
        return scan_refuse(source, SCAN_MALFORMED, at, "expected a name");
    at = find_name_end(at, source->end);
    return at[-1] < 0x80 ? at : pass_second_bytes(source, at);
}

const uint8_t *xml_read_plain_name(struct scan_source *source, const uint8_t *at)
{
    return read_plain_name(source, at);
}

static inline __attribute__((always_inline)) const uint8_t *
read_name(struct scan_source *source, const uint8_t *at, struct xml_name *out_name)
{
    const uint8_t *start = at;
    out_name->data = start;
    out_name->prefix_size = 0;
    at = read_plain_name(source, at);
    if (at != NULL && at < source->end && *at == ':') {
        out_name->prefix_size = (uint32_t)(at - start);
        at = read_plain_name(source, at + 1);
    }
    if (at != NULL)
        out_name->size = (uint32_t)(at - start);
    return at;
}

/* ---- References ------------------------------------------------------------------------------ */

static bool find_entity(struct bytes name, uint32_t *out_code_point)
{
    static const struct {
        const char *name;
        uint8_t byte;
    } entities[] = {{"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"apos", '\''}, {"quot", '"'}};
    for (size_t i = 0; i < sizeof entities / sizeof *entities; i++)
        if (bytes_equal_text(name, entities[i].name)) {
            *out_code_point = entities[i].byte;
            return true;
        }
    return false;
}

const uint8_t *xml_read_reference(struct scan_source *source, const uint8_t *at,
                                  uint32_t *out_code_point)
{
    const uint8_t *start = at + 1;
    if (start < source->end && *start == '#')
        return read_number(source, start + 1, out_code_point);
    const uint8_t *end = xml_read_plain_name(source, start);
    if (end == NULL)
        return NULL;
    const uint8_t *after = scan_expect_byte(source, end, ';', "expected `;`");
    if (after == NULL)
        return NULL;
    if (!find_entity(bytes_make(start, (size_t)(end - start)), out_code_point))
        return scan_refuse(source, SCAN_ENTITY, at, NULL);
    return after;
}

static int digit_value(uint8_t byte, uint32_t base)
{
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    uint8_t letter = byte | 0x20;
    return base == 16 && letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* XML 1.0, 2.2: Char */
static bool is_character(uint32_t code_point)
{
    if (code_point < 0x20)
        return code_point == '\t' || code_point == '\n' || code_point == '\r';
    return code_point <= 0x10FFFF && !(code_point >= 0xD800 && code_point <= 0xDFFF) &&
           code_point != 0xFFFE && code_point != 0xFFFF;
}

/* `at` is past the `#`. */
static const uint8_t *read_number(struct scan_source *source, const uint8_t *at,
                                  uint32_t *out_code_point)
{
    uint32_t base = 10, code_point = 0;
    if (at < source->end && *at == 'x') {
        base = 16;
        at++;
    }
    const uint8_t *start = at;
    for (int digit; at < source->end && (digit = digit_value(*at, base)) >= 0; at++) {
        code_point = code_point * base + (uint32_t)digit;
        if (code_point > 0x10FFFF)
            return scan_refuse(source, SCAN_MALFORMED, start, "no character has this number");
    }
    if (at == start)
        return scan_refuse(source, SCAN_MALFORMED, at, "expected a digit");
    const uint8_t *after = scan_expect_byte(source, at, ';', "expected `;`");
    if (after == NULL)
        return NULL;
    if (!is_character(code_point))
        return scan_refuse(source, SCAN_MALFORMED, start, "no character has this number");
    *out_code_point = code_point;
    return after;
}
