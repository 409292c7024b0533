#include "routes/scan/charset.h"

#include <assert.h>
#include <errno.h>
#include <iconv.h>
#include <stdlib.h>

#include "routes/scan/utf8.h"

#define UTF8_BOM BYTES_LITERAL("\xEF\xBB\xBF")

struct charsets {
    iconv_t to_utf8[CHARSET_COUNT]; /* UTF8's stays closed: it is checked and copied */
};

struct charset_row {
    const char *iconv_name;
    enum charset_scan scan;
};

static const struct charset_row rows[CHARSET_COUNT] = {
#define X(name, iconv_name, scan) [CHARSET_##name] = {iconv_name, CHARSET_##scan},
    CHARSET_LIST(X)
#undef X
};

struct charset_name {
    const char *name;
    enum charset charset;
};

static const iconv_t closed = (iconv_t)-1;

struct charsets *charsets_open(void)
{
    struct charsets *charsets = malloc(sizeof *charsets);
    if (charsets == NULL)
        return NULL;
    bool complete = true;
    for (int i = 0; i < CHARSET_COUNT; i++) {
        charsets->to_utf8[i] = i == CHARSET_UTF8 ? closed : iconv_open("UTF-8", rows[i].iconv_name);
        complete = complete && (i == CHARSET_UTF8 || charsets->to_utf8[i] != closed);
    }
    if (complete)
        return charsets;
    charsets_close(charsets);
    return NULL;
}

void charsets_close(struct charsets *charsets)
{
    for (int i = 0; i < CHARSET_COUNT; i++)
        if (charsets->to_utf8[i] != closed)
            iconv_close(charsets->to_utf8[i]);
    free(charsets);
}

enum charset_scan charset_scan(enum charset charset)
{
    assert(charset < CHARSET_COUNT);
    return rows[charset].scan;
}

/* Beside iconv's own names. GB18030 contains GBK, which contains GB2312 in its EUC form. Big5 is
 * taken with the characters of Hong Kong, EUC-KR and Shift_JIS with those of Windows, as browsers
 * do: what senders call by the old names has them. */
static const struct charset_name aliases[] = {
    {"UTF8", CHARSET_UTF8},
    {"US-ASCII", CHARSET_UTF8},
    {"ASCII", CHARSET_UTF8},
    {"GB2312", CHARSET_GB18030},
    {"GB_2312-80", CHARSET_GB18030},
    {"EUC-CN", CHARSET_GB18030},
    {"GBK", CHARSET_GB18030},
    {"CP936", CHARSET_GB18030},
    {"WINDOWS-936", CHARSET_GB18030},
    {"ISO8859-1", CHARSET_LATIN1},
    {"ISO_8859-1", CHARSET_LATIN1},
    {"LATIN1", CHARSET_LATIN1},
    {"ISO8859-15", CHARSET_LATIN9},
    {"LATIN-9", CHARSET_LATIN9},
    {"TIS-620", CHARSET_THAI},
    {"WINDOWS-874", CHARSET_WINDOWS_874},
    {"CP1250", CHARSET_WINDOWS_1250},
    {"CP1251", CHARSET_WINDOWS_1251},
    {"CP1252", CHARSET_WINDOWS_1252},
    {"CP1253", CHARSET_WINDOWS_1253},
    {"CP1254", CHARSET_WINDOWS_1254},
    {"CP1255", CHARSET_WINDOWS_1255},
    {"CP1256", CHARSET_WINDOWS_1256},
    {"CP1257", CHARSET_WINDOWS_1257},
    {"IBM866", CHARSET_CP866},
    {"EUC-KR", CHARSET_KOREAN},
    {"KS_C_5601-1987", CHARSET_KOREAN},
    {"UHC", CHARSET_KOREAN},
    {"SHIFT_JIS", CHARSET_SHIFT_JIS},
    {"SHIFT-JIS", CHARSET_SHIFT_JIS},
    {"SJIS", CHARSET_SHIFT_JIS},
    {"WINDOWS-31J", CHARSET_SHIFT_JIS},
    {"MS932", CHARSET_SHIFT_JIS},
    {"BIG5", CHARSET_BIG5},
    {"BIG-5", CHARSET_BIG5},
    {"CN-BIG5", CHARSET_BIG5},
    {"MS950", CHARSET_CP950},
    {"WINDOWS-950", CHARSET_CP950},
    {"UTF-16", CHARSET_UTF16BE},
    {"UTF16", CHARSET_UTF16BE},
    {"UNICODE", CHARSET_UTF16BE},
    {"ISO-10646-UCS-2", CHARSET_UTF16BE},
    {"UCS-2", CHARSET_UTF16BE},
};

bool charset_by_encoding_name(struct bytes name, enum charset *out_charset)
{
    for (int i = 0; i < CHARSET_COUNT; i++)
        if (bytes_equal_fold(name, bytes_from_text(rows[i].iconv_name))) {
            *out_charset = (enum charset)i;
            return true;
        }
    for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
        if (bytes_equal_fold(name, bytes_from_text(aliases[i].name))) {
            *out_charset = aliases[i].charset;
            return true;
        }
    return false;
}

