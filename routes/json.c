/* The walk over a JSON text: the stack of open objects and arrays, the plan beside it, and the
 * captures. Arrays are transparent: their elements have the array's own place in the plan. */
#include <assert.h>

#include "routes/gather.h"
#include "routes/json_walk.h"
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
struct json_scan {
    struct json_text text;
    struct plan_walk plan;
    uint16_t node; /* of the value that comes next */
    struct container *innermost;
    size_t seen_words; /* as many as the plan's nodes need */
    struct container containers[1 + SCAN_DEPTH_MAX];
    struct gather gather;
};

static const uint32_t *walk_root(struct json_scan *walk, const uint32_t *token);
static void check_end(struct json_scan *walk, const uint32_t *token);
static const uint32_t *read_value(struct json_scan *walk, const uint32_t *token);
static const uint32_t *open_container(struct json_scan *walk, const uint32_t *token);
static const uint32_t *close_containers(struct json_scan *walk, const uint32_t *token);
static const uint32_t *read_member_name(struct json_scan *walk, const uint32_t *token);
static uint16_t node_of_escaped(struct json_scan *walk, uint16_t outer, struct bytes raw);
static const uint32_t *read_scalar(struct json_scan *walk, const uint32_t *token);
static bool capture(struct json_scan *walk, const struct json_scalar *scalar, const uint8_t *at);

enum status scan_json(const struct plan *plan, struct bytes body, struct scan *scan,
                      struct scan_fault *out_fault)
{
    assert(plan->node_count <= PLAN_NODES_MAX);
    struct json_scan walk;
    scan_source_init(&walk.text.source, body, scan);
    plan_walk_init(&walk.plan, plan);
    walk.node = plan_walk_root(&walk.plan);
    walk.innermost = walk.containers;
    walk.containers[0].place = (struct plan_place){.node = PLAN_NODE_NONE};
    walk.seen_words = (plan->node_count + 63U) / 64U;
    const uint8_t *at = scan_begin_text(&walk.text.source);
    if (at != NULL)
        check_end(&walk, walk_root(&walk, json_index_open(&walk.text.index, body, at)));
    return scan_source_finish(&walk.text.source, out_fault);
}

/* `token` follows the end of the root value. NULL: it has none. */
static void check_end(struct json_scan *walk, const uint32_t *token)
{
    const uint8_t *end = walk->text.source.end;
    if (token == NULL)
        return;
    if (json_place(&walk->text, token - 1) == end) /* it was the padding that closed it */
        json_refuse(&walk->text, SCAN_TRUNCATED, end, "expected a closing bracket");
    else if (json_place(&walk->text, token) != end)
        json_refuse(&walk->text, SCAN_TRAILING, json_place(&walk->text, token), NULL);
}

/* From the root value past its end. */
static const uint32_t *walk_root(struct json_scan *walk, const uint32_t *token)
{
    if (json_byte(&walk->text, token) != '{' && json_byte(&walk->text, token) != '[')
        return json_refuse(&walk->text, SCAN_MALFORMED, json_place(&walk->text, token),
                           "expected an object or an array");
    token = read_value(walk, token);
    while (token != NULL && walk->innermost != walk->containers) {
        token = json_index_ensure(&walk->text.index, token);
        if (walk->innermost->closing == '}')
            token = read_member_name(walk, token);
        else
            walk->node = walk->innermost->place.node;
        if (token != NULL)
            token = read_value(walk, token);
    }
    return token;
}

/* A scalar, or a container of which nothing is wanted or that is empty, with the ends of the
 * containers behind it and the comma; of any other container just its bracket. */
static const uint32_t *read_value(struct json_scan *walk, const uint32_t *token)
{
    uint8_t byte = json_byte(&walk->text, token);
    if (byte != '{' && byte != '[') {
        token = read_scalar(walk, token);
    } else if (!plan_walk_is_lost(&walk->plan, walk->node)) {
        token = open_container(walk, token);
        if (token == NULL || json_byte(&walk->text, token) != walk->innermost->closing)
            return token;
    } else {
        token =
            json_skip_container(&walk->text, token, (unsigned)(walk->innermost - walk->containers));
    }
    return token == NULL ? NULL : close_containers(walk, token);
}

/* ---- Containers ------------------------------------------------------------------------------ */

