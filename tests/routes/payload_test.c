/* `open:` a message inside of a message. */
#include "profile_fixture.h"

#define OUTER(open)                                                                                \
    "profile: env\nfamily: f\nformat: xml\nrecognise: { root: Env }\n" open "entries: Part\n"      \
    "fields: { message_type: Type, message_id: Id, sender: From, goods_code: //Hs }\n"             \
    "keys: { bill: Part/Bill }\n---\n"
#define INNER                                                                                      \
    "profile: in\nfamily: g\nformat: xml\nrecognise: { root: In }\nentries: Item\n"                \
    "fields: { message_type: name(), message_id: { path: Id, required: true }, sender: From,\n"    \
    "  receiver: To, goods_code: //Hs, port: { path: Port, length: 1..3 } }\n"                     \
    "keys: { order: Item/No, container: Box }\n---\n"                                              \
    "profile: in-json\nfamily: g\nformat: json\nrecognise: { key: kind }\n"                        \
    "fields: { message_type: kind, receiver: to }\n---\n"                                          \
    "profile: env-json\nfamily: f\nformat: json\nrecognise: { key: type }\n"                       \
    "open: { path: box/data, encoding: base64 }\nfields: { message_type: type }\n---\n"            \
    "profile: env-json-text\nfamily: f\nformat: json\nrecognise: { key: texttype }\n"              \
    "open: { path: data, encoding: text, required: true }\nfields: { message_type: texttype }\n"

static struct profile_fixture *fixture;

static void open_with(const char *yaml)
{
    fixture = fixture_open();
    fixture_parse(fixture, yaml);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
}

static void open_lenient(void)
{
    open_with(OUTER("open: Data\n") INNER);
}

static void open_required(void)
{
    open_with(OUTER("open: { path: Data, required: true }\n") INNER);
}

static void open_text(void)
{
    open_with(OUTER("open: { path: Data, encoding: text, required: true }\n") INNER);
}

static void close_fixture(void)
{
    fixture_close(fixture);
}

static size_t encode_base64(struct bytes bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t left = bytes.size - i;
        uint32_t bits = (uint32_t)bytes.data[i] << 16;
        bits |= left > 1 ? (uint32_t)bytes.data[i + 1] << 8 : 0;
        bits |= left > 2 ? bytes.data[i + 2] : 0;
        out[size++] = digits[bits >> 18];
        out[size++] = digits[bits >> 12 & 63];
        out[size++] = left > 1 ? digits[bits >> 6 & 63] : '=';
        out[size++] = left > 2 ? digits[bits & 63] : '=';
    }
    out[size] = '\0';
    return size;
}

enum { TEXT_MAX = 4 * 1024 * 1024 };

/* The outer message with this payload, encoded already. */
static char *wrap(const char *payload)
{
    char *text = malloc(strlen(payload) + 1024);
    cr_assert_not_null(text);
    sprintf(text,
            "<Env><Type>T</Type><Id>7</Id><Part><Bill>B1</Bill></Part><Part><Hs>01</Hs></Part>"
            "<Data>%s</Data></Env>",
            payload);
    return text;
}

static const char *read_wrapped(const char *payload)
{
    char *text = wrap(payload);
    const char *outcome = fixture_read(fixture, text);
    free(text);
    return outcome;
}

static const char *read_base64(struct bytes payload)
{
    char *encoded = malloc(payload.size / 3 * 4 + 8);
    cr_assert_not_null(encoded);
    encode_base64(payload, encoded);
    const char *outcome = read_wrapped(encoded);
    free(encoded);
    return outcome;
}

/* Where the payload begins in what `wrap` makes. */
static unsigned payload_place(void)
{
    char *text = wrap("");
    unsigned place = (unsigned)(strstr(text, "<Data>") + 6 - text);
    free(text);
    return place;
}

static const char message[] =
    "<In><Id>9</Id><From>A</From><To>C</To><Hs>01</Hs><Hs>02</Hs>"
    "<Item><No>1</No></Item><Item><No>2</No></Item><Box>X</Box><Port>P</Port></In>";

#define OUTER_ALONE "env 2: message_type=T | message_id=7 | goods_code=01 | bill@1=B1"
#define BOTH                                                                                       \
    "env 4: message_type=T | message_id=7 | goods_code=01 | bill@1=B1 | sender=A | receiver=C | "  \
    "goods_code=02 | port=P | order@3=1 | order@4=2 | container@0=X | payload_profile=in"

