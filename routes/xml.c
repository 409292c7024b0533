/* The walk over an XML document: the stack of open elements, the plan beside it, and the captures.
 * It goes from stop to stop (routes/xml_index.h). Most tags have a name only, and most text is
 * plain: both are read here by what the index knows; the rest is read byte by byte. */
#include "routes/find_bytes.h"
#include "routes/gather.h"
#include "routes/plan_walk.h"
#include "routes/xml_index.h"
#include "routes/xml_markup.h"
#include "routes/xml_scope.h"

struct element {
    struct xml_name name;
    struct plan_place place;
    uint16_t tap;      /* of its text, or TAP_NONE */
    bool gathers;      /* some of its text is gathered */
    bool has_bindings; /* prefixes to forget at its end */
};

/* Not zeroed: 90 KB, of which a document uses what its depth and taps ask for. The first element
 * stands for all that is around the root. */
struct xml_walk {
    struct scan_source source;
    struct plan_walk plan;
    struct element *innermost; /* of those that are open */
    struct element elements[1 + SCAN_DEPTH_MAX];
    struct gather texts[SCAN_DEPTH_MAX]; /* of each open element; before that, of its attributes */
    struct xml_index index;
    struct xml_scope scope;
    struct xml_tag tag; /* the one being read, if it has more than a name */
};

