/* A profile: how to recognise one dialect, and where its entries, fields and keys lie. Data, not
 * code: written in YAML (docs/profiles.md), compiled into an immutable form that lives in an arena.
 *
 *   YAML --profile_yaml.c--> profile (specs over taps) + plan (routes/scan/scan.h) --> profile_set
 */
#ifndef KOUAN_ROUTES_PROFILE_H
#define KOUAN_ROUTES_PROFILE_H

#include "core/diagnostic.h"
#include "routes/dialect/shipped.h"
#include "routes/dialect/value_map.h"
#include "routes/scan/scan.h"

enum {
    PROFILES_MAX = 1024,
    PROFILE_SPECS_MAX = 256,
    PROFILE_PARTS_MAX = 8,    /* of one join */
    PROFILE_ALIASES_MAX = 16, /* paths of which the first that has a value counts */
    PROFILE_FILTERS_MAX = 64, /* different predicates over different places */
    PROFILE_BINS_MAX = PLAN_TAPS_MAX + PROFILE_FILTERS_MAX,
    PROFILE_BIN_NONE = 0xFFFF,
    PROFILE_CONTENT_MAX = 64,
    RECOGNISE_MEMBERS_MAX = 16,   /* that one JSON profile asks for */
    RECOGNISE_CONDITIONS_MAX = 16 /* of one profile */
};

/* A path of the YAML, compiled. Extraction sorts captures into bins: bin t, below PLAN_TAPS_MAX,
 * holds those of tap t; bin PLAN_TAPS_MAX + f holds what filter f lets pass. */
struct value_path {
    uint16_t bin;
    const char *text; /* as written, for `explain` and errors */
};

/* `Party[RoleCode=CB]/ID`: the captures of `tap` whose instance also has a capture of
 * `predicate_tap` that equals `value`; of `Party[RoleCode!=CB]/ID`, one that differs from it. */
struct bin_filter {
    uint16_t tap, predicate_tap;
    struct bytes value;
    bool differs;
};

/* Paths of which, in each entry, the first that has a value counts. */
struct value_part {
    const struct value_path *aliases;
    uint8_t alias_count;
};

struct value_spec {
    enum slot slot;
    bool holds_one;                 /* the slot has one value: the first found counts */
    bool shaped;                    /* any of split, slice, map, digits, length */
    bool required;                  /* the message must have at least one value of the slot */
    bool takes_all;                 /* all values of an entry, else its first */
    struct bytes constant;          /* absent, or the value itself: no parts then */
    const struct value_part *parts; /* more than one: joined, and all must be there */
    uint8_t part_count;
    struct bytes separator; /* between the parts */
    struct bytes split_at;  /* absent, or what stands between the parts of a value */
    int16_t split_part;     /* the one that is taken: from 1, or from -1 backwards */
    bool sliced;
    uint16_t slice_offset, slice_size; /* in characters; size 0: to the end */
    const struct value_map *map;       /* NULL: the value as it stands */
    /* Constraints on what comes out; 0 means none. */
    uint16_t digits;             /* exactly so many decimal digits */
    uint16_t size_min, size_max; /* in characters */
    uint32_t line;               /* in the YAML */
};

/* A bit a spec of a profile. */
struct spec_set {
    uint64_t words[PROFILE_SPECS_MAX / 64];
};

enum identify { IDENTIFY_BY_ID, IDENTIFY_BY_BODY };
enum conflict_policy { CONFLICT_FLAG, CONFLICT_REFUSE };

/* What stands at a path, once the message is scanned: one of the values there must match one of the
 * patterns; without patterns, nothing may stand there. */
struct recognise_condition {
    uint16_t bin;
    uint16_t alternative; /* those of one alternative stand together and must all hold */
    const struct bytes *values;
    uint16_t value_count;
};

/* Names, namespaces and values are patterns (routes/dialect/pattern.h); of a list, one must match.
 */
