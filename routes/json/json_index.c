#include "routes/json/json_index.h"

#include <assert.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

static_assert(JSON_INDEX_BLOCKS % JSON_FIRST_BLOCKS == 0, "doubling ends there");

/* Which of a block's bytes are what, wherever they stand; a bit for each byte. */
struct found {
    uint64_t quotes, backslashes;
    uint64_t specials;  /* what wants a closer look in a string */
    uint64_t operators; /* a byte that is one of {}:, after `| 0x20` */
    uint64_t blanks;
};

static inline uint64_t find_escaped(uint64_t backslashes, struct json_carry *carry);
static inline uint64_t find_tokens(const struct found *found, uint64_t quotes, uint64_t in_string,
                                   struct json_carry *carry);

const uint32_t *json_index_open(struct json_index *index, struct bytes body, const uint8_t *at)
{
    index->begin = body.data;
    index->end = body.data + body.size;
    index->next = at;
    index->indexer = json_indexer_best();
    index->block_count = JSON_FIRST_BLOCKS;
    index->carry = (struct json_carry){0};
    index->last = index->tokens;
    return json_index_refill(index, index->last);
}

const uint32_t *json_index_refill(struct json_index *index, const uint32_t *token)
{
    assert(token <= index->last);
    size_t left = (size_t)(index->last - token);
    memmove(index->tokens, token, left * sizeof *token);
    uint32_t *last = index->tokens + left;
    uint64_t blocks[JSON_INDEX_BLOCKS];
    while (index->next < index->end && last - index->tokens < JSON_LOOKAHEAD) {
        size_t size = (size_t)(index->end - index->next);
        size_t count = (size + JSON_BLOCK_BYTES - 1) / JSON_BLOCK_BYTES;
        if (count > index->block_count)
            count = index->block_count;
        if (index->block_count < JSON_INDEX_BLOCKS)
            index->block_count *= 2;
        index->indexer->mark(index->next, (uint32_t)count, &index->carry, blocks);
        if (count * JSON_BLOCK_BYTES > size) /* what is past the end is no token */
            blocks[count - 1] &= ~UINT64_C(0) >> (count * JSON_BLOCK_BYTES - size);
        last = index->indexer->list(blocks, (uint32_t)count, (uint32_t)(index->next - index->begin),
                                    last);
        index->next += count * JSON_BLOCK_BYTES;
    }
    while (last - index->tokens < JSON_LOOKAHEAD)
        *last++ = (uint32_t)(index->end - index->begin);
    index->last = last;
    index->safe = last - JSON_LOOKAHEAD;
    return index->tokens;
}

/* ---- One block ------------------------------------------------------------------------------- */

/* Where an odd number of backslashes stands before a byte. They are rare: most blocks leave by the
 * first line. */
static inline uint64_t find_escaped(uint64_t backslashes, struct json_carry *carry)
{
    if ((backslashes | carry->escaped) == 0)
        return 0;
    uint64_t escaped = carry->escaped;
    backslashes &= ~escaped; /* an escaped one escapes nothing */
    carry->escaped = 0;
    while (backslashes != 0) {
        uint64_t backslash = backslashes & (0 - backslashes);
        uint64_t next = backslash << 1;
        escaped |= next;
        backslashes &= ~(backslash | next);
        carry->escaped = next == 0; /* it was the block's last byte */
    }
    return escaped;
}

/* `in_string` has the opening quotes, and not the closing ones. */
static inline uint64_t find_tokens(const struct found *found, uint64_t quotes, uint64_t in_string,
                                   struct json_carry *carry)
{
    uint64_t closing = quotes & ~in_string;
    uint64_t behind = closing << 1 | carry->closed;
    carry->closed = closing >> 63;

    uint64_t others = ~(found->operators | found->blanks | quotes | in_string);
    uint64_t runs = others | (found->specials & in_string);
    uint64_t starts = runs & ~(runs << 1 | carry->in_run);
    carry->in_run = runs >> 63;
    return closing | starts | (found->operators & ~in_string & ~behind);
}

/* ---- Any machine ----------------------------------------------------------------------------- */