static const uint32_t *open_container(struct json_scan *walk, const uint32_t *token)
{
    const uint8_t *at = json_place(&walk->text, token);
    const struct plan_place *outer = &walk->innermost->place;
    struct container *container = walk->innermost + 1;
    if (at == walk->text.source.end)
        return json_refuse(&walk->text, SCAN_TRUNCATED, at, "expected a value");
    if (container == walk->containers + 1 + SCAN_DEPTH_MAX)
        return json_refuse(&walk->text, SCAN_TOO_DEEP, at, NULL);
    container->closing = *at == '{' ? '}' : ']';
    if (*at == '{') {
        if (!plan_walk_enter(&walk->plan, &walk->text.source, outer, walk->node, at,
                             &container->place))
            return NULL;
        memset(container->seen, 0, walk->seen_words * sizeof *container->seen);
    } else {
        container->place = *outer;
        container->place.node = walk->node;
        container->place.begins_entry = false;
    }
    walk->innermost = container;
    return token + 1;
}

/* After a value: closes what ends here, and stops past a comma or past the end of the root. */
static const uint32_t *close_containers(struct json_scan *walk, const uint32_t *token)
{
    while (walk->innermost != walk->containers) {
        const struct container *container = walk->innermost;
        uint8_t byte = json_byte(&walk->text, token);
        if (byte == ',')
            return token + 1;
        if (byte != container->closing)
            return json_refuse_end(&walk->text, json_place(&walk->text, token), container->closing);
        plan_walk_leave(&walk->plan, &container->place);
        walk->innermost--;
        token++;
    }
    return token;
}

/* ---- Members --------------------------------------------------------------------------------- */

static const uint32_t *read_member_name(struct json_scan *walk, const uint32_t *token)
{
    struct json_scalar name;
    struct container *object = walk->innermost;
    const uint8_t *start = json_place(&walk->text, token);
    token = json_read_name(&walk->text, token, &name);
    if (token == NULL)
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
            return json_refuse(&walk->text, SCAN_DUPLICATE_KEY, start, NULL);
        *word |= bit;
    }
    return json_pass_colon(&walk->text, token);
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

static uint16_t node_of_escaped(struct json_scan *walk, uint16_t outer, struct bytes raw)
{
    uint8_t name[READING_VALUE_BYTES_MAX + sizeof(uint64_t)]; /* a longer one is in no plan */
    size_t size;
    if (!unescape(&walk->text.source, raw, name, READING_VALUE_BYTES_MAX, &size))
        return PLAN_NODE_NONE;
    return plan_walk_child(&walk->plan, outer, bytes_make(name, size), false);
}

/* ---- Scalars --------------------------------------------------------------------------------- */

static const uint32_t *read_scalar(struct json_scan *walk, const uint32_t *token)
{
    struct json_scalar scalar;
    const uint8_t *start = json_place(&walk->text, token);
    if (*start != '"')
        token = json_pass_word(&walk->text, token, walk->innermost->closing, &scalar);
    else if (walk->node == PLAN_NODE_NONE)
        return json_pass_string(&walk->text, token);
    else
        token = json_read_string(&walk->text, token, &scalar);
    if (token == NULL || walk->node == PLAN_NODE_NONE || scalar.kind == JSON_NULL)
        return token;
    return capture(walk, &scalar, start) ? token : NULL;
}

static bool gather_escaped(struct json_scan *walk, struct bytes raw)
{
    struct scan_source *source = &walk->text.source;
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

static bool capture_value(struct json_scan *walk, const struct json_scalar *scalar, uint16_t tap,
                          const struct plan_place *place)
{
    struct scan_source *source = &walk->text.source;
    if (!scalar->escaped)
        return gather_capture_run(source, scalar->raw, tap, place->entry, place->instance);
    return gather_escaped(walk, scalar->raw) &&
           gather_capture(&walk->gather, source, tap, place->entry, place->instance);
}

static bool capture(struct json_scan *walk, const struct json_scalar *scalar, const uint8_t *at)
{
    struct plan_place place;
    uint16_t tap = plan_walk_tap(&walk->plan, walk->node);
    if (!plan_walk_enter(&walk->plan, &walk->text.source, &walk->innermost->place, walk->node, at,
                         &place))
        return false;
    if (tap != TAP_NONE && !capture_value(walk, scalar, tap, &place))
        return false;
    plan_walk_leave(&walk->plan, &place);
    return true;
}
