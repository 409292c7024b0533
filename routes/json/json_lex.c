#include "routes/json/json_lex.h"

#include "routes/scan/find_bytes.h"
#include "routes/scan/utf8.h"

static const uint8_t *read_high_bytes(struct scan_source *source, const uint8_t *at);
static const uint8_t *read_unicode_escape(struct scan_source *source, const uint8_t *at,
                                          uint32_t *out_code_point);
static const uint8_t *read_number(struct scan_source *source, const uint8_t *at);

const uint8_t *json_read_word(struct scan_source *source, const uint8_t *at,
                              struct json_scalar *out_scalar)
{
    const uint8_t *start = at;
    switch (at < source->end ? *at : 0) {
    case 't':
        out_scalar->kind = JSON_BOOLEAN;
        at = scan_expect(source, at, BYTES_LITERAL("true"), "expected `true`");
        break;
    case 'f':
        out_scalar->kind = JSON_BOOLEAN;
        at = scan_expect(source, at, BYTES_LITERAL("false"), "expected `false`");
        break;
    case 'n':
        out_scalar->kind = JSON_NULL;
        at = scan_expect(source, at, BYTES_LITERAL("null"), "expected `null`");
        break;
    default: out_scalar->kind = JSON_NUMBER; at = read_number(source, at);
    }
    out_scalar->escaped = false;
    if (at != NULL)
        out_scalar->raw = bytes_make(start, (size_t)(at - start));
    return at;
}

/* ---- Strings --------------------------------------------------------------------------------- */

const uint8_t *json_read_text_on(struct scan_source *source, const uint8_t *start,
                                 const uint8_t *at, struct json_scalar *out_text)
{
    bool escaped = false;
    while (at != NULL) {
        uint32_t code_point;
        at = find_json_stop(at, source->end);
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "a string has no end");
        if (*at == '"')
            break;
        if (*at == '\\') {
            escaped = true;
            at = json_read_escape(source, at, &code_point);
        } else if (*at >= 0x80) {
            at = read_high_bytes(source, at);
        } else {
            return scan_refuse(source, SCAN_MALFORMED, at, "a control character in a string");
        }
    }
    if (at == NULL)
        return NULL;
    *out_text = (struct json_scalar){JSON_TEXT, bytes_make(start, (size_t)(at - start)), escaped};
    return at + 1;
}

static const uint8_t *read_high_bytes(struct scan_source *source, const uint8_t *at)
{
    const uint8_t *start = at = utf8_pass_three_byte_characters(at, source->end);
    while (at < source->end && *at >= 0x80)
        at++;
    if (at == source->end)
        return scan_refuse(source, SCAN_TRUNCATED, at, "a string has no end");
    const uint8_t *bad = utf8_find_bad(bytes_make(start, (size_t)(at - start)));
    return bad == NULL ? at : scan_refuse(source, SCAN_ENCODING, bad, "a string is not UTF-8");
}

const uint8_t *json_read_escape(struct scan_source *source, const uint8_t *at,
                                uint32_t *out_code_point)
{
    static const char letters[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    if (at + 1 < source->end && at[1] == 'u')
        return read_unicode_escape(source, at, out_code_point);
    const char *letter = at + 1 < source->end && at[1] != 0 ? strchr(letters, at[1]) : NULL;
    if (letter == NULL)
        return scan_refuse(source, SCAN_MALFORMED, at + 1, "JSON has no such escape");
    *out_code_point = (uint8_t)meanings[letter - letters];
    return at + 2;
}

static int hex_value(uint8_t byte)
{
    uint8_t letter = byte | 0x20;
    if (byte >= '0' && byte <= '9')
        return byte - '0';
    return letter >= 'a' && letter <= 'f' ? letter - 'a' + 10 : -1;
}

/* `\uXXXX`, of which `at` is at the backslash. */
static const uint8_t *read_code_unit(struct scan_source *source, const uint8_t *at,
                                     uint32_t *out_unit)
{
    uint32_t unit = 0;
    at += 2;
    for (unsigned i = 0; i < 4; i++, at++) {
        int digit = at < source->end ? hex_value(*at) : -1;
        if (digit < 0)
            return scan_refuse(source, SCAN_MALFORMED, at, "expected a hexadecimal digit");
        unit = unit << 4 | (uint32_t)digit;
    }
    *out_unit = unit;
    return at;
}

static const uint8_t *read_unicode_escape(struct scan_source *source, const uint8_t *at,
                                          uint32_t *out_code_point)
{
    const uint8_t *start = at;
    uint32_t unit, low = 0;
    at = read_code_unit(source, at, &unit);
    if (at == NULL)
        return NULL;
    *out_code_point = unit;
    if (unit < 0xD800 || unit > 0xDFFF)
        return at;
    if (unit < 0xDC00) {
        if (at == source->end || (*at == '\\' && at + 1 == source->end))
            return scan_refuse(source, SCAN_TRUNCATED, source->end, "a string has no end");
        if (*at == '\\' && at[1] == 'u')
            at = read_code_unit(source, at, &low);
        if (at == NULL)
            return NULL;
    }
    if (low < 0xDC00 || low > 0xDFFF)
        return scan_refuse(source, SCAN_ENCODING, start, "half of a surrogate pair");
    *out_code_point = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
    return at;
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static bool is_digit_at(const struct scan_source *source, const uint8_t *at)
{
    return at < source->end && *at >= '0' && *at <= '9';
}

static const uint8_t *read_digits(struct scan_source *source, const uint8_t *at)
{
    if (!is_digit_at(source, at))
        return scan_refuse(source, SCAN_MALFORMED, at, "expected a digit");
    while (is_digit_at(source, at))
        at++;
    return at;
}

static const uint8_t *read_number(struct scan_source *source, const uint8_t *at)
{
    bool negative = at < source->end && *at == '-';
    if (!negative && !is_digit_at(source, at))
        return scan_refuse(source, SCAN_MALFORMED, at, "expected a value");
    if (negative)
        at++;
    if (at < source->end && *at == '0')
        at++; /* no digits after a leading zero: they are a fault of what follows */
    else
        at = read_digits(source, at);
    if (at != NULL && at < source->end && *at == '.')
        at = read_digits(source, at + 1);
    if (at != NULL && at < source->end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < source->end && (*at == '+' || *at == '-'))
            at++;
        at = read_digits(source, at);
    }
    return at;
}
