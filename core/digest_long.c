#include "core/digest_long.h"

#include <assert.h>
#include <endian.h>
#define XXH_STATIC_LINKING_ONLY /* the size of the streaming state */
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h> /* the same calls, by the widest vectors that the processor has */
#endif

static_assert(DIGEST_SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "XXH3 wants a longer secret");

static struct digest digest_from(XXH128_hash_t hash)
{
    return (struct digest){.low = hash.low64, .high = hash.high64};
}

struct digest digest_long(const struct digest_secret *secret, struct bytes bytes)
{
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
