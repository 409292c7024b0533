/* A profile: how to recognise one dialect, and where its entries, fields and keys lie. Data, not
 * code: written in YAML (docs/profiles.md), compiled into an immutable form that lives in an arena.
 *
 *   YAML --profile_yaml.c--> profile (specs over taps) + plan (routes/scan.h) --> profile_set
 */
#ifndef KOUAN_ROUTES_PROFILE_H
#define KOUAN_ROUTES_PROFILE_H

#include "core/diagnostic.h"
#include "routes/scan.h"

enum {
    PROFILES_MAX = 1024,
    PROFILE_SOURCES_MAX = 8, /* alias paths of one value, or parts of one join */
    PROFILE_CONSTRAINTS_MAX = 4
};

/* A path of the YAML, compiled: the tap that captures it, and a condition on its instance. */
struct value_path {
    uint16_t tap;
    uint16_t predicate_tap; /* TAP_NONE: no predicate. Else: only captures whose instance also has a
                               capture of this tap that equals `predicate_value` */
    struct bytes predicate_value;
    const char *text; /* as written, for `explain` and errors */
};

/* One source of a value: a path, or several joined in one entry. */
struct value_source {
    struct value_path parts[PROFILE_SOURCES_MAX]; /* more than one: joined; all must be there */
    uint8_t part_count;
    struct bytes separator; /* between the parts */
};

/* from..to or a text or a prefix or anything -> to */
struct value_map_row {
    enum { MAP_EXACT, MAP_PREFIX, MAP_RANGE, MAP_ANY } kind;
    struct bytes text; /* EXACT, PREFIX */
    int64_t low, high; /* RANGE, inclusive */
    struct bytes to;
};

struct value_spec {
    enum slot slot;
    bool required;
    bool takes_all;        /* else the first */
    struct bytes constant; /* absent, or the value itself: no sources then */
    struct value_source
        sources[PROFILE_SOURCES_MAX]; /* aliases: the first that has a value counts */
    uint8_t source_count;
    bool sliced;
    uint16_t slice_offset, slice_size; /* in characters; size 0: to the end */
    const struct value_map_row *map;   /* first matching row; no row: the value is absent */
    uint16_t map_count;
    /* Constraints on what comes out; 0 means none. */
    uint16_t digits;             /* exactly so many decimal digits */
    uint16_t size_min, size_max; /* in characters */
    uint32_t line;               /* in the YAML */
};

enum identify { IDENTIFY_BY_ID, IDENTIFY_BY_BODY };
enum conflict_policy { CONFLICT_FLAG, CONFLICT_REFUSE };

struct recognise {
    const struct bytes
        *names; /* XML root local names; EDIFACT message types; JSON: one member name */
    uint16_t name_count;
    bool any_name; /* EDIFACT `type: "*"` */
    struct bytes
        root_namespace; /* XML: absent accepts any; a trailing `*` in YAML makes a prefix */
    bool namespace_is_prefix;
    struct bytes first_bytes;   /* absent, or what the body must begin with after BOM and blanks */
    const struct bytes *values; /* JSON: accepted values of that member; none: any */
    uint16_t value_count;
};

struct profile {
    const char *name, *family, *file, *description;
    uint16_t index; /* in its set */
    struct recognise recognise;
    struct plan plan;
    const struct value_spec *specs;
    uint16_t spec_count;
    const struct value_path *content; /* paths whose values make the `content` digest */
    uint16_t content_count;
    enum identify identify; /* `receipt: true` or no message_id spec: by body */
    bool receipt;
    enum conflict_policy conflict;
};

struct profile_set {
    const struct profile *const *profiles; /* in order of precedence; [i]->index == i */
    uint16_t count;
};

/* Adds the profiles of one YAML text (one document or several; `path` is for diagnostics) to
 * `list`. Every error is reported; a profile with errors is not added. */
struct profile_list {
    const struct profile *items[PROFILES_MAX];
    uint16_t count;
};
void profile_parse_yaml(struct arena *arena, const char *path, struct bytes text,
                        struct profile_list *list, struct diagnostics *diagnostics);

/* Checks names for uniqueness and recognisers for shadowing, and numbers the profiles. */
void profile_set_build(struct arena *arena, const struct profile_list *list,
                       struct profile_set *out_set, struct diagnostics *diagnostics);

const struct profile *profile_set_find(const struct profile_set *set, struct bytes name);

/* The codes that the two functions above raise: P1xx. */
extern const struct diagnostic_code profile_codes[];

#endif