/* Bit i: whether an odd number of bits up to i is set. */
static inline uint64_t sum_bits(uint64_t bits)
{
    for (unsigned width = 1; width < 64; width *= 2)
        bits ^= bits << width;
    return bits;
}

static inline uint64_t mark_block(const struct found *found, struct json_carry *carry)
{
    uint64_t quotes = found->quotes & ~find_escaped(found->backslashes, carry);
    uint64_t in_string = sum_bits(quotes) ^ carry->in_string;
    carry->in_string = 0 - (in_string >> 63);
    return find_tokens(found, quotes, in_string, carry);
}

static uint32_t *list_portable(const uint64_t *blocks, uint32_t count, uint32_t offset,
                               uint32_t *out)
{
    for (uint32_t i = 0; i < count; i++, offset += JSON_BLOCK_BYTES)
        for (uint64_t tokens = blocks[i]; tokens != 0; tokens &= tokens - 1)
            *out++ = offset + (uint32_t)__builtin_ctzll(tokens);
    return out;
}

static void mark_portable(const uint8_t *data, uint32_t count, struct json_carry *carry,
                          uint64_t *out_blocks)
{
    for (uint32_t block = 0; block < count; block++, data += JSON_BLOCK_BYTES) {
        struct found found = {0};
        for (unsigned i = 0; i < JSON_BLOCK_BYTES; i++) {
            uint8_t byte = data[i];
            uint64_t bit = UINT64_C(1) << i;
            found.quotes |= byte == '"' ? bit : 0;
            found.backslashes |= byte == '\\' ? bit : 0;
            found.specials |= byte == '\\' || byte < 0x20 || byte >= 0x80 ? bit : 0;
            found.operators |= json_is_operator(byte) ? bit : 0;
            found.blanks |= byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r' ? bit : 0;
        }
        out_blocks[block] = mark_block(&found, carry);
    }
}

static const struct json_indexer portable = {"portable", mark_portable, list_portable};

/* ---- x86-64 ---------------------------------------------------------------------------------- */

#ifdef __x86_64__

static inline uint64_t equal_sse2(const __m128i *quarters, char byte)
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++)
        mask |=
            (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(quarters[i], _mm_set1_epi8(byte)))
            << (16 * i);
    return mask;
}

static inline uint64_t below_space_sse2(const __m128i *quarters)
{
    uint64_t mask = 0;
    for (int i = 0; i < 4; i++) /* a signed comparison: high bytes are below it too */
        mask |=
            (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmplt_epi8(quarters[i], _mm_set1_epi8(' ')))
            << (16 * i);
    return mask;
}

static void mark_sse2(const uint8_t *data, uint32_t count, struct json_carry *carry,
                      uint64_t *out_blocks)
{
    for (uint32_t block = 0; block < count; block++, data += JSON_BLOCK_BYTES) {
        __m128i quarters[4], folded[4];
        for (int i = 0; i < 4; i++) {
            quarters[i] = _mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i));
            folded[i] = _mm_or_si128(quarters[i], _mm_set1_epi8(0x20));
        }
        struct found found = {
            .quotes = equal_sse2(quarters, '"'),
            .backslashes = equal_sse2(quarters, '\\'),
            .operators = equal_sse2(folded, '{') | equal_sse2(folded, '}') |
                         equal_sse2(folded, ':') | equal_sse2(folded, ','),
            .blanks = equal_sse2(quarters, ' ') | equal_sse2(quarters, '\t') |
                      equal_sse2(quarters, '\n') | equal_sse2(quarters, '\r'),
        };
        found.specials = below_space_sse2(quarters) | found.backslashes;
        out_blocks[block] = mark_block(&found, carry);
    }
}

#define TARGET_AVX2 __attribute__((target("avx2,bmi,pclmul,popcnt")))

TARGET_AVX2 static inline uint64_t join_avx2(__m256i low, __m256i high)
{
    uint32_t low_mask = (uint32_t)_mm256_movemask_epi8(low);
    uint32_t high_mask = (uint32_t)_mm256_movemask_epi8(high);
    return low_mask | (uint64_t)high_mask << 32;
}

TARGET_AVX2 static inline uint64_t equal_avx2(__m256i low, __m256i high, __m256i low_other,
                                              __m256i high_other)
{
    return join_avx2(_mm256_cmpeq_epi8(low, low_other), _mm256_cmpeq_epi8(high, high_other));
}

