/* How the scanners write captures, decoded text and faults. Internal to this folder. */
#ifndef KOUAN_ROUTES_SCAN_OUTPUT_H
#define KOUAN_ROUTES_SCAN_OUTPUT_H

#include <assert.h>

#include "routes/scan/scan.h"

/* Appends a capture, whose value is not empty and not too long. FULL past SCAN_CAPTURES_MAX. */
MUST_CHECK static inline enum status scan_push(struct scan *scan, uint16_t tap, uint16_t entry,
                                               uint32_t instance, struct bytes value,
                                               uint32_t offset)
{
    assert(value.size > 0 && value.size <= READING_VALUE_BYTES_MAX);
    if (scan->capture_count == SCAN_CAPTURES_MAX)
        return STATUS_FULL;
    scan->captures[scan->capture_count++] = (struct capture){value, tap, entry, instance, offset};
    return STATUS_OK;
}

/* Room for `size` bytes of decoded text at the end of the space's. NULL if that is used up. */
uint8_t *scan_reserve_text(struct scan *scan, uint32_t size);

/* Keeps the first `size` bytes of what was reserved at `start`. */
struct bytes scan_commit_text(struct scan *scan, const uint8_t *start, uint32_t size);

/* Fills the fault; returns INVALID. */
__attribute__((cold)) enum status scan_fault_at(struct scan_fault *out_fault,
                                                enum scan_reason reason, uint32_t offset,
                                                const char *what);

#endif
