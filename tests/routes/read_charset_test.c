/* One message in every character set gives one reading; a byte that does not fit is refused where
 * it stands. */
#include <iconv.h>

#include "profile_fixture.h"
#include "routes/scan/charset.h"

static const char profiles[] =
    "profile: x\nfamily: f\nformat: xml\nrecognise: { root: Msg, namespace: \"urn:m\" }\n"
    "fields: { message_type: name(), message_id: \"@id\", trader: Trader/Name }\n"
    "keys: { order: Order/No }\n---\n"
    "profile: j\nfamily: f\nformat: json\nrecognise: { key: type }\n"
    "fields: { message_type: type, trader: trader }\n---\n"
    "profile: e\nfamily: f\nformat: edifact\nrecognise: { type: CUSDEC }\n"
    "fields: { message_type: UNH/2/1, trader: NAD/4 }\n";

static struct profile_fixture *fixture;

static void open_fixture(void)
{
    fixture = fixture_open();
    fixture_parse(fixture, profiles);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
}

static void close_fixture(void)
{
    fixture_close(fixture);
}

TestSuite(read_charset, .init = open_fixture, .fini = close_fixture);

enum { BODY_MAX = 4096 };

struct body {
    uint8_t data[BODY_MAX];
    size_t size;
};

/* UTF-8 in the set, by its name for iconv; what stands in `body` already stays before it. */
static void add_encoded(struct body *body, const char *iconv_name, const char *text)
{
    iconv_t converter = iconv_open(iconv_name, "UTF-8");
    cr_assert_neq(converter, (iconv_t)-1, "%s", iconv_name);
    char *in = (char *)(uintptr_t)text, *out = (char *)body->data + body->size;
    size_t in_left = strlen(text), out_left = BODY_MAX - body->size;
    cr_assert_eq(iconv(converter, &in, &in_left, &out, &out_left), 0, "%s: %s", iconv_name, text);
    iconv_close(converter);
    body->size = BODY_MAX - out_left;
}

static void add_bytes(struct body *body, struct bytes bytes)
{
    memcpy(body->data + body->size, bytes.data, bytes.size);
    body->size += bytes.size;
}

static const char *read_body(const struct body *body)
{
    return fixture_read_bytes(fixture, bytes_make(body->data, body->size));
}

/* ---- every set that XML may declare ---------------------------------------------------------- */

struct declared {
    const char *declared; /* in the XML declaration; NULL: without one */
    const char *iconv_name;
    const char *mark; /* bytes before the text, not converted */
    const char *word; /* of the set's own letters */
};

static const struct declared declared[] = {
    {"UTF-8", "UTF-8", "", "粤港澳 é Ж"},
    {"UTF-8", "UTF-8", "\xEF\xBB\xBF", "粤港澳 é Ж"},
    {"GBK", "UTF-8", "\xEF\xBB\xBF", "粤港澳 é Ж"}, /* the mark decides */
    {NULL, "UTF-8", "", "粤港澳 é Ж"},
    {"GB2312", "GB18030", "", "广州海关"},
    {"GBK", "GB18030", "", "誠俓镕"}, /* second bytes \ ] and F5 */
    {"gb18030", "GB18030", "", "誠|㐀𠀀"},
    {"UTF-16", "UTF-16BE", "\xFE\xFF", "粤港澳 é Ж 𠀀"},
    {"UTF-16", "UTF-16LE", "\xFF\xFE", "粤港澳 é Ж 𠀀"},
    {"UTF-16LE", "UTF-16LE", "", "粤港澳 é Ж 𠀀"},
    {"utf-16be", "UTF-16BE", "", "粤港澳 é Ж 𠀀"},
    {"UTF-8", "UTF-16LE", "\xFF\xFE", "粤港澳"}, /* the mark decides */
    {NULL, "UTF-16LE", "\xFF\xFE", "粤港澳"},
    {NULL, "UTF-16BE", "", "粤港澳"},
    {NULL, "UTF-16LE", "", "粤港澳"},
    {"Big5", "BIG5-HKSCS", "", "功許蓋閱 香港澳門 嘅"}, /* second bytes \ \ \ \ ... */
    {"Big5-HKSCS", "BIG5-HKSCS", "", "嘢喺Ê̄"},
    {"CP950", "CP950", "", "功許蓋"},
    {"Shift_JIS", "CP932", "", "表ソ十噂ｱ"}, /* second bytes \ \ \ \ */
    {"EUC-JP", "EUC-JP", "", "表ソ十"},
    {"EUC-KR", "CP949", "", "관세청 똠"},
    {"ISO-8859-1", "ISO-8859-1", "", "Zürich é"},
    {"ISO-8859-2", "ISO-8859-2", "", "Łódź"},
    {"ISO-8859-3", "ISO-8859-3", "", "Ħaż-Żabbar"},
    {"ISO-8859-4", "ISO-8859-4", "", "Rīga ģ"},
    {"ISO-8859-5", "ISO-8859-5", "", "Москва"},
    {"ISO-8859-6", "ISO-8859-6", "", "جمارك"},
    {"ISO-8859-7", "ISO-8859-7", "", "Πειραιάς"},
    {"ISO-8859-8", "ISO-8859-8", "", "מכס"},
    {"ISO-8859-9", "ISO-8859-9", "", "İzmir ş"},
    {"ISO-8859-10", "ISO-8859-10", "", "Þórshöfn ŋ"},
    {"TIS-620", "TIS-620", "", "ศุลกากร"},
    {"ISO-8859-13", "ISO-8859-13", "", "Klaipėda"},
    {"ISO-8859-14", "ISO-8859-14", "", "Caerdydd ŵ"},
    {"ISO-8859-15", "ISO-8859-15", "", "€ œ"},
    {"ISO-8859-16", "ISO-8859-16", "", "Constanța"},
    {"windows-1250", "WINDOWS-1250", "", "Łódź – „x”"},
    {"windows-1251", "WINDOWS-1251", "", "Москва № 5"},
    {"windows-1252", "WINDOWS-1252", "", "€ œ – é"},
    {"windows-1253", "WINDOWS-1253", "", "Πειραιάς €"},
    {"windows-1254", "WINDOWS-1254", "", "İzmir €"},
    {"windows-1255", "WINDOWS-1255", "", "מכס ₪"},
    {"windows-1256", "WINDOWS-1256", "", "جمارک"},
    {"windows-1257", "WINDOWS-1257", "", "Klaipėda €"},
    {"windows-874", "CP874", "", "ศุลกากร €"},
    {"KOI8-R", "KOI8-R", "", "Москва"},
    {"KOI8-U", "KOI8-U", "", "Київ ґ"},
    {"IBM866", "CP866", "", "Москва"},
};

