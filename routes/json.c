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
    uint8_t closing;           /* the bracket that ends it */
    uint64_t seen[SEEN_WORDS]; /* an object's members that the plan knows: a bit per node */
};

/* Not zeroed: only the open containers count, and the first one, which stands for all that is
 * around the root value. */
struct json_walk {
    struct scan_source source;
    struct plan_walk plan;
    uint16_t node; /* of the value that comes next */
    struct container *innermost;
    size_t seen_words; /* as many as the plan's nodes need */
    struct container containers[1 + SCAN_DEPTH_MAX];
    struct gather gather;
};

static const uint8_t *walk_root(struct json_walk *walk, const uint8_t *at);
static const uint8_t *open_container(struct json_walk *walk, const uint8_t *at);
static const uint8_t *close_containers(struct json_walk *walk, const uint8_t *at);
static const uint8_t *begin_item(struct json_walk *walk, const uint8_t *at);
static const uint8_t *read_member_name(struct json_walk *walk, const uint8_t *at);
static uint16_t node_of_escaped(struct json_walk *walk, uint16_t outer, struct bytes raw);
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
    walk.innermost = walk.containers;
    walk.containers[0].place = (struct plan_place){.node = PLAN_NODE_NONE};
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

static bool is_outside(const struct json_walk *walk)
{
    return walk->innermost == walk->containers;
}

/* From the first byte of the root value past its end. */
static const uint8_t *walk_root(struct json_walk *walk, const uint8_t *at)
{
    const uint8_t *end = walk->source.end;
    if (*at != '{' && *at != '[')
        return scan_refuse(&walk->source, SCAN_MALFORMED, at, "expected an object or an array");
    for (;;) {
        bool has_items = false;
        if (at < end && (*at == '{' || *at == '[')) {
            at = open_container(walk, at);
            if (at == NULL)
                return NULL;
            at = find_nonblank(at, end);
            has_items = at == end || *at != walk->innermost->closing;
        } else {
            at = read_scalar(walk, at);
        }
        if (!has_items) {
            if (at != NULL)
                at = close_containers(walk, at);
            if (at == NULL || is_outside(walk))
                return at;
            at = find_nonblank(at + 1, end);
        }
        at = begin_item(walk, at);
        if (at == NULL)
            return NULL;
    }
}

/* ---- Containers ------------------------------------------------------------------------------ */

static const uint8_t *open_container(struct json_walk *walk, const uint8_t *at)
{
    const struct plan_place *outer = &walk->innermost->place;
    struct container *container = walk->innermost + 1;
    if (container == walk->containers + 1 + SCAN_DEPTH_MAX)
        return scan_refuse(&walk->source, SCAN_TOO_DEEP, at, NULL);
    container->closing = *at == '{' ? '}' : ']';
    if (*at == '{') {
        if (!plan_walk_enter(&walk->plan, &walk->source, outer, walk->node, at, &container->place))
            return NULL;
        memset(container->seen, 0, walk->seen_words * sizeof *container->seen);
    } else {
        container->place = *outer;
        container->place.node = walk->node;
        container->place.begins_entry = false;
    }
    walk->innermost = container;
    return at + 1;
}

/* After a value: closes what ends here, and stops at a comma or past the end of the root. */
static const uint8_t *close_containers(struct json_walk *walk, const uint8_t *at)
{
    while (!is_outside(walk)) {
        const struct container *container = walk->innermost;
        at = find_nonblank(at, walk->source.end);
        if (at < walk->source.end && *at == ',')
            return at;
        if (at == walk->source.end || *at != container->closing)
            return scan_refuse(&walk->source, SCAN_MALFORMED, at,
                               container->closing == '}' ? "expected `,` or `}`"
                                                         : "expected `,` or `]`");
        plan_walk_leave(&walk->plan, &container->place);
        walk->innermost--;
        at++;
    }
    return at;
}

/* ---- Members and elements -------------------------------------------------------------------- */

/* Up to the value of the next member, or element, of the innermost container. */
static const uint8_t *begin_item(struct json_walk *walk, const uint8_t *at)
{
    if (walk->innermost->closing == '}')
        return read_member_name(walk, at);
    walk->node = walk->innermost->place.node;
    return at;
}

static const uint8_t *read_member_name(struct json_walk *walk, const uint8_t *at)
{
    struct json_scalar name;
    struct container *object = walk->innermost;
    const uint8_t *start = at, *end = walk->source.end;
    at = json_read_text(&walk->source, at, &name);
    if (at == NULL)
        return NULL;
    if (plan_walk_is_lost(&walk->plan, object->place.node))
        walk->node = PLAN_NODE_NONE;
    else if (name.escaped)
        walk->node = node_of_escaped(walk, object->place.node, name.raw);
    else
        walk->node = plan_walk_child(&walk->plan, object->place.node, name.raw, false);
    if (walk->node != PLAN_NODE_NONE) {
        uint64_t *word = &object->seen[walk->node / 64];
        uint64_t bit = UINT64_C(1) << (walk->node % 64);
        if ((*word & bit) != 0)
            return scan_refuse(&walk->source, SCAN_DUPLICATE_KEY, start, NULL);
        *word |= bit;
    }
    at = scan_expect_byte(&walk->source, find_nonblank(at, end), ':', "expected `:`");
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

static uint16_t node_of_escaped(struct json_walk *walk, uint16_t outer, struct bytes raw)
{
    uint8_t name[READING_VALUE_BYTES_MAX + sizeof(uint64_t)]; /* a longer one is in no plan */
    size_t size;
    if (!unescape(&walk->source, raw, name, READING_VALUE_BYTES_MAX, &size))
        return PLAN_NODE_NONE;
    return plan_walk_child(&walk->plan, outer, bytes_make(name, size), false);
}

/* ---- Scalars --------------------------------------------------------------------------------- */

static const uint8_t *read_scalar(struct json_walk *walk, const uint8_t *at)
{
    struct json_scalar scalar;
    const uint8_t *start = at;
    at = at < walk->source.end && *at == '"' ? json_read_text(&walk->source, at, &scalar)
                                             : json_read_scalar(&walk->source, at, &scalar);
    if (at == NULL || walk->node == PLAN_NODE_NONE || scalar.kind == JSON_NULL)
        return at;
    return capture(walk, &scalar, start) ? at : NULL;
}

static bool gather_escaped(struct json_walk *walk, struct bytes raw)
{
    struct scan_source *source = &walk->source;
    const uint8_t *at = raw.data, *end = at + raw.size;
    gather_begin(&walk->gather);
    while (at < end) {
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
    return true;
}

static bool capture_value(struct json_walk *walk, const struct json_scalar *scalar, uint16_t tap,
                          const struct plan_place *place)
{
    struct scan_source *source = &walk->source;
    if (!scalar->escaped)
        return gather_capture_run(source, scalar->raw, tap, place->entry, place->instance);
    return gather_escaped(walk, scalar->raw) &&
           gather_capture(&walk->gather, source, tap, place->entry, place->instance);
}

static bool capture(struct json_walk *walk, const struct json_scalar *scalar, const uint8_t *at)
{
    struct plan_place place;
    uint16_t tap = plan_walk_tap(&walk->plan, walk->node);
    if (!plan_walk_enter(&walk->plan, &walk->source, &walk->innermost->place, walk->node, at,
                         &place))
        return false;
    if (tap != TAP_NONE && !capture_value(walk, scalar, tap, &place))
        return false;
    plan_walk_leave(&walk->plan, &place);
    return true;
}
