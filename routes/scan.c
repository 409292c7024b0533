#include <assert.h>

#include "routes/find_bytes.h"
#include "routes/scan_output.h"

struct reason_row {
    const char *word, *text;
};

static const struct reason_row reasons[SCAN_REASON_COUNT] = {
#define X(name, word, text) [SCAN_##name] = {word, text},
    SCAN_REASON_LIST(X)
#undef X
};

const char *scan_reason_word(enum scan_reason reason)
{
    assert(reason < SCAN_REASON_COUNT);
    return reasons[reason].word;
}

const char *scan_reason_text(enum scan_reason reason)
{
    assert(reason < SCAN_REASON_COUNT);
    return reasons[reason].text;
}

/* ---- Which format --------------------------------------------------------------------------- */

static bool starts_edifact(const struct scan_source *source, const uint8_t *at)
{
    return scan_sees(source, at, BYTES_LITERAL("UNA")) ||
           scan_sees(source, at, BYTES_LITERAL("UNB")) ||
           scan_sees(source, at, BYTES_LITERAL("UNG")) ||
           scan_sees(source, at, BYTES_LITERAL("UNH"));
}

static void sniff(struct scan_source *source, enum format *out_format)
{
    const uint8_t *at = scan_begin_text(source);
    if (at == NULL)
        return;
    at = find_nonblank(at, source->end);
    if (*at == '<')
        *out_format = FORMAT_XML;
    else if (*at == '{' || *at == '[')
        *out_format = FORMAT_JSON;
    else if (starts_edifact(source, at))
        *out_format = FORMAT_EDIFACT;
    else
        scan_refuse(source, SCAN_UNKNOWN_FORMAT, at, NULL);
}

enum status scan_sniff(struct bytes body, enum format *out_format, struct scan_fault *out_fault)
{
    struct scan_source source;
    scan_source_init(&source, body, NULL);
    sniff(&source, out_format);
    return scan_source_finish(&source, out_fault);
}

/* ---- The source ------------------------------------------------------------------------------ */

void scan_source_init(struct scan_source *source, struct bytes body, struct scan *scan)
{
    assert(body.data != NULL && body.size < UINT32_MAX);
    source->begin = body.data;
    source->end = body.data + body.size;
    source->charset = CHARSET_UTF8;
    source->scan = scan;
    source->status = STATUS_OK;
    source->fault = (struct scan_fault){.reason = SCAN_NONE};
    if (scan != NULL) {
        scan->capture_count = 0;
        scan->entry_count = 0;
    }
}

enum status scan_source_finish(const struct scan_source *source, struct scan_fault *out_fault)
{
    if (source->status == STATUS_INVALID)
        *out_fault = source->fault;
    return source->status;
}

const uint8_t *scan_begin_text(struct scan_source *source)
{
    const uint8_t *at = source->begin;
    if (scan_sees(source, at, BYTES_LITERAL("\xFE\xFF")) ||
        scan_sees(source, at, BYTES_LITERAL("\xFF\xFE")))
        return scan_refuse(source, SCAN_ENCODING, at, "UTF-16 is not accepted");
    if (scan_sees(source, at, BYTES_LITERAL("\xEF\xBB\xBF")))
        at += 3;
    if (find_nonblank(at, source->end) == source->end)
        return scan_refuse(source, SCAN_EMPTY, source->end, NULL);
    return at;
}

const uint8_t *scan_refuse(struct scan_source *source, enum scan_reason reason, const uint8_t *at,
                           const char *what)
{
    assert(source->status == STATUS_OK && at >= source->begin && at <= source->end);
    if (reason == SCAN_MALFORMED && at == source->end)
        reason = SCAN_TRUNCATED;
    source->status = STATUS_INVALID;
    source->fault = (struct scan_fault){reason, scan_offset(source, at), what};
    return NULL;
}

const uint8_t *scan_expect(struct scan_source *source, const uint8_t *at, struct bytes text,
                           const char *what)
{
    for (size_t i = 0; i < text.size; i++)
        if (at + i == source->end || at[i] != text.data[i])
            return scan_refuse(source, SCAN_MALFORMED, at + i, what);
    return at + text.size;
}

/* ---- Captures and decoded text --------------------------------------------------------------- */

bool scan_push(struct scan_source *source, const struct capture *capture)
{
    assert(capture->value.size > 0 && capture->value.size <= READING_VALUE_BYTES_MAX);
    struct scan *scan = source->scan;
    if (scan->capture_count == SCAN_CAPTURES_MAX) {
        scan_refuse(source, SCAN_TOO_MANY_VALUES, source->begin + capture->offset, NULL);
        return false;
    }
    scan->captures[scan->capture_count++] = *capture;
    return true;
}

bool scan_keep_text(struct scan_source *source, struct bytes text, struct bytes *out_kept)
{
    struct reading_space *space = source->scan->space;
    assert(space->text_used <= space->text_capacity);
    if (space->text_capacity - space->text_used < text.size) {
        source->status = STATUS_FULL;
        return false;
    }
    uint8_t *kept = space->text + space->text_used;
    memcpy(kept, text.data, text.size);
    space->text_used += (uint32_t)text.size;
    *out_kept = bytes_make(kept, text.size);
    return true;
}

/* ---- UTF-8 ----------------------------------------------------------------------------------- */

size_t scan_encode_utf8(uint32_t code_point, uint8_t out[4])
{
    assert(code_point <= 0x10FFFF);
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    size_t size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t lead_bits[] = {[2] = 0xC0, [3] = 0xE0, [4] = 0xF0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (uint8_t)(lead_bits[size] | code_point);
    return size;
}

static size_t utf8_sequence_size(uint8_t lead)
{
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

const uint8_t *scan_find_bad_utf8(struct bytes text)
{
    if (bytes_is_utf8(text))
        return NULL;
    for (size_t i = 0; i < text.size;) {
        size_t size = utf8_sequence_size(text.data[i]);
        if (size > text.size - i || !bytes_is_utf8(bytes_slice(text, i, size)))
            return text.data + i;
        i += size;
    }
    return NULL;
}
