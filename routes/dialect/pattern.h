/* Patterns of names and values: `*` stands for any run of bytes, `?` for any one byte, every other
 * byte for itself. `CEB*Message`, `CC???C`, `urn:wco:*`. */
#ifndef KOUAN_ROUTES_PATTERN_H
#define KOUAN_ROUTES_PATTERN_H

#include "core/bytes.h"

/* In time proportional to both sizes multiplied at the worst, to the text's commonly. */
bool pattern_matches(struct bytes pattern, struct bytes text);

bool pattern_matches_any(const struct bytes *patterns, uint16_t count, struct bytes text);

/* The bytes before the first `*` or `?`: all of them if the pattern has none. */
struct bytes pattern_prefix(struct bytes pattern);

static inline bool pattern_is_plain(struct bytes pattern)
{
    return pattern_prefix(pattern).size == pattern.size;
}

/* True if every text that `inner` matches is known to be matched by `outer` too. */
bool pattern_covers(struct bytes outer, struct bytes inner);

#endif