static void make_xml(const struct declared *row, struct body *out)
{
    char text[BODY_MAX];
    int size = 0;
    out->size = 0;
    add_bytes(out, bytes_from_text(row->mark));
    if (row->declared != NULL)
        size = sprintf(text, "<?xml version=\"1.0\" encoding=\"%s\"?>\r\n", row->declared);
    sprintf(text + size,
            "<m:Msg xmlns:m='urn:m' id='7-%s'><!-- %s --><m:Order><m:No>K%s</m:No></m:Order>"
            "<m:Order><m:No>&lt;</m:No></m:Order><m:Trader>"
            "<m:Name> %s&amp;<![CDATA[<%s>]]> </m:Name></m:Trader></m:Msg>",
            row->word, row->word, row->word, row->word, row->word);
    add_encoded(out, row->iconv_name, text);
}

Test(read_charset, one_message_in_every_set)
{
    for (size_t i = 0; i < sizeof declared / sizeof *declared; i++) {
        const char *word = declared[i].word;
        struct body body;
        char expected[BODY_MAX];
        make_xml(&declared[i], &body);
        sprintf(expected, "x 1: message_type=Msg | message_id=7-%s | trader=%s&<%s>", word, word,
                word);
        sprintf(expected + strlen(expected), " | order@0=K%s | order@0=<", word);
        cr_expect_str_eq(read_body(&body), expected, "%s: %s", declared[i].declared,
                         fixture->printed);
    }
}

/* Every prefix of the body is refused, at a place within it. */
Test(read_charset, cut_anywhere)
{
    for (size_t i = 0; i < sizeof declared / sizeof *declared; i++) {
        struct body body;
        make_xml(&declared[i], &body);
        for (size_t size = strlen(declared[i].mark) + 2; size < body.size; size++) {
            struct body cut = body;
            cut.size = size;
            const char *outcome = read_body(&cut);
            unsigned offset = 0;
            char reason[64];
            cr_assert_eq(sscanf(outcome, "%63s %u", reason, &offset), 2, "%s", outcome);
            cr_expect(offset <= size, "%s: %zu: %s", declared[i].declared, size, outcome);
        }
    }
}

static const char *read_damaged(const char *iconv_name, const char *mark, const char *before,
                                struct bytes damage, const char *after, unsigned *out_place)
{
    struct body body = {.size = 0};
    add_bytes(&body, bytes_from_text(mark));
    add_encoded(&body, iconv_name, before);
    *out_place = (unsigned)body.size;
    add_bytes(&body, damage);
    add_encoded(&body, iconv_name, after);
    return read_body(&body);
}

#define BEFORE         "<Msg xmlns='urn:m' id='1'><Trader><Name>中 "
#define AFTER          " x</Name></Trader></Msg>"
#define DECLARED(name) "<?xml version='1.0' encoding='" name "'?>"

