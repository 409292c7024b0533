#include "routes/xml/xml_markup.h"

#include "routes/scan/find_bytes.h"
#include "routes/xml/xml_tag.h"

static const uint8_t *read_declaration(struct scan_source *source, const uint8_t *at, bool marked);
static bool check_setting(struct scan_source *source, unsigned position, struct bytes value,
                          bool marked);

static const char control_character[] = "a control character";

/* ---- Prolog and epilog ----------------------------------------------------------------------- */

static bool sees_declaration(const struct scan_source *source, const uint8_t *at)
{
    return scan_sees(source, at, BYTES_LITERAL("<?xml")) &&
           find_nonblank(at + 5, source->end) != at + 5;
}

const uint8_t *xml_read_prolog(struct scan_source *source)
{
    const uint8_t *at = scan_begin_text(source);
    if (at == NULL)
        return NULL;
    bool marked = at != source->begin;
    struct bytes usual_declaration = BYTES_LITERAL("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    if (scan_sees(source, at, usual_declaration))
        at += usual_declaration.size;
    else if (sees_declaration(source, at))
        at = read_declaration(source, at + 5, marked);
    while (at != NULL) {
        at = find_nonblank(at, source->end);
        if (at == source->end || *at != '<')
            return scan_refuse(source, SCAN_MALFORMED, at, "expected the root element");
        if (at + 1 < source->end && at[1] == '!')
            at = xml_read_comment(source, at);
        else if (at + 1 < source->end && at[1] == '?')
            at = xml_read_instruction(source, at);
        else
            break;
    }
    return at;
}

const uint8_t *xml_read_epilog(struct scan_source *source, const uint8_t *at)
{
    while (at != NULL) {
        at = find_nonblank(at, source->end);
        if (at == source->end)
            break;
        if (*at != '<')
            return scan_refuse(source, SCAN_TRAILING, at, NULL);
        if (at + 1 == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at + 1, NULL);
        if (at[1] == '!')
            at = xml_read_comment(source, at);
        else if (at[1] == '?')
            at = xml_read_instruction(source, at);
        else
            return scan_refuse(source, SCAN_TRAILING, at, "a second root element");
    }
    return at;
}

/* ---- The XML declaration --------------------------------------------------------------------- */

enum { SETTING_VERSION, SETTING_ENCODING, SETTING_STANDALONE, SETTING_COUNT };

static const char *const setting_names[SETTING_COUNT] = {"version", "encoding", "standalone"};

/* `at` is past `<?xml`. The version must be there; the others may be, in this order. */
static const uint8_t *read_declaration(struct scan_source *source, const uint8_t *at, bool marked)
{
    unsigned position = SETTING_VERSION;
    for (;;) {
        const uint8_t *blank = at, *start = at = find_nonblank(at, source->end);
        if (at == source->end || *at == '?')
            break;
        if (at == blank)
            return scan_refuse(source, SCAN_MALFORMED, at, "expected a blank or `?>`");
        struct xml_attribute setting;
        at = xml_read_attribute(source, at, &setting);
        if (at == NULL)
            return NULL;
        unsigned first = position;
        while (position < SETTING_COUNT &&
               !bytes_equal_text(xml_name_whole(&setting.name), setting_names[position]))
            position++;
        if (position == SETTING_COUNT || (first == SETTING_VERSION && position != SETTING_VERSION))
            return scan_refuse(source, SCAN_MALFORMED, start,
                               "expected version, encoding, standalone");
        if (!check_setting(source, position, setting.value, marked))
            return NULL;
        position++;
    }
    if (position == SETTING_VERSION)
        return scan_refuse(source, SCAN_MALFORMED, at, "expected the version");
    return scan_expect(source, at, BYTES_LITERAL("?>"), "expected `?>`");
}

static bool is_version(struct bytes value)
{
    for (size_t i = 2; i < value.size; i++)
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
    return value.size > 2 && bytes_start_with(value, BYTES_LITERAL("1."));
}

/* XML 1.0, appendix F: the encoding that is declared at `at` counts where no mark says another. */
static bool set_charset(struct scan_source *source, enum charset charset, const uint8_t *at)
{
    source->charset = charset;
    if (charset_scan(charset) == CHARSET_IN_PLACE)
        return true;
    bool is_utf16 = charset == CHARSET_UTF16BE || charset == CHARSET_UTF16LE;
    scan_refuse(source, SCAN_ENCODING, at,
                is_utf16 ? "it says UTF-16, but its bytes are not"
                         : "not to be scanned in place: see routes/scan/transcript.h");
    return false;
}

static bool check_setting(struct scan_source *source, unsigned position, struct bytes value,
                          bool marked)
{
    enum charset charset;
    switch (position) {
    case SETTING_VERSION:
        if (is_version(value))
            return true;
        scan_refuse(source, SCAN_MALFORMED, value.data, "not a version 1.x");
        return false;
    case SETTING_ENCODING:
        if (!charset_by_encoding_name(value, &charset)) {
            scan_refuse(source, SCAN_ENCODING, value.data, "the encoding is not known");
            return false;
        }
        return marked || set_charset(source, charset, value.data);
    default:
        if (bytes_equal_text(value, "yes") || bytes_equal_text(value, "no"))
            return true;
        scan_refuse(source, SCAN_MALFORMED, value.data, "standalone is yes or no");
        return false;
    }
}

/* ---- Comments, CDATA sections, instructions -------------------------------------------------- */

/* `at` is past the `<!--`. */
static const uint8_t *read_comment_rest(struct scan_source *source, const uint8_t *at)
{
    for (;;) {
        at = find_xml_stop(at, source->end, (struct find_set){'-', '-', '-'});
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "a comment has no end");
        if (*at != '-')
            return scan_refuse(source, SCAN_MALFORMED, at, control_character);
        at++;
        if (at < source->end && *at == '-')
            return scan_expect_byte(source, at + 1, '>', "`--` in a comment");
    }
}

