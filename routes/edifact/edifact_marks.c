#include "routes/edifact/edifact_marks.h"

void edifact_marker_init(struct edifact_marker *marker, const struct edifact_syntax *syntax)
{
    memset(marker->terminator, syntax->terminator, EDIFACT_LANE_BYTES);
    memset(marker->element, syntax->element, EDIFACT_LANE_BYTES);
    memset(marker->component, syntax->component, EDIFACT_LANE_BYTES);
    memset(marker->release, syntax->release, EDIFACT_LANE_BYTES);
    marker->releases = syntax->release != 0 ? UINT64_MAX : 0;
}

uint64_t edifact_marks_equal_portable(const uint8_t *data,
                                      const uint8_t character[EDIFACT_LANE_BYTES])
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < EDIFACT_MARKS_BYTES; i++)
        bits |= (uint64_t)(data[i] == character[0]) << i;
    return bits;
}

/* Releases are rare, and so are calls. */
uint64_t edifact_marks_released(uint64_t releases, bool *released)
{
    uint64_t released_bytes = (uint64_t)*released;
    releases &= ~released_bytes; /* a released one releases nothing */
    *released = false;
    while (releases != 0) {
        uint64_t release = releases & (0 - releases);
        uint64_t next = release << 1;
        released_bytes |= next;
        releases &= ~(release | next);
        *released = next == 0; /* it was the last byte */
    }
    return released_bytes;
}
