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
    struct gather *text; /* NULL if it has no tap */
    bool has_bindings;   /* prefixes to forget at its end */
};

/* Not zeroed: 80 KB, of which a document uses what its depth and taps ask for. The first element
 * stands for all that is around the root. */
struct xml_walk {
    struct scan_source source;
    struct plan_walk plan;
    struct element *innermost; /* of those that are open */
    struct element elements[1 + SCAN_DEPTH_MAX];
    struct gather texts[SCAN_DEPTH_MAX]; /* of each open element; before that, of its attributes */
    struct xml_scope scope;
    struct xml_tag tag; /* the one being read */
};

static const uint8_t *walk_root(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *begin_element(struct xml_walk *walk, const uint8_t *at);
static bool capture_root_name(struct xml_walk *walk);
static bool capture_attributes(struct xml_walk *walk, const struct element *element);
static const uint8_t *read_text(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *read_text_on(struct scan_source *source, struct gather *text,
                                   const uint8_t *run, const uint8_t *at);
static bool add_text(struct scan_source *source, struct gather *text, struct bytes run);

static const struct find_set text_stops = {'<', '&', ']'};
static const uint8_t *read_comment_or_cdata(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *end_element(struct xml_walk *walk, const uint8_t *at);
static bool leave_element(struct xml_walk *walk);

enum status scan_xml(const struct plan *plan, struct bytes body, struct scan *scan,
                     struct scan_fault *out_fault)
{
    struct xml_walk walk;
    scan_source_init(&walk.source, body, scan);
    plan_walk_init(&walk.plan, plan);
    walk.innermost = walk.elements;
    walk.elements[0] = (struct element){.place = {.node = PLAN_NODE_NONE}};
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
    const struct xml_name nameless = {0};
    scope.count = 0;
    scan_source_init(&source, body, NULL);
    const uint8_t *at = xml_read_prolog(&source);
    if (at != NULL)
        at = xml_read_tag(&source, at + 1, &nameless, &tag);
    if (at != NULL && xml_scope_enter(&scope, &source, &tag, 0)) {
        out_peek->root = xml_name_local(&tag.name);
        out_peek->root_namespace = xml_scope_uri(&scope, xml_name_prefix(&tag.name));
    }
    return scan_source_finish(&source, out_fault);
}

static uint32_t depth_of(const struct xml_walk *walk)
{
    return (uint32_t)(walk->innermost - walk->elements);
}

/* The place to gather what stands in the innermost element. */
static struct gather *text_of(struct xml_walk *walk)
{
    return &walk->texts[depth_of(walk) - 1];
}

/* From the root's `<` past its end. */
static const uint8_t *walk_root(struct xml_walk *walk, const uint8_t *at)
{
    at = begin_element(walk, at);
    while (at != NULL && walk->innermost != walk->elements) {
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

static uint16_t node_of_tag(const struct xml_walk *walk, const struct element *outer)
{
    if (outer == walk->elements)
        return plan_walk_root(&walk->plan);
    if (plan_walk_is_lost(&walk->plan, outer->place.node))
        return PLAN_NODE_NONE;
    return plan_walk_child(&walk->plan, outer->place.node, xml_name_local(&walk->tag.name), false);
}

/* `at` is at the `<`. */
static const uint8_t *begin_element(struct xml_walk *walk, const uint8_t *at)
{
    const uint8_t *start = at;
    struct xml_tag *tag = &walk->tag;
    const struct element *outer = walk->innermost;
    struct element *element = walk->innermost + 1;
    if (element == walk->elements + 1 + SCAN_DEPTH_MAX)
        return scan_refuse(&walk->source, SCAN_TOO_DEEP, at, NULL);
    at = xml_read_tag(&walk->source, at + 1, &outer->name, tag);
    if (at == NULL)
        return NULL;

    uint16_t node = node_of_tag(walk, outer);
    if (!plan_walk_enter(&walk->plan, &walk->source, &outer->place, node, start, &element->place))
        return NULL;
    walk->innermost = element;
    element->name = tag->name;
    element->has_bindings = tag->attribute_count > 0;
    if ((tag->attribute_count > 0 || (tag->name.prefix_size > 0 && !tag->shares_prefix)) &&
        !xml_scope_enter(&walk->scope, &walk->source, tag, depth_of(walk)))
        return NULL;
    if (outer == walk->elements && walk->plan.plan->root_name_tapped && !capture_root_name(walk))
        return NULL;
    if (tag->attribute_count > 0 && !capture_attributes(walk, element))
        return NULL;
    element->text = NULL;
    if (plan_walk_tap(&walk->plan, node) != TAP_NONE) {
        element->text = text_of(walk);
        gather_begin(element->text);
    }
    if (tag->closed && !leave_element(walk))
        return NULL;
    return at;
}

static bool capture_root_name(struct xml_walk *walk)
{
    struct gather *name = text_of(walk);
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
        if (*at >= ' ' && *at != '&') {
            at = next;
            continue;
        }
        if (*at == '&')
            next = xml_read_reference(&walk->source, at, &code_point);
        else if (*at == '\r' && next < end && *next == '\n')
            next++;
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
    struct gather *gather = text_of(walk);
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
    struct gather *text = walk->innermost->text;
    const uint8_t *stop = find_xml_stop(at, source->end, text_stops);
    if (stop == source->end || *stop != '<')
        return read_text_on(source, text, at, stop);
    if (text != NULL && !add_text(source, text, bytes_make(at, (size_t)(stop - at))))
        return NULL;
    return stop;
}

/* The same of a text that is plain from `run` to `at`, but not to its end. */
static const uint8_t *read_text_on(struct scan_source *source, struct gather *text,
                                   const uint8_t *run, const uint8_t *at)
{
    for (;;) {
        at = find_xml_stop(at, source->end, text_stops);
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
        if (text != NULL && !add_text(source, text, bytes_make(run, (size_t)(at - run))))
            return NULL;
        if (*at == '<')
            return at;

        uint32_t code_point;
        const uint8_t *reference = at;
        run = at = xml_read_reference(source, at, &code_point);
        if (at == NULL ||
            (text != NULL && !gather_add_code_point(text, source, code_point, reference)))
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
    struct gather *text = walk->innermost->text;
    struct bytes cdata = {0};
    at = xml_read_comment_or_cdata(&walk->source, at, &cdata);
    if (at != NULL && text != NULL && !add_text(&walk->source, text, cdata))
        return NULL;
    return at;
}

/* ---- End tags -------------------------------------------------------------------------------- */

/* `at` is at the `</`. */
static const uint8_t *end_element(struct xml_walk *walk, const uint8_t *at)
{
    struct scan_source *source = &walk->source;
    const struct xml_name *name = &walk->innermost->name;
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
    const struct element *element = walk->innermost;
    const struct plan_place *place = &element->place;
    if (element->text != NULL &&
        !gather_capture(element->text, &walk->source, plan_walk_tap(&walk->plan, place->node),
                        place->entry, place->instance))
        return false;
    if (element->has_bindings)
        xml_scope_leave(&walk->scope, depth_of(walk));
    plan_walk_leave(&walk->plan, place);
    walk->innermost--;
    return true;
}
