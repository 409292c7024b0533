/* The SSE2 half of routes/scan/find_bytes.h, which alone includes it: for a block of 16 bytes, one
 * bit for each byte that is of the class. */
#ifndef KOUAN_ROUTES_FIND_BYTES_SSE2_H
#define KOUAN_ROUTES_FIND_BYTES_SSE2_H

#include <emmintrin.h>

#include "routes/scan/find_bytes.h"

static inline __m128i equal_to(__m128i block, char byte)
{
    return _mm_cmpeq_epi8(block, _mm_set1_epi8(byte));
}

/* low <= byte <= low + span */
static inline __m128i in_range(__m128i block, char low, char span)
{
    __m128i above = _mm_sub_epi8(block, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(span)), above);
}

static inline __m128i either(__m128i a, __m128i b)
{
    return _mm_or_si128(a, b);
}

static inline __m128i line_blanks(__m128i block)
{
    return either(either(equal_to(block, '\n'), equal_to(block, '\t')), equal_to(block, '\r'));
}

static inline unsigned hits_xml_stop(__m128i block, struct find_set set)
{
    __m128i stops = either(either(equal_to(block, (char)set.a), equal_to(block, (char)set.b)),
                           equal_to(block, (char)set.c));
    __m128i forbidden = _mm_andnot_si128(line_blanks(block), in_range(block, 0, 0x1F));
    return (unsigned)_mm_movemask_epi8(either(stops, forbidden));
}

static inline unsigned hits_plain_stop(__m128i block, struct find_set set)
{
    __m128i control_or_high = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20)); /* a signed comparison */
    __m128i stops = either(either(equal_to(block, (char)set.a), equal_to(block, (char)set.b)),
                           equal_to(block, (char)set.c));
    return (unsigned)_mm_movemask_epi8(either(stops, control_or_high));
}

static inline unsigned hits_component_stop(__m128i block, struct find_set set)
{
    (void)set;
    __m128i marks = either(either(in_range(block, '*', 1), equal_to(block, ':')), /* * + */
                           either(equal_to(block, '\''), equal_to(block, '?')));
    __m128i control_or_high = _mm_cmplt_epi8(block, _mm_set1_epi8(0x20)); /* a signed comparison */
    __m128i stops = either(either(marks, equal_to(block, '"')), control_or_high);
    return (unsigned)_mm_movemask_epi8(stops);
}

static inline unsigned hits_name_end(__m128i block, struct find_set set)
{
    (void)set;
    __m128i letters = in_range(_mm_or_si128(block, _mm_set1_epi8(0x20)), 'a', 25);
    __m128i digits = in_range(block, '0', 9);
    __m128i marks = either(in_range(block, '-', 1), equal_to(block, '_')); /* - . _ */
    __m128i names = either(either(letters, digits), either(marks, block)); /* block: high bytes */
    return (unsigned)_mm_movemask_epi8(names) ^ 0xFFFF;
}

static inline unsigned hits_nonblank(__m128i block, struct find_set set)
{
    (void)set;
    __m128i blanks = either(line_blanks(block), equal_to(block, ' '));
    return (unsigned)_mm_movemask_epi8(blanks) ^ 0xFFFF;
}

static inline unsigned hits_high(__m128i block, struct find_set set)
{
    (void)set;
    return (unsigned)_mm_movemask_epi8(block);
}

static inline __m128i load_block(const uint8_t *at)
{
    return _mm_loadu_si128((const __m128i *)(const void *)at);
}

static inline unsigned hits_quote(__m128i block)
{
    return (unsigned)_mm_movemask_epi8(equal_to(block, '"'));
}

static inline uint64_t same_bytes(const uint8_t *a, const uint8_t *b)
{
    return (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(load_block(a), load_block(b)));
}

/* True if the first `size` (0..32) bytes of both pairs of blocks are the same: whatever the size,
 * there is nothing to guess. */
static inline bool equal_blocks(const uint8_t *a, const uint8_t *b, size_t size)
{
    uint64_t same = same_bytes(a, b) | same_bytes(a + 16, b + 16) << 16;
    return (same | UINT64_MAX << size) == UINT64_MAX;
}

/* The first 16 bytes in place, the rest by the far path. */
static inline __attribute__((always_inline)) const uint8_t *
find_near(const uint8_t *at, const uint8_t *end, struct find_set set,
          unsigned (*hits_of)(__m128i block, struct find_set set),
          const uint8_t *(*find_far)(const uint8_t *at, const uint8_t *end, struct find_set set))
{
    unsigned hits = hits_of(load_block(at), set);
    if (hits != 0) {
        const uint8_t *hit = at + __builtin_ctz(hits);
        return hit < end ? hit : end;
    }
    return end - at <= 16 ? end : find_far(at + 16, end, set);
}

#endif
