/* Finding the next byte that matters. Each function returns the first byte of its class at or after
 * `at`, or `end`. It may read BYTES_PADDING bytes past `end`; what stands there decides nothing.
 *
 * Most runs in a message are short, so the first 16 bytes are looked at in place (SSE2, which every
 * x86-64 has); only longer runs call the far path, which takes AVX2 where the machine has it.
 * Other machines take the portable path. All paths are tested against each other. */
#ifndef KOUAN_ROUTES_FIND_BYTES_H
#define KOUAN_ROUTES_FIND_BYTES_H

#include "core/bytes.h"

/* What ends a run of text, beside what the class says. Others have no use for it. */
struct find_set {
    uint8_t a, b, c;
};

/* class, the bytes of it */
#define FIND_CLASS_LIST(X)                                                                         \
    X(xml_stop, "a byte of the set, or a control character other than TAB, LF and CR")             \
    X(plain_stop, "a byte of the set, a control character, or a byte from 0x80 on")                \
    X(component_stop, "`+`, `:`, `'`, `?`, `*`, `\"`, a control character, or from 0x80 on")       \
    X(name_end, "below 0x80, and no letter, digit, dot, hyphen or underscore")                     \
    X(nonblank, "not a space, TAB, LF or CR")                                                      \
    X(high, "from 0x80 on")

/* One way to find each class. */
struct find_path {
    const char *name;
#define X(class, what)                                                                             \
    const uint8_t *(*class)(const uint8_t *at, const uint8_t *end, struct find_set set);
    FIND_CLASS_LIST(X)
#undef X
};

/* The paths that this machine can run, for tests; the portable one is the first. Their searches
 * begin with `at` <= `end`. */
enum { FIND_PATHS_MAX = 3 };
size_t find_paths(const struct find_path *out_paths[FIND_PATHS_MAX]);

/* find_xml_stop_far ...: by the best path of this machine. */
#define X(class, what)                                                                             \
    const uint8_t *find_##class##_far(const uint8_t *at, const uint8_t *end, struct find_set set);
FIND_CLASS_LIST(X)
#undef X

#if defined(__SSE2__)
#include "routes/scan/find_bytes_sse2.h"

static inline const uint8_t *find_xml_stop(const uint8_t *at, const uint8_t *end,
                                           struct find_set set)
{
    return find_near(at, end, set, hits_xml_stop, find_xml_stop_far);
}

static inline const uint8_t *find_plain_stop(const uint8_t *at, const uint8_t *end,
                                             struct find_set set)
{
    return find_near(at, end, set, hits_plain_stop, find_plain_stop_far);
}

static inline const uint8_t *find_component_stop(const uint8_t *at, const uint8_t *end,
                                                 struct find_set set)
{
    return find_near(at, end, set, hits_component_stop, find_component_stop_far);
}

static inline const uint8_t *find_name_end(const uint8_t *at, const uint8_t *end)
{
    return find_near(at, end, (struct find_set){0}, hits_name_end, find_name_end_far);
}

static inline const uint8_t *find_nonblank(const uint8_t *at, const uint8_t *end)
{
    if (*at > ' ')
        return at; /* as it mostly is */
    return find_nonblank_far(at, end, (struct find_set){0});
}

static inline const uint8_t *find_high(const uint8_t *at, const uint8_t *end)
{
    return find_near(at, end, (struct find_set){0}, hits_high, find_high_far);
}

/* The last quote before `at`. There is one from `begin` on. */
static inline const uint8_t *find_quote_before(const uint8_t *begin, const uint8_t *at)
{
    for (; at - begin >= 32; at -= 32) {
        unsigned hits = hits_quote(load_block(at - 32)) | hits_quote(load_block(at - 16)) << 16;
        if (hits != 0)
            return at - 32 + (31 - __builtin_clz(hits));
    }
    do {
        at--;
    } while (*at != '"');
    return at;
}

/* True if the `size` bytes at `a` and `b` are the same. May read 32 bytes of either. */
static inline bool find_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    if (size > 32)
        return memcmp(a, b, size) == 0;
    return equal_blocks(a, b, size);
}

#else

static inline const uint8_t *find_xml_stop(const uint8_t *at, const uint8_t *end,
                                           struct find_set set)
{
    return find_xml_stop_far(at, end, set);
}

static inline const uint8_t *find_plain_stop(const uint8_t *at, const uint8_t *end,
                                             struct find_set set)
{
    return find_plain_stop_far(at, end, set);
}

static inline const uint8_t *find_component_stop(const uint8_t *at, const uint8_t *end,
                                                 struct find_set set)
{
    return find_component_stop_far(at, end, set);
}

static inline const uint8_t *find_name_end(const uint8_t *at, const uint8_t *end)
{
    return find_name_end_far(at, end, (struct find_set){0});
}

static inline const uint8_t *find_nonblank(const uint8_t *at, const uint8_t *end)
{
    return find_nonblank_far(at, end, (struct find_set){0});
}

static inline const uint8_t *find_high(const uint8_t *at, const uint8_t *end)
{
    return find_high_far(at, end, (struct find_set){0});
}

static inline const uint8_t *find_quote_before(const uint8_t *begin, const uint8_t *at)
{
    (void)begin;
    do {
        at--;
    } while (*at != '"');
    return at;
}

static inline bool find_equal(const uint8_t *a, const uint8_t *b, size_t size)
{
    return memcmp(a, b, size) == 0;
}

#endif

/* What ends the plain run of a JSON string. */
static inline const uint8_t *find_json_stop(const uint8_t *at, const uint8_t *end)
{
    return find_plain_stop(at, end, (struct find_set){'"', '\\', '\\'});
}

#endif