/* Bytes that do not fit, each refused with ENCODING at its own place. */
Test(read_charset, damage_is_refused_at_its_place)
{
    static const struct {
        const char *iconv_name, *mark, *before;
        struct bytes damage;
        const char *after;
    } rows[] = {
        {"UTF-8", "", BEFORE, {(const uint8_t *)"\xE4\xB8", 2}, AFTER},
        {"UTF-16BE", "\xFE\xFF", BEFORE, {(const uint8_t *)"\xD8\x40", 2}, AFTER}, /* high alone */
        {"UTF-16BE", "\xFE\xFF", BEFORE, {(const uint8_t *)"\xDC\x00", 2}, AFTER}, /* low alone */
        {"UTF-16LE", "\xFF\xFE", BEFORE, {(const uint8_t *)"\x40\xD8", 2}, AFTER},
        {"UTF-16LE", "", BEFORE, {(const uint8_t *)"\x00\xDC", 2}, AFTER},
        {"UTF-16LE", "", BEFORE AFTER, {(const uint8_t *)"\x20", 1}, ""}, /* an odd number */
        {"GB18030", "", DECLARED("GBK") BEFORE, {(const uint8_t *)"\xFF", 1}, AFTER},
        {"GB18030", "", DECLARED("gb2312") BEFORE, {(const uint8_t *)"\xD6", 1}, AFTER},
        {"BIG5-HKSCS", "", DECLARED("Big5") BEFORE, {(const uint8_t *)"\xFF\x40", 2}, AFTER},
        {"BIG5-HKSCS", "", DECLARED("Big5") BEFORE, {(const uint8_t *)"\xA4", 1}, AFTER},
        {"CP932", "", DECLARED("Shift_JIS") BEFORE, {(const uint8_t *)"\xFF", 1}, AFTER},
        {"EUC-JP", "", DECLARED("EUC-JP") BEFORE, {(const uint8_t *)"\xFF\xFF", 2}, AFTER},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned place;
        char expected[64];
        const char *outcome = read_damaged(rows[i].iconv_name, rows[i].mark, rows[i].before,
                                           rows[i].damage, rows[i].after, &place);
        sprintf(expected, "ENCODING %u", place);
        cr_expect_str_eq(outcome, expected, "row %zu: %s, not %s", i, outcome, expected);
    }
}

