/* What may stand in a hole, beyond plain ASCII text. Whatever the scanners would refuse here, or
 * capture otherwise than as it is written, is no value. */
#include "routes/json/json_lex.h"
#include "routes/scan/utf8.h"
#include "routes/stencil/stencil_parts.h"
#include "routes/xml/xml_tag.h"

const struct stencil_plain_end stencil_plain_ends[] = {
    /* `"`, `\` */
    [HOLE_JSON_TEXT] = {{3, 3, 7, 3, 3, 3, 3, 3, 3, 3, 3, 3, 11, 3, 3, 3},
                        {1, 1, 4, 0, 0, 8, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2},
                        '"'},
    /* `<`, `&`, `]` */
    [HOLE_XML_TEXT] = {{3, 3, 3, 3, 3, 3, 11, 3, 3, 3, 3, 3, 7, 19, 3, 3},
                       {1, 1, 8, 4, 0, 16, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2},
                       '<'},
    /* `"` and `&`, `<` */
    [HOLE_XML_VALUE] = {{3, 3, 7, 3, 3, 3, 7, 3, 3, 3, 3, 3, 11, 3, 3, 3},
                        {1, 1, 4, 8, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2},
                        '"'},
    /* `]` */
    [HOLE_XML_CDATA] = {{3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 7, 3, 3},
                        {1, 1, 0, 0, 0, 4, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2},
                        0},
    /* `"`, `'`, `*` and `+`; `:` and `?` */
    [HOLE_EDIFACT] = {{3, 3, 7, 3, 3, 3, 3, 7, 3, 3, 15, 7, 3, 3, 3, 11},
                      {1, 1, 4, 8, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2},
                      0},
};

const uint8_t *stencil_pass_json(bool tapped, const uint8_t *at, const uint8_t *end)
{
    struct scan_source source;
    struct json_scalar scalar;
    if (at == end)
        return NULL;
    scan_source_init(&source, bytes_make(at, (size_t)(end - at)), NULL);
    const uint8_t *after = json_read_text_on(&source, at, at, &scalar);
    return after == NULL || (tapped && scalar.escaped) ? NULL : after - 1;
}

static const uint8_t *pass_high_bytes(const uint8_t *at, const uint8_t *end)
{
    const uint8_t *start = at = utf8_pass_three_byte_characters(at, end);
    while (at < end && *at >= 0x80)
        at++;
    return utf8_find_bad(bytes_make(start, (size_t)(at - start))) == NULL ? at : NULL;
}

static const uint8_t *pass_reference(const uint8_t *at, const uint8_t *end)
{
    struct scan_source source;
    uint32_t unused;
    scan_source_init(&source, bytes_make(at, (size_t)(end - at)), NULL);
    return xml_read_reference(&source, at, &unused);
}

/* Past one thing at which a plain text stops; NULL if it has no business there. */
static const uint8_t *pass_stop(enum stencil_hole hole, bool tapped, const uint8_t *at,
                                const uint8_t *end)
{
    if (*at >= 0x80)
        return pass_high_bytes(at, end);
    switch (*at) {
    case '\n':
    case '\t': return hole != HOLE_XML_VALUE || !tapped ? at + 1 : NULL;
    case '\r': return !tapped ? at + 1 : NULL;
    case '&': return !tapped ? pass_reference(at, end) : NULL;
    case ']': return at + 1;
    default: return NULL;
    }
}

static bool sees_cdata_end(const uint8_t *at, const uint8_t *end)
{
    return end - at > 2 && at[0] == ']' && at[1] == ']' && at[2] == '>';
}

const uint8_t *stencil_pass_xml(enum stencil_hole hole, bool tapped, const uint8_t *at,
                                const uint8_t *end)
{
    struct find_set stops = stencil_stops(hole);
    while (at != NULL && at < end) {
        if (hole == HOLE_XML_CDATA ? sees_cdata_end(at, end) : *at == stops.a)
            return at;
        if (hole == HOLE_XML_TEXT && sees_cdata_end(at, end))
            return NULL;
        at = pass_stop(hole, tapped, at, end);
        if (at != NULL)
            at = find_plain_stop(at, end, stops);
    }
    return NULL;
}

/* ---- blanks ---------------------------------------------------------------------------------- */

/* Past a JSON escape for a blank; NULL if it is for something else. What `\u00` begins is taken for
 * one, to be sure. */
static const uint8_t *pass_blank_escape(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 2)
        return NULL;
    if (memchr("tnrbf", at[1], 5) != NULL)
        return at + 2;
    return end - at >= 6 && memcmp(at, "\\u00", 4) == 0 ? at + 6 : NULL;
}

/* Past an XML reference to a blank; NULL if it is to something else. */
static const uint8_t *pass_blank_reference(const uint8_t *at, const uint8_t *end)
{
    struct scan_source source;
    uint32_t character;
    scan_source_init(&source, bytes_make(at, (size_t)(end - at)), NULL);
    const uint8_t *after = xml_read_reference(&source, at, &character);
    return after != NULL && character <= ' ' ? after : NULL;
}

bool stencil_reads_blank(enum stencil_hole hole, const uint8_t *at, const uint8_t *end)
{
    for (at = stencil_pass_blanks(at, end); at != NULL && at < end;
         at = at != NULL ? stencil_pass_blanks(at, end) : NULL) {
        if (*at == '\\' && hole == HOLE_JSON_TEXT)
            at = pass_blank_escape(at, end);
        else if (*at == '&' && (hole == HOLE_XML_TEXT || hole == HOLE_XML_VALUE))
            at = pass_blank_reference(at, end);
        else
            return false;
    }
    return at == end;
}

/* ---- numbers --------------------------------------------------------------------------------- */

static const uint8_t *pass_digits(const uint8_t *at, const uint8_t *end)
{
    while (at < end && (uint8_t)(*at - '0') < 10)
        at++;
    return at;
}

const uint8_t *stencil_pass_number(const uint8_t *at, const uint8_t *end)
{
    at += at < end && *at == '-';
    const uint8_t *start = at;
    at = pass_digits(at, end);
    if (at == start || (*start == '0' && at - start > 1))
        return NULL;
    if (at < end && *at == '.') {
        start = at + 1;
        at = pass_digits(start, end);
        if (at == start)
            return NULL;
    }
    return at < end && (*at | 0x20) != 'e' ? at : NULL;
}
