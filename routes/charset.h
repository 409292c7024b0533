/* Character sets of bodies and files, converted to UTF-8 by iconv. Off the common path: plain ASCII
 * and UTF-8 never come here. Descriptors are opened once, at start (iconv reads files then). */
#ifndef KOUAN_ROUTES_CHARSET_H
#define KOUAN_ROUTES_CHARSET_H

#include "core/arena.h"
#include "core/status.h"

/* name of the constant, the name for iconv */
#define CHARSET_LIST(X)                                                                            \
    X(UTF8, "UTF-8")                                                                               \
    X(GB18030, "GB18030")                                                                          \
    X(LATIN1, "ISO-8859-1")                                                                        \
    X(LATIN2, "ISO-8859-2")                                                                        \
    X(LATIN3, "ISO-8859-3")                                                                        \
    X(LATIN4, "ISO-8859-4")                                                                        \
    X(CYRILLIC, "ISO-8859-5")                                                                      \
    X(ARABIC, "ISO-8859-6")                                                                        \
    X(GREEK, "ISO-8859-7")                                                                         \
    X(HEBREW, "ISO-8859-8")                                                                        \
    X(LATIN5, "ISO-8859-9")

enum charset {
#define X(name, iconv_name) CHARSET_##name,
    CHARSET_LIST(X)
#undef X
        CHARSET_COUNT
};

/* A byte of any of these sets becomes at most so many bytes of UTF-8. */
enum { CHARSET_GROWTH_MAX = 3 };

struct charsets; /* one per thread that converts */

/* NULL if iconv lacks one of the sets. */
struct charsets *charsets_open(void);
void charsets_close(struct charsets *charsets);

/* By an XML encoding declaration's name, case-folded (UTF-8, GB2312, GBK, GB18030, ISO-8859-1 ...).
 * False if not known. */
bool charset_by_encoding_name(struct bytes name, enum charset *out_charset);

/* By an EDIFACT syntax identifier (UNB 0001): UNOC .. UNOK, UNOW, UNOX, UNOY. False if it does not
 * say what bytes from 0x80 on mean: UNOA and UNOB are ASCII, others are private (IATB, KECA). */
bool charset_by_edifact_syntax(struct bytes identifier, enum charset *out_charset);

/* Converts the whole of `source` into `out` (at most `capacity` bytes). INVALID on bytes that do
 * not fit the set, FULL if `capacity` is too small. */
MUST_CHECK enum status charset_decode(struct charsets *charsets, enum charset charset,
                                      struct bytes source, uint8_t *out, size_t capacity,
                                      size_t *out_size);

/* A whole file as people save it: BOM dropped; UTF-8 if it is well-formed UTF-8, else GB18030 if it
 * fits that, else INVALID. The result lies in the arena. Many a Latin-1 text also fits GB18030, so
 * whoever reads the file says which set was taken. */
MUST_CHECK enum status charset_decode_file(struct charsets *charsets, struct bytes source,
                                           struct arena *arena, struct bytes *out_text,
                                           enum charset *out_charset);

#endif
