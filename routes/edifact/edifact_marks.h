/* The first half of reading EDIFACT: where service characters stand among 64 bytes, as bits. Bit i
 * stands for byte i; a released character is none. Internal to this folder. */
#ifndef KOUAN_ROUTES_EDIFACT_MARKS_H
#define KOUAN_ROUTES_EDIFACT_MARKS_H

#include <assert.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "routes/edifact/edifact_syntax.h"

enum { EDIFACT_MARKS_BYTES = 64, EDIFACT_LANE_BYTES = 16 };

static_assert(EDIFACT_MARKS_BYTES <= BYTES_PADDING, "marks may be taken at a body's end");

/* A syntax, made ready to be compared with many bytes at a time. */
struct edifact_marker {
    _Alignas(EDIFACT_LANE_BYTES) uint8_t terminator[EDIFACT_LANE_BYTES];
    uint8_t element[EDIFACT_LANE_BYTES];
    uint8_t component[EDIFACT_LANE_BYTES];
    uint8_t release[EDIFACT_LANE_BYTES];
    uint64_t releases; /* all bits, or none where nothing releases */
};

void edifact_marker_init(struct edifact_marker *marker, const struct edifact_syntax *syntax);

struct edifact_marks {
    uint64_t terminators, elements, components;
};

/* What every machine can do, byte by byte: what the faster way must agree with. */
uint64_t edifact_marks_equal_portable(const uint8_t *data,
                                      const uint8_t character[EDIFACT_LANE_BYTES]);

/* Where among 64 bytes the character stands, released or not. */
static inline uint64_t edifact_marks_equal(const uint8_t *data,
                                           const uint8_t character[EDIFACT_LANE_BYTES])
{
#ifdef __SSE2__
    const __m128i wanted = _mm_load_si128((const __m128i *)character);
    uint64_t bits = 0;
    for (int i = 0; i < 4; i++) {
        __m128i lane = _mm_loadu_si128((const __m128i *)(data + EDIFACT_LANE_BYTES * i));
        uint32_t equal = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(lane, wanted));
        bits |= (uint64_t)equal << (EDIFACT_LANE_BYTES * i);
    }
    return bits;
#else
    return edifact_marks_equal_portable(data, character);
#endif
}

/* Which bytes are released by those before them. `released` says whether the first one is; and
 * then, whether the first one behind the 64 is. */
uint64_t edifact_marks_released(uint64_t releases, bool *released);

/* The terminators among 64 bytes. */
static inline uint64_t edifact_marks_terminators(const struct edifact_marker *marker,
                                                 const uint8_t *data, bool *released)
{
    uint64_t terminators = edifact_marks_equal(data, marker->terminator);
    uint64_t releases = edifact_marks_equal(data, marker->release) & marker->releases;
    if ((releases | (uint64_t)*released) != 0)
        terminators &= ~edifact_marks_released(releases, released);
    return terminators;
}

static inline struct edifact_marks edifact_marks_all(const struct edifact_marker *marker,
                                                     const uint8_t *data, bool *released)
{
    struct edifact_marks marks = {edifact_marks_equal(data, marker->terminator),
                                  edifact_marks_equal(data, marker->element),
                                  edifact_marks_equal(data, marker->component)};
    uint64_t releases = edifact_marks_equal(data, marker->release) & marker->releases;
    if ((releases | (uint64_t)*released) != 0) {
        uint64_t unreleased = ~edifact_marks_released(releases, released);
        marks.terminators &= unreleased;
        marks.elements &= unreleased;
        marks.components &= unreleased;
    }
    return marks;
}

#endif
