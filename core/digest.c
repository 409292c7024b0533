#include "core/digest.h"

#include <assert.h>
#include <endian.h>
#define XXH_STATIC_LINKING_ONLY /* the size of the streaming state */
#include <xxhash.h>
#if defined(__x86_64__)
#include <xxh_x86dispatch.h> /* the same calls, by the widest vectors that the processor has */
#endif

/* Sequences up to this size are gathered and digested in one call, which is several times faster
 * than the streaming calls; the digest is the same. */
enum { GATHER_BYTES = 512, LENGTH_BYTES = 8 };

static_assert(DIGEST_SECRET_BYTES >= XXH3_SECRET_SIZE_MIN, "XXH3 wants a longer secret");

static struct digest digest_from(XXH128_hash_t hash)
{
    return (struct digest){.low = hash.low64, .high = hash.high64};
}

struct digest digest_bytes(const struct digest_secret *secret, struct bytes bytes)
{
    const void *data = bytes.size > 0 ? bytes.data : (const uint8_t *)"";
    return digest_from(
        XXH3_128bits_withSecret(data, bytes.size, secret->bytes, sizeof secret->bytes));
}

/* Little-endian on every machine, because digests are written to disk. */
static void write_length(uint8_t out[LENGTH_BYTES], size_t size)
{
    uint64_t length = htole64((uint64_t)size);
    static_assert(sizeof length == LENGTH_BYTES, "one store");
    memcpy(out, &length, sizeof length);
}

/* False if the parts are too long together. */
static bool gather_parts(const struct bytes *parts, size_t count, uint8_t out[GATHER_BYTES],
                         size_t *out_size)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size_t room = GATHER_BYTES - size;
        if (room < LENGTH_BYTES || room - LENGTH_BYTES < parts[i].size)
            return false;
        write_length(out + size, parts[i].size);
        size += LENGTH_BYTES;
        if (parts[i].size > 0)
            memcpy(out + size, parts[i].data, parts[i].size);
        size += parts[i].size;
    }
    *out_size = size;
    return true;
}

static struct digest stream_parts(const struct digest_secret *secret, const struct bytes *parts,
                                  size_t count)
{
    XXH3_state_t state;
    uint8_t length[LENGTH_BYTES];
    XXH_errorcode failed =
        XXH3_128bits_reset_withSecret(&state, secret->bytes, sizeof secret->bytes);
    for (size_t i = 0; i < count && failed == XXH_OK; i++) {
        write_length(length, parts[i].size);
        failed = XXH3_128bits_update(&state, length, sizeof length);
        if (failed == XXH_OK && parts[i].size > 0)
            failed = XXH3_128bits_update(&state, parts[i].data, parts[i].size);
    }
    assert(failed == XXH_OK); /* it fails on NULL only */
    return digest_from(XXH3_128bits_digest(&state));
}

struct digest digest_parts(const struct digest_secret *secret, const struct bytes *parts,
                           size_t count)
{
    uint8_t gathered[GATHER_BYTES];
    size_t size;
    if (gather_parts(parts, count, gathered, &size))
        return digest_bytes(secret, bytes_make(gathered, size));
    return stream_parts(secret, parts, count);
}
