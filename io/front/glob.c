#include "io/front/glob.h"

static uint8_t folded(uint8_t byte, bool fold)
{
    return fold && byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
}

/* A set, from behind its `[`: where it ends, and if `byte` is in it. One without `]` ends with the
 * pattern. */
static size_t skip_set(struct bytes pattern, size_t at, uint8_t byte, bool fold, bool *out_fits)
{
    bool fits = false, negated = at < pattern.size && pattern.data[at] == '^';
    for (at += negated; at < pattern.size && pattern.data[at] != ']'; at++) {
        if (pattern.data[at] == '\\' && at + 1 < pattern.size)
            at++;
        uint8_t low = folded(pattern.data[at], fold), high = low;
        if (at + 2 < pattern.size && pattern.data[at + 1] == '-') {
            high = folded(pattern.data[at + 2], fold);
            at += 2;
        }
        if (low > high) {
            uint8_t swap = low;
            low = high;
            high = swap;
        }
        fits |= byte >= low && byte <= high;
    }
    *out_fits = fits != negated;
    return at < pattern.size ? at + 1 : at;
}

/* One byte against what stands at `*at`, which moves behind it. */
static bool fits_one(struct bytes pattern, size_t *at, uint8_t byte, bool fold)
{
    bool fits;
    byte = folded(byte, fold);
    switch (pattern.data[*at]) {
    case '?': *at += 1; return true;
    case '[': *at = skip_set(pattern, *at + 1, byte, fold, &fits); return fits;
    case '\\':
        if (*at + 1 < pattern.size)
            *at += 1;
        break;
    }
    fits = folded(pattern.data[*at], fold) == byte;
    *at += 1;
    return fits;
}

bool glob_fits(struct bytes pattern, struct bytes name, bool fold)
{
    size_t at = 0, in_name = 0, retry = SIZE_MAX, retry_in_name = 0;
    while (in_name < name.size) {
        if (at < pattern.size && pattern.data[at] == '*') {
            retry = ++at; /* the star takes nothing at first, and a byte more each time */
            retry_in_name = in_name;
        } else if (at < pattern.size && fits_one(pattern, &at, name.data[in_name], fold)) {
            in_name++;
        } else if (retry != SIZE_MAX) {
            at = retry;
            in_name = ++retry_in_name;
        } else {
            return false;
        }
    }
    while (at < pattern.size && pattern.data[at] == '*')
        at++;
    return at == pattern.size;
}