/* A byte is of a class if it equals the one that the class has for its low four bits. */
TARGET_AVX2 static inline struct found find_avx2(const uint8_t *data)
{
    const __m256i operator_of = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(1, 0, 0, 0, 0, 0, 0, 0, 0, 0, ':', '{', ',', '}', 0, 0));
    const __m256i blank_of = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(' ', 0, 0, 0, 0, 0, 0, 0, 0, '\t', '\n', 0, 0, '\r', 0, 0));
    const __m256i quote = _mm256_set1_epi8('"'), backslash = _mm256_set1_epi8('\\');
    const __m256i space = _mm256_set1_epi8(' ');
    __m256i low = _mm256_loadu_si256((const __m256i *)(const void *)data);
    __m256i high = _mm256_loadu_si256((const __m256i *)(const void *)(data + 32));
    __m256i low_folded = _mm256_or_si256(low, space), high_folded = _mm256_or_si256(high, space);
    struct found found = {
        .quotes = equal_avx2(low, high, quote, quote),
        .backslashes = equal_avx2(low, high, backslash, backslash),
        .operators = equal_avx2(low_folded, high_folded, _mm256_shuffle_epi8(operator_of, low),
                                _mm256_shuffle_epi8(operator_of, high)),
        .blanks = equal_avx2(low, high, _mm256_shuffle_epi8(blank_of, low),
                             _mm256_shuffle_epi8(blank_of, high)),
    };
    found.specials = join_avx2(_mm256_cmpgt_epi8(space, low), _mm256_cmpgt_epi8(space, high)) |
                     found.backslashes;
    return found;
}

/* As sum_bits: a carry-less product with all ones. */
TARGET_AVX2 static inline uint64_t sum_bits_clmul(uint64_t bits)
{
    __m128i product =
        _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)bits), _mm_set1_epi8((char)0xFF), 0);
    return (uint64_t)_mm_cvtsi128_si64(product);
}

TARGET_AVX2 static void mark_avx2(const uint8_t *data, uint32_t count, struct json_carry *carry,
                                  uint64_t *out_blocks)
{
    for (uint32_t block = 0; block < count; block++, data += JSON_BLOCK_BYTES) {
        struct found found = find_avx2(data);
        uint64_t quotes = found.quotes & ~find_escaped(found.backslashes, carry);
        uint64_t in_string = sum_bits_clmul(quotes) ^ carry->in_string;
        carry->in_string = 0 - (in_string >> 63);
        out_blocks[block] = find_tokens(&found, quotes, in_string, carry);
    }
}

/* Most blocks have few tokens: four are written at once. What is too much is overwritten. */
TARGET_AVX2 static uint32_t *list_bmi(const uint64_t *blocks, uint32_t count, uint32_t offset,
                                      uint32_t *out)
{
    for (uint32_t i = 0; i < count; i++, offset += JSON_BLOCK_BYTES) {
        uint64_t tokens = blocks[i];
        uint32_t *end = out + __builtin_popcountll(tokens);
        do {
#pragma GCC unroll 4
            for (unsigned k = 0; k < 4; k++, tokens &= tokens - 1)
                out[k] = offset + (uint32_t)_tzcnt_u64(tokens);
            out += 4;
        } while (out < end);
        out = end;
    }
    return out;
}

static const struct json_indexer sse2 = {"sse2", mark_sse2, list_portable};
static const struct json_indexer avx2 = {"avx2", mark_avx2, list_bmi};

static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi") &&
           __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("popcnt");
}

const struct json_indexer *json_indexer_best(void)
{
    return has_avx2() ? &avx2 : &sse2;
}

const struct json_indexer *json_indexer_at(unsigned index)
{
    const struct json_indexer *const all[] = {&portable, &sse2, has_avx2() ? &avx2 : NULL};
    return index < sizeof all / sizeof all[0] ? all[index] : NULL;
}

#else

const struct json_indexer *json_indexer_best(void)
{
    return &portable;
}

const struct json_indexer *json_indexer_at(unsigned index)
{
    return index == 0 ? &portable : NULL;
}

#endif
