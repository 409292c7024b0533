#include "routes/scan/scan_source.h"

#include <assert.h>

#include "routes/scan/find_bytes.h"
#include "routes/scan/scan_output.h"

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
        scan->payload_count = 0;
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
        return scan_refuse(source, SCAN_ENCODING, at, "UTF-16 is not scanned in place");
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
    source->status = scan_fault_at(&source->fault, reason, scan_offset(source, at), what);
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
