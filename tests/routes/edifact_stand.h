/* What the EDIFACT tests stand on: scratch for a scan, bodies with junk behind their end, the own
 * samples, one plan that taps a bit of everything, and captures as text. */
#ifndef KOUAN_TESTS_ROUTES_EDIFACT_STAND_H
#define KOUAN_TESTS_ROUTES_EDIFACT_STAND_H

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "routes/scan/charset.h"
#include "routes/scan/plan_index.h"

enum { STAND_TEXT_BYTES = 64 * 1024, STAND_LISTING_BYTES = 64 * 1024 };

struct stand {
    struct scan scan;
    struct reading_space space;
};

static inline void stand_open(struct stand *stand)
{
    *stand = (struct stand){0};
    stand->space.text = malloc(STAND_TEXT_BYTES);
    stand->space.text_capacity = STAND_TEXT_BYTES;
    stand->scan.captures = malloc(SCAN_CAPTURES_MAX * sizeof *stand->scan.captures);
    stand->scan.charsets = charsets_open();
    stand->scan.space = &stand->space;
    stand->scan.entries_max = READING_ENTRIES_DEFAULT;
    cr_assert(stand->space.text != NULL && stand->scan.captures != NULL);
    cr_assert_not_null(stand->scan.charsets);
}

static inline void stand_close(struct stand *stand)
{
    free(stand->space.text);
    free(stand->scan.captures);
    charsets_close(stand->scan.charsets);
}

/* A copy whose padding holds what a careless reader would take for more of the body. */
static inline struct bytes body_copy_before(const void *data, size_t size, const char *junk)
{
    uint8_t *copy = malloc(size + BYTES_PADDING);
    cr_assert_not_null(copy);
    if (size > 0)
        memcpy(copy, data, size);
    for (size_t i = 0; i < BYTES_PADDING; i++)
        copy[size + i] = (uint8_t)junk[i % strlen(junk)];
    return bytes_make(copy, size);
}

static inline struct bytes body_copy(const void *data, size_t size)
{
    return body_copy_before(data, size, "'UNT+1+1'UNZ+1+1'?'+:*\xFF\x80");
}

static inline void body_free(struct bytes body)
{
    free((void *)body.data);
}

/* An absent body if there is no such file. */
static inline struct bytes body_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct bytes){NULL, 0};
    static uint8_t buffer[1024 * 1024];
    size_t size = fread(buffer, 1, sizeof buffer, file);
    fclose(file);
    cr_assert(size < sizeof buffer);
    return body_copy(buffer, size);
}

/* Of one part of the body, or of the whole body as one message if `part` is NULL. */
static inline enum status stand_scan_part(struct stand *stand, const struct plan *plan,
                                          struct bytes body, const struct edifact_part *part,
                                          struct scan_fault *out_fault)
{
    struct arena arena;
    struct plan indexed = *plan;
    arena_init(&arena);
    plan_index_build(&arena, &indexed);
    stand->space.text_used = 0;
    enum status status = part == NULL
                             ? scan_edifact(&indexed, body, &stand->scan, out_fault)
                             : scan_edifact_part(&indexed, body, part, &stand->scan, out_fault);
    arena_deinit(&arena);
    return status;
}

static inline enum status stand_scan(struct stand *stand, const struct plan *plan,
                                     struct bytes body, struct scan_fault *out_fault)
{
    return stand_scan_part(stand, plan, body, NULL, out_fault);
}

/* A body in which the part has its envelope for itself: what a scan of the part must be like. */
static inline struct bytes part_alone(const struct edifact_part *part)
{
    const struct bytes views[] = {
        part->syntax.byte_order_mark ? BYTES_LITERAL("\xEF\xBB\xBF") : (struct bytes){NULL, 0},
        part->advice,
        part->interchange,
        part->group,
        part->message,
        part->group_end,
        part->interchange_end,
    };
    size_t size = 0;
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++)
        size += views[i].size;
    uint8_t *text = malloc(size);
    cr_assert_not_null(text);
    size = 0;
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        if (views[i].size > 0)
            memcpy(text + size, views[i].data, views[i].size);
        size += views[i].size;
    }
    struct bytes body = body_copy(text, size);
    free(text);
    return body;
}

/* ---- The plan -------------------------------------------------------------------------------- */

