#include "routes/edifact/edifact_index.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* Where service characters stand among 64 bytes, before releases are heeded, and bytes that are not
 * ASCII. */
struct found {
    uint64_t terminators, elements, components, releases, highs;
};

/* Of 0: anything. */
static inline __attribute__((always_inline)) uint32_t lowest_bit(uint64_t bits)
{
    return (uint32_t)__builtin_ctzll(bits | UINT64_C(1) << 63);
}

/* Notes one block; the number of terminators, which was `count`. Most blocks have few terminators
 * and no release. */
static inline __attribute__((always_inline)) uint32_t note_block(struct edifact_index *index,
                                                                 uint32_t block, struct found found,
                                                                 uint32_t count, bool *released)
{
    if (__builtin_expect((found.releases | (uint64_t)*released) != 0, 0)) {
        uint64_t unreleased = ~edifact_marks_released(found.releases, released);
        found.terminators &= unreleased;
        found.elements &= unreleased;
        found.components &= unreleased;
    }
    index->elements[block] = found.elements;
    index->components[block] = found.components;
    index->specials |= found.releases | found.highs;
    uint32_t behind = count + (uint32_t)__builtin_popcountll(found.terminators);
    uint64_t left = found.terminators;
    uint32_t base = index->base + block * EDIFACT_MARKS_BYTES, *end = &index->ends[count];
    do { /* four at a time; past the last it is junk, which is overwritten */
        end[0] = base + lowest_bit(left);
        left &= left - 1;
        end[1] = base + lowest_bit(left);
        left &= left - 1;
        end[2] = base + lowest_bit(left);
        left &= left - 1;
        end[3] = base + lowest_bit(left);
        left &= left - 1;
        end += 4;
    } while (__builtin_expect(left != 0, 0));
    return behind;
}

static uint32_t mark_portable(struct edifact_index *index, const uint8_t *data, uint32_t count)
{
    uint32_t end_count = 0;
    bool released = false;
    for (uint32_t block = 0; block < count; block++, data += EDIFACT_MARKS_BYTES) {
        const struct edifact_marker *marker = &index->marker;
        struct found found = {.terminators = edifact_marks_equal_portable(data, marker->terminator),
                              .elements = edifact_marks_equal_portable(data, marker->element),
                              .components = edifact_marks_equal_portable(data, marker->component),
                              .releases = edifact_marks_equal_portable(data, marker->release) &
                                          marker->releases};
        for (unsigned i = 0; i < EDIFACT_MARKS_BYTES; i++)
            found.highs |= (uint64_t)(data[i] >> 7) << i;
        for (unsigned i = 0; i < EDIFACT_MARKS_BYTES; i++)
            found.highs |= (uint64_t)(data[i] >> 7) << i;
        end_count = note_block(index, block, found, end_count, &released);
    }
    return end_count;
}

#ifdef __x86_64__

/* Not 0 if there are any; where, is nobody's question. */
static inline uint64_t highs_sse2(const uint8_t *data)
{
    __m128i all = _mm_setzero_si128();
    for (int i = 0; i < 4; i++)
        all = _mm_or_si128(all, _mm_loadu_si128((const __m128i *)(data + 16 * i)));
    return (uint32_t)_mm_movemask_epi8(all);
}

static uint32_t mark_sse2(struct edifact_index *index, const uint8_t *data, uint32_t count)
{
    uint32_t end_count = 0;
    bool released = false;
    for (uint32_t block = 0; block < count; block++, data += EDIFACT_MARKS_BYTES) {
        const struct edifact_marker *marker = &index->marker;
        struct found found = {edifact_marks_equal(data, marker->terminator),
                              edifact_marks_equal(data, marker->element),
                              edifact_marks_equal(data, marker->component),
                              edifact_marks_equal(data, marker->release) & marker->releases,
                              highs_sse2(data)};
        end_count = note_block(index, block, found, end_count, &released);
    }
    return end_count;
}

__attribute__((target("avx2,bmi,popcnt"))) static inline uint64_t
equal_avx2(__m256i low, __m256i high, __m256i byte)
{
    uint32_t low_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte));
    uint32_t high_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte));
    return low_mask | (uint64_t)high_mask << 32;
}

__attribute__((target("avx2,bmi,popcnt"))) static uint32_t
mark_avx2(struct edifact_index *index, const uint8_t *data, uint32_t count)
{
    const struct edifact_marker *marker = &index->marker;
    const __m256i terminator = _mm256_set1_epi8((char)marker->terminator[0]);
    const __m256i element = _mm256_set1_epi8((char)marker->element[0]);
    const __m256i component = _mm256_set1_epi8((char)marker->component[0]);
    const __m256i release = _mm256_set1_epi8((char)marker->release[0]);
    const uint64_t releases = marker->releases;
    uint32_t end_count = 0;
    bool released = false;
    for (uint32_t block = 0; block < count; block++, data += EDIFACT_MARKS_BYTES) {
        __m256i low = _mm256_loadu_si256((const __m256i *)data);
        __m256i high = _mm256_loadu_si256((const __m256i *)(data + 32));
        struct found found = {equal_avx2(low, high, terminator), equal_avx2(low, high, element),
                              equal_avx2(low, high, component),
                              equal_avx2(low, high, release) & releases,
                              (uint32_t)_mm256_movemask_epi8(_mm256_or_si256(low, high))};
        end_count = note_block(index, block, found, end_count, &released);
    }
    return end_count;
}

#endif

static const struct edifact_indexer portable = {"portable", mark_portable};
#ifdef __x86_64__
static const struct edifact_indexer sse2 = {"sse2", mark_sse2};
static const struct edifact_indexer avx2 = {"avx2", mark_avx2};

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("popcnt");
}
#endif

const struct edifact_indexer *edifact_indexer_at(unsigned number)
{
#ifdef __x86_64__
    const struct edifact_indexer *const all[] = {&portable, &sse2, has_avx2() ? &avx2 : NULL};
#else
    const struct edifact_indexer *const all[] = {&portable};
#endif
    return number < sizeof all / sizeof all[0] ? all[number] : NULL;
}

static const struct edifact_indexer *indexer_best(void)
{
#ifdef __x86_64__
    return has_avx2() ? &avx2 : &sse2;
#else
    return &portable;
#endif
}

void edifact_index_init(struct edifact_index *index, const struct edifact_syntax *syntax)
{
    index->indexer = indexer_best();
    index->block_count_max = EDIFACT_WINDOW_BLOCKS;
    edifact_index_change(index, syntax);
}

void edifact_index_change(struct edifact_index *index, const struct edifact_syntax *syntax)
{
    edifact_marker_init(&index->marker, syntax);
    index->base = 0;
    index->end = 0;
    index->ends[0] = EDIFACT_NO_END;
}

void edifact_index_move(struct edifact_index *index, struct bytes body, uint32_t from)
{
    uint32_t left = (uint32_t)body.size - from;
    uint32_t count = (left + EDIFACT_MARKS_BYTES - 1) / EDIFACT_MARKS_BYTES;
    bool last = count <= index->block_count_max;
    if (!last)
        count = index->block_count_max;
    index->base = from;
    index->specials = 0;
    index->end = 0;
    uint32_t end_count = index->indexer->mark(index, body.data + from, count);
    index->elements[count] = index->components[count] = 0;
    while (last && end_count > 0 && index->ends[end_count - 1] >= body.size)
        end_count--; /* of the padding */
    index->ends[end_count] = EDIFACT_NO_END;
}
