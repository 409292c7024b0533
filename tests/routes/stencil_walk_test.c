/* Every way of walking over stencils comes to the same, byte by byte; and a body that almost fits
 * many forms is not compared with all of them. */
#include <criterion/criterion.h>

#include "routes/stencil/stencil_parts.h"

enum { BODY_BYTES = 128 };

static const uint8_t hole_ends[] = {
    [HOLE_JSON_TEXT] = '"', [HOLE_JSON_NUMBER] = ',', [HOLE_XML_TEXT] = '<',
    [HOLE_XML_VALUE] = '"', [HOLE_XML_CDATA] = ']',   [HOLE_EDIFACT] = '+'};

static struct stencil_edge edge_of(uint8_t hole, struct bytes text)
{
    return (struct stencil_edge){
        .text = text.data,
        .text_size = (uint32_t)text.size,
        .hole = hole,
        .beginning = text.size < 32 ? (UINT32_C(1) << text.size) - 1 : UINT32_MAX,
        .plain_end =
            hole == HOLE_END || hole == HOLE_JSON_NUMBER ? NULL : &stencil_plain_ends[hole],
    };
}

/* A form of one hole, and what each way makes of a body. */
static void check_body(uint8_t hole, bool tapped, struct bytes body, size_t head_size)
{
    static uint8_t head[64 + BYTES_PADDING], tail[16 + BYTES_PADDING];
    static const struct stencil stencil = {.capture_count = 1};
    stencil_walk_way *ways[STENCIL_WAYS_MAX];
    size_t way_count = stencil_walk_ways(ways), tail_size = hole == HOLE_XML_CDATA ? 3 : 2;
    memset(head, 'h', head_size);
    memcpy(tail, hole == HOLE_XML_CDATA ? "]]>" : "?t", tail_size);
    if (hole != HOLE_XML_CDATA)
        tail[0] = hole_ends[hole];
    struct stencil_edge last = edge_of(HOLE_END, bytes_make(tail, tail_size));
    struct stencil_edge first = edge_of(hole, bytes_make(head, head_size));
    last.stencil = &stencil;
    first.child = &last;
    first.tap_count = tapped;
    first.place = (struct stencil_place){.tap = 3, .entry = 2, .instance = 7, .number = 0};
    struct capture captures[2] = {0};
    const struct stencil *found = NULL;
    for (size_t i = 0; i < way_count; i++) {
        struct stencil_edge *gate = &first;
        struct capture capture = {0};
        const struct stencil *fits = ways[i](&gate, body, &capture);
        captures[i] = fits != NULL ? capture : (struct capture){0};
        if (i == 0)
            found = fits;
        cr_assert_eq(fits, found, "hole %u, tapped %d: %.*s", hole, tapped, (int)body.size,
                     (const char *)body.data);
        cr_assert_eq(captures[i].value.data, captures[0].value.data);
        cr_assert_eq(captures[i].value.size, captures[0].value.size);
        cr_assert_eq(captures[i].tap, captures[0].tap);
        cr_assert(!tapped || fits == NULL || (captures[i].instance == 7 && captures[i].entry == 2));
    }
}

/* A value of `size` bytes with this byte in it. */
static void check_value(uint8_t hole, size_t size, size_t at, unsigned byte)
{
    static const size_t head_sizes[] = {1, 31, 32, 33, 64};
    uint8_t body[2 * BODY_BYTES + BYTES_PADDING];
    size_t head_size = head_sizes[(size + at) % 5], tail_size = hole == HOLE_XML_CDATA ? 3 : 2;
    memset(body, 'j', sizeof body);
    memset(body, 'h', head_size);
    memset(body + head_size, hole == HOLE_JSON_NUMBER ? '7' : 'v', size);
    body[head_size + at] = (uint8_t)byte;
    uint8_t *tail = body + head_size + size;
    memcpy(tail, hole == HOLE_XML_CDATA ? "]]>" : "?t", tail_size);
    if (hole != HOLE_XML_CDATA)
        tail[0] = hole_ends[hole];
    struct bytes whole = bytes_make(body, head_size + size + tail_size);
    for (int tapped = 0; tapped < 2; tapped++)
        for (size_t cut = 0; cut < 3; cut++)
            check_body(hole, tapped != 0, bytes_slice(whole, 0, whole.size - cut), head_size);
}

