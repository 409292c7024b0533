/* What must hold of every scan of every input, for the fuzzers of the text scanners: captures lie
 * in the body or in the space, trimmed, bounded and well-formed; faults lie in the body; and the
 * bytes past the end decide nothing. */
#ifndef KOUAN_TESTS_FUZZ_SCAN_CHECK_H
#define KOUAN_TESTS_FUZZ_SCAN_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "routes/scan/plan_index.h"

typedef enum status scan_function(const struct plan *plan, struct bytes body, struct scan *scan,
                                  struct scan_fault *out_fault);

static inline void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

/* Root children a (with @x), E (an entry) and i (an instance), a/b, and anywhere z. */
static const struct plan_node scan_check_nodes[] = {
    [0] = {.first_child = 2, .tap = TAP_NONE},
    [1] = {.first_child = 8, .tap = TAP_NONE},
    [2] = {.name = {(const uint8_t *)"a", 1}, .first_child = 5, .next_sibling = 3, .tap = 1},
    [3] = {.name = {(const uint8_t *)"E", 1},
           .first_child = 7,
           .next_sibling = 4,
           .tap = TAP_NONE,
           .entry = true},
    [4] = {.name = {(const uint8_t *)"i", 1}, .tap = 2, .instance = true},
    [5] = {.name = {(const uint8_t *)"b", 1}, .next_sibling = 6, .tap = 3},
    [6] = {.name = {(const uint8_t *)"x", 1}, .tap = 4, .attribute = true},
    [7] = {.name = {(const uint8_t *)"b", 1}, .tap = 5},
    [8] = {.name = {(const uint8_t *)"z", 1}, .tap = 6},
};

static struct plan scan_check_plan = {
    .nodes = scan_check_nodes,
    .node_count = sizeof scan_check_nodes / sizeof *scan_check_nodes,
    .tap_count = 7,
    .root_name_tapped = true,
    .root_name_tap = 0,
};

enum { SCAN_CHECK_TEXT_BYTES = 16 * 1024 };

struct scan_check {
    struct scan scan;
    struct reading_space space;
    struct capture captures[SCAN_CAPTURES_MAX];
    uint8_t text[SCAN_CHECK_TEXT_BYTES];
    enum status status;
    struct scan_fault fault;
};

static inline void check_capture(const struct scan_check *check, struct bytes body,
                                 const struct capture *capture)
{
    const uint8_t *start = capture->value.data, *end = start + capture->value.size;
    bool in_body = start >= body.data && end <= body.data + body.size;
    bool in_text = start >= check->text && end <= check->text + check->space.text_used;
    require(in_body || in_text, "a value lies in the body or in the space");
    require(capture->value.size > 0 && capture->value.size <= READING_VALUE_BYTES_MAX, "its size");
    require(bytes_equal(bytes_trim(capture->value), capture->value), "it is trimmed");
    require(bytes_is_utf8(capture->value), "it is UTF-8");
    require(capture->tap < scan_check_plan.tap_count, "its tap");
    require(capture->entry <= check->scan.entry_count, "its entry");
    require(capture->offset < body.size, "its offset");
    require(!in_body || body.data + capture->offset == start, "its offset is its place");
}

/* Scans `body` into `check`, as the scan left it. */
static inline void scan_checked(scan_function *function, struct charsets *charsets,
                                struct bytes body, struct scan_check *check)
{
    check->space =
        (struct reading_space){.text = check->text, .text_capacity = SCAN_CHECK_TEXT_BYTES};
    check->scan = (struct scan){.captures = check->captures,
                                .space = &check->space,
                                .charsets = charsets,
                                .entries_max = READING_ENTRIES_DEFAULT};
    check->fault = (struct scan_fault){.reason = SCAN_NONE};
    check->status = function(&scan_check_plan, body, &check->scan, &check->fault);
    require(check->status != STATUS_INVALID || check->fault.reason != SCAN_NONE,
            "a fault's reason");
    require(check->fault.offset <= body.size, "a fault's offset");
    require(check->fault.reason != SCAN_TRUNCATED || check->fault.offset == body.size,
            "what is cut short is missing at the end");
    if (check->status != STATUS_OK)
        return;
    require(check->scan.entry_count <= READING_ENTRIES_MAX, "the number of entries");
    for (uint32_t i = 0; i < check->scan.capture_count; i++)
        check_capture(check, body, &check->scan.captures[i]);
}

static inline void require_same(const struct scan_check *a, const struct scan_check *b)
{
    require(a->status == b->status && a->fault.reason == b->fault.reason &&
                a->fault.offset == b->fault.offset,
            "the padding decides about a fault");
    if (a->status != STATUS_OK)
        return;
    require(a->scan.capture_count == b->scan.capture_count, "the padding decides how many");
    for (uint32_t i = 0; i < a->scan.capture_count; i++) {
        const struct capture *x = &a->captures[i], *y = &b->captures[i];
        require(bytes_equal(x->value, y->value) && x->tap == y->tap && x->entry == y->entry &&
                    x->instance == y->instance && x->offset == y->offset,
                "the padding decides about a capture");
    }
}

/* A copy of just the input's size and its padding, for the sanitizers. */
static inline uint8_t *copy_padded(const uint8_t *data, size_t size, int padding)
{
    uint8_t *copy = malloc(size + BYTES_PADDING);
    require(copy != NULL, "memory");
    memcpy(copy, data, size);
    memset(copy + size, padding, BYTES_PADDING);
    return copy;
}

/* Scans under two paddings; the last outcome stays in the returned check, the body in `out_body`
 * until the caller frees it. */
static inline const struct scan_check *check_scan(scan_function *function,
                                                  struct charsets *charsets, const uint8_t *data,
                                                  size_t size, uint8_t **out_body)
{
    static struct scan_check checks[2];
    static const char paddings[] = " >\"-a0}]<\xB0\\u'";
    static struct arena arena;
    if (scan_check_plan.index == NULL)
        plan_index_build(&arena, &scan_check_plan);
    uint8_t *first = copy_padded(data, size, 0);
    *out_body = copy_padded(data, size, paddings[size % (sizeof paddings - 1)]);
    scan_checked(function, charsets, bytes_make(first, size), &checks[0]);
    scan_checked(function, charsets, bytes_make(*out_body, size), &checks[1]);
    require_same(&checks[0], &checks[1]);
    free(first);
    return &checks[1];
}

#endif
