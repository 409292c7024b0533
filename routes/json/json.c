/* The walk over a JSON text: the stack of open objects and arrays, the plan beside it, and the
 * captures. Arrays are transparent: their elements have the array's own place in the plan. */
#include <assert.h>

#include "routes/json/json_walk.h"
#include "routes/read/gather.h"
#include "routes/scan/plan_walk.h"
#include "routes/scan/utf8.h"

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

static bool walk_root(struct json_scan *walk);
static bool check_end(struct json_scan *walk);
static bool read_value(struct json_scan *walk);
static bool open_container(struct json_scan *walk, const uint8_t *at);
static bool close_containers(struct json_scan *walk);
static bool read_member_name(struct json_scan *walk);
static uint16_t node_of_escaped(struct json_scan *walk, uint16_t outer, struct bytes raw);
static bool read_scalar(struct json_scan *walk);
static bool capture(struct json_scan *walk, const struct json_scalar *scalar, const uint8_t *at);

enum status scan_json(const struct plan *plan, struct bytes body, struct scan *scan,
                      struct scan_fault *out_fault)
{
    assert(plan->node_count <= PLAN_NODES_MAX);
    struct json_scan walk;
    plan_walk_init(&walk.plan, plan);
    walk.node = plan_walk_root(&walk.plan);
    walk.innermost = walk.containers;
    walk.containers[0].place = (struct plan_place){.node = PLAN_NODE_NONE};
    walk.seen_words = (plan->node_count + 63U) / 64U;
    if (json_begin(&walk.text, body, scan) && walk_root(&walk) && check_end(&walk))
        assert(walk.text.source.status == STATUS_OK);
    return scan_source_finish(&walk.text.source, out_fault);
}

static bool check_end(struct json_scan *walk)
{
    const uint8_t *at = json_next(&walk->text);
    return at == walk->text.source.end || json_refuse(&walk->text, SCAN_TRAILING, at, NULL);
}

/* From the root's bracket past its end. */
static bool walk_root(struct json_scan *walk)
{
    bool good = read_value(walk);
    while (good && walk->innermost != walk->containers) {
        walk->text.token = json_index_ensure(&walk->text.index, walk->text.token);
        if (walk->innermost->closing == '}')
            good = read_member_name(walk);
        else
            walk->node = walk->innermost->place.node;
        good = good && read_value(walk);
    }
    return good;
}

/* A scalar, or a container of which nothing is wanted or that is empty, with the ends of the
 * containers behind it and the comma; of any other container just its bracket. */
static bool read_value(struct json_scan *walk)
{
    struct json_text *text = &walk->text;
    const uint8_t *at = text->source.begin + *text->token;
    bool good;
    if ((*at != '{' && *at != '[') || at == text->source.end) {
        good = read_scalar(walk);
    } else if (plan_walk_is_lost(&walk->plan, walk->node)) {
        good = json_skip_container(text, (unsigned)(walk->innermost - walk->containers));
    } else {
        good = open_container(walk, at);
        if (good && !json_ends_here(text, walk->innermost->closing))
            return true;
    }
    return good && close_containers(walk);
}

/* ---- Containers ------------------------------------------------------------------------------ */

static bool open_container(struct json_scan *walk, const uint8_t *at)
{
    const struct plan_place *outer = &walk->innermost->place;
    struct container *container = walk->innermost + 1;
    if (container == walk->containers + 1 + SCAN_DEPTH_MAX)
        return json_refuse(&walk->text, SCAN_TOO_DEEP, at, NULL);
    container->closing = *at == '{' ? '}' : ']';
    if (*at == '{') {
        if (!plan_walk_enter(&walk->plan, &walk->text.source, outer, walk->node, at,
                             &container->place))
            return false;
        memset(container->seen, 0, walk->seen_words * sizeof *container->seen);
    } else {
        container->place = *outer;
        container->place.node = walk->node;
        container->place.begins_entry = false;
    }
    walk->innermost = container;
    walk->text.token++;
    walk->text.after = at + 1;
    return true;
}

/* After a value: closes what ends here, and stops past a comma or past the end of the root. */
static bool close_containers(struct json_scan *walk)
{
    while (walk->innermost != walk->containers) {
        const struct container *container = walk->innermost;
        uint8_t byte = json_end_value(&walk->text, container->closing);
        if (byte == ',')
            break;
        if (byte == 0)
            return false;
        plan_walk_leave(&walk->plan, &container->place);
        walk->innermost--;
    }
    return true;
}

/* ---- Members --------------------------------------------------------------------------------- */

static uint16_t node_of_member(struct json_scan *walk, const struct json_scalar *name)
{
    uint16_t outer = walk->innermost->place.node;
    if (plan_walk_is_lost(&walk->plan, outer))
        return PLAN_NODE_NONE;
    if (name->escaped)
        return node_of_escaped(walk, outer, name->raw);
    return plan_walk_child(&walk->plan, outer, name->raw, false);
}

/* Up to a value that has to be looked at: members that the plan does not know pass by if they are
 * as most are. */
static bool read_member_name(struct json_scan *walk)
{
    struct json_text *text = &walk->text;
    struct container *object = walk->innermost;
    struct json_scalar name;
    for (;;) {
        if (!json_read_name(text, &name))
            return false;
        walk->node = node_of_member(walk, &name);
        if (walk->node != PLAN_NODE_NONE || !json_has_plain_value(text))
            break;
        text->after = text->source.begin + *text->token + 2;
        text->token = json_index_ensure(&text->index, text->token + 1);
    }
    if (walk->node != PLAN_NODE_NONE) {
        uint64_t *word = &object->seen[walk->node / 64];
        uint64_t bit = UINT64_C(1) << (walk->node % 64);
        if ((*word & bit) != 0)
            return json_refuse(text, SCAN_DUPLICATE_KEY, name.raw.data - 1, NULL);
        *word |= bit;
    }
    return json_pass_colon(text);
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

static bool read_scalar(struct json_scan *walk)
{
    struct json_text *text = &walk->text;
    struct json_scalar scalar;
    const uint8_t *end = text->source.end, *closing = text->source.begin + *text->token;
    bool is_plain_text = *closing == '"' && closing != end;
    const uint8_t *start = is_plain_text && walk->node == PLAN_NODE_NONE ? NULL : json_next(text);
    if (is_plain_text) {
        text->token++;
        text->after = closing + 1;
        if (start == NULL)
            return true;
        scalar.kind = JSON_TEXT;
        scalar.raw = bytes_make(start + 1, (size_t)(closing - start - 1));
        scalar.escaped = false;
    } else if (!(start < end && *start == '"'
                     ? json_read_string(text, &scalar)
                     : json_read_plain(text, walk->innermost->closing, &scalar))) {
        return false;
    }
    return walk->node == PLAN_NODE_NONE || scalar.kind == JSON_NULL ||
           capture(walk, &scalar, start);
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