Test(payload, joins_the_outer_reading, .init = open_required, .fini = close_fixture)
{
    cr_expect_str_eq(read_base64(bytes_from_text(message)), BOTH);
}

Test(payload, base64_has_blanks_line_ends_and_references, .init = open_required,
     .fini = close_fixture)
{
    char encoded[512], spelt[2048] = "\n  <!-- base64 -->";
    size_t size = encode_base64(bytes_from_text(message), encoded);
    for (size_t i = 0; i < size; i++) {
        static const char *const between[] = {"", "\r\n", "&#13;\n", " \t", "<?x y?>", "<!---->"};
        size_t at = strlen(spelt);
        if (i % 5 == 1)
            sprintf(spelt + at, "%s&#%d;", between[i % 6], encoded[i]);
        else if (i % 5 == 2)
            sprintf(spelt + at, "<![CDATA[%c]]>%s", encoded[i], between[i % 6]);
        else
            sprintf(spelt + at, "%c%s", encoded[i], between[i % 6]);
        cr_assert_lt(at, sizeof spelt - 64);
    }
    cr_expect_str_eq(read_wrapped(spelt), BOTH);
}

Test(payload, text_is_escaped_or_in_cdata, .init = open_text, .fini = close_fixture)
{
    char text[2048] = "";
    for (const char *at = message; *at != '\0'; at++)
        sprintf(text + strlen(text), *at == '<' ? "&lt;" : *at == '>' ? "&gt;" : "%c", *at);
    cr_expect_str_eq(read_wrapped(text), BOTH);
    sprintf(text, "\n  <![CDATA[\n<?xml version='1.0' encoding='GBK'?>%s\n]]>\n", message);
    cr_expect_str_eq(read_wrapped(text), BOTH, "decoded characters are UTF-8, whatever they say");
}

/* The outer message's set is that of its text. */
Test(payload, text_in_gbk, .init = open_text, .fini = close_fixture)
{
    struct bytes body =
        BYTES_LITERAL("<?xml version='1.0' encoding='GBK'?><Env><Type>T</Type><Data>"
                      "<![CDATA[<In><Id>1</Id><To>\xD5\\\xD6\xD0</To></In>]]>"
                      "</Data></Env>");
    cr_expect_str_eq(fixture_read_bytes(fixture, body),
                     "env 1: message_type=T | receiver=誠中 | payload_profile=in");
    struct bytes bad = BYTES_LITERAL("<?xml version='1.0' encoding='GBK'?><Env><Type>T</Type><Data>"
                                     "<![CDATA[<In><Id>1</Id><To>\xD5\\\xFF</To></In>]]>"
                                     "</Data></Env>");
    char expected[256];
    sprintf(expected, "PAYLOAD %u %s",
            (unsigned)((uint8_t *)memchr(bad.data, 0xFF, bad.size) - bad.data),
            scan_reason_text(SCAN_ENCODING));
    cr_expect_str_eq(fixture_read_bytes(fixture, bad), expected);
}

/* The decoded payload is a body of its own, in any set; the outer one too. */
Test(payload, in_utf16, .init = open_required, .fini = close_fixture)
{
    uint8_t wide[1024] = {0xFF, 0xFE}, outer[4096] = {0xFE, 0xFF};
    size_t size = strlen(message);
    for (size_t i = 0; i < size; i++)
        wide[2 + 2 * i] = (uint8_t)message[i];
    cr_expect_str_eq(read_base64(bytes_make(wide, 2 + 2 * size)), BOTH);

    char encoded[4096];
    encode_base64(bytes_make(wide, 2 + 2 * size), encoded);
    char *text = wrap(encoded);
    size = strlen(text);
    cr_assert_lt(2 * size, sizeof outer - 2);
    for (size_t i = 0; i < size; i++)
        outer[3 + 2 * i] = (uint8_t)text[i];
    cr_expect_str_eq(fixture_read_bytes(fixture, bytes_make(outer, 2 + 2 * size)), BOTH);
    free(text);
}

/* Larger than any value may be. */
Test(payload, of_a_megabyte, .init = open_required, .fini = close_fixture)
{
    enum { SIZE = 1024 * 1024 };
    char *text = malloc(SIZE + 1024);
    cr_assert_not_null(text);
    size_t size = (size_t)sprintf(text, "<In><Id>1</Id><!--");
    memset(text + size, 'x', SIZE);
    sprintf(text + size + SIZE, "--><To>Z</To></In>");
    cr_expect_str_eq(read_base64(bytes_from_text(text)),
                     "env 2: message_type=T | message_id=7 | goods_code=01 | bill@1=B1 | "
                     "receiver=Z | payload_profile=in");
    free(text);
}

