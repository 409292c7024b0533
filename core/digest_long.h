/* Digests of what is long or comes in parts, by the widest vectors that the processor has. Only
 * digest.c includes this. */
#ifndef KOUAN_CORE_DIGEST_LONG_H
#define KOUAN_CORE_DIGEST_LONG_H

#include "core/digest.h"

/* As digest_bytes, which keeps what is shorter to itself. */
struct digest digest_long(const struct digest_secret *secret, struct bytes bytes);

/* As digest_parts. */
struct digest digest_stream(const struct digest_secret *secret, const struct bytes *parts,
                            size_t count);

#endif
