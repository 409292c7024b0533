#include "routes/xml/xml_index.h"

#include <assert.h>

#ifdef __SSE2__
#include <immintrin.h>
#endif

static_assert(XML_BLOCK_BYTES <= BYTES_PADDING, "the last block may reach past the body");

static void enter_window(struct xml_index *index, const uint8_t *window);

void xml_index_init(struct xml_index *index, const struct xml_indexer *indexer, struct bytes body)
{
    index->indexer = indexer;
    index->end = body.data + body.size;
    enter_window(index, body.data);
}

const uint8_t *xml_index_take_far(struct xml_index *index)
{
    index->next--; /* not past the last; there it stays, if no window follows */
    while (index->window_end < index->end) {
        enter_window(index, index->window_end);
        if (*index->next != XML_NO_STOP)
            return index->window + *index->next++;
    }
    return index->end;
}

void xml_index_skip_far(struct xml_index *index, const uint8_t *at)
{
    while (at >= index->window_end && index->window_end < index->end)
        enter_window(index, index->window_end);
}

static void enter_window(struct xml_index *index, const uint8_t *window)
{
    size_t size = (size_t)(index->end - window);
    bool last = size <= XML_WINDOW_BYTES;
    if (!last)
        size = XML_WINDOW_BYTES;
    uint32_t block_count = (uint32_t)((size + XML_BLOCK_BYTES - 1) / XML_BLOCK_BYTES);
    uint32_t stop_count = index->indexer->mark(window, block_count, index->stops, index->name_ends);
    while (stop_count > 0 && index->stops[stop_count - 1] >= size)
        stop_count--; /* in the padding */
    index->stops[stop_count] = XML_NO_STOP;
    index->name_ends[block_count] = UINT64_MAX;
    if (size % XML_BLOCK_BYTES != 0)
        index->name_ends[block_count - 1] |= htole64(UINT64_MAX << size % XML_BLOCK_BYTES);
    index->window = window;
    index->window_end = window + size;
    index->next = index->stops;
}

/* ---- Indexers -------------------------------------------------------------------------------- */

static bool is_stop(uint8_t byte)
{
    return byte == '<' || byte == '&' || byte == ']' ||
           (byte < ' ' && byte != '\t' && byte != '\n' && byte != '\r');
}

static bool is_name_end(uint8_t byte)
{
    bool is_letter = (uint8_t)((byte | 0x20) - 'a') < 26, is_digit = byte >= '0' && byte <= '9';
    return byte < 0x80 && !is_letter && !is_digit && byte != '-' && byte != '.' && byte != '_';
}

/* Writes where the bits of a block stand; returns how many. */
static uint32_t list_bits(uint64_t bits, uint32_t base, uint32_t *out)
{
    uint32_t count = 0;
    for (; bits != 0; bits &= bits - 1)
        out[count++] = base + (uint32_t)__builtin_ctzll(bits);
    return count;
}

static uint32_t mark_portable(const uint8_t *data, uint32_t count, uint32_t *out_stops,
                              uint64_t *out_name_ends)
{
    uint32_t stop_count = 0;
    for (uint32_t block = 0; block < count; block++) {
        uint64_t stops = 0, name_ends = 0;
        for (unsigned i = 0; i < XML_BLOCK_BYTES; i++) {
            uint8_t byte = data[block * XML_BLOCK_BYTES + i];
            stops |= (uint64_t)is_stop(byte) << i;
            name_ends |= (uint64_t)is_name_end(byte) << i;
        }
        out_name_ends[block] = htole64(name_ends);
        stop_count += list_bits(stops, block * XML_BLOCK_BYTES, out_stops + stop_count);
    }
    return stop_count;
}

#ifdef __SSE2__

static inline __m128i in_range(__m128i bytes, char low, char span)
{
    __m128i above = _mm_sub_epi8(bytes, _mm_set1_epi8(low));
    return _mm_cmpeq_epi8(_mm_min_epu8(above, _mm_set1_epi8(span)), above);
}

static inline __m128i equal_to(__m128i bytes, char byte)
{
    return _mm_cmpeq_epi8(bytes, _mm_set1_epi8(byte));
}

static inline __m128i either(__m128i a, __m128i b)
{
    return _mm_or_si128(a, b);
}