Test(payload, in_json, .init = open_lenient, .fini = close_fixture)
{
    char encoded[256], text[1024];
    encode_base64(BYTES_LITERAL("{\"kind\":\"K\",\"to\":\"粤\"}"), encoded);
    sprintf(text, "{\"type\":\"T\",\"box\":{\"data\":\"%.8s\\r\\n\\u%04x%s\"}}", encoded,
            encoded[8], encoded + 9);
    cr_expect_str_eq(fixture_read(fixture, text),
                     "env-json 1: message_type=T | receiver=粤 | payload_profile=in-json");
    cr_expect_str_eq(fixture_read(fixture, "{\"texttype\":\"T\",\"data\":\"{\\\"kind\\\":\\\"K\\\","
                                           "\\\"to\\\":\\\"\\u7ca4\\\"}\"}"),
                     "env-json-text 1: message_type=T | receiver=粤 | payload_profile=in-json");
    cr_expect_str_eq(fixture_read(fixture, "{\"texttype\":\"T\",\"data\":{\"kind\":\"K\"}}"),
                     "PAYLOAD 23 the payload is no text");
    cr_expect_str_eq(fixture_read(fixture, "{\"texttype\":\"T\",\"data\":null}"),
                     "PAYLOAD 28 it is absent");
}

/* ---- What cannot be read --------------------------------------------------------------------- */

