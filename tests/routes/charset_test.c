#include "routes/scan/charset.h"

#include <criterion/criterion.h>

static struct charsets *charsets;

static void open_charsets(void)
{
    charsets = charsets_open();
    cr_assert_not_null(charsets);
}

static void close_charsets(void)
{
    charsets_close(charsets);
}

TestSuite(charset, .init = open_charsets, .fini = close_charsets);

Test(charset, encoding_names)
{
    static const struct {
        const char *name;
        enum charset charset;
    } rows[] = {
        {"UTF-8", CHARSET_UTF8},
        {"utf-8", CHARSET_UTF8},
        {"utf8", CHARSET_UTF8},
        {"US-ASCII", CHARSET_UTF8},
        {"GB2312", CHARSET_GB18030},
        {"gb2312", CHARSET_GB18030},
        {"GBK", CHARSET_GB18030},
        {"gb18030", CHARSET_GB18030},
        {"ISO-8859-1", CHARSET_LATIN1},
        {"iso-8859-2", CHARSET_LATIN2},
        {"ISO-8859-5", CHARSET_CYRILLIC},
        {"ISO-8859-9", CHARSET_LATIN5},
        {"windows-1251", CHARSET_WINDOWS_1251},
        {"koi8-r", CHARSET_KOI8_R},
        {"Big5", CHARSET_BIG5},
        {"shift_jis", CHARSET_SHIFT_JIS},
        {"UTF-16", CHARSET_UTF16BE},
        {"utf-16le", CHARSET_UTF16LE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum charset charset = CHARSET_COUNT;
        cr_expect(charset_by_encoding_name(bytes_from_text(rows[i].name), &charset), "%s",
                  rows[i].name);
        cr_expect_eq(charset, rows[i].charset, "%s", rows[i].name);
    }
    static const char *const unknown[] = {"", "UTF-32", "UTF-8 ", "ISO-2022-JP", "ISO-8859"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        enum charset charset = CHARSET_COUNT;
        cr_expect_not(charset_by_encoding_name(bytes_from_text(unknown[i]), &charset));
        cr_expect_eq(charset, CHARSET_COUNT, "an output stays untouched on failure");
    }
}

Test(charset, edifact_syntaxes)
{
    static const struct {
        const char *identifier;
        enum charset charset;
    } rows[] = {
        {"UNOC", CHARSET_LATIN1}, {"UNOD", CHARSET_LATIN2},  {"UNOE", CHARSET_CYRILLIC},
        {"UNOF", CHARSET_GREEK},  {"UNOG", CHARSET_LATIN3},  {"UNOH", CHARSET_LATIN4},
        {"UNOI", CHARSET_ARABIC}, {"UNOJ", CHARSET_HEBREW},  {"UNOK", CHARSET_LATIN5},
        {"UNOW", CHARSET_UTF8},   {"UNOX", CHARSET_GB18030}, {"UNOY", CHARSET_UTF8},
        {"KECA", CHARSET_KOREAN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        enum charset charset = CHARSET_COUNT;
        cr_expect(charset_by_edifact_syntax(bytes_from_text(rows[i].identifier), &charset));
        cr_expect_eq(charset, rows[i].charset, "%s", rows[i].identifier);
    }
    static const char *const unknown[] = {"",     "UNOA", "UNOB", "IATB",
                                          "KECB", "UNOL", "UNO",  "unoc"};
    for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
        enum charset charset;
        cr_expect_not(charset_by_edifact_syntax(bytes_from_text(unknown[i]), &charset));
    }
}

struct decode_row {
    enum charset charset;
    const char *source, *text; /* NULL: INVALID */
};

static const struct decode_row decodes[] = {
    {CHARSET_UTF8, "a\xC3\xA9", "aé"},
    {CHARSET_UTF8, "a\xC3", NULL},
    {CHARSET_UTF8, "\xC0\xAF", NULL},
    {CHARSET_GB18030, "\xD6\xD0\xCE\xC4+A", "中文+A"},
    {CHARSET_GB18030, "\xD5\\", "誠"},                   /* GBK: the second byte is a backslash */
    {CHARSET_GB18030, "\x90\x30\x81\x30", "\U00010000"}, /* four bytes */
    {CHARSET_GB18030, "\xD6", NULL},
    {CHARSET_GB18030, "\xFF", NULL},
    {CHARSET_LATIN1, "\xE9\xFF", "éÿ"},
    {CHARSET_LATIN2, "\xB1", "ą"},
    {CHARSET_LATIN3, "\xA1", "Ħ"},
    {CHARSET_LATIN3, "\xA5", NULL},
    {CHARSET_LATIN4, "\xA2", "ĸ"},
    {CHARSET_CYRILLIC, "\xB6", "Ж"},
    {CHARSET_ARABIC, "\xC7", "ا"},
    {CHARSET_GREEK, "\xE1", "α"},
    {CHARSET_HEBREW, "\xE0", "א"},
    {CHARSET_LATIN5, "\xFE", "ş"},
    {CHARSET_LATIN1, "", ""},
    {CHARSET_WINDOWS_1251, "\xCC\xB9", "М№"},
    {CHARSET_KOI8_R, "\xED", "М"},
    {CHARSET_BIG5, "\xA5\\", "功"},  /* the second byte is a backslash */
    {CHARSET_BIG5, "\x88\x62", "Ê̄"}, /* two code points, of which iconv holds the second back */
    {CHARSET_SHIFT_JIS, "\x95\\~", "表~"},
    {CHARSET_KOREAN, "\x8C\x63", "똠"},
    {CHARSET_UTF16LE, "\x2D\x4E", "中"},
};

Test(charset, decode)
{
    for (size_t i = 0; i < sizeof decodes / sizeof decodes[0]; i++) {
        const struct decode_row *row = &decodes[i];
        uint8_t out[64];
        size_t size = 99;
        enum status status = charset_decode(charsets, row->charset, bytes_from_text(row->source),
                                            out, sizeof out, &size);
        if (row->text == NULL) {
            cr_expect_eq(status, STATUS_INVALID, "row %zu", i);
            cr_expect_eq(size, 99, "row %zu", i);
            continue;
        }
        cr_expect_eq(status, STATUS_OK, "row %zu", i);
        cr_expect(bytes_equal_text(bytes_make(out, size), row->text), "row %zu", i);
        cr_expect(size <= strlen(row->source) * CHARSET_GROWTH_MAX, "row %zu", i);
    }
}

/* Every pair of bytes of every set, so that CHARSET_GROWTH_MAX is right. */
Test(charset, growth)
{
    for (int set = 0; set < CHARSET_COUNT; set++)
        for (unsigned pair = 0; pair < 65536; pair++) {
            uint8_t source[2] = {(uint8_t)(pair >> 8), (uint8_t)pair}, out[8];
            size_t size = 0;
            if (charset_decode(charsets, (enum charset)set, bytes_make(source, 2), out, sizeof out,
                               &size) != STATUS_OK)
                continue;
            cr_assert(size <= 2 * CHARSET_GROWTH_MAX, "set %d, %04x", set, pair);
            cr_assert(bytes_is_utf8(bytes_make(out, size)), "set %d, %04x", set, pair);
        }
}

/* What is scanned in place must spell syntax as ASCII does, and have no half of a character that
 * looks like it: but of GB18030, whose second bytes the scanners know. */
Test(charset, sets_that_are_scanned_in_place)
{
    for (int set = 0; set < CHARSET_COUNT; set++) {
        if (charset_scan((enum charset)set) == CHARSET_WHOLE)
            continue;
        for (unsigned pair = 0; pair < 65536; pair++) {
            uint8_t source[2] = {(uint8_t)(pair >> 8), (uint8_t)pair}, out[8];
            size_t size = 0;
            bool second_is_letter = (source[1] | 0x20) >= 'a' && (source[1] | 0x20) <= 'z';
            if (charset_decode(charsets, (enum charset)set, bytes_make(source, 2), out, sizeof out,
                               &size) != STATUS_OK)
                continue;
            if (source[0] < 0x80)
                cr_assert_eq(out[0], source[0], "set %d, %04x", set, pair);
            if (source[1] < 0x80 && !second_is_letter && set != CHARSET_GB18030)
                cr_assert_eq(out[size - 1], source[1], "set %d, %04x", set, pair);
        }
    }
}

Test(charset, measure)
{
    static const struct {
        enum charset charset;
        struct bytes source;
        size_t text_bytes, measured;
    } rows[] = {
        {CHARSET_UTF8, {(const uint8_t *)"a\xC3\xA9\xC3", 4}, SIZE_MAX, 3},
        {CHARSET_UTF8, {(const uint8_t *)"a\xC3\xA9", 3}, 1, 1},
        {CHARSET_UTF16LE,
         {(const uint8_t *)"a\0\x2D\x4E"
                           "b\0",
          6},
         0,
         0},
        {CHARSET_UTF16LE,
         {(const uint8_t *)"a\0\x2D\x4E"
                           "b\0",
          6},
         1,
         2},
        {CHARSET_UTF16LE,
         {(const uint8_t *)"a\0\x2D\x4E"
                           "b\0",
          6},
         3,
         2}, /* inside of it */
        {CHARSET_UTF16LE,
         {(const uint8_t *)"a\0\x2D\x4E"
                           "b\0",
          6},
         4,
         4},
        {CHARSET_UTF16LE,
         {(const uint8_t *)"a\0\x2D\x4E"
                           "b\0",
          6},
         5,
         6},
        {CHARSET_UTF16LE,
         {(const uint8_t *)"a\0\x2D\x4E"
                           "b\0",
          6},
         SIZE_MAX,
         6},
        {CHARSET_UTF16LE,
         {(const uint8_t *)"a\0\x00\xDC"
                           "b\0",
          6},
         SIZE_MAX,
         2},
        {CHARSET_UTF16LE, {(const uint8_t *)"a\0b", 3}, SIZE_MAX, 2},
        {CHARSET_GB18030, {(const uint8_t *)"a\xD6\xD0\xFF", 4}, SIZE_MAX, 3},
        {CHARSET_BIG5, {(const uint8_t *)"a\xA5\\\xA5", 4}, SIZE_MAX, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t text_bytes = rows[i].text_bytes, size;
        uint8_t out[32];
        cr_expect_eq(charset_measure(charsets, rows[i].charset, rows[i].source, &text_bytes),
                     rows[i].measured, "row %zu", i);
        struct bytes measured = bytes_slice(rows[i].source, 0, rows[i].measured);
        cr_expect_eq(charset_decode(charsets, rows[i].charset, measured, out, sizeof out, &size),
                     STATUS_OK);
        cr_expect_eq(text_bytes, size, "row %zu", i);
    }
}

/* Over several of the pieces in which it walks. */
Test(charset, measure_a_long_text)
{
    uint8_t source[4000];
    for (size_t i = 0; i < sizeof source; i += 2)
        memcpy(source + i, i % 6 == 0 ? "a\0" : "\x2D\x4E", 2);
    for (size_t size = 0; size <= sizeof source; size += 2) {
        uint8_t out[sizeof source * CHARSET_GROWTH_MAX];
        size_t text_bytes;
        cr_assert_eq(charset_decode(charsets, CHARSET_UTF16LE, bytes_make(source, size), out,
                                    sizeof out, &text_bytes),
                     STATUS_OK);
        cr_assert_eq(charset_measure(charsets, CHARSET_UTF16LE, bytes_make(source, sizeof source),
                                     &text_bytes),
                     size);
    }
}

Test(charset, a_failure_leaves_nothing_behind)
{
    uint8_t out[16];
    size_t size;
    for (int i = 0; i < 3; i++) {
        cr_expect_eq(charset_decode(charsets, CHARSET_GB18030, BYTES_LITERAL("\xD6"), out,
                                    sizeof out, &size),
                     STATUS_INVALID);
        cr_expect_eq(
            charset_decode(charsets, CHARSET_GB18030, BYTES_LITERAL("\xD6\xD0\xCE"), out, 4, &size),
            STATUS_INVALID);
        cr_expect_eq(charset_decode(charsets, CHARSET_GB18030, BYTES_LITERAL("\xD6\xD0"), out,
                                    sizeof out, &size),
                     STATUS_OK);
        cr_expect(bytes_equal_text(bytes_make(out, size), "中"));
    }
}

Test(charset, full)
{
    uint8_t out[8];
    size_t size = 99;
    cr_expect_eq(charset_decode(charsets, CHARSET_LATIN1, BYTES_LITERAL("\xE9\xE9"), out, 3, &size),
                 STATUS_FULL);
    cr_expect_eq(charset_decode(charsets, CHARSET_UTF8, BYTES_LITERAL("abc"), out, 2, &size),
                 STATUS_FULL);
    cr_expect_eq(size, 99);
    cr_expect_eq(charset_decode(charsets, CHARSET_LATIN1, BYTES_LITERAL("\xE9\xE9"), out, 4, &size),
                 STATUS_OK);
    cr_expect_eq(size, 4);
}

Test(charset, files)
{
    static const struct {
        const char *source, *text;
        enum charset charset;
    } rows[] = {
        {"id,to\r\n1,a\r\n", "id,to\r\n1,a\r\n", CHARSET_UTF8},
        {"", "", CHARSET_UTF8},
        {"\xEF\xBB\xBFid", "id", CHARSET_UTF8},
        {"\xEF\xBB\xBF\xEF\xBB\xBFid", "\xEF\xBB\xBFid", CHARSET_UTF8},
        {"备注", "备注", CHARSET_UTF8},
        {"id,\xB1\xB8\xD7\xA2\n", "id,备注\n", CHARSET_GB18030},
        {"\x84\x31\x95\x33\xB1\xB8", "备", CHARSET_GB18030}, /* GB18030's own BOM */
        {"\xFF\xFEi", NULL, CHARSET_COUNT},                  /* UTF-16 */
        {"id,\xB1", NULL, CHARSET_COUNT},
    };
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes text;
        enum charset charset = CHARSET_COUNT;
        enum status status =
            charset_decode_file(charsets, bytes_from_text(rows[i].source), &arena, &text, &charset);
        cr_expect_eq(status, rows[i].text != NULL ? STATUS_OK : STATUS_INVALID, "row %zu", i);
        cr_expect_eq(charset, rows[i].charset, "row %zu", i);
        if (status != STATUS_OK)
            continue;
        cr_expect(bytes_equal_text(text, rows[i].text), "row %zu", i);
        cr_expect_eq(text.data[text.size], 0, "a NUL follows");
    }
    arena_deinit(&arena);
}
