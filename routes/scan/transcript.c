#include "routes/scan/transcript.h"

#include "routes/scan/scan_output.h"
#include "routes/xml/xml_markup.h"

#define UTF8_MARK    BYTES_LITERAL("\xEF\xBB\xBF")
#define UTF16BE_MARK BYTES_LITERAL("\xFE\xFF")
#define UTF16LE_MARK BYTES_LITERAL("\xFF\xFE")

static bool declares_whole(struct bytes body, enum charset *out_charset);

bool transcript_is_needed(struct bytes body, enum charset *out_charset)
{
    if (body.size < 2)
        return false;
    bool first_is_zero = body.data[0] == 0, second_is_zero = body.data[1] == 0;
    if (bytes_start_with(body, UTF16BE_MARK) || (first_is_zero && !second_is_zero))
        *out_charset = CHARSET_UTF16BE;
    else if (bytes_start_with(body, UTF16LE_MARK) || (second_is_zero && !first_is_zero))
        *out_charset = CHARSET_UTF16LE;
    else
        return declares_whole(body, out_charset);
    return true;
}

/* The prolog of such a body is refused at its declaration. A declaration that can be read is not in
 * UTF-16, so one that names it is wrong. */
static bool declares_whole(struct bytes body, enum charset *out_charset)
{
    struct scan_source source;
    scan_source_init(&source, body, NULL);
    if (xml_read_prolog(&source) != NULL || charset_scan(source.charset) != CHARSET_WHOLE ||
        source.charset == CHARSET_UTF16BE || source.charset == CHARSET_UTF16LE)
        return false;
    *out_charset = source.charset;
    return true;
}

enum charset transcript_charset(struct bytes body)
{
    enum charset charset;
    struct scan_source source;
    if (transcript_is_needed(body, &charset))
        return charset;
    scan_source_init(&source, body, NULL);
    return xml_read_prolog(&source) != NULL ? source.charset : CHARSET_UTF8;
}

static uint32_t mark_size(struct bytes body)
{
    bool marked = bytes_start_with(body, UTF16BE_MARK) || bytes_start_with(body, UTF16LE_MARK);
    return marked ? (uint32_t)UTF16BE_MARK.size : 0;
}

enum status transcript_make(struct scan *scan, enum charset charset, struct bytes body,
                            struct transcript *out_transcript, struct scan_fault *out_fault)
{
    const struct reading_space *space = scan->space;
    uint32_t offset = mark_size(body);
    struct transcript transcript = {.source = bytes_slice(body, offset, body.size),
                                    .source_offset = offset,
                                    .charset = charset};
    size_t room = space->text_capacity - space->text_used, taken = UTF8_MARK.size + BYTES_PADDING;
    size_t size;
    if (room < taken)
        return STATUS_FULL;
    uint8_t *text = space->text + space->text_used;
    enum status status = charset_decode(scan->charsets, charset, transcript.source,
                                        text + UTF8_MARK.size, room - taken, &size);
    if (status == STATUS_INVALID) {
        size_t fitting = charset_find_bad(scan->charsets, charset, transcript.source);
        return scan_fault_at(out_fault, SCAN_ENCODING, offset + (uint32_t)fitting, NULL);
    }
    if (status != STATUS_OK)
        return status;
    memcpy(text, UTF8_MARK.data, UTF8_MARK.size);
    scan_commit_text(scan, text, (uint32_t)(size + taken));
    transcript.text = bytes_make(text, UTF8_MARK.size + size);
    *out_transcript = transcript;
    return STATUS_OK;
}

uint32_t transcript_body_offset(const struct transcript *transcript, struct charsets *charsets,
                                uint32_t text_offset)
{
    assert(text_offset <= transcript->text.size);
    if (text_offset < UTF8_MARK.size)
        return 0;
    size_t text_bytes = text_offset - UTF8_MARK.size;
    return transcript->source_offset + (uint32_t)charset_measure(charsets, transcript->charset,
                                                                 transcript->source, &text_bytes);
}
