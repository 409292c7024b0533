/* The service characters of an interchange (ISO 9735): those of its UNA, or the default ones. */
#ifndef KOUAN_ROUTES_EDIFACT_SYNTAX_H
#define KOUAN_ROUTES_EDIFACT_SYNTAX_H

#include "routes/scan.h"

struct edifact_syntax {
    uint8_t component, element, terminator;
    uint8_t release;      /* 0: none. The byte after it stands for itself. */
    uint8_t repetition;   /* 0: none. Syntax 4 only; its default waits for the version in UNB. */
    bool service_advice;  /* a UNA was there */
    bool byte_order_mark; /* one was there, so the body is UTF-8 whatever UNB says */
    uint32_t start;       /* where the segments begin: after BOM and UNA; blanks may follow */
};

/* Reads BOM and UNA, if there are any. EMPTY on a blank body; MALFORMED, at the character, where
 * a service character is a letter, a digit, not ASCII, used twice, or a blank in a place that
 * needs one. A blank release or repetition character means that there is none. */
MUST_CHECK enum status edifact_syntax_read(struct bytes body, struct edifact_syntax *out_syntax,
                                           struct scan_fault *out_fault);

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