struct recognise {
    const struct bytes *names;      /* XML root names; EDIFACT message types; JSON: `key` */
    uint16_t name_count;            /* 0: any (XML and EDIFACT), or no key (JSON) */
    const struct bytes *namespaces; /* XML: the root's; none: any */
    uint16_t namespace_count;
    const struct bytes *values; /* JSON: accepted values of `key`; none: any */
    uint16_t value_count;
    const struct bytes *members; /* JSON: members that must all be there */
    uint16_t member_count;
    struct bytes first_bytes; /* absent, or what the body must begin with after BOM and blanks */
    const struct recognise_condition *conditions; /* `where`: one alternative must hold */
    uint16_t condition_count;
    bool otherwise; /* only what no other profile knows; these stand behind all others */
};

enum payload_encoding { PAYLOAD_BASE64, PAYLOAD_TEXT };

/* `open:` a place that holds a message of its own, which is read too: routes/read/payload.h. */
struct profile_open {
    enum payload_encoding encoding;
    bool required; /* refused if it cannot be read; else the message is read without it */
};

struct profile {
    const char *name, *family, *description;
    struct bytes name_bytes, family_bytes; /* the same, measured */
    const char *file;
    uint32_t line;
    uint64_t source_hash; /* of the YAML document that it was made of */
    uint16_t index;       /* in its set */
    struct recognise recognise;
    struct plan plan;
    const struct bin_filter *filters;
    uint16_t filter_count;
    const struct value_spec *specs; /* the fields, then the keys, each in the YAML's order */
    const uint16_t *spec_bins;      /* of each spec: the only bin it reads, or PROFILE_BIN_NONE */
    uint16_t spec_count;
    struct spec_set constant_specs;   /* they read nothing */
    const struct spec_set *tap_specs; /* of each tap: the specs that may read its captures */
    uint64_t required_slots;          /* a bit a slot */
    const struct value_path *content; /* paths whose values make the `content` digest */
    uint16_t content_count;
    const struct profile_open *open; /* NULL: closed, whatever it holds */
    enum identify identify;          /* `receipt: true` or no message_id spec: by body */
    bool receipt;
    enum conflict_policy conflict;
    bool shipped; /* stands in the program itself */
};

struct profile_set {
    const struct profile *const *profiles; /* in order of precedence; [i]->index == i */
    uint16_t count;
    uint64_t hash;                       /* of all of it: equal sets read alike */
    const struct recognise_index *index; /* routes/dialect/recognise.h */
};

struct profile_list {
    struct profile *items[PROFILES_MAX];
    uint16_t count;
};

/* Adds the profiles of one YAML text (one document or several; `path` is for diagnostics) to
 * `list`. Every error is reported; a profile with errors is not added. */
void profile_parse_yaml(struct arena *arena, const char *path, struct bytes text,
                        struct profile_list *list, struct diagnostics *diagnostics);

/* Adds those of routes/dialect/shipped.h: after the operator's own, which so take precedence. */
void profile_parse_shipped(struct arena *arena, struct profile_list *list,
                           struct diagnostics *diagnostics);
/* Those of another version of the program. */
void profile_parse_shipped_from(struct arena *arena, const struct shipped_profile *files,
                                struct profile_list *list, struct diagnostics *diagnostics);

/* Numbers the profiles in the list's order, which is that of precedence, and indexes their
 * recognisers. Two profiles of one name are an error, except that a shipped one gives way in
 * silence to one of the operator's own; a recogniser that an earlier one covers is a warning. */
void profile_set_build(struct arena *arena, const struct profile_list *list,
                       struct profile_set *out_set, struct diagnostics *diagnostics);

/* NULL if there is none of that name. */
const struct profile *profile_set_find(const struct profile_set *set, struct bytes name);

/* The codes that the functions above raise: P1xx (routes/dialect/profile_codes.c). */
extern const struct diagnostic_code profile_codes[];

#endif
