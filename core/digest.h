/* 128-bit keyed digests: XXH3-128 with a secret of the installation. XXH3 unkeyed is not
 * collision-resistant, so the secret is full-length and random, and equal digests are only
 * candidates: whoever acts on one compares the bytes. Source: xxHash's specification, XXH3 with
 * custom secret. */
#ifndef KOUAN_CORE_DIGEST_H
#define KOUAN_CORE_DIGEST_H

#include "core/bytes.h"

enum { DIGEST_SECRET_BYTES = 192 };

struct digest {
    uint64_t low, high;
};

/* Random bytes that the caller supplies (io reads them from the kernel or a file). */
struct digest_secret {
    uint8_t bytes[DIGEST_SECRET_BYTES];
};

struct digest digest_bytes(const struct digest_secret *secret, struct bytes bytes);

/* The digest of several parts as one sequence, each with its length, so that ("ab","c") and
 * ("a","bc") differ. */
struct digest digest_parts(const struct digest_secret *secret, const struct bytes *parts,
                           size_t count);

static inline bool digest_equal(struct digest a, struct digest b)
{
    return a.low == b.low && a.high == b.high;
}

#endif
