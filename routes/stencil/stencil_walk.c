/* The walk of a body over the stencils of a gate: for any machine, and for those with AVX2, on
 * which most texts and values take one look. */
#include "routes/stencil/stencil_parts.h"

/* What may be looked at in vain, beside twice the body: one that almost fits many forms, again and
 * again, is sooner read as any. */
enum { VAIN_BYTES_MAX = 16 * 1024 };

/* A value's end must be known before the next text is looked for, and a wide look says it later: of
 * short bodies, that costs more than the instructions that it saves (an event: 230 ns for 190). */
enum { WIDE_BODY_BYTES_MIN = 1024 };

/* Where the edge's hole ends, if its text stands at `at` and a value in the hole; else NULL. What
 * was looked at in a hole in vain is taken off. */
typedef const uint8_t *fit_edge(const struct stencil_edge *edge, const uint8_t *at,
                                const uint8_t *end, int64_t *io_vain_bytes_left);

/* An edge that fits, and where it ends. */
struct taken {
    struct stencil_edge *edge;
    const uint8_t *after;
};

/* Of the siblings of an edge that does not fit: see take_other_by. */
typedef struct taken take_other_edge(struct stencil_edge **first, const uint8_t *at,
                                     const uint8_t *end, int64_t *io_vain_bytes_left);

#define INLINE static inline __attribute__((always_inline))
#define APART  static __attribute__((noinline))

INLINE const struct stencil *walk_by(struct stencil_edge **first, struct bytes body,
                                     struct capture *captures, fit_edge *fit_by,
                                     take_other_edge *take_other_with);
INLINE struct taken take_other_by(struct stencil_edge **first, const uint8_t *at,
                                  const uint8_t *end, int64_t *io_vain_bytes_left,
                                  fit_edge *fit_by);
INLINE void take_value(struct capture *captures, const struct stencil_place *place,
                       const uint8_t *value, size_t size);
static void take_constants(const struct stencil_edge *edge, const uint8_t *at, const uint8_t *end,
                           struct capture *captures);

/* ---- any machine ----------------------------------------------------------------------------- */

static inline bool has_text(const uint8_t *at, const uint8_t *text, size_t size)
{
    for (; size > 32; at += 32, text += 32, size -= 32)
        if (!find_equal(at, text, 32))
            return false;
    return find_equal(at, text, size);
}

/* The end of what stands in the hole, from `value` to `after`, if it is such a value. */
INLINE const uint8_t *check_value(const struct stencil_edge *edge, const uint8_t *value,
                                  const uint8_t *after, const uint8_t *end,
                                  int64_t *io_vain_bytes_left)
{
    if (after != NULL && (edge->tap_count == 0 || stencil_is_value(value, after)))
        return after;
    *io_vain_bytes_left -= (after != NULL ? after : end) - value;
    return NULL;
}

INLINE const uint8_t *fit(const struct stencil_edge *edge, const uint8_t *at, const uint8_t *end,
                          int64_t *io_vain_bytes_left)
{
    if (edge->text_size > (size_t)(end - at) || !has_text(at, edge->text, edge->text_size))
        return NULL;
    const uint8_t *value = at + edge->text_size;
    if (edge->hole == HOLE_END)
        return value == end ? end : NULL;
    const uint8_t *after = stencil_hole_end(edge->hole, edge->tap_count > 0, value, end);
    return check_value(edge, value, after, end, io_vain_bytes_left);
}

APART struct taken take_other(struct stencil_edge **first, const uint8_t *at, const uint8_t *end,
                              int64_t *io_vain_bytes_left)
{
    return take_other_by(first, at, end, io_vain_bytes_left, fit);
}

static const struct stencil *walk(struct stencil_edge **first, struct bytes body,
                                  struct capture *out_captures)
{
    return walk_by(first, body, out_captures, fit, take_other);
}

#if defined(__SSE2__)

/* ---- AVX2 ------------------------------------------------------------------------------------ */

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,bmi,bmi2")))

AVX2 static inline __m256i load_wide(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline __m256i load_table(const uint8_t table[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)table));
}

/* A bit for each of 32 bytes that are the same. */
AVX2 static inline uint32_t same_wide(const uint8_t *a, const uint8_t *b)
{
    return (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(load_wide(a), load_wide(b)));
}

/* True if a text of more than 32 bytes stands at `at`, as its first 32 do. */
AVX2 static inline bool has_long_text(const uint8_t *at, const uint8_t *text, size_t size)
{
    for (size_t done = 32; done < size - 32; done += 32)
        if (same_wide(at + done, text + done) != UINT32_MAX)
            return false;
    return same_wide(at + size - 32, text + size - 32) == UINT32_MAX;
}

/* NULL if there is none before `end`. */
AVX2 INLINE const uint8_t *find_plain_end(const struct stencil_plain_end *plain, const uint8_t *at,
                                          const uint8_t *end)
{
    const __m256i low = load_table(plain->low), high = load_table(plain->high);
    const __m256i half = _mm256_set1_epi8(0x0F);
    do {
        __m256i block = load_wide(at), high_halves = _mm256_srli_epi16(block, 4);
        __m256i by_low = _mm256_shuffle_epi8(low, _mm256_and_si256(block, half));
        __m256i by_high = _mm256_shuffle_epi8(high, _mm256_and_si256(high_halves, half));
        __m256i both = _mm256_and_si256(by_low, by_high);
        __m256i others = _mm256_cmpeq_epi8(both, _mm256_setzero_si256());
        uint32_t hits = ~(uint32_t)_mm256_movemask_epi8(others);
        if (hits != 0) {
            at += __builtin_ctz(hits);
            return at < end ? at : NULL;
        }
        at += 32;
    } while (at < end);
    return NULL;
}

