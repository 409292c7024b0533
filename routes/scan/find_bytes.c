#include "routes/scan/find_bytes.h"

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* ---- The portable path: one byte at a time, by the classes' definitions ---------------------- */

static bool is_line_blank(uint8_t byte)
{
    return byte == '\n' || byte == '\t' || byte == '\r';
}

static bool is_xml_stop(uint8_t byte, struct find_set set)
{
    return byte == set.a || byte == set.b || byte == set.c || (byte < 0x20 && !is_line_blank(byte));
}

static bool is_plain_stop(uint8_t byte, struct find_set set)
{
    return byte == set.a || byte == set.b || byte == set.c || byte < 0x20 || byte >= 0x80;
}

static bool is_component_stop(uint8_t byte, struct find_set set)
{
    (void)set;
    return is_plain_stop(byte, (struct find_set){'+', ':', '\''}) || byte == '?' || byte == '*' ||
           byte == '"';
}

static bool is_name_end(uint8_t byte, struct find_set set)
{
    (void)set;
    bool is_letter = (uint8_t)((byte | 0x20) - 'a') < 26, is_digit = byte >= '0' && byte <= '9';
    return byte < 0x80 && !is_letter && !is_digit && byte != '-' && byte != '.' && byte != '_';
}

static bool is_nonblank(uint8_t byte, struct find_set set)
{
    (void)set;
    return byte != ' ' && !is_line_blank(byte);
}

static bool is_high(uint8_t byte, struct find_set set)
{
    (void)set;
    return byte >= 0x80;
}

static inline __attribute__((always_inline)) const uint8_t *
find_portable(const uint8_t *at, const uint8_t *end, struct find_set set,
              bool (*is_hit)(uint8_t byte, struct find_set set))
{
    while (at < end && !is_hit(*at, set))
        at++;
    return at;
}

#define X(class, what)                                                                             \
    static const uint8_t *portable_##class(const uint8_t *at, const uint8_t *end,                  \
                                           struct find_set set)                                    \
    {                                                                                              \
        return find_portable(at, end, set, is_##class);                                            \
    }
FIND_CLASS_LIST(X)
#undef X

#define X(class, what) .class = portable_##class,
static const struct find_path portable_path = {.name = "portable", FIND_CLASS_LIST(X)};
#undef X

#if !defined(__SSE2__)

size_t find_paths(const struct find_path *out_paths[FIND_PATHS_MAX])
{
    out_paths[0] = &portable_path;
    return 1;
}

#define X(class, what)                                                                             \
    const uint8_t *find_##class##_far(const uint8_t *at, const uint8_t *end, struct find_set set)  \
    {                                                                                              \
        return portable_##class(at, end, set);                                                     \
    }
FIND_CLASS_LIST(X)
#undef X

#else

/* ---- SSE2: 16 bytes a step ------------------------------------------------------------------- */

static inline __attribute__((always_inline)) const uint8_t *
find_sse2(const uint8_t *at, const uint8_t *end, struct find_set set,
          unsigned (*hits_of)(__m128i block, struct find_set set))
{
    for (; at < end; at += 16) {
        unsigned hits = hits_of(load_block(at), set);
        if (hits != 0) {
            at += __builtin_ctz(hits);
            break;
        }
    }
    return at < end ? at : end;
}

#define X(class, what)                                                                             \
    static const uint8_t *sse2_##class(const uint8_t *at, const uint8_t *end, struct find_set set) \
    {                                                                                              \
        return find_sse2(at, end, set, hits_##class);                                              \
    }
FIND_CLASS_LIST(X)
#undef X

#define X(class, what) .class = sse2_##class,
static const struct find_path sse2_path = {.name = "sse2", FIND_CLASS_LIST(X)};
#undef X

/* ---- AVX2: 32 bytes a step, for the classes whose runs grow long: texts and base64 ----------- */

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i wide_equal_to(__m256i block, char byte)
{
    return _mm256_cmpeq_epi8(block, _mm256_set1_epi8(byte));
}

AVX2 static inline __m256i wide_either(__m256i a, __m256i b)
{
    return _mm256_or_si256(a, b);
}

AVX2 static inline unsigned wide_hits_xml_stop(__m256i block, struct find_set set)
{
    __m256i stops = wide_either(
        wide_either(wide_equal_to(block, (char)set.a), wide_equal_to(block, (char)set.b)),
        wide_equal_to(block, (char)set.c));
    __m256i blanks =
        wide_either(wide_either(wide_equal_to(block, '\n'), wide_equal_to(block, '\t')),
                    wide_equal_to(block, '\r'));
    __m256i control = _mm256_cmpeq_epi8(_mm256_min_epu8(block, _mm256_set1_epi8(0x1F)), block);
    __m256i hits = wide_either(stops, _mm256_andnot_si256(blanks, control));
    return (unsigned)_mm256_movemask_epi8(hits);
}

AVX2 static inline unsigned wide_hits_plain_stop(__m256i block, struct find_set set)
{
    __m256i control_or_high = _mm256_cmpgt_epi8(_mm256_set1_epi8(0x20), block); /* signed */
    __m256i stops = wide_either(
        wide_either(wide_equal_to(block, (char)set.a), wide_equal_to(block, (char)set.b)),
        wide_equal_to(block, (char)set.c));
    return (unsigned)_mm256_movemask_epi8(wide_either(stops, control_or_high));
}

AVX2 static inline unsigned wide_hits_high(__m256i block, struct find_set set)
{
    (void)set;
    return (unsigned)_mm256_movemask_epi8(block);
}

AVX2 static inline __attribute__((always_inline)) const uint8_t *
find_avx2(const uint8_t *at, const uint8_t *end, struct find_set set,
          unsigned (*hits_of)(__m256i block, struct find_set set))
{
    for (; at < end; at += 32) {
        unsigned hits = hits_of(_mm256_loadu_si256((const __m256i *)(const void *)at), set);
        if (hits != 0) {
            at += __builtin_ctz(hits);
            break;
        }
    }
    return at < end ? at : end;
}

/* The classes that are found 32 bytes a step. */
#define WIDE_CLASS_LIST(X)                                                                         \
    X(xml_stop)                                                                                    \
    X(plain_stop)                                                                                  \
    X(high)

#define X(class)                                                                                   \
    AVX2 static const uint8_t *avx2_##class(const uint8_t *at, const uint8_t *end,                 \
                                            struct find_set set)                                   \
    {                                                                                              \
        return find_avx2(at, end, set, wide_hits_##class);                                         \
    }
WIDE_CLASS_LIST(X)
#undef X

#define X(class) .class = avx2_##class,
static const struct find_path avx2_path = {.name = "avx2",
                                           .component_stop = sse2_component_stop,
                                           .name_end = sse2_name_end,
                                           .nonblank = sse2_nonblank,
                                           WIDE_CLASS_LIST(X)};
#undef X

/* ---- The choice ------------------------------------------------------------------------------ */

size_t find_paths(const struct find_path *out_paths[FIND_PATHS_MAX])
{
    out_paths[0] = &portable_path;
    out_paths[1] = &sse2_path;
    out_paths[2] = &avx2_path;
    return __builtin_cpu_supports("avx2") ? 3 : 2;
}

#define X(class, what)                                                                             \
    const uint8_t *find_##class##_far(const uint8_t *at, const uint8_t *end, struct find_set set)  \
    {                                                                                              \
        return __builtin_cpu_supports("avx2") ? avx2_path.class(at, end, set)                      \
                                              : sse2_##class(at, end, set);                        \
    }
FIND_CLASS_LIST(X)
#undef X

#endif