/* ISO 9735's service code list, 0001. UNOX is ISO 2022: of its forms only the one without escape
 * sequences is read, in which GB 2312 stands in the high half (EUC), a subset of GB18030. UNOW and
 * UNOY are ISO 10646, as UTF-8 (in UTF-16 the identifier would not be read here). KECA is Korea's
 * own, for KS X 1001. */
bool charset_by_edifact_syntax(struct bytes identifier, enum charset *out_charset)
{
    if (bytes_equal_text(identifier, "KECA")) {
        *out_charset = CHARSET_KOREAN;
        return true;
    }
    if (identifier.size != 4 || memcmp(identifier.data, "UNO", 3) != 0)
        return false;
    switch (identifier.data[3]) {
    case 'C': *out_charset = CHARSET_LATIN1; return true;
    case 'D': *out_charset = CHARSET_LATIN2; return true;
    case 'E': *out_charset = CHARSET_CYRILLIC; return true;
    case 'F': *out_charset = CHARSET_GREEK; return true;
    case 'G': *out_charset = CHARSET_LATIN3; return true;
    case 'H': *out_charset = CHARSET_LATIN4; return true;
    case 'I': *out_charset = CHARSET_ARABIC; return true;
    case 'J': *out_charset = CHARSET_HEBREW; return true;
    case 'K': *out_charset = CHARSET_LATIN5; return true;
    case 'W':
    case 'Y': *out_charset = CHARSET_UTF8; return true;
    case 'X': *out_charset = CHARSET_GB18030; return true;
    default: return false;
    }
}

static enum status copy_utf8(struct bytes source, uint8_t *out, size_t capacity, size_t *out_size)
{
    if (!bytes_is_utf8(source))
        return STATUS_INVALID;
    if (source.size > capacity)
        return STATUS_FULL;
    if (source.size > 0)
        memcpy(out, source.data, source.size);
    *out_size = source.size;
    return STATUS_OK;
}

enum status charset_decode(struct charsets *charsets, enum charset charset, struct bytes source,
                           uint8_t *out, size_t capacity, size_t *out_size)
{
    assert(charset < CHARSET_COUNT);
    if (charset == CHARSET_UTF8)
        return copy_utf8(source, out, capacity, out_size);

    iconv_t descriptor = charsets->to_utf8[charset];
    char *in_at = (char *)source.data, *out_at = (char *)out; /* iconv only reads its input */
    size_t in_left = source.size, out_left = capacity;
    iconv(descriptor, NULL, NULL, NULL, NULL); /* to the initial state */
    if (iconv(descriptor, &in_at, &in_left, &out_at, &out_left) == (size_t)-1 ||
        iconv(descriptor, NULL, NULL, &out_at, &out_left) == (size_t)-1) /* what Big5 holds back */
        return errno == E2BIG ? STATUS_FULL : STATUS_INVALID;
    *out_size = capacity - out_left;
    return STATUS_OK;
}

static size_t measure_utf8(struct bytes source, size_t *text_bytes)
{
    struct bytes text = bytes_slice(source, 0, *text_bytes);
    const uint8_t *bad = utf8_find_bad(text);
    *text_bytes = bad == NULL ? text.size : (size_t)(bad - text.data);
    return *text_bytes;
}

size_t charset_measure(struct charsets *charsets, enum charset charset, struct bytes source,
                       size_t *text_bytes)
{
    assert(charset < CHARSET_COUNT);
    if (charset == CHARSET_UTF8)
        return measure_utf8(source, text_bytes);
    iconv_t descriptor = charsets->to_utf8[charset];
    char piece[256], *in_at = (char *)source.data;
    size_t in_left = source.size, left = *text_bytes, written;
    iconv(descriptor, NULL, NULL, NULL, NULL);
    do {
        char *out_at = piece;
        size_t room = left < sizeof piece ? left : sizeof piece, out_left = room;
        bool whole = iconv(descriptor, &in_at, &in_left, &out_at, &out_left) != (size_t)-1;
        written = room - out_left;
        left -= written;
        if (whole || errno != E2BIG)
            break;
    } while (written > 0);
    *text_bytes -= left;
    return source.size - in_left;
}

static struct bytes without_bom(struct bytes text)
{
    return bytes_start_with(text, UTF8_BOM) ? bytes_slice(text, UTF8_BOM.size, text.size) : text;
}

enum status charset_decode_file(struct charsets *charsets, struct bytes source, struct arena *arena,
                                struct bytes *out_text, enum charset *out_charset)
{
    if (bytes_is_utf8(source)) {
        *out_text = arena_copy(arena, without_bom(source));
        *out_charset = CHARSET_UTF8;
        return STATUS_OK;
    }
    size_t capacity = source.size * CHARSET_GROWTH_MAX;
    uint8_t *text = arena_allocate(arena, capacity + 1 + BYTES_PADDING);
    size_t size;
    if (charset_decode(charsets, CHARSET_GB18030, source, text, capacity, &size) != STATUS_OK)
        return STATUS_INVALID;
    *out_text = without_bom(bytes_make(text, size));
    *out_charset = CHARSET_GB18030;
    return STATUS_OK;
}
