/* The walk over a JSON text: the stack of open objects and arrays, the plan beside it, and the
 * captures. Arrays are transparent: their elements have the array's own place in the plan. */
#include <assert.h>

#include "routes/find_bytes.h"
#include "routes/gather.h"
#include "routes/json_lex.h"
#include "routes/plan_walk.h"
#include "routes/utf8.h"

enum { SEEN_WORDS = PLAN_NODES_MAX / 64 };

struct container {
    struct plan_place place;
    bool is_object;
    uint64_t seen[SEEN_WORDS]; /* an object's members that the plan knows: a bit per node */
};

/* Not zeroed: only the open containers count. */
struct json_walk {
    struct scan_source source;
    struct plan_walk plan;
    uint16_t node; /* of the value that comes next */
    uint32_t depth;
    size_t seen_words; /* as many as the plan's nodes need */
    struct container containers[SCAN_DEPTH_MAX];
    struct gather gather;
};

static const uint8_t *walk_root(struct json_walk *walk, const uint8_t *at);
static const uint8_t *open_container(struct json_walk *walk, const uint8_t *at);
static const uint8_t *close_containers(struct json_walk *walk, const uint8_t *at);
static const uint8_t *begin_item(struct json_walk *walk, const uint8_t *at);
static const uint8_t *read_member_name(struct json_walk *walk, const uint8_t *at);
static uint16_t node_of_member(struct json_walk *walk, const struct json_scalar *name);
static const uint8_t *read_scalar(struct json_walk *walk, const uint8_t *at);
static bool capture(struct json_walk *walk, const struct json_scalar *scalar, const uint8_t *at);

enum status scan_json(const struct plan *plan, struct bytes body, struct scan *scan,
                      struct scan_fault *out_fault)
{
    assert(plan->node_count <= PLAN_NODES_MAX);
    struct json_walk walk;
    scan_source_init(&walk.source, body, scan);
    plan_walk_init(&walk.plan, plan);
    walk.node = plan_walk_root(&walk.plan);
    walk.depth = 0;
    walk.seen_words = (plan->node_count + 63U) / 64U;
    const uint8_t *at = scan_begin_text(&walk.source);
    if (at != NULL)
        at = walk_root(&walk, find_nonblank(at, walk.source.end));
    if (at != NULL) {
        at = find_nonblank(at, walk.source.end);
        if (at != walk.source.end)
            scan_refuse(&walk.source, SCAN_TRAILING, at, NULL);
    }
    return scan_source_finish(&walk.source, out_fault);
}

/* From the first byte of the root value past its end. */
static const uint8_t *walk_root(struct json_walk *walk, const uint8_t *at)
{
    const uint8_t *end = walk->source.end;
    if (*at != '{' && *at != '[')
        return scan_refuse(&walk->source, SCAN_MALFORMED, at, "expected an object or an array");
    for (;;) {
        if (at < end && (*at == '{' || *at == '[')) {
            uint8_t closing = *at == '{' ? '}' : ']';
            at = open_container(walk, at);
            if (at == NULL)
                return NULL;
            at = find_nonblank(at, end);
            if (at == end || *at != closing) {
                at = begin_item(walk, at);
                if (at == NULL)
                    return NULL;
                continue;
            }
        } else {
            at = read_scalar(walk, at);
        }
        if (at != NULL)
            at = close_containers(walk, at);
        if (at == NULL || walk->depth == 0)
            return at;
        at = begin_item(walk, find_nonblank(at + 1, end));
        if (at == NULL)
            return NULL;
    }
}

/* ---- Containers ------------------------------------------------------------------------------ */

static const struct plan_place *outer_place(const struct json_walk *walk)
{
    static const struct plan_place outside = {.node = PLAN_NODE_NONE};
    return walk->depth > 0 ? &walk->containers[walk->depth - 1].place : &outside;
}

static const uint8_t *open_container(struct json_walk *walk, const uint8_t *at)
{
    if (walk->depth == SCAN_DEPTH_MAX)
        return scan_refuse(&walk->source, SCAN_TOO_DEEP, at, NULL);
    struct container *container = &walk->containers[walk->depth];
    const struct plan_place *outer = outer_place(walk);
    container->is_object = *at == '{';
    if (container->is_object) {
        if (!plan_walk_enter(&walk->plan, &walk->source, outer, walk->node, at, &container->place))
            return NULL;
        memset(container->seen, 0, walk->seen_words * sizeof *container->seen);
    } else {
        container->place = *outer;
        container->place.node = walk->node;
        container->place.begins_entry = false;
    }
    walk->depth++;
    return at + 1;
}

/* After a value: closes what ends here, and stops at a comma or past the end of the root. */
static const uint8_t *close_containers(struct json_walk *walk, const uint8_t *at)
{
    while (walk->depth > 0) {
        const struct container *container = &walk->containers[walk->depth - 1];
        uint8_t closing = container->is_object ? '}' : ']';
        at = find_nonblank(at, walk->source.end);
        if (at < walk->source.end && *at == ',')
            return at;
        if (at == walk->source.end || *at != closing)
            return scan_refuse(&walk->source, SCAN_MALFORMED, at,
                               container->is_object ? "expected `,` or `}`"
                                                    : "expected `,` or `]`");
        plan_walk_leave(&walk->plan, &container->place);
        walk->depth--;
        at++;
    }
    return at;
}