#define TAP_LIST(X)                                                                                \
    X(DOCUMENT, "document", "BGM", 2, 1, 0, 0, "")                                                 \
    X(FUNCTION, "function", "BGM", 3, 1, 0, 0, "")                                                 \
    X(CONSIGNMENT, "consignment", "CNI", 2, 1, 0, 0, "")                                           \
    X(COMMODITY, "commodity", "CST", 2, 1, 0, 0, "")                                               \
    X(OFFICE, "office", "LOC", 2, 1, 1, 1, "22")                                                   \
    X(PORT, "port", "LOC", 2, 1, 1, 1, "60")                                                       \
    X(CONSIGNEE, "consignee", "NAD", 2, 1, 1, 1, "CN")                                             \
    X(NAME, "name", "NAD", 4, 1, 1, 1, "CN")                                                       \
    X(TRADER_REF, "trader_ref", "RFF", 1, 2, 1, 1, "ABE")                                          \
    X(REGISTRATION, "registration", "RFF", 1, 2, 1, 1, "ABT")                                      \
    X(BILL, "bill", "RFF", 1, 2, 1, 1, "BM")                                                       \
    X(SENDER, "sender", "UNB", 2, 1, 0, 0, "")                                                     \
    X(RECEIVER, "receiver", "UNB", 3, 1, 0, 0, "")                                                 \
    X(CONTROL, "control", "UNB", 5, 1, 0, 0, "")                                                   \
    X(GROUP, "group", "UNG", 5, 1, 0, 0, "")                                                       \
    X(REFERENCE, "reference", "UNH", 1, 1, 0, 0, "")                                               \
    X(SEGMENT_COUNT, "count", "UNT", 1, 1, 0, 0, "")

enum {
#define X(name, text, tag, element, component, q_element, q_component, qualifier) TAP_##name,
    TAP_LIST(X)
#undef X
        TAP_COUNT
};

static const char *const tap_names[TAP_COUNT] = {
#define X(name, text, tag, element, component, q_element, q_component, qualifier) text,
    TAP_LIST(X)
#undef X
};

static const struct plan_component tap_rows[TAP_COUNT] = {
#define X(name, text, tag_text, element_number, component_number, q_element, q_component, q_text)  \
    {.tag = {tag_text[0], tag_text[1], tag_text[2]},                                               \
     .tap = TAP_##name,                                                                            \
     .element = element_number,                                                                    \
     .component = component_number,                                                                \
     .qualifier_element = q_element,                                                               \
     .qualifier_component = q_component,                                                           \
     .qualifier = {(const uint8_t *)(q_text), sizeof(q_text) - 1}},
    TAP_LIST(X)
#undef X
};

static inline struct plan stand_plan(void)
{
    return (struct plan){.format = FORMAT_EDIFACT,
                         .tap_count = TAP_COUNT,
                         .components = tap_rows,
                         .component_count = TAP_COUNT,
                         .entry_tag = {'C', 'N', 'I'},
                         .root_name_tap = TAP_NONE};
}

/* The captures, one a line: `name=value`, with `ENTRY/` before it inside of entries. */
static inline const char *stand_listing(const struct stand *stand)
{
    static char listing[STAND_LISTING_BYTES];
    size_t used = 0;
    listing[0] = '\0';
    for (uint32_t i = 0; i < stand->scan.capture_count; i++) {
        const struct capture *capture = &stand->scan.captures[i];
        cr_assert(capture->tap < TAP_COUNT);
        if (capture->entry != 0)
            used += (size_t)snprintf(listing + used, sizeof listing - used, "%u/", capture->entry);
        used += (size_t)snprintf(listing + used, sizeof listing - used, "%s=%.*s\n",
                                 tap_names[capture->tap], (int)capture->value.size,
                                 (const char *)capture->value.data);
        cr_assert(used < sizeof listing);
    }
    return listing;
}

/* ---- The own samples ------------------------------------------------------------------------- */

static const char *const sample_names[] = {
    "cuscar_d95b_una",   "cuscar_d99b_entries",    "cuscar_d99b_release", "cusdec_d03b_bom",
    "cusdec_d96b",       "cusdec_d03b_repetition", "cusdec_d96b_gb18030", "cusdec_d99b_crlf",
    "cusres_d03b_group", "cusres_d96b_bare",       "cusres_d99b_latin1",  "cusres_d96b_newline",
};

enum { SAMPLE_COUNT = sizeof sample_names / sizeof sample_names[0] };

static inline struct bytes sample_read(const char *name)
{
    char path[256];
    snprintf(path, sizeof path, "tests/data/edifact/%s.edi", name);
    struct bytes body = body_read(path);
    cr_assert(body.size > 0, "%s is not there; run from the repository's top", path);
    return body;
}

/* ---- Random numbers of a printed seed (SplitMix64) ------------------------------------------- */

static inline uint64_t random_next(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline uint32_t random_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(random_next(state) % bound);
}

#endif