static inline __m128i stops_sse2(__m128i bytes)
{
    __m128i marks =
        either(either(equal_to(bytes, '<'), equal_to(bytes, '&')), equal_to(bytes, ']'));
    __m128i blanks =
        either(either(equal_to(bytes, '\n'), equal_to(bytes, '\t')), equal_to(bytes, '\r'));
    return either(marks, _mm_andnot_si128(blanks, in_range(bytes, 0, 0x1F)));
}

static inline __m128i names_sse2(__m128i bytes)
{
    __m128i letters = in_range(_mm_or_si128(bytes, _mm_set1_epi8(0x20)), 'a', 25);
    __m128i digits = in_range(bytes, '0', 9);
    __m128i marks = either(in_range(bytes, '-', 1), equal_to(bytes, '_')); /* - . _ */
    return either(either(letters, digits), either(marks, bytes)); /* bytes: the high ones */
}

static uint32_t mark_sse2(const uint8_t *data, uint32_t count, uint32_t *out_stops,
                          uint64_t *out_name_ends)
{
    uint32_t stop_count = 0;
    for (uint32_t block = 0; block < count; block++) {
        const __m128i *quarters = (const __m128i *)(const void *)(data + block * XML_BLOCK_BYTES);
        uint64_t stops = 0, names = 0;
        for (unsigned i = 0; i < 4; i++) {
            __m128i bytes = _mm_loadu_si128(quarters + i);
            stops |= (uint64_t)(unsigned)_mm_movemask_epi8(stops_sse2(bytes)) << 16 * i;
            names |= (uint64_t)(unsigned)_mm_movemask_epi8(names_sse2(bytes)) << 16 * i;
        }
        out_name_ends[block] = ~names;
        stop_count += list_bits(stops, block * XML_BLOCK_BYTES, out_stops + stop_count);
    }
    return stop_count;
}

#define AVX2 __attribute__((target("avx2,bmi,popcnt")))

/* The class of a byte is what the row of its low and the row of its high half have in common: no
 * bit, or one. Bytes from 0x80 on have none. */
enum {
    NAME_LOW_LETTER = 0x01,  /* 4_ and 6_: A to O */
    NAME_HIGH_LETTER = 0x02, /* 5_ and 7_: P to Z */
    NAME_DIGIT = 0x04,       /* 3_ */
    NAME_MARK = 0x08,        /* 2_: hyphen and dot */
    NAME_UNDERSCORE = 0x10,  /* 5F */
    STOP_BRACKET = 0x20,     /* 5D */
    STOP_LOW_CONTROL = 0x40, /* 0_ but for TAB, LF and CR */
    STOP_HIGH_CONTROL = 0x80 /* 1_ */
};

enum {
    ROW_ALL = STOP_HIGH_CONTROL,
    ROW_0 = ROW_ALL | STOP_LOW_CONTROL | NAME_DIGIT | NAME_HIGH_LETTER,
    ROW_1_8 = ROW_0 | NAME_LOW_LETTER,
    ROW_9 = ROW_1_8 & ~STOP_LOW_CONTROL,
    ROW_A = ROW_ALL | NAME_LOW_LETTER | NAME_HIGH_LETTER,
    ROW_B_C = ROW_ALL | STOP_LOW_CONTROL | NAME_LOW_LETTER,
    ROW_D = ROW_ALL | STOP_BRACKET | NAME_LOW_LETTER | NAME_MARK,
    ROW_E = ROW_B_C | NAME_MARK,
    ROW_F = ROW_B_C | NAME_UNDERSCORE,
    COLUMN_5 = NAME_HIGH_LETTER | NAME_UNDERSCORE | STOP_BRACKET
};

AVX2 static inline __m256i table(const uint8_t rows[16])
{
    return _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)rows));
}

AVX2 static inline uint64_t bits(__m256i low, __m256i high)
{
    return (uint32_t)_mm256_movemask_epi8(low) | (uint64_t)(uint32_t)_mm256_movemask_epi8(high)
                                                     << 32;
}