/* ---- Members and elements -------------------------------------------------------------------- */

/* Up to the value of the next member, or element, of the innermost container. */
static const uint8_t *begin_item(struct json_walk *walk, const uint8_t *at)
{
    const struct container *container = &walk->containers[walk->depth - 1];
    if (container->is_object)
        return read_member_name(walk, at);
    walk->node = container->place.node;
    return at;
}

static const uint8_t *read_member_name(struct json_walk *walk, const uint8_t *at)
{
    struct json_scalar name;
    const uint8_t *start = at, *end = walk->source.end;
    at = json_read_text(&walk->source, at, &name);
    if (at == NULL)
        return NULL;
    walk->node = node_of_member(walk, &name);
    if (walk->node != PLAN_NODE_NONE) {
        uint64_t *word = &walk->containers[walk->depth - 1].seen[walk->node / 64];
        uint64_t bit = UINT64_C(1) << (walk->node % 64);
        if ((*word & bit) != 0)
            return scan_refuse(&walk->source, SCAN_DUPLICATE_KEY, start, NULL);
        *word |= bit;
    }
    at = scan_expect(&walk->source, find_nonblank(at, end), BYTES_LITERAL(":"), "expected `:`");
    return at == NULL ? NULL : find_nonblank(at, end);
}

/* Undoes a checked string's escapes. False if more than `capacity` bytes come out. */
static bool unescape(struct scan_source *source, struct bytes raw, uint8_t *out, size_t capacity,
                     size_t *out_size)
{
    const uint8_t *at = raw.data, *end = raw.data + raw.size;
    size_t size = 0;
    while (at < end) {
        uint8_t spelt[4] = {*at};
        size_t spelt_size = 1;
        uint32_t code_point;
        if (*at == '\\') {
            at = json_read_escape(source, at, &code_point);
            assert(at != NULL);
            spelt_size = utf8_encode(code_point, spelt);
        } else {
            at++;
        }
        if (spelt_size > capacity - size)
            return false;
        memcpy(out + size, spelt, spelt_size);
        size += spelt_size;
    }
    *out_size = size;
    return true;
}

static uint16_t node_of_member(struct json_walk *walk, const struct json_scalar *name)
{
    uint16_t node = outer_place(walk)->node;
    uint8_t decoded[READING_VALUE_BYTES_MAX]; /* a longer name is in no plan */
    size_t size;
    if (plan_walk_is_lost(&walk->plan, node))
        return PLAN_NODE_NONE;
    if (!name->escaped)
        return plan_walk_child(&walk->plan, node, name->raw, false);
    if (!unescape(&walk->source, name->raw, decoded, sizeof decoded, &size))
        return PLAN_NODE_NONE;
    return plan_walk_child(&walk->plan, node, bytes_make(decoded, size), false);
}

/* ---- Scalars --------------------------------------------------------------------------------- */

static const uint8_t *read_scalar(struct json_walk *walk, const uint8_t *at)
{
    struct json_scalar scalar;
    const uint8_t *start = at;
    at = json_read_scalar(&walk->source, at, &scalar);
    if (at == NULL || walk->node == PLAN_NODE_NONE || scalar.kind == JSON_NULL)
        return at;
    return capture(walk, &scalar, start) ? at : NULL;
}

static bool gather_scalar(struct json_walk *walk, const struct json_scalar *scalar)
{
    struct scan_source *source = &walk->source;
    const uint8_t *at = scalar->raw.data, *end = at + scalar->raw.size;
    gather_begin(&walk->gather);
    while (scalar->escaped && at < end) {
        const uint8_t *run = at, *escape = memchr(at, '\\', (size_t)(end - at));
        uint32_t code_point;
        at = escape == NULL ? end : escape;
        if (!gather_add_run(&walk->gather, source, bytes_make(run, (size_t)(at - run))))
            return false;
        if (escape == NULL)
            break;
        at = json_read_escape(source, escape, &code_point);
        assert(at != NULL);
        if (!gather_add_code_point(&walk->gather, source, code_point, escape))
            return false;
    }
    return scalar->escaped || gather_add_run(&walk->gather, source, scalar->raw);
}

static bool capture(struct json_walk *walk, const struct json_scalar *scalar, const uint8_t *at)
{
    struct plan_place place;
    uint16_t tap = plan_walk_tap(&walk->plan, walk->node);
    if (!plan_walk_enter(&walk->plan, &walk->source, outer_place(walk), walk->node, at, &place))
        return false;
    if (tap != TAP_NONE &&
        (!gather_scalar(walk, scalar) ||
         !gather_capture(&walk->gather, &walk->source, tap, place.entry, place.instance)))
        return false;
    plan_walk_leave(&walk->plan, &place);
    return true;
}
