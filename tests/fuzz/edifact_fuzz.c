/* Any bytes through the EDIFACT scanner: no read past the padding, the same answer whatever the
 * padding holds, elements where the plain cut finds them, faults and captures that lie in the body;
 * the same captures of a part of several, whether it is read from the whole body or stands alone;
 * and of all what a splitter finds that goes byte by byte. */
#include <stdlib.h>

#include "routes/edifact/edifact_walk.h"
#include "routes/scan/charset.h"
#include "routes/scan/plan_index.h"
#include "tests/fuzz/oracle_check.h"

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

static void prepare(struct run *run, struct charsets *charsets)
{
    run->space = (struct reading_space){.text = run->text, .text_capacity = TEXT_BYTES};
    run->scan = (struct scan){.captures = run->captures,
                              .space = &run->space,
                              .charsets = charsets,
                              .entries_max = READING_ENTRIES_DEFAULT};
    run->fault = run->peek_fault = (struct scan_fault){0};
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
    prepare(run, charsets);
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

/* Element by element, what the walk finds is what the plain cut finds. */
static void check_walk(struct bytes body)
{
    enum { ELEMENTS = 12, COMPONENTS = 4 };
    static struct edifact_elements elements;
    struct edifact_syntax syntax;
    static struct edifact_index index;
    struct scan_fault fault;
    if (edifact_syntax_read(body, &syntax, &fault) != STATUS_OK)
        return;
    edifact_index_init(&index, &syntax);
    for (uint32_t from = syntax.start; from < body.size;) {
        struct bytes rest = bytes_slice(body, from, body.size), next = rest;
        struct bytes segment = edifact_syntax_cut(&syntax, syntax.terminator, &next);
        uint32_t end = from + (uint32_t)segment.size;
        check(edifact_walk_terminator(&index, body, from) == end);
        edifact_walk_split(&index, body, from, end, &elements);
        (void)edifact_syntax_cut(&syntax, syntax.element, &segment); /* before the first */
        for (uint32_t i = 1; i <= ELEMENTS; i++) {
            struct bytes element = edifact_syntax_cut(&syntax, syntax.element, &segment);
            struct bytes found = edifact_element(body, &elements, i);
            check(found.data == element.data && found.size == element.size);
            for (uint32_t k = 1; k <= COMPONENTS && !elements.crowded; k++) {
                struct bytes part = edifact_syntax_cut(&syntax, syntax.component, &element);
                found = edifact_component(body, &elements, i, k);
                check(found.data == part.data && found.size == part.size);
            }
        }
        from = end + 1;
    }
}

/* The parts in their order, each within the body; one if the body can be read as one. */
static void check_parts(const struct run *whole, const struct edifact_part *parts, uint32_t count)
{
    const uint8_t *at = whole->body.data, *end = at + whole->body.size;
    check(count > 0 && count <= EDIFACT_PARTS_MAX);
    check(whole->status != STATUS_OK || count == 1);
    for (uint32_t i = 0; i < count; i++) {
        const struct bytes message = parts[i].message;
        check(message.data >= at && message.size >= 8 && message.size <= (size_t)(end - at));
        check(bytes_start_with(message, BYTES_LITERAL("UNH")));
        at = message.data + message.size;
    }
}

static void check_part(const struct edifact_part *part, uint32_t number, struct charsets *charsets,
                       struct bytes body)
{
    static struct run part_run;
    prepare(&part_run, charsets);
    part_run.status = scan_edifact_part(&plan, body, part, &part_run.scan, &part_run.fault);
    check_against_oracle(&plan, body, number, part_run.status, &part_run.fault, &part_run.scan);
}

static void check_part_alone(const struct edifact_part *part, struct charsets *charsets,
                             struct bytes body)
{
    static struct run within, alone;
    if (part->syntax.guessed || (part->advice.data == NULL && part->interchange.data == NULL))
        return; /* what is guessed from the whole may be another thing for a part */
    const struct bytes views[] = {
        part->syntax.byte_order_mark ? BYTES_LITERAL("\xEF\xBB\xBF") : (struct bytes){NULL, 0},
        part->advice,
        part->interchange,
        part->group,
        part->message,
        part->group_end,
        part->interchange_end,
    };
    uint8_t *text = malloc(body.size + 64);
    size_t size = 0;
    check(text != NULL);
    for (size_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        if (views[i].size > 0)
            memcpy(text + size, views[i].data, views[i].size);
        size += views[i].size;
    }
    run(&alone, charsets, text, size, "'");
    prepare(&within, charsets);
    struct edifact_peek peek;
    within.status = scan_edifact_part(&plan, body, part, &within.scan, &within.fault);
    within.peek_status = scan_edifact_part_peek(body, part, &peek, &within.peek_fault);
    alone.fault.offset = within.fault.offset; /* of another body */
    alone.peek_fault.offset = within.peek_fault.offset;
    check_same(&within, &alone);
    check(within.peek_status == STATUS_OK);
    free((void *)alone.body.data);
    free(text);
}

/* A strict scan refuses what is good otherwise at the first of its warnings, and nothing else. */
static void check_warnings(const struct run *whole, struct charsets *charsets)
{
    static struct run strict_run;
    struct edifact_warning warnings[4];
    struct scan_fault fault = {0};
    struct plan strict = plan;
    uint32_t count = 0;
    enum status status = scan_edifact_warnings(whole->body, warnings, 4, &count, &fault);
    check(status == STATUS_OK || fault.reason != SCAN_NONE);
    if (whole->status != STATUS_OK)
        return;
    check(status == STATUS_OK);
    strict.strict = true;
    prepare(&strict_run, charsets);
    status = scan_edifact(&strict, whole->body, &strict_run.scan, &strict_run.fault);
    check((status == STATUS_OK) == (count == 0));
    if (count > 0) {
        check(warnings[0].offset <= whole->body.size && strict_run.fault.reason == SCAN_ENVELOPE);
        check(warnings[0].offset == strict_run.fault.offset);
    }
}

static void check_split(const struct run *whole, struct charsets *charsets)
{
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct scan_fault fault = {0};
    uint32_t count = 0;
    if (scan_edifact_split(whole->body, parts, EDIFACT_PARTS_MAX, &count, &fault) != STATUS_OK) {
        check(fault.reason != SCAN_NONE && fault.offset <= whole->body.size);
        check(whole->status != STATUS_OK);
        return;
    }
    check_parts(whole, parts, count);
    for (uint32_t i = 0; i < count; i++) {
        check_part_alone(&parts[i], charsets, whole->body);
        check_part(&parts[i], i, charsets, whole->body);
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
    check_against_oracle(&plan, first.body, 0, first.status, &first.fault, &first.scan);
    check_same(&first, &second);
    check_walk(first.body);
    check_split(&first, charsets);
    check_warnings(&first, charsets);
    free((void *)first.body.data);
    free((void *)second.body.data);
    return 0;
}
