#include "core/digest_long.h"

#include <assert.h>
#include <endian.h>
#define XXH_STATIC_LINKING_ONLY /* the size of the streaming state */
#include <xxhash.h>
#if defined(__x86_64__)
#include <immintrin.h>
#include <xxh_x86dispatch.h> /* the same calls, by the widest vectors that the processor has */
#endif

static_assert(DIGEST_SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "XXH3 wants a longer secret");

static struct digest digest_from(XXH128_hash_t hash)
{
    return (struct digest){.low = hash.low64, .high = hash.high64};
}

#if defined(__x86_64__)

/* ---- some hundred bytes ------------------------------------------------------------------------
 *
 * What fits one block of XXH3's long way, as most messages do: asking for the vectors, setting up
 * and calling from file to file takes as long as the digest itself, so it is written out here, by
 * xxHash's specification and for AVX2. */

enum {
    STRIPE_BYTES = 64,
    STRIPE_SECRET_BYTES = 8, /* by so much the secret moves on a stripe */
    BLOCK_BYTES = (DIGEST_SECRET_BYTES - STRIPE_BYTES) / STRIPE_SECRET_BYTES * STRIPE_BYTES,
    LAST_SECRET_BYTES = 7,  /* the last stripe's is so far from where it would end */
    MERGE_SECRET_BYTES = 11 /* that of merging, from the beginning and from the end */
};

static const uint64_t first_sums[] = {0xC2B2AE3D,         0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F,
                                      0x165667B19E3779F9, 0x85EBCA77C2B2AE63, 0x85EBCA77,
                                      0x27D4EB2F165667C5, 0x9E3779B1};
static const uint64_t size_factor = 0x9E3779B185EBCA87, other_size_factor = 0xC2B2AE3D27D4EB4F,
                      last_factor = 0x165667919E3779F9;

#define AVX2 __attribute__((target("avx2")))

AVX2 static inline __m256i load(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline __m256i accumulate(__m256i sums, const uint8_t *data, const uint8_t *secret)
{
    __m256i words = load(data), keyed = _mm256_xor_si256(words, load(secret));
    __m256i products = _mm256_mul_epu32(keyed, _mm256_srli_epi64(keyed, 32));
    __m256i swapped = _mm256_shuffle_epi32(words, _MM_SHUFFLE(1, 0, 3, 2));
    return _mm256_add_epi64(_mm256_add_epi64(sums, swapped), products);
}

static inline uint64_t fold_product(const uint64_t factors[2])
{
    unsigned __int128 product = (unsigned __int128)factors[0] * factors[1];
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

AVX2 static inline uint64_t merge(__m256i low, __m256i high, const uint8_t *secret, uint64_t start)
{
    uint64_t keyed[8];
    _mm256_storeu_si256((__m256i *)(void *)keyed, _mm256_xor_si256(low, load(secret)));
    _mm256_storeu_si256((__m256i *)(void *)(keyed + 4), _mm256_xor_si256(high, load(secret + 32)));
    uint64_t hash = start + fold_product(keyed) + fold_product(keyed + 2) +
                    fold_product(keyed + 4) + fold_product(keyed + 6);
    hash = (hash ^ hash >> 37) * last_factor;
    return hash ^ hash >> 32;
}

/* Of more than XXH3_MIDSIZE_MAX bytes, up to a block. */
AVX2 static struct digest digest_block(const struct digest_secret *secret, struct bytes bytes)
{
    const uint8_t *key = secret->bytes, *key_end = key + sizeof secret->bytes;
    const uint8_t *at = bytes.data, *last = at + bytes.size - STRIPE_BYTES;
    __m256i low = load((const uint8_t *)first_sums), high = load((const uint8_t *)(first_sums + 4));
    for (; at < last; at += STRIPE_BYTES, key += STRIPE_SECRET_BYTES) {
        low = accumulate(low, at, key);
        high = accumulate(high, at + 32, key + 32);
    }
    key = key_end - STRIPE_BYTES - LAST_SECRET_BYTES;
    low = accumulate(low, last, key);
    high = accumulate(high, last + 32, key + 32);
    const uint8_t *merge_key = secret->bytes + MERGE_SECRET_BYTES;
    const uint8_t *other_key = key_end - STRIPE_BYTES - MERGE_SECRET_BYTES;
    return (struct digest){.low = merge(low, high, merge_key, bytes.size * size_factor),
                           .high = merge(low, high, other_key, ~(bytes.size * other_size_factor))};
}

#endif

struct digest digest_long(const struct digest_secret *secret, struct bytes bytes)
{
#if defined(__x86_64__)
    if (bytes.size <= BLOCK_BYTES && __builtin_cpu_supports("avx2"))
        return digest_block(secret, bytes);
#endif
    return digest_from(
        XXH3_128bits_withSecret(bytes.data, bytes.size, secret->bytes, sizeof secret->bytes));
}

struct digest digest_stream(const struct digest_secret *secret, const struct bytes *parts,
                            size_t count)
{
    XXH3_state_t state;
    XXH_errorcode failed =
        XXH3_128bits_reset_withSecret(&state, secret->bytes, sizeof secret->bytes);
    for (size_t i = 0; i < count && failed == XXH_OK; i++) {
        uint64_t length = htole64((uint64_t)parts[i].size);
        failed = XXH3_128bits_update(&state, &length, sizeof length);
        if (failed == XXH_OK && parts[i].size > 0)
            failed = XXH3_128bits_update(&state, parts[i].data, parts[i].size);
    }
    assert(failed == XXH_OK); /* it fails on NULL only */
    return digest_from(XXH3_128bits_digest(&state));
}
