/* For the tests of profiles and of what is read by them: YAML in, a set of profiles and the
 * diagnostics as text out; bodies in, readings as one line of text out. */
#ifndef KOUAN_TESTS_ROUTES_PROFILE_FIXTURE_H
#define KOUAN_TESTS_ROUTES_PROFILE_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "routes/read/read.h"

enum { FIXTURE_OCCURRENCES = 32768, FIXTURE_TEXT = 4 * 1024 * 1024, FIXTURE_LINE = 1024 * 1024 };

struct profile_fixture {
    struct arena arena;
    struct diagnostics diagnostics;
    struct profile_list list;
    struct profile_set set;
    struct reader reader;
    char *printed; /* of the last print */
};

static inline struct profile_fixture *fixture_open(void)
{
    struct profile_fixture *fixture = calloc(1, sizeof *fixture);
    cr_assert_not_null(fixture);
    arena_init(&fixture->arena);
    diagnostics_init(&fixture->diagnostics);
    cr_assert_eq(reader_open(&fixture->reader, FIXTURE_OCCURRENCES, FIXTURE_TEXT), STATUS_OK);
    return fixture;
}

static inline void fixture_close(struct profile_fixture *fixture)
{
    reader_close(&fixture->reader);
    diagnostics_deinit(&fixture->diagnostics);
    arena_deinit(&fixture->arena);
    free(fixture->printed);
    free(fixture);
}

static inline void fixture_parse(struct profile_fixture *fixture, const char *yaml)
{
    profile_parse_yaml(&fixture->arena, "p.yaml", bytes_from_text(yaml), &fixture->list,
                       &fixture->diagnostics);
}

static inline void fixture_build(struct profile_fixture *fixture)
{
    profile_set_build(&fixture->arena, &fixture->list, &fixture->set, &fixture->diagnostics);
}

/* The diagnostics as they are printed. */
static inline const char *fixture_diagnostics(struct profile_fixture *fixture)
{
    size_t size;
    free(fixture->printed);
    FILE *out = open_memstream(&fixture->printed, &size);
    cr_assert_not_null(out);
    diagnostics_print(&fixture->diagnostics, out);
    fclose(out);
    return fixture->printed;
}

/* With the shipped profiles. */
static inline struct profile_fixture *fixture_open_shipped(void)
{
    struct profile_fixture *fixture = fixture_open();
    profile_parse_shipped(&fixture->arena, &fixture->list, &fixture->diagnostics);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    return fixture;
}

/* The gathered corpus, KOUAN_CORPUS or ../shared/corpus; NULL, and said so, where it is not. */
static inline const char *fixture_corpus(void)
{
    const char *root = getenv("KOUAN_CORPUS");
    struct stat info;
    root = root != NULL ? root : "../shared/corpus";
    if (stat(root, &info) == 0)
        return root;
    cr_log_info("skipped: no corpus at %s", root);
    return NULL;
}

/* One good profile; fails on any diagnostic. */
static inline const struct profile *fixture_profile(struct profile_fixture *fixture,
                                                    const char *yaml)
{
    fixture_parse(fixture, yaml);
    fixture_build(fixture);
    cr_assert_str_empty(fixture_diagnostics(fixture));
    cr_assert_eq(fixture->set.count, 1);
    return fixture->set.profiles[0];
}

/* An exactly sized copy with padding of junk behind it; free it. */
static inline struct bytes fixture_body(struct bytes text, unsigned seed)
{
    uint8_t *body = malloc(text.size + BYTES_PADDING);
    cr_assert_not_null(body);
    if (text.size > 0)
        memcpy(body, text.data, text.size);
    for (size_t i = 0; i < BYTES_PADDING; i++)
        body[text.size + i] = (uint8_t) "<>{}[]\"'+:/=& \n]]>x"[(i + seed) % 19];
    return bytes_make(body, text.size);
}

/* `profile 2: message_type=CEB311 | order@1=7+A`, or `CONSTRAINT 17 port`. A field's entry is shown
 * for keys only. */
static inline const char *fixture_print(struct profile_fixture *fixture, enum status status,
                                        const struct reading *reading,
                                        const struct scan_fault *fault)
{
    size_t size;
    free(fixture->printed);
    FILE *out = open_memstream(&fixture->printed, &size);
    cr_assert_not_null(out);
    if (status == STATUS_INVALID) {
        fprintf(out, "%s %u", scan_reason_word(fault->reason), fault->offset);
        if (fault->what != NULL)
            fprintf(out, " %s", fault->what);
    } else if (status != STATUS_OK) {
        fputs(status_text(status), out);
    } else {
        fprintf(out, "%s %u:", reading->profile->name, reading->entry_count);
        for (uint16_t i = 0; i < reading->count; i++) {
            const struct occurrence *occurrence = &reading->occurrences[i];
            enum slot slot = (enum slot)occurrence->slot;
            fprintf(out, "%s%s", i > 0 ? " | " : " ", slot_name(slot));
            if (slot_is_key(slot))
                fprintf(out, "@%u", occurrence->entry);
            fprintf(out, "=%.*s", (int)occurrence->value.size, occurrence->value.data);
        }
    }
    fclose(out);
    return fixture->printed;
}

static inline const char *fixture_read_bytes(struct profile_fixture *fixture, struct bytes text)
{
    struct reading reading;
    struct scan_fault fault = {0};
    struct bytes body = fixture_body(text, 0);
    reader_reset(&fixture->reader);
    enum status status =
        read_message(&fixture->set, NULL, &fixture->reader, body, &reading, &fault);
    const char *line = fixture_print(fixture, status, &reading, &fault);
    free((void *)body.data);
    return line;
}

static inline const char *fixture_read(struct profile_fixture *fixture, const char *text)
{
    return fixture_read_bytes(fixture, bytes_from_text(text));
}

/* A whole file; absent if it cannot be read. Free `data`. */
static inline struct bytes fixture_load(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return (struct bytes){0};
    uint8_t *data = malloc(1024 * 1024);
    cr_assert_not_null(data);
    size_t size = fread(data, 1, 1024 * 1024, file);
    fclose(file);
    return bytes_make(data, size);
}

/* xorshift64*, for properties. */
static inline uint64_t fixture_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

static inline uint32_t fixture_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)((fixture_random(state) >> 32) * bound >> 32);
}

#endif
