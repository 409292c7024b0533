#include "routes/dialect/pattern.h"

/* The bytes that the two have in common at their beginnings. */
static size_t measure_common(struct bytes a, struct bytes b)
{
    size_t size = a.size < b.size ? a.size : b.size, at = 0;
    for (uint64_t x, y; at + sizeof x <= size; at += sizeof x) {
        memcpy(&x, a.data + at, sizeof x);
        memcpy(&y, b.data + at, sizeof y);
        if (x != y)
            break;
    }
    while (at < size && a.data[at] == b.data[at])
        at++;
    return at;
}

static bool matches_anywhere(struct bytes pattern, struct bytes text);

/* Most patterns are plain, or end in their only `*`. A wildcard matches itself, so that what is
 * equal needs no closer look. */
bool pattern_matches(struct bytes pattern, struct bytes text)
{
    size_t common = measure_common(pattern, text);
    if (common == pattern.size && common == text.size)
        return true;
    if (common + 1 == pattern.size && pattern.data[common] == '*')
        return true;
    return matches_anywhere(pattern, text);
}

static bool matches_anywhere(struct bytes pattern, struct bytes text)
{
    size_t at = 0, text_at = 0;
    /* Where to go on after a mismatch: behind the last `*`, with one more byte given to it. */
    size_t star = SIZE_MAX, star_text = 0;
    while (text_at < text.size) {
        if (at < pattern.size && pattern.data[at] == '*') {
            star = ++at;
            star_text = text_at;
        } else if (at < pattern.size &&
                   (pattern.data[at] == '?' || pattern.data[at] == text.data[text_at])) {
            at++;
            text_at++;
        } else if (star != SIZE_MAX) {
            at = star;
            text_at = ++star_text;
        } else {
            return false;
        }
    }
    while (at < pattern.size && pattern.data[at] == '*')
        at++;
    return at == pattern.size;
}

bool pattern_matches_any(const struct bytes *patterns, uint16_t count, struct bytes text)
{
    for (uint16_t i = 0; i < count; i++)
        if (pattern_matches(patterns[i], text))
            return true;
    return false;
}

struct bytes pattern_prefix(struct bytes pattern)
{
    size_t size = 0;
    while (size < pattern.size && pattern.data[size] != '*' && pattern.data[size] != '?')
        size++;
    return bytes_slice(pattern, 0, size);
}

bool pattern_covers(struct bytes outer, struct bytes inner)
{
    if (bytes_equal(outer, inner) || pattern_is_plain(inner))
        return pattern_matches(outer, inner);
    /* Of two patterns only the plain case is judged: `a*` and whatever begins with `a`. */
    struct bytes prefix = pattern_prefix(outer);
    return prefix.size + 1 == outer.size && outer.data[prefix.size] == '*' &&
           bytes_start_with(pattern_prefix(inner), prefix);
}
