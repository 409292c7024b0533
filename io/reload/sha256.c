#include "io/reload/sha256.h"

#include <openssl/evp.h>
#include <stdlib.h>

struct sha256 sha256_of(struct bytes content)
{
    struct sha256 digest;
    /* It can only fail for want of memory, or of the algorithm itself. */
    if (EVP_Digest(content.data, content.size, digest.bytes, NULL, EVP_sha256(), NULL) != 1)
        abort();
    return digest;
}

static const char digits[] = "0123456789abcdef";

struct sha256_text sha256_format(const uint8_t digest[SHA256_BYTES])
{
    struct sha256_text out = {{0}};
    for (unsigned i = 0; i < SHA256_BYTES; i++) {
        out.text[2 * i] = digits[digest[i] >> 4];
        out.text[2 * i + 1] = digits[digest[i] & 15];
    }
    return out;
}

bool sha256_parse(struct bytes text, struct sha256 *out_digest)
{
    struct sha256 digest = {{0}};
    if (text.size != SHA256_TEXT_BYTES)
        return false;
    for (unsigned i = 0; i < SHA256_TEXT_BYTES; i++) {
        const char *digit = text.data[i] != '\0' ? strchr(digits, text.data[i]) : NULL;
        if (digit == NULL)
            return false;
        digest.bytes[i / 2] = (uint8_t)(digest.bytes[i / 2] << 4 | (digit - digits));
    }
    *out_digest = digest;
    return true;
}