static const uint8_t *walk_root(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *walk_on(struct xml_walk *walk, const uint8_t *run, const uint8_t *stop);
static const uint8_t *pass_element(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *begin_element(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *read_plain_tag(const struct xml_walk *walk, const struct xml_name *outer,
                                     const uint8_t *at, struct xml_name *out_name,
                                     bool *out_closed);
static bool is_bound(const struct xml_walk *walk, const struct xml_name *outer,
                     struct bytes prefix);
static bool enter_plan(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *begin_rich_element(struct xml_walk *walk, const uint8_t *at);
static bool capture_root_name(struct xml_walk *walk);
static bool capture_attributes(struct xml_walk *walk, const struct element *element);
static const uint8_t *read_text_on(struct xml_walk *walk, const uint8_t **run, const uint8_t *at);
static bool keep_text(struct xml_walk *walk, const uint8_t *run, const uint8_t *end);
static bool add_text(struct scan_source *source, struct gather *text, struct bytes run);
static const uint8_t *read_comment_or_cdata(struct xml_walk *walk, const uint8_t *at);
static bool is_plain_text(const uint8_t *run, const uint8_t *end);
static const uint8_t *end_element(struct xml_walk *walk, const uint8_t *run, const uint8_t *at);
static const uint8_t *match_end_tag(const struct xml_walk *walk, const struct xml_name *name,
                                    const uint8_t *at);
static const uint8_t *read_end_tag(struct xml_walk *walk, const uint8_t *at);
static bool leave_element(struct xml_walk *walk, const uint8_t *run, const uint8_t *end);

enum status scan_xml(const struct plan *plan, struct bytes body, struct scan *scan,
                     struct scan_fault *out_fault)
{
    struct xml_walk walk;
    scan_source_init(&walk.source, body, scan);
    plan_walk_init(&walk.plan, plan);
    walk.innermost = walk.elements;
    walk.elements[0] = (struct element){.place = {.node = PLAN_NODE_NONE}, .tap = TAP_NONE};
    walk.scope.count = 0;
    const uint8_t *at = xml_read_prolog(&walk.source);
    if (at != NULL) {
        xml_index_init(&walk.index, xml_indexer_best(), body);
        at = walk_root(&walk, xml_index_take(&walk.index, at));
    }
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
        if (plan_walk_is_lost(&walk->plan, walk->innermost->place.node))
            at = pass_element(walk, at);
        else
            at = walk_on(walk, at, xml_index_take(&walk->index, at));
    }
    return at;
}

/* Past the text that begins at `run` and is plain to `stop`, and the tag, comment, CDATA section or
 * instruction behind it. */
static const uint8_t *walk_on(struct xml_walk *walk, const uint8_t *run, const uint8_t *stop)
{
    const uint8_t *at = stop;
    if (at == walk->source.end || *at != '<')
        at = read_text_on(walk, &run, stop);
    if (at == NULL)
        return NULL;
    if (at + 1 == walk->source.end)
        return scan_refuse(&walk->source, SCAN_TRUNCATED, at + 1, "an element has no end");
    if (at[1] == '/')
        return end_element(walk, run, at);
    if (walk->innermost->tap != TAP_NONE && !keep_text(walk, run, at))
        return NULL;
    if (at[1] == '!')
        return read_comment_or_cdata(walk, at);
    if (at[1] == '?')
        return xml_read_instruction(&walk->source, at);
    return begin_element(walk, at);
}

/* From behind the innermost element's start tag past its end, if no place in it is tapped, nor it
 * itself: then all that counts is that it is well-formed. */
static const uint8_t *pass_element(struct xml_walk *walk, const uint8_t *at)
{
    struct element *const outermost = walk->innermost;
    struct element *const deepest = walk->elements + SCAN_DEPTH_MAX;
    struct element *element = outermost;
    while (element >= outermost) {
        const uint8_t *stop = xml_index_take(&walk->index, at), *after = NULL;
        bool closed = false;
        if (*stop == '<' && stop[1] == '/') {
            after = match_end_tag(walk, &element->name, stop + 2);
            if (after != NULL && !element->has_bindings) {
                at = after;
                element--;
                continue;
            }
        } else if (*stop == '<' && element < deepest) {
            after = read_plain_tag(walk, &element->name, stop + 1, &element[1].name, &closed);
            if (after != NULL) {
                element[1].tap = TAP_NONE;
                element[1].gathers = element[1].has_bindings = false;
                element[1].place = (struct plan_place){PLAN_NODE_NONE, 0, 0, false};
                element += !closed;
                at = after;
                continue;
            }
        }
        walk->innermost = element;
        at = walk_on(walk, at, stop);
        if (at == NULL)
            return NULL;
        element = walk->innermost;
    }
    walk->innermost = element;
    return at;
}

/* ---- Start tags ------------------------------------------------------------------------------ */

/* `at` is at the `<`. */
static const uint8_t *begin_element(struct xml_walk *walk, const uint8_t *at)
{
    struct element *element = walk->innermost + 1;
    if (element == walk->elements + 1 + SCAN_DEPTH_MAX)
        return scan_refuse(&walk->source, SCAN_TOO_DEEP, at, NULL);
    bool closed;
    const uint8_t *after =
        read_plain_tag(walk, &walk->innermost->name, at + 1, &element->name, &closed);
    if (after == NULL || walk->innermost == walk->elements)
        return begin_rich_element(walk, at);
    element->has_bindings = false;
    if (!enter_plan(walk, at) || (closed && !leave_element(walk, after, after)))
        return NULL;
    return after;
}

/* Most tags are `<name>` or `<name/>`, and the prefix that the name may have is bound; `at` is at
 * the name, and `outer` is that of the element around it. NULL if the tag is not that plain. */
static inline __attribute__((always_inline)) const uint8_t *
read_plain_tag(const struct xml_walk *walk, const struct xml_name *outer, const uint8_t *at,
               struct xml_name *out_name, bool *out_closed)
{
    const uint8_t *local = at, *end = xml_index_name_end(&walk->index, at);
    if (*end == ':') {
        local = end + 1;
        end = xml_index_name_end(&walk->index, local);
    }
    *out_closed = *end == '/';
    const uint8_t *after = end + *out_closed + 1;
    /* Of the bytes that names have, those below `A` cannot begin one. */
    if (after[-1] != '>' || *at < 'A' || *local < 'A' || after > walk->source.end)
        return NULL;
    uint32_t prefix_size = local == at ? 0 : (uint32_t)(local - at - 1);
    *out_name = (struct xml_name){at, (uint32_t)(end - at), prefix_size};
    return prefix_size == 0 || is_bound(walk, outer, xml_name_prefix(out_name)) ? after : NULL;
}

static bool is_bound(const struct xml_walk *walk, const struct xml_name *outer, struct bytes prefix)
{
    return (outer->prefix_size == prefix.size &&
            find_equal(outer->data, prefix.data, prefix.size)) ||
           xml_scope_binds(&walk->scope, prefix);
}

/* Into the next element, which has its name and begins at `at`. */
static inline __attribute__((always_inline)) bool enter_plan(struct xml_walk *walk,
                                                             const uint8_t *at)
{
    const struct plan_place *outer = &walk->innermost->place;
    struct element *element = ++walk->innermost;
    uint16_t node = PLAN_NODE_NONE;
    if (element == walk->elements + 1)
        node = plan_walk_root(&walk->plan);
    else if (!plan_walk_is_lost(&walk->plan, outer->node))
        node = plan_walk_child(&walk->plan, outer->node, xml_name_local(&element->name), false);
    element->tap = plan_walk_tap(&walk->plan, node);
    element->gathers = false;
    return plan_walk_enter(&walk->plan, &walk->source, outer, node, at, &element->place);
}

/* Any tag: with attributes, of the root, or broken. */
static const uint8_t *begin_rich_element(struct xml_walk *walk, const uint8_t *at)
{
    const uint8_t *start = at;
    struct xml_tag *tag = &walk->tag;
    const struct element *outer = walk->innermost;
    struct element *element = walk->innermost + 1;
    at = xml_read_tag(&walk->source, at + 1, &outer->name, tag);
    if (at == NULL)
        return NULL;
    element->name = tag->name;
    element->has_bindings = tag->attribute_count > 0;
    if (!enter_plan(walk, start))
        return NULL;
    if ((tag->attribute_count > 0 || (tag->name.prefix_size > 0 && !tag->shares_prefix)) &&
        !xml_scope_enter(&walk->scope, &walk->source, tag, depth_of(walk)))
        return NULL;
    if (outer == walk->elements && walk->plan.plan->root_name_tapped && !capture_root_name(walk))
        return NULL;
    if (tag->attribute_count > 0 && !capture_attributes(walk, element))
        return NULL;
    return !tag->closed || leave_element(walk, at, at) ? at : NULL;
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

/* From the first stop of a text, which is not the next tag's, to that. What is gathered moves `run`
 * on. */
static const uint8_t *read_text_on(struct xml_walk *walk, const uint8_t **run, const uint8_t *at)
{
    struct scan_source *source = &walk->source;
    for (;; at = xml_index_take(&walk->index, at)) {
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "an element has no end");
        if (*at == '<')
            return at;
        if (*at == ']' && !xml_sees_cdata_end(source, at)) {
            at++;
            continue;
        }
        if (*at == ']')
            return scan_refuse(source, SCAN_MALFORMED, at, "`]]>` outside of a CDATA section");
        if (*at != '&')
            return scan_refuse(source, SCAN_MALFORMED, at, "a control character");

        uint32_t code_point;
        const uint8_t *after = xml_read_reference(source, at, &code_point);
        if (after == NULL)
            return NULL;
        if (walk->innermost->tap != TAP_NONE &&
            !(keep_text(walk, *run, at) &&
              gather_add_code_point(text_of(walk), source, code_point, at)))
            return NULL;
        *run = at = after;
    }
}

/* Gathers text of the innermost element, which is tapped. */
static bool keep_text(struct xml_walk *walk, const uint8_t *run, const uint8_t *end)
{
    struct gather *text = text_of(walk);
    if (!walk->innermost->gathers)
        gather_begin(text);
    walk->innermost->gathers = true;
    return add_text(&walk->source, text, bytes_make(run, (size_t)(end - run)));
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
    if (at == NULL || walk->innermost->tap == TAP_NONE || cdata.size == 0)
        return at;
    return keep_text(walk, cdata.data, cdata.data + cdata.size) ? at : NULL;
}

/* The text of an element that ends, of which what lies from `run` to `end` is not gathered yet. */
static bool capture_text(struct xml_walk *walk, const uint8_t *run, const uint8_t *end)
{
    const struct element *element = walk->innermost;
    const struct plan_place *place = &element->place;
    if (!element->gathers && is_plain_text(run, end))
        return gather_capture_run(&walk->source, bytes_make(run, (size_t)(end - run)), element->tap,
                                  place->entry, place->instance);
    return keep_text(walk, run, end) && gather_capture(text_of(walk), &walk->source, element->tap,
                                                       place->entry, place->instance);
}

/* True if the text reads as it is written. */
static bool is_plain_text(const uint8_t *run, const uint8_t *end)
{
    const struct find_set cr = {'\r', '\r', '\r'};
    return find_high(run, end) == end && find_xml_stop(run, end, cr) == end;
}

/* ---- End tags -------------------------------------------------------------------------------- */

/* `at` is at the `</`; the text from `run` to there is not gathered yet. */
static const uint8_t *end_element(struct xml_walk *walk, const uint8_t *run, const uint8_t *at)
{
    const uint8_t *after = match_end_tag(walk, &walk->innermost->name, at + 2);
    if (after == NULL)
        after = read_end_tag(walk, at + 2);
    return after != NULL && leave_element(walk, run, at) ? after : NULL;
}

/* What follows the name and `>`, if they stand at `at`. A name may be longer than what can be read
 * behind the body. */
static inline const uint8_t *match_end_tag(const struct xml_walk *walk, const struct xml_name *name,
                                           const uint8_t *at)
{
    const uint8_t *end = at + name->size;
    return end < walk->source.end && find_equal(at, name->data, name->size) && *end == '>' ? end + 1
                                                                                           : NULL;
}

/* An end tag that is unusual or broken; `at` is at its name. */
static const uint8_t *read_end_tag(struct xml_walk *walk, const uint8_t *at)
{
    struct scan_source *source = &walk->source;
    at = scan_expect(source, at, xml_name_whole(&walk->innermost->name),
                     "not the end of the open element");
    if (at == NULL)
        return NULL;
    return scan_expect_byte(source, find_nonblank(at, source->end), '>', "expected `>`");
}

static inline __attribute__((always_inline)) bool
leave_element(struct xml_walk *walk, const uint8_t *run, const uint8_t *end)
{
    const struct element *element = walk->innermost;
    if (element->tap != TAP_NONE && !capture_text(walk, run, end))
        return false;
    if (element->has_bindings)
        xml_scope_leave(&walk->scope, depth_of(walk));
    plan_walk_leave(&walk->plan, &element->place);
    walk->innermost--;
    return true;
}
