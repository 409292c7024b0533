#include "routes/edifact_index.h"

#ifdef __x86_64__
#include <immintrin.h>
#endif

/* Where a block's four kinds of characters stand, before releases are heeded. */
struct found {
    uint64_t terminators, elements, components, releases;
};

static inline struct edifact_block heed_releases(struct found found, bool *released);

static void mark_portable(const struct edifact_syntax *syntax, const uint8_t *data, uint32_t count,
                          bool *released, struct edifact_block *out_blocks)
{
    for (uint32_t block = 0; block < count; block++, data += EDIFACT_BLOCK_BYTES) {
        struct found found = {0};
        for (unsigned i = 0; i < EDIFACT_BLOCK_BYTES; i++) {
            found.terminators |= (uint64_t)(data[i] == syntax->terminator) << i;
            found.elements |= (uint64_t)(data[i] == syntax->element) << i;
            found.components |= (uint64_t)(data[i] == syntax->component) << i;
            found.releases |= (uint64_t)(data[i] == syntax->release) << i;
        }
        if (syntax->release == 0)
            found.releases = 0;
        out_blocks[block] = heed_releases(found, released);
    }
}

#ifdef __x86_64__

static inline uint64_t equal_sse2(const __m128i *quarters, __m128i byte)
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(quarters[i], byte))
                << (16 * i);
    return mask;
}

static void mark_sse2(const struct edifact_syntax *syntax, const uint8_t *data, uint32_t count,
                      bool *released, struct edifact_block *out_blocks)
{
    const __m128i terminator = _mm_set1_epi8((char)syntax->terminator);
    const __m128i element = _mm_set1_epi8((char)syntax->element);
    const __m128i component = _mm_set1_epi8((char)syntax->component);
    const __m128i release = _mm_set1_epi8((char)syntax->release);
    const uint64_t releases_used = syntax->release != 0 ? UINT64_MAX : 0;
    for (uint32_t block = 0; block < count; block++, data += EDIFACT_BLOCK_BYTES) {
        __m128i quarters[4];
        for (int i = 0; i < 4; i++)
            quarters[i] = _mm_loadu_si128((const __m128i *)(data + 16 * i));
        struct found found = {
            .terminators = equal_sse2(quarters, terminator),
            .elements = equal_sse2(quarters, element),
            .components = equal_sse2(quarters, component),
            .releases = equal_sse2(quarters, release) & releases_used,
        };
        out_blocks[block] = heed_releases(found, released);
    }
}

__attribute__((target("avx2"))) static inline uint64_t equal_avx2(__m256i low, __m256i high,
                                                                  __m256i byte)
{
    uint32_t low_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(low, byte));
    uint32_t high_mask = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(high, byte));
    return low_mask | (uint64_t)high_mask << 32;
}

__attribute__((target("avx2"))) static void mark_avx2(const struct edifact_syntax *syntax,
                                                      const uint8_t *data, uint32_t count,
                                                      bool *released,
                                                      struct edifact_block *out_blocks)
{
    const __m256i terminator = _mm256_set1_epi8((char)syntax->terminator);
    const __m256i element = _mm256_set1_epi8((char)syntax->element);
    const __m256i component = _mm256_set1_epi8((char)syntax->component);
    const __m256i release = _mm256_set1_epi8((char)syntax->release);
    const uint64_t releases_used = syntax->release != 0 ? UINT64_MAX : 0;
    for (uint32_t block = 0; block < count; block++, data += EDIFACT_BLOCK_BYTES) {
        __m256i low = _mm256_loadu_si256((const __m256i *)data);
        __m256i high = _mm256_loadu_si256((const __m256i *)(data + 32));
        struct found found = {
            .terminators = equal_avx2(low, high, terminator),
            .elements = equal_avx2(low, high, element),
            .components = equal_avx2(low, high, component),
            .releases = equal_avx2(low, high, release) & releases_used,
        };
        out_blocks[block] = heed_releases(found, released);
    }
}

#endif

/* Releases are rare: most blocks leave by the first line. */
static inline struct edifact_block heed_releases(struct found found, bool *released)
{
    if ((found.releases | (uint64_t)*released) == 0)
        return (struct edifact_block){found.terminators, found.elements, found.components};

    uint64_t released_bytes = (uint64_t)*released;
    uint64_t releases = found.releases & ~released_bytes; /* a released one releases nothing */
    *released = false;
    while (releases != 0) {
        uint64_t release = releases & (0 - releases);
        uint64_t next = release << 1;
        released_bytes |= next;
        releases &= ~(release | next);
        *released = next == 0; /* it was the block's last byte */
    }
    return (struct edifact_block){found.terminators & ~released_bytes,
                                  found.elements & ~released_bytes,
                                  found.components & ~released_bytes};
}

static const struct edifact_indexer portable = {"portable", mark_portable};
#ifdef __x86_64__
static const struct edifact_indexer sse2 = {"sse2", mark_sse2};
static const struct edifact_indexer avx2 = {"avx2", mark_avx2};
#endif

const struct edifact_indexer *edifact_indexer_best(void)
{
#ifdef __x86_64__
    return __builtin_cpu_supports("avx2") ? &avx2 : &sse2;
#else
    return &portable;
#endif
}

const struct edifact_indexer *edifact_indexer_at(unsigned index)
{
#ifdef __x86_64__
    const struct edifact_indexer *const all[] = {&portable, &sse2,
                                                 __builtin_cpu_supports("avx2") ? &avx2 : NULL};
#else
    const struct edifact_indexer *const all[] = {&portable};
#endif
    return index < sizeof all / sizeof all[0] ? all[index] : NULL;
}
