/* The walk over an XML document: the stack of open elements, the plan beside it, and the captures.
 */
#include "routes/find_bytes.h"
#include "routes/gather.h"
#include "routes/plan_walk.h"
#include "routes/xml_markup.h"
#include "routes/xml_scope.h"

struct element {
    struct xml_name name;
    struct plan_place place;
    bool has_bindings; /* prefixes to forget at its end */
    bool has_tap;
};

/* Not zeroed: 80 KB, of which a document uses what its depth and taps ask for. */
struct xml_walk {
    struct scan_source source;
    struct plan_walk plan;
    uint32_t depth;      /* open elements */
    struct gather *text; /* of the innermost open element; NULL if it has no tap */
    struct element elements[SCAN_DEPTH_MAX];
    struct gather texts[SCAN_DEPTH_MAX]; /* of each open element; before that, of its attributes */
    struct xml_scope scope;
    struct xml_tag tag; /* the one being read */
};

static const uint8_t *walk_root(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *begin_element(struct xml_walk *walk, const uint8_t *at);
static bool capture_root_name(struct xml_walk *walk);
static bool capture_attributes(struct xml_walk *walk, const struct element *element);
static const uint8_t *read_text(struct xml_walk *walk, const uint8_t *at);
static bool add_text(struct scan_source *source, struct gather *text, struct bytes run);
static const uint8_t *read_comment_or_cdata(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *end_element(struct xml_walk *walk, const uint8_t *at);
static bool leave_element(struct xml_walk *walk);

enum status scan_xml(const struct plan *plan, struct bytes body, struct scan *scan,
                     struct scan_fault *out_fault)
{
    struct xml_walk walk;
    scan_source_init(&walk.source, body, scan);
    plan_walk_init(&walk.plan, plan);
    walk.depth = 0;
    walk.text = NULL;
    walk.scope.count = 0;
    const uint8_t *at = xml_read_prolog(&walk.source);
    if (at != NULL)
        at = walk_root(&walk, at);
    if (at != NULL)
        xml_read_epilog(&walk.source, at);
    return scan_source_finish(&walk.source, out_fault);
}

enum status scan_xml_peek(struct bytes body, struct xml_peek *out_peek,
                          struct scan_fault *out_fault)
{
    struct scan_source source;
    struct xml_tag tag;
    struct xml_scope scope;
    scope.count = 0;
    scan_source_init(&source, body, NULL);
    const uint8_t *at = xml_read_prolog(&source);
    if (at != NULL)
        at = xml_read_tag(&source, at + 1, &tag);
    if (at != NULL && xml_scope_enter(&scope, &source, &tag, 0)) {
        out_peek->root = xml_name_local(&tag.name);
        out_peek->root_namespace = xml_scope_uri(&scope, xml_name_prefix(&tag.name));
    }
    return scan_source_finish(&source, out_fault);
}

/* From the root's `<` past its end. */
static const uint8_t *walk_root(struct xml_walk *walk, const uint8_t *at)
{
    at = begin_element(walk, at);
    while (at != NULL && walk->depth > 0) {
        at = read_text(walk, at);
        if (at == NULL)
            break;
        if (at + 1 == walk->source.end)
            return scan_refuse(&walk->source, SCAN_TRUNCATED, at + 1, "an element has no end");
        switch (at[1]) {
        case '/': at = end_element(walk, at); break;
        case '!': at = read_comment_or_cdata(walk, at); break;
        case '?': at = xml_read_instruction(&walk->source, at); break;
        default: at = begin_element(walk, at);
        }
    }
    return at;
}

/* ---- Start tags ------------------------------------------------------------------------------ */

static uint16_t node_of_tag(const struct xml_walk *walk, const struct plan_place *outer)
{
    if (walk->depth == 0)
        return plan_walk_root(&walk->plan);
    if (plan_walk_is_lost(&walk->plan, outer->node))
        return PLAN_NODE_NONE;
    return plan_walk_child(&walk->plan, outer->node, xml_name_local(&walk->tag.name), false);
}

/* `at` is at the `<`. */
static const uint8_t *begin_element(struct xml_walk *walk, const uint8_t *at)
{
    static const struct plan_place outside = {.node = PLAN_NODE_NONE};
    if (walk->depth == SCAN_DEPTH_MAX)
        return scan_refuse(&walk->source, SCAN_TOO_DEEP, at, NULL);
    const uint8_t *start = at;
    struct xml_tag *tag = &walk->tag;
    at = xml_read_tag(&walk->source, at + 1, tag);
    if (at == NULL)
        return NULL;

    struct element *element = &walk->elements[walk->depth];
    const struct plan_place *outer = walk->depth > 0 ? &element[-1].place : &outside;
    uint16_t node = node_of_tag(walk, outer);
    if (!plan_walk_enter(&walk->plan, &walk->source, outer, node, start, &element->place))
        return NULL;
    element->name = tag->name;
    element->has_tap = plan_walk_tap(&walk->plan, node) != TAP_NONE;
    element->has_bindings = tag->attribute_count > 0;
    if ((tag->attribute_count > 0 || tag->name.prefix_size > 0) &&
        !xml_scope_enter(&walk->scope, &walk->source, tag, walk->depth))
        return NULL;
    if (walk->depth == 0 && walk->plan.plan->root_name_tapped && !capture_root_name(walk))
        return NULL;
    if (tag->attribute_count > 0 && !capture_attributes(walk, element))
        return NULL;
    walk->text = element->has_tap ? &walk->texts[walk->depth] : NULL;
    if (element->has_tap)
        gather_begin(walk->text);
    walk->depth++;
    if (tag->closed && !leave_element(walk))
        return NULL;
    return at;
}

static bool capture_root_name(struct xml_walk *walk)
{
    struct gather *name = &walk->texts[0];
    gather_begin(name);
    return gather_add_run(name, &walk->source, xml_name_local(&walk->tag.name)) &&
           gather_capture(name, &walk->source, walk->plan.plan->root_name_tap, 0, 0);
}

/* XML 1.0, 3.3.3: a line end or TAB of an attribute's value reads as a space, unless it is spelt as
 * a reference. */
static bool gather_attribute(struct xml_walk *walk, struct gather *gather, struct bytes value)
{
    const uint8_t *at = value.data, *end = at + value.size, *run = at;
    gather_begin(gather);
    while (at < end) {
        uint32_t code_point = ' ';
        const uint8_t *next = at + 1;
        if (*at == '&')
            next = xml_read_reference(&walk->source, at, &code_point);
        else if (*at == '\r' && next < end && *next == '\n')
            next++;
        else if (*at != '\r' && *at != '\n' && *at != '\t') {
            at = next;
            continue;
        }
        if (!gather_add_run(gather, &walk->source, bytes_make(run, (size_t)(at - run))) ||
            !gather_add_code_point(gather, &walk->source, code_point, at))
            return false;
        run = at = next;
    }
    return gather_add_run(gather, &walk->source, bytes_make(run, (size_t)(at - run)));
}

static bool capture_attributes(struct xml_walk *walk, const struct element *element)
{
    const struct plan_place *place = &element->place;
    struct gather *gather = &walk->texts[walk->depth];
    if (plan_walk_is_lost(&walk->plan, place->node))
        return true;
    for (uint32_t i = 0; i < walk->tag.attribute_count; i++) {
        const struct xml_attribute *attribute = &walk->tag.attributes[i];
        if (xml_binds_namespace(attribute))
            continue;
        uint16_t node =
            plan_walk_child(&walk->plan, place->node, xml_name_local(&attribute->name), true);
        uint16_t tap = plan_walk_tap(&walk->plan, node);
        if (tap != TAP_NONE &&
            (!gather_attribute(walk, gather, attribute->value) ||
             !gather_capture(gather, &walk->source, tap, place->entry, place->instance)))
            return false;
    }
    return true;
}

/* ---- Text ------------------------------------------------------------------------------------ */

/* From anywhere between two tags to the next `<`. */
static const uint8_t *read_text(struct xml_walk *walk, const uint8_t *at)
{
    struct scan_source *source = &walk->source;
    const uint8_t *run = at;
    for (;;) {
        at = find_xml_stop(at, source->end, (struct find_set){'<', '&', ']'});
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "an element has no end");
        if (*at == ']' && !xml_sees_cdata_end(source, at)) {
            at++;
            continue;
        }
        if (*at == ']')
            return scan_refuse(source, SCAN_MALFORMED, at, "`]]>` outside of a CDATA section");
        if (*at != '<' && *at != '&')
            return scan_refuse(source, SCAN_MALFORMED, at, "a control character");
        if (walk->text != NULL &&
            !add_text(source, walk->text, bytes_make(run, (size_t)(at - run))))
            return NULL;
        if (*at == '<')
            return at;

        uint32_t code_point;
        const uint8_t *reference = at;
        run = at = xml_read_reference(source, at, &code_point);
        if (at == NULL || (walk->text != NULL &&
                           !gather_add_code_point(walk->text, source, code_point, reference)))
            return NULL;
    }
}

/* XML 1.0, 2.11: a CR, with or without an LF behind it, reads as one LF. */
static bool add_text(struct scan_source *source, struct gather *text, struct bytes run)
{
    while (run.size > 0) {
        const uint8_t *end = run.data + run.size, *cr = memchr(run.data, '\r', run.size);
        if (cr == NULL)
            return gather_add_run(text, source, run);
        if (!gather_add_run(text, source, bytes_make(run.data, (size_t)(cr - run.data))))
            return false;
        bool has_lf = cr + 1 < end && cr[1] == '\n';
        if (!has_lf && !gather_add_code_point(text, source, '\n', cr))
            return false;
        run = bytes_make(cr + 1, (size_t)(end - cr - 1));
    }
    return true;
}

static const uint8_t *read_comment_or_cdata(struct xml_walk *walk, const uint8_t *at)
{
    struct bytes cdata = {0};
    at = xml_read_comment_or_cdata(&walk->source, at, &cdata);
    if (at != NULL && walk->text != NULL && !add_text(&walk->source, walk->text, cdata))
        return NULL;
    return at;
}

/* ---- End tags -------------------------------------------------------------------------------- */

/* `at` is at the `</`. */
static const uint8_t *end_element(struct xml_walk *walk, const uint8_t *at)
{
    struct scan_source *source = &walk->source;
    const struct xml_name *name = &walk->elements[walk->depth - 1].name;
    at += 2;
    if ((size_t)(source->end - at) >= name->size && find_equal(at, name->data, name->size))
        at += name->size;
    else
        at = scan_expect(source, at, xml_name_whole(name), "not the end of the open element");
    if (at != NULL && (at == source->end || *at != '>'))
        at = find_nonblank(at, source->end);
    if (at != NULL)
        at = scan_expect_byte(source, at, '>', "expected `>`");
    return at != NULL && leave_element(walk) ? at : NULL;
}

static bool leave_element(struct xml_walk *walk)
{
    uint32_t depth = --walk->depth;
    const struct element *element = &walk->elements[depth];
    const struct plan_place *place = &element->place;
    if (element->has_tap &&
        !gather_capture(&walk->texts[depth], &walk->source, plan_walk_tap(&walk->plan, place->node),
                        place->entry, place->instance))
        return false;
    if (element->has_bindings)
        xml_scope_leave(&walk->scope, depth);
    plan_walk_leave(&walk->plan, place);
    walk->text = depth > 0 && element[-1].has_tap ? &walk->texts[depth - 1] : NULL;
    return true;
}
