/* Any bytes through the EDIFACT scanner: no read past the padding, the same answer whatever the
 * padding holds and whichever indexer runs, faults and captures that lie in the body. */
#include <stdlib.h>

#include "routes/charset.h"
#include "routes/edifact_walk.h"
#include "routes/plan_index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TEXT_BYTES = 64 * 1024, TAP_COUNT = 8 };

static const struct plan_component rows[TAP_COUNT] = {
    {.tag = {'B', 'G', 'M'}, .tap = 0, .element = 2, .component = 1},
    {.tag = {'C', 'N', 'I'}, .tap = 1, .element = 2, .component = 1},
    {.tag = {'L', 'O', 'C'},
     .tap = 2,
     .element = 2,
     .component = 1,
     .qualifier_element = 1,
     .qualifier_component = 1,
     .qualifier = {(const uint8_t *)"60", 2}},
    {.tag = {'R', 'F', 'F'},
     .tap = 3,
     .element = 1,
     .component = 2,
     .qualifier_element = 1,
     .qualifier_component = 1,
     .qualifier = {(const uint8_t *)"BM", 2}},
    {.tag = {'U', 'N', 'B'}, .tap = 4, .element = 2, .component = 1},
    {.tag = {'U', 'N', 'B'}, .tap = 5, .element = 5, .component = 1},
    {.tag = {'U', 'N', 'H'}, .tap = 6, .element = 1, .component = 1},
    {.tag = {'U', 'N', 'T'}, .tap = 7, .element = 2, .component = 1},
};

static struct plan plan = {.format = FORMAT_EDIFACT,
                           .tap_count = TAP_COUNT,
                           .components = rows,
                           .component_count = TAP_COUNT,
                           .entry_tag = {'C', 'N', 'I'},
                           .root_name_tap = TAP_NONE};

struct run {
    struct bytes body;
    struct capture captures[SCAN_CAPTURES_MAX];
    uint8_t text[TEXT_BYTES];
    struct reading_space space;
    struct scan scan;
    struct scan_fault fault, peek_fault;
    enum status status, peek_status;
};

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void run(struct run *run, struct charsets *charsets, const uint8_t *data, size_t size,
                const char *junk)
{
    uint8_t *copy = malloc(size + BYTES_PADDING);
    check(copy != NULL);
    if (size > 0)
        memcpy(copy, data, size);
    for (size_t i = 0; i < BYTES_PADDING; i++)
        copy[size + i] = (uint8_t)junk[i % strlen(junk)];
    struct edifact_peek peek;
    run->body = bytes_make(copy, size);
    run->space = (struct reading_space){.text = run->text, .text_capacity = TEXT_BYTES};
    run->scan =
        (struct scan){.captures = run->captures, .space = &run->space, .charsets = charsets};
    run->fault = run->peek_fault = (struct scan_fault){0};
    run->status = scan_edifact(&plan, run->body, &run->scan, &run->fault);
    run->peek_status = scan_edifact_peek(run->body, &peek, &run->peek_fault);
}

static void check_run(const struct run *run)
{
    check(run->status == STATUS_OK || run->status == STATUS_INVALID || run->status == STATUS_FULL);
    if (run->status == STATUS_INVALID)
        check(run->fault.reason != SCAN_NONE && run->fault.offset <= run->body.size);
    if (run->status != STATUS_OK)
        return;
    check(run->peek_status == STATUS_OK);
    for (uint32_t i = 0; i < run->scan.capture_count; i++) {
        const struct capture *capture = &run->captures[i];
        check(capture->value.size > 0 && capture->value.size <= READING_VALUE_BYTES_MAX);
        check(bytes_is_utf8(capture->value));
        check(capture->offset < run->body.size && capture->entry <= run->scan.entry_count);
    }
}

static void check_same(const struct run *a, const struct run *b)
{
    check(a->status == b->status && a->fault.reason == b->fault.reason);
    check(a->fault.offset == b->fault.offset && a->peek_fault.offset == b->peek_fault.offset);
    if (a->status != STATUS_OK)
        return;
    check(a->scan.capture_count == b->scan.capture_count);
    for (uint32_t i = 0; i < a->scan.capture_count; i++) {
        check(bytes_equal(a->captures[i].value, b->captures[i].value));
        check(a->captures[i].tap == b->captures[i].tap);
    }
}

static void check_indexers(struct bytes body)
{
    struct edifact_syntax syntax;
    struct scan_fault fault;
    if (edifact_syntax_read(body, &syntax, &fault) != STATUS_OK)
        return;
    struct edifact_walk portable, best;
    struct edifact_elements expected, found;
    edifact_walk_init(&portable, edifact_indexer_at(0), &syntax, body);
    edifact_walk_init(&best, edifact_indexer_best(), &syntax, body);
    for (uint32_t from = syntax.start; from < body.size;) {
        uint32_t end = edifact_walk_elements(&portable, from, &expected);
        check(edifact_walk_elements(&best, from, &found) == end);
        check(found.count == expected.count && found.crowded == expected.crowded);
        for (uint32_t i = 0; i < expected.first_components[expected.count]; i++)
            check(found.components[i] == expected.components[i]);
        check(memcmp(found.starts, expected.starts, (found.count + 1) * sizeof found.starts[0]) ==
              0);
        from = end + 1;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charsets *charsets;
    static struct arena arena;
    static struct run first, second;
    if (charsets == NULL) {
        charsets = charsets_open();
        plan_index_build(&arena, &plan);
    }
    check(charsets != NULL);
    run(&first, charsets, data, size, "'UNT+1'UNZ+1'");
    run(&second, charsets, data, size, "?+:\xFF ");
    check_run(&first);
    check_same(&first, &second);
    check_indexers(first.body);
    free((void *)first.body.data);
    free((void *)second.body.data);
    return 0;
}
