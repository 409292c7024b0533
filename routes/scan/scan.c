#include <assert.h>

#include "routes/scan/find_bytes.h"
#include "routes/scan/scan_output.h"
#include "routes/scan/scan_source.h"

/* ---- Which format --------------------------------------------------------------------------- */

static bool starts_edifact(const struct scan_source *source, const uint8_t *at)
{
    return scan_sees(source, at, BYTES_LITERAL("UNA")) ||
           scan_sees(source, at, BYTES_LITERAL("UNB")) ||
           scan_sees(source, at, BYTES_LITERAL("UIB")) || /* refused, by its name */
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

/* ---- Output ---------------------------------------------------------------------------------- */

uint8_t *scan_reserve_text(struct scan *scan, uint32_t size)
{
    const struct reading_space *space = scan->space;
    assert(space->text_used <= space->text_capacity);
    return size <= space->text_capacity - space->text_used ? space->text + space->text_used : NULL;
}

struct bytes scan_commit_text(struct scan *scan, const uint8_t *start, uint32_t size)
{
    struct reading_space *space = scan->space;
    assert(start == space->text + space->text_used);
    assert(size <= space->text_capacity - space->text_used);
    space->text_used += size;
    return bytes_make(start, size);
}

enum status scan_fault_at(struct scan_fault *out_fault, enum scan_reason reason, uint32_t offset,
                          const char *what)
{
    *out_fault = (struct scan_fault){reason, offset, what};
    return STATUS_INVALID;
}