/* A fault of the syntax stands where it is in the body, not in its transcript. */
Test(read_charset, a_fault_stands_where_it_is_in_the_body)
{
    static const struct {
        const char *iconv_name, *mark, *before;
    } rows[] = {
        {"UTF-16LE", "\xFF\xFE", BEFORE},
        {"UTF-16BE", "\xFE\xFF", BEFORE "𠀀"},
        {"UTF-16BE", "", BEFORE "é&lt;"},
        {"BIG5-HKSCS", "", DECLARED("Big5") BEFORE "功"},
        {"CP932", "", DECLARED("Shift_JIS") BEFORE "表"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsigned place;
        char expected[64];
        const char *outcome = read_damaged(rows[i].iconv_name, rows[i].mark, rows[i].before,
                                           (struct bytes){(const uint8_t *)"", 0}, "]]>", &place);
        sprintf(expected, "MALFORMED %u `]]>` outside of a CDATA section", place);
        cr_expect_str_eq(outcome, expected, "row %zu: %s, not %s", i, outcome, expected);
    }
}

Test(read_charset, what_the_declaration_cannot_be_believed)
{
    static const char *const rows[][2] = {
        {DECLARED("UTF-16") BEFORE AFTER, "ENCODING 30 it says UTF-16, but its bytes are not"},
        {DECLARED("ISO-2022-JP") BEFORE AFTER, "ENCODING 30 the encoding is not known"},
        {DECLARED("UTF-32") BEFORE AFTER, "ENCODING 30 the encoding is not known"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        cr_expect_str_eq(fixture_read(fixture, rows[i][0]), rows[i][1]);
}

/* ---- JSON and EDIFACT ------------------------------------------------------------------------ */

struct marked {
    const char *iconv_name, *mark;
};

static const struct marked wide[] = {
    {"UTF-16BE", "\xFE\xFF"}, {"UTF-16BE", ""}, {"UTF-16LE", "\xFF\xFE"}, {"UTF-16LE", ""}};

Test(read_charset, json_in_utf16)
{
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        struct body body = {.size = 0};
        add_bytes(&body, bytes_from_text(wide[i].mark));
        add_encoded(&body, wide[i].iconv_name, "{\"type\":\"T\", \"trader\":\"粤\\u6e2f𠀀\"}");
        cr_expect_str_eq(read_body(&body), "j 1: message_type=T | trader=粤港𠀀", "row %zu", i);
        body.size -= 2;
        unsigned offset = 0;
        cr_expect_eq(sscanf(read_body(&body), "TRUNCATED %u", &offset), 1, "row %zu", i);
        cr_expect_eq(offset, body.size, "row %zu", i);
    }
}

Test(read_charset, edifact_in_utf16)
{
    for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
        struct body body = {.size = 0};
        add_bytes(&body, bytes_from_text(wide[i].mark));
        add_encoded(&body, wide[i].iconv_name,
                    "UNB+UNOY:4+A+B+240101:1200+1'UNH+1+CUSDEC:D:96B:UN'NAD+CN+++粤港?+澳'"
                    "UNT+3+1'UNZ+1+1'");
        cr_expect_str_eq(read_body(&body), "e 1: message_type=CUSDEC | trader=粤港+澳", "row %zu",
                         i);
    }
}

/* Each value in the set that UNB names; a byte that does not fit is refused where it stands,
 * release characters before it counted. */
Test(read_charset, edifact_by_its_syntax_identifier)
{
    static const struct {
        const char *identifier, *iconv_name, *word;
        const char *damage; /* a byte that is not of the set; NULL: all are */
    } rows[] = {
        {"UNOC", "ISO-8859-1", "Zürich", NULL},       {"UNOD", "ISO-8859-2", "Łódź", NULL},
        {"UNOE", "ISO-8859-5", "Москва", NULL},       {"UNOF", "ISO-8859-7", "Πειραιάς", "\xFF"},
        {"UNOG", "ISO-8859-3", "Ħaż-Żabbar", "\xA5"}, {"UNOH", "ISO-8859-4", "Rīga", NULL},
        {"UNOI", "ISO-8859-6", "جمارك", "\xA1"},      {"UNOJ", "ISO-8859-8", "מכס", "\xBF"},
        {"UNOK", "ISO-8859-9", "İzmir", NULL},        {"UNOW", "UTF-8", "粤港澳", "\xE7"},
        {"UNOY", "UTF-8", "粤港澳", "\xE7"},          {"UNOX", "GB18030", "誠俓镕", "\xFF"},
        {"KECA", "CP949", "관세청", "\xFF"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct body body = {.size = 0};
        char text[256], expected[256];
        sprintf(text, "UNB+%s:3+A+B+240101:1200+1'UNH+1+CUSDEC:D:96B:UN'NAD+CN+++%s?+?'%s",
                rows[i].identifier, rows[i].word, rows[i].word);
        add_encoded(&body, rows[i].iconv_name, text);
        struct body damaged = body;
        add_encoded(&body, rows[i].iconv_name, "'UNT+3+1'UNZ+1+1'");
        sprintf(expected, "e 1: message_type=CUSDEC | trader=%s+'%s", rows[i].word, rows[i].word);
        const char *outcome = read_body(&body);
        cr_expect_str_eq(outcome, expected, "%s: %s", rows[i].identifier, outcome);
        if (rows[i].damage == NULL)
            continue;
        sprintf(expected, "ENCODING %zu not of the character set that UNB names", damaged.size);
        add_bytes(&damaged, bytes_from_text(rows[i].damage));
        add_encoded(&damaged, rows[i].iconv_name, "x'UNT+3+1'UNZ+1+1'");
        outcome = read_body(&damaged);
        cr_expect_str_eq(outcome, expected, "%s: %s, not %s", rows[i].identifier, outcome,
                         expected);
    }
}

/* ---- Room ------------------------------------------------------------------------------------ */

/* A body that does not fit beside what the batch has read is read again alone; one that never fits
 * is refused. */
Test(read_charset, full)
{
    struct reading reading;
    struct scan_fault fault = {0};
    struct reading_space *space = &fixture->reader.space;
    struct body body = {.size = 0};
    add_encoded(&body, "UTF-16LE", BEFORE AFTER);
    space->text_capacity = 256;
    space->text_used = 0;
    cr_expect_eq(read_message(&fixture->set, NULL, &fixture->reader,
                              bytes_make(body.data, body.size), &reading, &fault),
                 STATUS_OK);
    cr_expect_eq(fault.reason, SCAN_NONE, "what was tried first leaves no fault");
    uint32_t used = space->text_used;
    cr_expect_gt(used, 0);
    cr_expect_eq(read_message(&fixture->set, NULL, &fixture->reader,
                              bytes_make(body.data, body.size), &reading, &fault),
                 STATUS_FULL);
    cr_expect_eq(space->text_used, used);
    reader_reset(&fixture->reader);
    space->text_capacity = 64;
    cr_expect_eq(read_message(&fixture->set, NULL, &fixture->reader,
                              bytes_make(body.data, body.size), &reading, &fault),
                 STATUS_INVALID);
    cr_expect_eq(fault.reason, SCAN_TOO_MANY_VALUES);
    cr_expect_eq(space->text_used, 0);
}
