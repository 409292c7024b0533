/* What the parts of extraction share: sorting captures into bins (extract_bins.c), walking a spec
 * over its bins (extract.c), making one value of what it finds (extract_value.c), and going a noted
 * way again (extract_steps.c). Only these include this. */
#ifndef KOUAN_ROUTES_EXTRACT_PARTS_H
#define KOUAN_ROUTES_EXTRACT_PARTS_H

#include "routes/read/extract_steps.h"

enum {
    BINNED_MAX = 4 * SCAN_CAPTURES_MAX, /* a capture stands in its tap's bin and in filters' */
    INSTANCE_SLOTS = 2 * SCAN_CAPTURES_MAX,
    DISTINCT_SLOTS = 2 * READING_OCCURRENCES_MAX,
    DISTINCT_WALK_MAX = 8 /* values of a slot up to which equal ones are found by walking */
};

struct bin {
    uint32_t first, end;  /* in `order` */
    uint32_t message_end; /* before it: captures outside of entries */
};

/* Slots of hash sets that are emptied by a new generation. */
struct instance_slot {
    uint32_t instance, generation;
};
struct distinct_slot {
    uint32_t occurrence, generation;
};

struct extract_scratch {
    struct bin bins[PROFILE_BINS_MAX];
    uint16_t order[BINNED_MAX]; /* captures, bin by bin */
    uint32_t order_count;
    struct instance_slot instances[INSTANCE_SLOTS]; /* that meet a predicate */
    uint32_t instance_generation;
    struct distinct_slot distinct[DISTINCT_SLOTS]; /* values of slots that have many */
    uint32_t distinct_generation;
    uint8_t walked[SLOT_COUNT]; /* occurrences, up to DISTINCT_WALK_MAX; more: in `distinct` */
};

/* What all steps of one extraction share. */
struct extraction {
    const struct profile *profile; /* the reading's, or that of its payload */
    const struct capture *captures;
    uint32_t capture_count; /* only where they are not sorted */
    struct extract_scratch *scratch;
    struct reading_space *space;
    struct reading *reading;
    struct scan_fault *fault;
    struct extract_notes *notes; /* NULL; else what is taken is noted here, and goes nowhere */
};

/* Sorts the scan's captures by tap, and for each filter of the profile again; in each bin those
 * outside of entries first, then entry by entry, else in the document's order. All other specs than
 * `out_specs` would find nothing. False if there are more than BINNED_MAX captures so. */
bool extract_sort(const struct profile *profile, const struct scan *scan,
                  struct extract_scratch *scratch, struct spec_set *out_specs);

static inline const struct capture *extract_capture(const struct extraction *extraction,
                                                    uint32_t at)
{
    return &extraction->captures[extraction->scratch->order[at]];
}

/* Forgets the values of the extraction before. */
void extract_begin_values(struct extract_scratch *scratch);

/* Slices, maps and checks a value and adds what is left. INVALID with a fault at `offset`, FULL. */
MUST_CHECK enum status extract_add_shaped(struct extraction *extraction,
                                          const struct value_spec *spec, uint16_t entry,
                                          struct bytes value, uint32_t offset);

/* The same, in place for the first value of a slot that is taken as it stands. */
MUST_CHECK static inline enum status extract_add_value(struct extraction *extraction,
                                                       const struct value_spec *spec,
                                                       uint16_t entry, struct bytes value,
                                                       uint32_t offset)
{
    struct reading *reading = extraction->reading;
    if (spec->shaped || reading_first(reading, spec->slot) != READING_NO_OCCURRENCE ||
        reading->count == READING_OCCURRENCES_MAX)
        return extract_add_shaped(extraction, spec, entry, value, offset);
    extraction->scratch->walked[spec->slot] = 1;
    return reading_append(reading, extraction->space, spec->slot, entry, value);
}

/* The value that a spec makes of its parts; none for a constant. */
MUST_CHECK enum status extract_add_parts(struct extraction *extraction,
                                         const struct value_spec *spec, uint16_t entry,
                                         const struct capture *const *parts);

/* Notes the same. FULL if there is no room. */
MUST_CHECK enum status extract_note_parts(struct extraction *extraction,
                                          const struct value_spec *spec, uint16_t entry,
                                          const struct capture *const *parts);

/* True if `where` holds, whose single conditions `meets` tells of. */
bool extract_meets(const struct extraction *extraction, const struct recognise *recognise,
                   bool (*meets)(const struct extraction *extraction,
                                 const struct recognise_condition *condition));

/* True once further values of the spec could not count. */
static inline bool extract_is_settled(const struct reading *reading, const struct value_spec *spec)
{
    return spec->holds_one && reading_first(reading, spec->slot) != READING_NO_OCCURRENCE;
}

/* A required slot that the reading has no value of; SLOT_NONE if there is none. */
static inline enum slot extract_find_missing(const struct reading *reading, uint64_t required)
{
    for (; required != 0; required &= required - 1) {
        enum slot slot = (enum slot)__builtin_ctzll(required);
        if (reading_first(reading, slot) == READING_NO_OCCURRENCE)
            return slot;
    }
    return SLOT_NONE;
}

static inline enum status extract_refuse(struct scan_fault *fault, enum scan_reason reason,
                                         uint32_t offset, const char *what)
{
    *fault = (struct scan_fault){reason, offset, what};
    return STATUS_INVALID;
}

#endif