Test(stencil_walk, goes_every_way_alike)
{
    static const size_t sizes[] = {1, 2, 15, 31, 32, 33, 63, 70};
    for (uint8_t hole = HOLE_JSON_TEXT; hole <= HOLE_EDIFACT; hole++)
        for (unsigned byte = 0; byte < 256; byte++)
            for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
                for (size_t at = 0; at < sizes[i]; at += 1 + at / 3)
                    check_value(hole, sizes[i], at, byte);
}

/* Of so many forms that differ in their last byte only, the last is the body's. */
static bool finds_among(size_t form_count, size_t text_size)
{
    enum { FORMS_MAX = EDGE_SIBLINGS_MAX };
    static const struct stencil stencil;
    static struct stencil_edge edges[FORMS_MAX];
    struct stencil_edge *first = edges;
    stencil_walk_way *ways[STENCIL_WAYS_MAX];
    size_t way_count = stencil_walk_ways(ways), found_count = 0;
    struct capture unused;
    uint8_t *texts = malloc((form_count + 1) * (text_size + BYTES_PADDING));
    cr_assert_not_null(texts);
    for (size_t i = 0; i <= form_count; i++) {
        uint8_t *text = texts + i * (text_size + BYTES_PADDING);
        memset(text, 'f', text_size + BYTES_PADDING);
        text[text_size - 1] = (uint8_t)(i < form_count ? i : form_count - 1);
    }
    struct bytes body = bytes_make(texts + form_count * (text_size + BYTES_PADDING), text_size);
    for (size_t way = 0; way < way_count; way++) {
        for (size_t i = 0; i < form_count; i++) {
            edges[i] =
                edge_of(HOLE_END, bytes_make(texts + i * (text_size + BYTES_PADDING), text_size));
            edges[i].stencil = &stencil;
            edges[i].next = i + 1 < form_count ? &edges[i + 1] : NULL;
        }
        first = edges;
        found_count += ways[way](&first, body, &unused) == &stencil;
    }
    free(texts);
    cr_assert(found_count == 0 || found_count == way_count);
    return found_count > 0;
}

Test(stencil_walk, compares_no_more_than_it_may)
{
    cr_expect(finds_among(EDGE_SIBLINGS_MAX, 64));
    cr_expect(finds_among(2, STENCIL_BODY_BYTES_MAX));
    cr_expect_not(finds_among(4, STENCIL_BODY_BYTES_MAX));
    cr_expect_not(finds_among(EDGE_SIBLINGS_MAX, 1024));
}

/* At each level a value leads to a long text that is there but for its last byte, and from behind
 * it one must go back and on to the next level. */
static bool finds_below(size_t level_count)
{
    enum { LEVELS_MAX = 64, LONG_BYTES = 3 * 700, BODY_SIZE = 3 * LEVELS_MAX + LONG_BYTES };
    static uint8_t body[BODY_SIZE + BYTES_PADDING], dead[LONG_BYTES + BYTES_PADDING];
    static struct stencil_edge on[LEVELS_MAX + 1], off[LEVELS_MAX];
    static const struct stencil stencil;
    struct stencil_edge last =
        edge_of(HOLE_END, bytes_make(body + 3 * level_count, BODY_SIZE - 3 * level_count));
    struct stencil_edge dead_end = edge_of(HOLE_END, bytes_make(dead, LONG_BYTES));
    stencil_walk_way *ways[STENCIL_WAYS_MAX];
    size_t way_count = stencil_walk_ways(ways), found_count = 0;
    struct capture unused;
    for (size_t i = 0; i < BODY_SIZE; i++)
        body[i] = (uint8_t) "\"(v"[i % 3];
    memcpy(dead, body, LONG_BYTES);
    dead[LONG_BYTES - 1] = 'w';
    last.stencil = dead_end.stencil = &stencil;
    for (size_t way = 0; way < way_count; way++) {
        for (size_t i = 0; i < level_count; i++) {
            on[i] = off[i] = edge_of(HOLE_JSON_TEXT, bytes_make(body, 2));
            on[i].next = &off[i];
            on[i].child = &dead_end;
            off[i].child = i + 1 < level_count ? &on[i + 1] : &last;
        }
        struct stencil_edge *first = on;
        found_count += ways[way](&first, bytes_make(body, BODY_SIZE), &unused) == &stencil;
    }
    cr_assert(found_count == 0 || found_count == way_count);
    return found_count > 0;
}

Test(stencil_walk, goes_back_no_more_than_it_may)
{
    cr_expect(finds_below(1));
    cr_expect(finds_below(4));
    cr_expect_not(finds_below(64));
}