Test(payload, refused_with_a_place_in_the_outer_body, .init = open_required, .fini = close_fixture)
{
    static const struct {
        const char *payload;
        unsigned place; /* in the payload */
        const char *what;
    } rows[] = {
        {"PElu*z4=", 4, "no digit of base64"},
        {"PElu\r\n Lz&amp;=", 9, "no digit of base64"},
        {"PEluLz4", 7, "base64 ends within a group of four digits"},
        {"PElu=", 4, "base64 is padded here in vain"},
        {"PEluL===", 5, "base64 is padded here in vain"},
        {"PEluLz4==", 8, "base64 is padded here in vain"},
        {"PEluLz4= PA", 9, "base64 goes on behind its padding"},
        {"PEluLz5=", 8, "the last digit of base64 has bits to spare"},
        {"PElu\xE4\xB8\xAD", 4, "no digit of base64"},
        {"PElu<b/>", 4, "the payload has elements inside"},
        {" \n", 2, "the body is empty or blank"},
        {"eHh4", 0, "neither XML, JSON nor EDIFACT"},
        {"PE5vLz4=", 0, "well begun, but no profile recognises it"},
        {"PEluPg==", 8, "an element has no end"},
        {"PElu\nPiYjMDs8L0luPg==", 9, "no character has this number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char expected[256];
        unsigned place = payload_place() + rows[i].place;
        sprintf(expected, "PAYLOAD %u %s", place, rows[i].what);
        const char *outcome = read_wrapped(rows[i].payload);
        cr_expect_str_eq(outcome, expected, "row %zu: %s, not %s", i, outcome, expected);
    }
    cr_expect_str_eq(fixture_read(fixture, "<Env><Type>T</Type></Env>"), "PAYLOAD 25 it is absent");
    cr_expect_str_eq(fixture_read(fixture, "<Env><Type>T</Type><Data/><Data/></Env>"),
                     "PAYLOAD 19 more than one payload");
}

Test(payload, a_constraint_inside, .init = open_required, .fini = close_fixture)
{
    char expected[256];
    const char *text = "<In><Id>1</Id><To>C</To><Port>long</Port></In>";
    unsigned at = (unsigned)(strstr(text, "long") - text);
    sprintf(expected, "PAYLOAD %u port", payload_place() + at / 3 * 4 + at % 3);
    cr_expect_str_eq(read_base64(bytes_from_text(text)), expected);
}

/* Without `required` it stays closed, and nothing of what was read of it stays. */
Test(payload, stays_closed_where_it_cannot_be_read, .init = open_lenient, .fini = close_fixture)
{
    static const char *const payloads[] = {"PElu*", "eHh4", "PE5vLz4=", "<b/>", "PEluPg=="};
    for (size_t i = 0; i < sizeof payloads / sizeof *payloads; i++) {
        cr_expect_str_eq(read_wrapped(payloads[i]), OUTER_ALONE);
        cr_expect_eq(fixture->reader.space.text_used, 0, "row %zu", i);
    }
    cr_expect_str_eq(read_base64(BYTES_LITERAL("<In><Id>1</Id><From>A</From><Hs>05</Hs><Item><No>"
                                               "1</No></Item><Port>long</Port></In>")),
                     OUTER_ALONE);
    cr_expect_str_eq(fixture_read(fixture, "<Env><Type>T</Type></Env>"), "env 1: message_type=T");
}

static void check_closed(struct bytes text, unsigned place)
{
    struct reading reading;
    struct scan_fault fault = {0};
    struct bytes body = fixture_body(text, 0);
    reader_reset(&fixture->reader);
    cr_assert_eq(read_message(&fixture->set, NULL, &fixture->reader, body, &reading, &fault),
                 STATUS_OK);
    cr_expect_eq(fault.reason, SCAN_NONE);
    cr_expect_null(reading.payload.profile);
    cr_expect_eq(reading.payload.fault.reason, SCAN_PAYLOAD);
    cr_expect_eq(reading.payload.fault.offset, place);
    free((void *)body.data);
}

Test(payload, the_reading_says_what_became_of_it, .init = open_lenient, .fini = close_fixture)
{
    char *text = wrap("PElu*");
    uint8_t wide[1024] = {0};
    size_t size = strlen(text);
    check_closed(bytes_from_text(text), payload_place() + 4);
    for (size_t i = 0; i < size; i++)
        wide[2 * i] = (uint8_t)text[i];
    check_closed(bytes_make(wide, 2 * size), 2 * (payload_place() + 4));
    free(text);
}

/* One level only. */
Test(payload, a_payload_inside_of_a_payload_stays_closed, .init = open_lenient,
     .fini = close_fixture)
{
    char encoded[1024];
    encode_base64(bytes_from_text(message), encoded);
    char *text = wrap(encoded);
    cr_expect_str_eq(read_base64(bytes_from_text(text)),
                     "env 4: message_type=T | message_id=7 | goods_code=01 | bill@1=B1 | "
                     "bill@3=B1 | payload_profile=env");
    free(text);
}

Test(payload, entries_of_both_are_bounded, .init = open_required, .fini = close_fixture)
{
    char *text = malloc(TEXT_MAX), expected[128];
    cr_assert_not_null(text);
    for (unsigned count = READING_ENTRIES_DEFAULT - 2; count <= READING_ENTRIES_DEFAULT - 1;
         count++) {
        strcpy(text, "<In><Id>1</Id>");
        for (unsigned i = 0; i < count; i++)
            strcat(text, "<Item/>");
        strcat(text, "</In>");
        const char *outcome = read_base64(bytes_from_text(text));
        if (count + 2 <= READING_ENTRIES_DEFAULT) {
            cr_expect_eq(strncmp(outcome, "env 256:", 8), 0, "%s", outcome);
            continue;
        }
        sprintf(expected, "PAYLOAD %u %s", payload_place(),
                scan_reason_text(SCAN_TOO_MANY_ENTRIES));
        cr_expect_str_eq(outcome, expected);
    }
    free(text);
}

/* ---- Mistakes in profiles -------------------------------------------------------------------- */

Test(payload, mistakes, .fini = close_fixture)
{
    static const struct {
        const char *yaml, *diagnostic;
    } rows[] = {
        {OUTER("open: //Data\n"), "a payload is named by a plain path"},
        {OUTER("open: \"@data\"\n"), "a payload is named by a plain path"},
        {OUTER("open: { encoding: base64 }\n"), "`path` is missing"},
        {OUTER("open: { path: Data, encoding: gzip }\n"), "`gzip` is not a value of `encoding`"},
        {OUTER("open: { path: Data, require: true }\n"), "`require` is not known here"},
        {OUTER("open: Data\ncontent: [Id]\n"), "`content` says nothing of a payload"},
        {"profile: e\nfamily: f\nformat: edifact\nrecognise: { type: X }\nopen: FTX/4\n"
         "fields: { message_type: UNH/2/1 }\n",
         "a payload stands in an XML or JSON message"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fixture = fixture_open();
        fixture_parse(fixture, rows[i].yaml);
        const char *printed = fixture_diagnostics(fixture);
        cr_expect(strstr(printed, rows[i].diagnostic) != NULL, "row %zu: %s", i, printed);
        cr_expect_eq(fixture->list.count, 0);
        if (i + 1 < sizeof rows / sizeof *rows)
            fixture_close(fixture);
    }
}