AVX2 INLINE const uint8_t *find_text_end(const struct stencil_edge *edge, const uint8_t *value,
                                         const uint8_t *end)
{
    const uint8_t *at = find_plain_end(edge->plain_end, value, end);
    if (at == NULL || *at == edge->plain_end->good || edge->hole == HOLE_EDIFACT)
        return at;
    return stencil_text_end((enum stencil_hole)edge->hole, edge->tap_count > 0, at, end);
}

AVX2 INLINE const uint8_t *fit_wide(const struct stencil_edge *edge, const uint8_t *at,
                                    const uint8_t *end, int64_t *io_vain_bytes_left)
{
    size_t size = edge->text_size;
    if (size > (size_t)(end - at) || (~same_wide(at, edge->text) & edge->beginning) != 0 ||
        (size > 32 && !has_long_text(at, edge->text, size)))
        return NULL;
    const uint8_t *value = at + size, *after;
    if (edge->plain_end != NULL)
        after = find_text_end(edge, value, end);
    else if (edge->hole == HOLE_JSON_NUMBER)
        after = stencil_pass_number(value, end);
    else
        return value == end ? end : NULL;
    return check_value(edge, value, after, end, io_vain_bytes_left);
}

AVX2 APART struct taken take_other_wide(struct stencil_edge **first, const uint8_t *at,
                                        const uint8_t *end, int64_t *io_vain_bytes_left)
{
    return take_other_by(first, at, end, io_vain_bytes_left, fit_wide);
}

AVX2 static const struct stencil *walk_wide(struct stencil_edge **first, struct bytes body,
                                            struct capture *out_captures)
{
    return walk_by(first, body, out_captures, fit_wide, take_other_wide);
}

size_t stencil_walk_ways(stencil_walk_way *out_ways[STENCIL_WAYS_MAX])
{
    out_ways[0] = walk;
    out_ways[1] = walk_wide;
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? 2 : 1;
}

#else

size_t stencil_walk_ways(stencil_walk_way *out_ways[STENCIL_WAYS_MAX])
{
    out_ways[0] = walk;
    return 1;
}

#endif

const struct stencil *stencil_walk(struct stencil_edge **first, struct bytes body,
                                   struct capture *out_captures)
{
    stencil_walk_way *ways[STENCIL_WAYS_MAX];
    size_t way_count = stencil_walk_ways(ways);
    return ways[body.size < WIDE_BODY_BYTES_MIN ? 0 : way_count - 1](first, body, out_captures);
}

/* ---- the walk -------------------------------------------------------------------------------- */

/* To the end of a stencil that the body fits. Where the way ends before, it is tried once more from
 * the last edge that has siblings: of two that fit only one may go on. */
INLINE const struct stencil *walk_by(struct stencil_edge **first, struct bytes body,
                                     struct capture *captures, fit_edge *fit_by,
                                     take_other_edge *take_other_with)
{
    const uint8_t *at = body.data, *end = at + body.size, *other_at = NULL;
    struct stencil_edge **others = NULL;
    int64_t vain_bytes_left = VAIN_BYTES_MAX + 2 * (int64_t)body.size;
    for (;;) {
        struct stencil_edge *edge = *first;
        const uint8_t *after = fit_by(edge, at, end, &vain_bytes_left);
        if (after == NULL) {
            const struct taken other = take_other_with(first, at, end, &vain_bytes_left);
            edge = other.edge;
            after = other.after;
        }
        if (edge != NULL) {
            const uint8_t *value = at + edge->text_size;
            if (edge->tap_count > 0)
                take_value(captures, &edge->place, value, (size_t)(after - value));
            if (edge->constants != NULL)
                take_constants(edge, at, after, captures);
            if (edge->hole == HOLE_END)
                return edge->stencil;
            if (edge->next != NULL) {
                others = &edge->next;
                other_at = at;
            }
            first = &edge->child;
            at = after;
        } else if (others != NULL && (vain_bytes_left -= at - other_at) >= 0) {
            first = others;
            at = other_at;
            others = NULL;
        } else {
            return NULL;
        }
    }
}

/* The edge behind the first that fits at `at`, put before its siblings; none if there is none, or
 * too much was looked at. */
INLINE struct taken take_other_by(struct stencil_edge **first, const uint8_t *at,
                                  const uint8_t *end, int64_t *io_vain_bytes_left, fit_edge *fit_by)
{
    struct stencil_edge *before = *first;
    for (;; before = before->next) {
        struct stencil_edge *edge = before->next;
        *io_vain_bytes_left -= before->text_size;
        if (edge == NULL || *io_vain_bytes_left < 0)
            return (struct taken){0};
        const uint8_t *after = fit_by(edge, at, end, io_vain_bytes_left);
        if (after == NULL)
            continue;
        before->next = edge->next;
        edge->next = *first;
        *first = edge;
        return (struct taken){edge, after};
    }
}

INLINE void take_value(struct capture *captures, const struct stencil_place *place,
                       const uint8_t *value, size_t size)
{
    struct capture *capture = &captures[place->number];
    capture->value = bytes_make(value, size);
    capture->tap = place->tap;
    capture->entry = place->entry;
    capture->instance = place->instance;
}

/* What an edge that fits from `at` to `end` captures beside the first tap of its hole. */
static void take_constants(const struct stencil_edge *edge, const uint8_t *at, const uint8_t *end,
                           struct capture *captures)
{
    const struct stencil_constant *constant = edge->constants;
    for (uint16_t i = 0; i < edge->constant_count; i++, constant++)
        take_value(captures, &constant->place, at + constant->offset, constant->size);
    const uint8_t *value = at + edge->text_size;
    for (uint8_t i = 1; i < edge->tap_count; i++, constant++)
        take_value(captures, &constant->place, value, (size_t)(end - value));
}
