/* What the parts of recognition share: the index (recognise_index.c), the look at a root or a type
 * (recognise.c), and the walk over a JSON object's members (recognise_json.c). Only these include
 * this. */
#ifndef KOUAN_ROUTES_RECOGNISE_PARTS_H
#define KOUAN_ROUTES_RECOGNISE_PARTS_H

#include "routes/dialect/recognise.h"
#include "routes/read/read.h"

#define LINK_NONE UINT32_MAX

enum {
    PROFILE_NONE = 0xFFFF,
    PROFILE_WORDS = PROFILES_MAX / 64,
    RECOGNISE_SIZES_MAX = 63 /* longer literal beginnings of patterns count as this long */
};

/* A profile that names one name. The JSON members that a profile asks for are numbered: 0 is its
 * `key`, then those of `has`. */
struct recognise_link {
    uint16_t profile, item;
    uint32_t next; /* LINK_NONE ends */
};

/* Plain names by the whole name, patterns by the bytes before their first wildcard. */
struct recognise_bucket {
    enum format format;
    bool used, plain;
    struct bytes name;
    uint32_t first, last; /* links, in the order of precedence */
};

struct recognise_index {
    struct recognise_bucket *buckets; /* open addressing by format, name and kind */
    uint32_t mask;
    struct recognise_link *links;
    uint32_t link_count;
    uint64_t pattern_sizes[FORMAT_COUNT]; /* bit n: some pattern begins with n literal bytes */
    uint64_t json_profiles[PROFILE_WORDS];
    /* Of JSON profiles that ask for more than one member: where these are counted. */
    uint16_t *counters; /* by profile; PROFILE_NONE */
    uint16_t counter_count;
};

/* A look at one body. */
struct recognition {
    const struct profile_set *set;
    const uint64_t *allowed;
    uint16_t from;     /* profiles before it are passed over */
    struct bytes text; /* the body from its first byte that is neither BOM nor blank */
};

static inline bool recognise_is_allowed(const struct recognition *recognition, uint16_t profile)
{
    return profile >= recognition->from &&
           (recognition->allowed == NULL ||
            (recognition->allowed[profile / 64] >> (profile % 64) & 1) != 0);
}

static inline bool recognise_has_first_bytes(const struct recognition *recognition,
                                             uint16_t profile)
{
    return bytes_start_with(recognition->text,
                            recognition->set->profiles[profile]->recognise.first_bytes);
}

/* Of `a/b`, a member `b` inside of `a`, the first step. */
static inline struct bytes recognise_first_step(struct bytes path)
{
    const uint8_t *slash = path.size > 0 ? memchr(path.data, '/', path.size) : NULL;
    return slash == NULL ? path : bytes_slice(path, 0, (size_t)(slash - path.data));
}

/* The lists of links that a name has: one of profiles that name it whole, and one for each length
 * of patterns' beginnings. A handful, however many profiles there are. */
struct recognise_names {
    const struct recognise_index *index;
    enum format format;
    struct bytes name;
    uint64_t sizes_left;
    bool plain_done;
};

static inline struct recognise_names recognise_names_of(const struct recognise_index *index,
                                                        enum format format, struct bytes name)
{
    return (struct recognise_names){index, format, name, index->pattern_sizes[format], false};
}

/* False at the end. */
bool recognise_names_next(struct recognise_names *names, const struct recognise_bucket **out);

/* The first profile that knows the JSON body by its members; PROFILE_NONE with the walk's fault, or
 * without one. */
uint16_t recognise_json_members(const struct recognition *recognition, struct bytes body,
                                struct scan_fault *out_fault);

#endif
