#include "core/digest.h"

#include <assert.h>
#include <endian.h>
#define XXH_INLINE_ALL /* what is short is digested in place */
#include <xxhash.h>

#include "core/digest_long.h"

/* Sequences up to GATHER_BYTES are gathered and digested in one call, which is several times faster
 * than the streaming calls; the digest is the same. XXH3 takes other ways beyond SHORT_BYTES_MAX.
 */
enum { GATHER_BYTES = 512, LENGTH_BYTES = 8, SHORT_BYTES_MAX = XXH3_MIDSIZE_MAX };

struct digest digest_bytes(const struct digest_secret *secret, struct bytes bytes)
{
    if (bytes.size > SHORT_BYTES_MAX)
        return digest_long(secret, bytes);
    const void *data = bytes.size > 0 ? bytes.data : (const uint8_t *)"";
    XXH128_hash_t hash =
        XXH3_128bits_withSecret(data, bytes.size, secret->bytes, sizeof secret->bytes);
    return (struct digest){.low = hash.low64, .high = hash.high64};
}

/* Little-endian on every machine, because digests are written to disk. */
static void write_length(uint8_t out[LENGTH_BYTES], size_t size)
{
    uint64_t length = htole64((uint64_t)size);
    static_assert(sizeof length == LENGTH_BYTES, "one store");
    memcpy(out, &length, sizeof length);
}

/* As memcpy, without a call for the sizes that parts mostly have: by two pieces that may overlap.
 */
static inline void copy_part(uint8_t *to, struct bytes part)
{
    const uint8_t *from = part.data;
    size_t size = part.size;
    if (size > 32) {
        memcpy(to, from, size);
    } else if (size >= 16) {
        memcpy(to, from, 16);
        memcpy(to + size - 16, from + size - 16, 16);
    } else if (size >= 8) {
        memcpy(to, from, 8);
        memcpy(to + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        memcpy(to, from, 4);
        memcpy(to + size - 4, from + size - 4, 4);
    } else {
        for (size_t i = 0; i < size; i++)
            to[i] = from[i];
    }
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
        copy_part(out + size, parts[i]);
        size += parts[i].size;
    }
    *out_size = size;
    return true;
}

struct digest digest_parts(const struct digest_secret *secret, const struct bytes *parts,
                           size_t count)
{
    uint8_t gathered[GATHER_BYTES];
    size_t size;
    if (gather_parts(parts, count, gathered, &size))
        return digest_bytes(secret, bytes_make(gathered, size));
    return digest_stream(secret, parts, count);
}
