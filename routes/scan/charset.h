/* Character sets of bodies and files, converted to UTF-8 by iconv. Off the common path: plain ASCII
 * and UTF-8 never come here. Descriptors are opened once, at start (iconv reads files then). */
#ifndef KOUAN_ROUTES_CHARSET_H
#define KOUAN_ROUTES_CHARSET_H

#include "core/arena.h"
#include "core/status.h"

/* How a body in a set is scanned. IN_PLACE: a byte below 0x80 is the ASCII character wherever
 * syntax looks, so markup is found as it stands and only values are converted (of GB18030 the
 * scanners know the second bytes). WHOLE: bytes that look like syntax may be halves of characters,
 * so the body is converted first (routes/scan/transcript.h). */
enum charset_scan { CHARSET_IN_PLACE, CHARSET_WHOLE };

/* name of the constant, the name for iconv, how it is scanned */
#define CHARSET_LIST(X)                                                                            \
    X(UTF8, "UTF-8", IN_PLACE)                                                                     \
    X(GB18030, "GB18030", IN_PLACE)                                                                \
    X(LATIN1, "ISO-8859-1", IN_PLACE)                                                              \
    X(LATIN2, "ISO-8859-2", IN_PLACE)                                                              \
    X(LATIN3, "ISO-8859-3", IN_PLACE)                                                              \
    X(LATIN4, "ISO-8859-4", IN_PLACE)                                                              \
    X(CYRILLIC, "ISO-8859-5", IN_PLACE)                                                            \
    X(ARABIC, "ISO-8859-6", IN_PLACE)                                                              \
    X(GREEK, "ISO-8859-7", IN_PLACE)                                                               \
    X(HEBREW, "ISO-8859-8", IN_PLACE)                                                              \
    X(LATIN5, "ISO-8859-9", IN_PLACE)                                                              \
    X(LATIN6, "ISO-8859-10", IN_PLACE)                                                             \
    X(THAI, "ISO-8859-11", IN_PLACE)                                                               \
    X(LATIN7, "ISO-8859-13", IN_PLACE)                                                             \
    X(LATIN8, "ISO-8859-14", IN_PLACE)                                                             \
    X(LATIN9, "ISO-8859-15", IN_PLACE)                                                             \
    X(LATIN10, "ISO-8859-16", IN_PLACE)                                                            \
    X(WINDOWS_1250, "WINDOWS-1250", IN_PLACE)                                                      \
    X(WINDOWS_1251, "WINDOWS-1251", IN_PLACE)                                                      \
    X(WINDOWS_1252, "WINDOWS-1252", IN_PLACE)                                                      \
    X(WINDOWS_1253, "WINDOWS-1253", IN_PLACE)                                                      \
    X(WINDOWS_1254, "WINDOWS-1254", IN_PLACE)                                                      \
    X(WINDOWS_1255, "WINDOWS-1255", IN_PLACE)                                                      \
    X(WINDOWS_1256, "WINDOWS-1256", IN_PLACE)                                                      \
    X(WINDOWS_1257, "WINDOWS-1257", IN_PLACE)                                                      \
    X(WINDOWS_874, "CP874", IN_PLACE)                                                              \
    X(KOI8_R, "KOI8-R", IN_PLACE)                                                                  \
    X(KOI8_U, "KOI8-U", IN_PLACE)                                                                  \
    X(CP866, "CP866", IN_PLACE)                                                                    \
    X(EUC_JP, "EUC-JP", IN_PLACE)                                                                  \
    X(KOREAN, "CP949", IN_PLACE) /* its second bytes below 0x80 are letters, never syntax */       \
    X(SHIFT_JIS, "CP932", WHOLE)                                                                   \
    X(BIG5, "BIG5-HKSCS", WHOLE)                                                                   \
    X(CP950, "CP950", WHOLE)                                                                       \
    X(UTF16BE, "UTF-16BE", WHOLE)                                                                  \
    X(UTF16LE, "UTF-16LE", WHOLE)

enum charset {
#define X(name, iconv_name, scan) CHARSET_##name,
    CHARSET_LIST(X)
#undef X
        CHARSET_COUNT
};

/* A byte of any of these sets becomes at most so many bytes of UTF-8, in the mean over each
 * character. */
enum { CHARSET_GROWTH_MAX = 3 };

struct charsets; /* one per thread that converts */

/* NULL if iconv lacks one of the sets. */
struct charsets *charsets_open(void);
void charsets_close(struct charsets *charsets);

enum charset_scan charset_scan(enum charset charset);

/* By an XML encoding declaration's name, case-folded (UTF-8, GB2312, GBK, GB18030, ISO-8859-1,
 * windows-1251 ...). False if not known. UTF-16 without an order of bytes is UTF16BE, as without a
 * byte order mark it must be. */
bool charset_by_encoding_name(struct bytes name, enum charset *out_charset);

/* By an EDIFACT syntax identifier (UNB 0001): UNOC .. UNOK, UNOW, UNOX, UNOY, KECA. False if it
 * does not say what bytes from 0x80 on mean: UNOA and UNOB are ASCII, others are private (IATB). */
bool charset_by_edifact_syntax(struct bytes identifier, enum charset *out_charset);

/* Converts the whole of `source` into `out` (at most `capacity` bytes). INVALID on bytes that do
 * not fit the set, FULL if `capacity` is too small. */
MUST_CHECK enum status charset_decode(struct charsets *charsets, enum charset charset,
                                      struct bytes source, uint8_t *out, size_t capacity,
                                      size_t *out_size);

/* How many bytes of `source` become the first bytes of its UTF-8, at most `*text_bytes` of them
 * (SIZE_MAX: all); then how many they are. Stops before bytes that do not fit the set, and so finds
 * them. Slow: for faults. */
size_t charset_measure(struct charsets *charsets, enum charset charset, struct bytes source,
                       size_t *text_bytes);

/* Where the first bytes stand that do not fit the set; the source's size if there are none. */
static inline size_t charset_find_bad(struct charsets *charsets, enum charset charset,
                                      struct bytes source)
{
    size_t text_bytes = SIZE_MAX;
    return charset_measure(charsets, charset, source, &text_bytes);
}

/* A whole file as people save it: BOM dropped; UTF-8 if it is well-formed UTF-8, else GB18030 if it
 * fits that, else INVALID. The result lies in the arena. Many a Latin-1 text also fits GB18030, so
 * whoever reads the file says which set was taken. */
MUST_CHECK enum status charset_decode_file(struct charsets *charsets, struct bytes source,
                                           struct arena *arena, struct bytes *out_text,
                                           enum charset *out_charset);

#endif