AVX2 static inline __m256i classes_of(__m256i bytes, __m256i low_table, __m256i high_table)
{
    __m256i halves = _mm256_and_si256(_mm256_srli_epi16(bytes, 4), _mm256_set1_epi8(0x0F));
    return _mm256_and_si256(_mm256_shuffle_epi8(low_table, bytes),
                            _mm256_shuffle_epi8(high_table, halves));
}

/* Of these and the next, the top bit of each byte counts. */
AVX2 static inline __m256i stops_avx2(__m256i bytes, __m256i classes)
{
    __m256i marks = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('<')),
                                    _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('&')));
    return _mm256_or_si256(marks, _mm256_adds_epu8(classes, _mm256_set1_epi8(0x80 - STOP_BRACKET)));
}

AVX2 static inline __m256i name_ends_avx2(__m256i bytes, __m256i classes)
{
    __m256i less = _mm256_sub_epi8(classes, _mm256_set1_epi8(1)); /* 0 becomes 0xFF */
    __m256i ends = _mm256_adds_epu8(less, _mm256_set1_epi8(0x80 - NAME_UNDERSCORE));
    return _mm256_andnot_si256(bytes, ends);
}

AVX2 static inline void list_four(uint64_t *bits, uint32_t base, uint32_t *out)
{
#pragma GCC unroll 4
    for (unsigned i = 0; i < 4; i++, *bits = _blsr_u64(*bits))
        out[i] = base + (uint32_t)_tzcnt_u64(*bits);
}

/* As list_bits. How many of the first four there are need not be guessed; what is written past the
 * last is written over, or beyond the end. */
AVX2 static inline uint32_t list_bits_avx2(uint64_t bits, uint32_t base, uint32_t *out)
{
    uint32_t count = (uint32_t)_mm_popcnt_u64(bits);
    list_four(&bits, base, out);
    for (uint32_t listed = 4; listed < count; listed += 4)
        list_four(&bits, base, out + listed);
    return count;
}

AVX2 static uint32_t mark_avx2(const uint8_t *data, uint32_t count, uint32_t *out_stops,
                               uint64_t *out_name_ends)
{
    static const uint8_t low_rows[16] = {ROW_0,   ROW_1_8, ROW_1_8, ROW_1_8, ROW_1_8, ROW_1_8,
                                         ROW_1_8, ROW_1_8, ROW_1_8, ROW_9,   ROW_A,   ROW_B_C,
                                         ROW_B_C, ROW_D,   ROW_E,   ROW_F};
    static const uint8_t high_rows[16] = {STOP_LOW_CONTROL, STOP_HIGH_CONTROL, NAME_MARK,
                                          NAME_DIGIT,       NAME_LOW_LETTER,   COLUMN_5,
                                          NAME_LOW_LETTER,  NAME_HIGH_LETTER};
    const __m256i low_table = table(low_rows), high_table = table(high_rows);
    uint32_t stop_count = 0;
    for (uint32_t block = 0; block < count; block++) {
        const uint8_t *at = data + block * XML_BLOCK_BYTES;
        __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)at);
        __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(at + 32));
        __m256i low_classes = classes_of(low, low_table, high_table);
        __m256i high_classes = classes_of(high, low_table, high_table);
        out_name_ends[block] =
            bits(name_ends_avx2(low, low_classes), name_ends_avx2(high, high_classes));
        stop_count +=
            list_bits_avx2(bits(stops_avx2(low, low_classes), stops_avx2(high, high_classes)),
                           block * XML_BLOCK_BYTES, out_stops + stop_count);
    }
    return stop_count;
}

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}

#endif

static const struct xml_indexer portable = {"portable", mark_portable};
#ifdef __SSE2__
static const struct xml_indexer sse2 = {"sse2", mark_sse2}, avx2 = {"avx2", mark_avx2};
#endif

const struct xml_indexer *xml_indexer_best(void)
{
#ifdef __SSE2__
    return has_avx2() ? &avx2 : &sse2;
#else
    return &portable;
#endif
}

const struct xml_indexer *xml_indexer_at(unsigned number)
{
#ifdef __SSE2__
    const struct xml_indexer *const all[] = {&portable, &sse2, has_avx2() ? &avx2 : NULL};
#else
    const struct xml_indexer *const all[] = {&portable};
#endif
    return number < sizeof all / sizeof all[0] ? all[number] : NULL;
}
