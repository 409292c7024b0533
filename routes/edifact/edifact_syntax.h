/* The service characters of an interchange (ISO 9735): those of its UNA, or the default ones. */
#ifndef KOUAN_ROUTES_EDIFACT_SYNTAX_H
#define KOUAN_ROUTES_EDIFACT_SYNTAX_H

#include "routes/scan/scan.h"

enum {
    EDIFACT_MARK_BYTES = 3,  /* a UTF-8 byte order mark */
    EDIFACT_ADVICE_BYTES = 9 /* UNA and its six characters */
};

/* Reads BOM and UNA, if there are any. EMPTY on a blank body; MALFORMED, at the character, where
 * a service character is a letter, a digit, not ASCII, used twice, or a blank in a place that
 * needs one. A blank release or repetition character means that there is none. Without a UNA, a
 * control character (IS3) behind the first tag means the separators of syntax level B. */
MUST_CHECK enum status edifact_syntax_read(struct bytes body, struct edifact_syntax *out_syntax,
                                           struct scan_fault *out_fault);

/* The same for a further interchange or message, at `at`. Without a UNA of its own it has the
 * characters of the one before, unless its first segment ends earlier by the default ones. */
MUST_CHECK enum status edifact_syntax_read_again(struct bytes body, uint32_t at,
                                                 const struct edifact_syntax *before,
                                                 struct edifact_syntax *out_syntax,
                                                 struct scan_fault *out_fault);

/* Where there is no UNA and the first segment, from `start` to `end` by the default terminator,
 * shows another one: a `"`, as airlines write for want of a `'`, or just a line end. It does if
 * one stands in it where another segment begins behind. True if `syntax` was changed. */
bool edifact_syntax_guess(struct edifact_syntax *syntax, struct bytes body, uint32_t start,
                          uint32_t end);

/* True where the body's end ends a segment as well: a last line need not have a line end. */
static inline bool edifact_syntax_ends_by_lines(const struct edifact_syntax *syntax)
{
    return syntax->guessed && (syntax->terminator == '\n' || syntax->terminator == '\r');
}

static inline bool edifact_syntax_is_marked(struct bytes text)
{
    return bytes_start_with(text, BYTES_LITERAL("\xEF\xBB\xBF"));
}

/* What may stand between segments, and means nothing there. */
static inline bool edifact_is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

static inline bool edifact_is_release(const struct edifact_syntax *syntax, uint8_t byte)
{
    return syntax->release != 0 && byte == syntax->release;
}

/* Cuts off the part of `rest` before its first separator that is not released, and moves `rest`
 * behind that separator; to an absent view if there is none. Of an absent view: an absent part. */
static inline struct bytes edifact_syntax_cut(const struct edifact_syntax *syntax,
                                              uint8_t separator, struct bytes *rest)
{
    const uint8_t *data = rest->data;
    size_t size = rest->size, at = 0;
    if (data == NULL)
        return *rest;
    while (at < size && data[at] != separator)
        at += edifact_is_release(syntax, data[at]) ? 2 : 1;
    *rest = at < size ? bytes_make(data + at + 1, size - at - 1) : (struct bytes){NULL, 0};
    return bytes_make(data, at < size ? at : size);
}

/* A service character that may also be the second byte of a GB18030 character; 0 if none. */
uint8_t edifact_syntax_gb18030_clash(const struct edifact_syntax *syntax);

#endif