/* `at` is past the `<![CDATA[`. */
static const uint8_t *read_cdata_rest(struct scan_source *source, const uint8_t *at,
                                      struct bytes *out_cdata)
{
    const uint8_t *start = at;
    for (;; at++) {
        at = find_xml_stop(at, source->end, (struct find_set){']', ']', ']'});
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "a CDATA section has no end");
        if (*at != ']')
            return scan_refuse(source, SCAN_MALFORMED, at, control_character);
        if (xml_sees_cdata_end(source, at))
            break;
    }
    *out_cdata = bytes_make(start, (size_t)(at - start));
    return at + 3;
}

bool xml_sees_cdata_end(const struct scan_source *source, const uint8_t *at)
{
    return scan_sees(source, at, BYTES_LITERAL("]]>")) && !xml_is_second_byte(source, at);
}

const uint8_t *xml_read_comment_or_cdata(struct scan_source *source, const uint8_t *at,
                                         struct bytes *out_cdata)
{
    if (at + 2 == source->end || at[2] != '[')
        return xml_read_comment(source, at);
    at = scan_expect(source, at, BYTES_LITERAL("<![CDATA["), "expected `<![CDATA[`");
    return at == NULL ? NULL : read_cdata_rest(source, at, out_cdata);
}

const uint8_t *xml_read_comment(struct scan_source *source, const uint8_t *at)
{
    if (scan_sees(source, at, BYTES_LITERAL("<!--")))
        return read_comment_rest(source, at + 4);
    if (at + 2 < source->end && at[2] == 'D') {
        if (scan_expect(source, at, BYTES_LITERAL("<!DOCTYPE"), "expected `<!--`") == NULL)
            return NULL;
        return scan_refuse(source, SCAN_DOCTYPE, at, NULL);
    }
    return scan_expect(source, at, BYTES_LITERAL("<!--"), "expected `<!--`");
}

static const uint8_t *read_instruction_rest(struct scan_source *source, const uint8_t *at)
{
    for (;; at++) {
        at = find_xml_stop(at, source->end, (struct find_set){'?', '?', '?'});
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "an instruction has no end");
        if (*at != '?')
            return scan_refuse(source, SCAN_MALFORMED, at, control_character);
        if (scan_sees(source, at, BYTES_LITERAL("?>")))
            return at + 2;
    }
}

const uint8_t *xml_read_instruction(struct scan_source *source, const uint8_t *at)
{
    const uint8_t *target = at + 2, *end = xml_read_plain_name(source, target);
    if (end == NULL)
        return NULL;
    if (end == source->end)
        return scan_refuse(source, SCAN_TRUNCATED, end, "an instruction has no end");
    if (bytes_equal_fold(bytes_make(target, (size_t)(end - target)), BYTES_LITERAL("xml")))
        return scan_refuse(source, SCAN_MALFORMED, at,
                           "an XML declaration must be the first thing");
    if (*end == '?')
        return scan_expect(source, end, BYTES_LITERAL("?>"), "expected `?>`");
    if (find_nonblank(end, source->end) == end)
        return scan_refuse(source, SCAN_MALFORMED, end, "expected a blank or `?>`");
    return read_instruction_rest(source, end);
}
