/* For the tests of the scanners: plans built from paths by hand, and scans whose outcome is one
 * line of text:
 *
 *   "0=M1 | 1@2=X | 2#3=Y"   captures in order: tap, @entry, #instance, value
 *   "MALFORMED 17"           a fault and its offset; "FULL" when the space's text was used up
 *
 * Each body is scanned with several paddings; the outcome must be the same. */
#ifndef KOUAN_TESTS_ROUTES_SCAN_FIXTURE_H
#define KOUAN_TESTS_ROUTES_SCAN_FIXTURE_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "routes/scan/charset.h"
#include "routes/scan/plan_index.h"

enum { FIXTURE_TEXT_BYTES = 64 * 1024, OUTCOME_BYTES = 512 * 1024, FIXTURE_NODES_MAX = 64 };

/* ---- Plans ----------------------------------------------------------------------------------- */

struct plan_fixture {
    struct plan plan;
    struct plan_node nodes[FIXTURE_NODES_MAX];
};

static inline void plan_begin(struct plan_fixture *fixture, enum format format)
{
    memset(fixture, 0, sizeof *fixture);
    for (int i = 0; i < FIXTURE_NODES_MAX; i++)
        fixture->nodes[i].tap = TAP_NONE;
    fixture->plan = (struct plan){.format = format, .nodes = fixture->nodes, .node_count = 2};
    fixture->plan.root_name_tap = TAP_NONE;
}

static inline uint16_t plan_child(struct plan_fixture *fixture, uint16_t parent, struct bytes name,
                                  bool attribute)
{
    uint16_t *link = &fixture->nodes[parent].first_child;
    for (; *link != 0; link = &fixture->nodes[*link].next_sibling)
        if (fixture->nodes[*link].attribute == attribute &&
            bytes_equal(fixture->nodes[*link].name, name))
            return *link;
    cr_assert(fixture->plan.node_count < FIXTURE_NODES_MAX);
    *link = fixture->plan.node_count++;
    fixture->nodes[*link].name = name;
    fixture->nodes[*link].attribute = attribute;
    return *link;
}

/* `/` is the root itself, `/Head/Sender` and `/Order/@guid` lie below it, `//dxpId` anywhere. */
static inline struct plan_node *plan_node_at(struct plan_fixture *fixture, const char *path)
{
    uint16_t node = 0;
    if (strncmp(path, "//", 2) == 0) {
        node = 1;
        path++;
    }
    while (*path == '/' && path[1] != '\0') {
        bool attribute = path[1] == '@';
        const char *name = path + (attribute ? 2 : 1);
        size_t size = strcspn(name, "/");
        node = plan_child(fixture, node, bytes_make(name, size), attribute);
        path = name + size;
    }
    return &fixture->nodes[node];
}

static inline void plan_tap(struct plan_fixture *fixture, const char *path)
{
    plan_node_at(fixture, path)->tap = fixture->plan.tap_count++;
}

/* ---- Scans ----------------------------------------------------------------------------------- */

typedef enum status scan_function(const struct plan *plan, struct bytes body, struct scan *scan,
                                  struct scan_fault *out_fault);

struct scan_fixture {
    scan_function *function;
    struct scan scan;
    struct reading_space space;
    char *outcome, *other_outcome;
};

static inline void scan_fixture_open(struct scan_fixture *fixture, scan_function *function)
{
    fixture->function = function;
    fixture->space = (struct reading_space){.text = malloc(FIXTURE_TEXT_BYTES),
                                            .text_capacity = FIXTURE_TEXT_BYTES};
    fixture->scan = (struct scan){.captures = malloc(SCAN_CAPTURES_MAX * sizeof(struct capture)),
                                  .space = &fixture->space,
                                  .charsets = charsets_open(),
                                  .entries_max = READING_ENTRIES_DEFAULT};
    fixture->outcome = malloc(OUTCOME_BYTES);
    fixture->other_outcome = malloc(OUTCOME_BYTES);
    cr_assert(fixture->scan.charsets != NULL);
}

static inline void scan_fixture_close(struct scan_fixture *fixture)
{
    free(fixture->space.text);
    free(fixture->scan.captures);
    free(fixture->outcome);
    free(fixture->other_outcome);
    charsets_close(fixture->scan.charsets);
}

