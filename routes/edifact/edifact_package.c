#include "routes/edifact/edifact_package.h"

#include "routes/scan/scan_output.h"

enum { SEGMENTS_BEFORE_MAX = 999, OBJECT_BYTES_MAX = INT32_MAX, STATUS_ELEMENT = 4 /* S022 */ };

enum status edifact_package_measure(const struct edifact_syntax *syntax, struct bytes body,
                                    uint32_t start, uint32_t end, struct edifact_object *out_object,
                                    struct scan_fault *out_fault)
{
    struct bytes rest = bytes_slice(body, start, end - start), element = {0};
    for (int i = 0; i <= STATUS_ELEMENT; i++)
        element = edifact_syntax_cut(syntax, syntax->element, &rest);
    struct bytes length = edifact_syntax_cut(syntax, syntax->component, &element);
    struct bytes segments = edifact_syntax_cut(syntax, syntax->component, &element);
    uint32_t at = length.data == NULL ? end : (uint32_t)(length.data - body.data);
    uint64_t size, count = 0;
    if (!bytes_parse_u64(bytes_trim(length), &size) || size > OBJECT_BYTES_MAX)
        return scan_fault_at(out_fault, SCAN_MALFORMED, at,
                             "expected the length of the object (UNO 0810)");
    segments = bytes_trim(segments);
    if (segments.size > 0 && (!bytes_parse_u64(segments, &count) || count > SEGMENTS_BEFORE_MAX))
        return scan_fault_at(out_fault, SCAN_MALFORMED, (uint32_t)(segments.data - body.data),
                             "expected a number of segments (UNO 0814)");
    *out_object = (struct edifact_object){(uint32_t)size, (uint32_t)count};
    return STATUS_OK;
}

enum status edifact_package_find_end(const struct edifact_syntax *syntax, struct bytes body,
                                     const struct edifact_object *object, uint32_t at,
                                     uint32_t *out_end, struct scan_fault *out_fault)
{
    if (object->size > body.size - at)
        return scan_fault_at(out_fault, SCAN_TRUNCATED, (uint32_t)body.size,
                             "the object is shorter than UNO says");
    uint32_t end = at + object->size;
    struct bytes rest = bytes_slice(body, end, body.size - end);
    if (rest.size < 4 && bytes_start_with(BYTES_LITERAL("UNP"), bytes_slice(rest, 0, 3)))
        return scan_fault_at(out_fault, SCAN_TRUNCATED, (uint32_t)body.size, "expected UNP");
    if (!bytes_start_with(rest, BYTES_LITERAL("UNP")) ||
        (rest.data[3] != syntax->element && rest.data[3] != syntax->terminator))
        return scan_fault_at(out_fault, SCAN_MALFORMED, end,
                             "expected UNP here, behind as many bytes as UNO says");
    *out_end = end;
    return STATUS_OK;
}