static inline bool lies_in(struct bytes value, const uint8_t *start, size_t size)
{
    return value.data >= start && value.data + value.size <= start + size;
}

static inline void check_capture(const struct scan_fixture *fixture, struct bytes body,
                                 const struct capture *capture)
{
    struct bytes value = capture->value;
    cr_assert(lies_in(value, body.data, body.size) ||
              lies_in(value, fixture->space.text, fixture->space.text_used));
    cr_assert(value.size > 0 && value.size <= READING_VALUE_BYTES_MAX);
    cr_assert(bytes_equal(bytes_trim(value), value) && bytes_is_utf8(value));
    cr_assert(capture->offset < body.size);
    if (lies_in(value, body.data, body.size))
        cr_assert_eq(value.data, body.data + capture->offset);
    cr_assert(capture->entry <= fixture->scan.entry_count);
}

static inline void write_outcome(struct scan_fixture *fixture, const struct plan *plan,
                                 struct bytes body, char *out)
{
    struct scan_fault fault = {.reason = SCAN_NONE};
    enum status status = fixture->function(plan, body, &fixture->scan, &fault);
    if (status == STATUS_FULL) {
        strcpy(out, "FULL");
        return;
    }
    if (status == STATUS_INVALID) {
        cr_assert(fault.offset <= body.size);
        cr_assert(fault.reason != SCAN_TRUNCATED || fault.offset == body.size);
        snprintf(out, OUTCOME_BYTES, "%s %u", scan_reason_word(fault.reason), fault.offset);
        return;
    }
    cr_assert_eq(status, STATUS_OK);
    size_t used = 0;
    out[0] = '\0';
    for (uint32_t i = 0; i < fixture->scan.capture_count; i++) {
        const struct capture *capture = &fixture->scan.captures[i];
        check_capture(fixture, body, capture);
        used += (size_t)sprintf(out + used, "%s%u", i > 0 ? " | " : "", capture->tap);
        if (capture->entry != 0)
            used += (size_t)sprintf(out + used, "@%u", capture->entry);
        if (capture->instance != 0)
            used += (size_t)sprintf(out + used, "#%u", capture->instance);
        used += (size_t)sprintf(out + used, "=%.*s", (int)capture->value.size,
                                (const char *)capture->value.data);
        cr_assert(used + READING_VALUE_BYTES_MAX + 64 < OUTCOME_BYTES);
    }
}

/* The outcome of a scan of a copy of `size` bytes, followed by each of some paddings. */
static inline const char *scan_outcome(struct scan_fixture *fixture, const struct plan *plan,
                                       const void *text, size_t size)
{
    static const char paddings[] = {' ', '>', '"', '-', 'a', '0', '}', ']', '<', '\xB0'};
    struct arena arena;
    struct plan indexed = *plan;
    uint8_t *copy = malloc(size + BYTES_PADDING);
    cr_assert(copy != NULL);
    memcpy(copy, text, size);
    arena_init(&arena);
    plan_index_build(&arena, &indexed);
    for (size_t i = 0; i < sizeof paddings; i++) {
        memset(copy + size, paddings[i], BYTES_PADDING);
        fixture->space.text_used = 0;
        write_outcome(fixture, &indexed, bytes_make(copy, size),
                      i == 0 ? fixture->outcome : fixture->other_outcome);
        if (i > 0)
            cr_assert_str_eq(fixture->other_outcome, fixture->outcome,
                             "the padding decides about:\n%.*s", (int)size, (const char *)text);
    }
    arena_deinit(&arena);
    free(copy);
    return fixture->outcome;
}

struct scan_case {
    const char *text, *expected;
};

/* The table ends with an empty row. */
static inline void check_cases(scan_function *function, const struct plan *plan,
                               const struct scan_case *cases)
{
    struct scan_fixture fixture;
    scan_fixture_open(&fixture, function);
    for (size_t i = 0; cases[i].text != NULL; i++)
        cr_expect_str_eq(scan_outcome(&fixture, plan, cases[i].text, strlen(cases[i].text)),
                         cases[i].expected, "\ntext:     %s\nexpected: %s\nfound:    %s",
                         cases[i].text, cases[i].expected, fixture.outcome);
    scan_fixture_close(&fixture);
}

static inline void write_repeated(char *out, const char *before, const char *piece, unsigned count,
                                  const char *after)
{
    out = stpcpy(out, before);
    for (unsigned i = 0; i < count; i++)
        out = stpcpy(out, piece);
    stpcpy(out, after);
}

/* ---- What holds for every document ----------------------------------------------------------- */

/* Each beginning of a good document that ends with its root is TRUNCATED, at its end. */
static inline void check_truncations(struct scan_fixture *fixture, const struct plan *plan,
                                     const char *text)
{
    char expected[64];
    for (size_t size = 1; size < strlen(text); size++) {
        snprintf(expected, sizeof expected, "TRUNCATED %zu", size);
        cr_expect_str_eq(scan_outcome(fixture, plan, text, size), expected, "%s\nof: %.*s",
                         fixture->outcome, (int)size, text);
    }
}

/* No change of one byte makes a scan crash, or believe its padding. */
static inline void check_mutations(struct scan_fixture *fixture, const struct plan *plan,
                                   const char *text)
{
    static const uint8_t bytes[] = {0,   '<', '>', '&', ';', '"', '\'', '/',  '\\', ']',  '-', '!',
                                    '?', '=', ':', '{', '}', '[', ',',  ' ',  'u',  '0',  'x', '\r',
                                    'e', 'E', '.', '#', 'D', 'n', 0x7F, 0x80, 0xC3, 0xE4, 0xFF};
    size_t size = strlen(text);
    char *mutated = strdup(text);
    for (size_t at = 0; at < size; at++) {
        for (size_t i = 0; i < sizeof bytes; i++) {
            mutated[at] = (char)bytes[i];
            scan_outcome(fixture, plan, mutated, size);
        }
        mutated[at] = text[at];
    }
    free(mutated);
}

/* ---- The corpus of other people's messages (skipped when absent) ----------------------------- */

static inline uint8_t *read_padded_file(const char *path, size_t *out_size)
{
    struct stat info;
    FILE *file = fopen(path, "rb");
    uint8_t *body = NULL;
    if (file != NULL && fstat(fileno(file), &info) == 0 && S_ISREG(info.st_mode)) {
        *out_size = (size_t)info.st_size;
        body = calloc(1, *out_size + BYTES_PADDING);
        cr_assert(body != NULL && fread(body, 1, *out_size, file) == *out_size);
    }
    if (file != NULL)
        fclose(file);
    return body;
}

/* Scans every file of a folder of the corpus with an empty plan: well-formed or not, as the list
 * of sources says. */
static inline void check_corpus(scan_function *function, const char *folder)
{
    const char *corpus =
        getenv("KOUAN_CORPUS") != NULL ? getenv("KOUAN_CORPUS") : "../shared/corpus";
    char line[4096], path[4096];
    static const struct plan nothing = {.root_name_tap = TAP_NONE};
    struct scan_fixture fixture;
    unsigned count = 0;
    snprintf(path, sizeof path, "%s/SOURCES.md", corpus);
    FILE *sources = fopen(path, "r");
    if (sources == NULL) {
        fprintf(stderr, "skipped: no corpus at %s\n", corpus);
        return;
    }
    scan_fixture_open(&fixture, function);
    while (fgets(line, sizeof line, sources) != NULL) {
        size_t size;
        char *name = line + 2, *name_end = strstr(name, " | ");
        if (strncmp(name, folder, strlen(folder)) != 0 || name_end == NULL)
            continue;
        snprintf(path, sizeof path, "%s/%.*s", corpus, (int)(name_end - name), name);
        uint8_t *body = read_padded_file(path, &size);
        if (body == NULL)
            continue;
        const char *outcome = scan_outcome(&fixture, &nothing, body, size);
        bool is_good = strstr(name_end, "NOT well-formed") == NULL;
        cr_expect_eq(outcome[0] == '\0', is_good, "%s: %s", path, outcome);
        count++;
        free(body);
    }
    fclose(sources);
    scan_fixture_close(&fixture);
    cr_assert_gt(count, 50);
}

/* ---- Chance, the same on every machine ------------------------------------------------------- */

static inline unsigned pick(uint64_t *state, unsigned below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (unsigned)(*state >> 33) % below;
}

#endif
