/* The walk over an XML document. It goes from stop to stop (routes/xml/xml_index.h): most stops are
 * tags with a name only behind plain text, which are passed in a few steps; anything else is read
 * byte by byte. */
#include "routes/scan/find_bytes.h"
#include "routes/scan/utf8.h"
#include "routes/xml/xml_markup.h"
#include "routes/xml/xml_walk.h"

__attribute__((noinline)) static const uint8_t *walk_root(struct xml_walk *walk, const uint8_t *at);
__attribute__((noinline)) static const uint8_t *walk_on(struct xml_walk *walk, const uint8_t *run,
                                                        const uint8_t *stop);
static void check_characters(struct scan_source *source, struct bytes body);
static const uint8_t *read_comment_or_cdata(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *begin_plain_element(struct xml_walk *walk, const uint8_t *at);
static const uint8_t *read_plain_name(const struct xml_walk *walk, const struct xml_element *outer,
                                      const uint8_t *at, const uint8_t **out_local);
static const uint8_t *pass_leaf(struct xml_walk *walk, const uint8_t *name, size_t size);
static void enter_prefix(struct xml_element *element);
static bool enter_plan(struct xml_walk *walk, uint16_t node, const uint8_t *at);
__attribute__((noinline)) static const uint8_t *begin_element(struct xml_walk *walk,
                                                              const uint8_t *at);
static const uint8_t *end_plain_element(struct xml_walk *walk, const uint8_t *run,
                                        const uint8_t *at);
static const uint8_t *end_element(struct xml_walk *walk, const uint8_t *run, const uint8_t *at);
static bool leave_element(struct xml_walk *walk, struct bytes rest);

enum status scan_xml(const struct plan *plan, struct bytes body, struct scan *scan,
                     struct scan_fault *out_fault)
{
    struct xml_walk walk;
    scan_source_init(&walk.source, body, scan);
    plan_walk_init(&walk.plan, plan);
    walk.innermost = walk.elements;
    walk.elements[0] = (struct xml_element){.place = {.node = PLAN_NODE_NONE}, .tap = TAP_NONE};
    walk.scope.count = 0;
    const uint8_t *at = xml_read_prolog(&walk.source);
    if (at != NULL) {
        xml_index_init(&walk.index, xml_indexer_best(), body);
        at = walk_root(&walk, at);
    }
    if (at != NULL && xml_read_epilog(&walk.source, at) != NULL)
        check_characters(&walk.source, body);
    return scan_source_finish(&walk.source, out_fault);
}

/* Of what is captured, the walk has seen to it; of all else, this does. */
static void check_characters(struct scan_source *source, struct bytes body)
{
    const uint8_t *bad = source->charset == CHARSET_UTF8 ? utf8_find_bad(body) : NULL;
    if (bad != NULL)
        scan_refuse(source, SCAN_ENCODING, bad, "not UTF-8, and no other set is declared");
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

/* From the root's `<` past its end. */
static const uint8_t *walk_root(struct xml_walk *walk, const uint8_t *at)
{
    xml_index_skip(&walk->index, at);
    at = begin_element(walk, xml_index_take(&walk->index));
    if (at != NULL)
        xml_index_skip(&walk->index, at);
    while (at != NULL && walk->innermost != walk->elements) {
        const uint8_t *stop = xml_index_take(&walk->index), *after = NULL;
        if (*stop == '<')
            after = stop[1] == '/' ? end_plain_element(walk, at, stop)
                                   : begin_plain_element(walk, stop);
        at = after != NULL ? after : walk_on(walk, at, stop);
    }
    return at;
}

static struct bytes between(const uint8_t *start, const uint8_t *end)
{
    return bytes_make(start, (size_t)(end - start));
}

/* Past any text, which begins at `run` and is plain to `stop`, and any tag, comment, CDATA section
 * or instruction behind it. */
static const uint8_t *walk_on(struct xml_walk *walk, const uint8_t *run, const uint8_t *stop)
{
    const uint8_t *at = stop;
    if (walk->source.status != STATUS_OK)
        return NULL;
    if (at == walk->source.end || *at != '<')
        at = xml_read_text(walk, &run, stop);
    if (at == NULL)
        return NULL;
    if (at + 1 == walk->source.end)
        return scan_refuse(&walk->source, SCAN_TRUNCATED, at + 1, "an element has no end");
    bool ends = at[1] == '/';
    if (!ends && walk->innermost->tap != TAP_NONE && !xml_keep_text(walk, between(run, at)))
        return NULL;
    switch (at[1]) {
    case '/': at = end_element(walk, run, at); break;
    case '!': at = read_comment_or_cdata(walk, at); break;
    case '?': at = xml_read_instruction(&walk->source, at); break;
    default: at = begin_element(walk, at);
    }
    if (at != NULL)
        xml_index_skip(&walk->index, at);
    return at;
}

static const uint8_t *read_comment_or_cdata(struct xml_walk *walk, const uint8_t *at)
{
    struct bytes cdata = {0};
    at = xml_read_comment_or_cdata(&walk->source, at, &cdata);
    if (at == NULL || walk->innermost->tap == TAP_NONE || cdata.size == 0)
        return at;
    return xml_keep_text(walk, cdata) ? at : NULL;
}

/* ---- Start tags ------------------------------------------------------------------------------ */

/* Most tags are `<name>` or `<name/>`, and the prefix that the name may have is bound; and most
 * elements hold plain text only, which nobody asks for: these are passed with their end tags. NULL
 * if this tag is not like that, or stands in an element whose text is tapped, or after a fault;
 * `at` is at the `<`. */
static inline __attribute__((always_inline)) const uint8_t *
begin_plain_element(struct xml_walk *walk, const uint8_t *at)
{
    struct xml_element *outer = walk->innermost;
    const uint8_t *name = at + 1, *local, *end = read_plain_name(walk, outer, name, &local);
    /* Of the bytes that names have, those below `A` cannot begin one. */
    if (*local < 'A' || outer->tap != TAP_NONE)
        return NULL;
    bool closed = *end != '>';
    if (closed && (end[0] != '/' || end[1] != '>'))
        return NULL;
    uint16_t node = PLAN_NODE_NONE;
    if (!plan_walk_is_lost(&walk->plan, outer->place.node))
        node = plan_walk_child(&walk->plan, outer->place.node, between(local, end), false);
    if (node == PLAN_NODE_NONE && !closed && outer != walk->elements + SCAN_DEPTH_MAX) {
        const uint8_t *after = pass_leaf(walk, name, (size_t)(end - name));
        if (after != NULL)
            return after;
    }
    const uint8_t *after = end + 1 + closed;
    if (after > walk->source.end || outer == walk->elements + SCAN_DEPTH_MAX)
        return NULL;
    uint32_t prefix_bytes = (uint32_t)(local - name);
    outer[1].name = (struct xml_name){name, (uint32_t)(end - name), prefix_bytes - (local != name)};
    enter_prefix(&outer[1]);
    if (!enter_plan(walk, node, at))
        return NULL;
    return !closed || leave_element(walk, between(after, after)) ? after : NULL;
}

/* Where the name at `at` ends, and its local part begins. At `at` itself, if its prefix is bound to
 * nothing. */
static inline __attribute__((always_inline)) const uint8_t *
read_plain_name(const struct xml_walk *walk, const struct xml_element *outer, const uint8_t *at,
                const uint8_t **out_local)
{
    uint64_t difference = plan_load_word(outer->name.data) ^ plan_load_word(at);
    const uint8_t *local = at + outer->prefix_bytes;
    const uint8_t *end = xml_index_name_end(&walk->index, local);
    if ((difference & outer->prefix_mask) != 0 || *end == ':') {
        local = at; /* another prefix than that of the element around it, or none */
        end = xml_index_name_end(&walk->index, at);
        if (*end == ':') {
            if (*at < 'A' || !xml_scope_binds(&walk->scope, between(at, end)))
                end = at;
            else
                end = xml_index_name_end(&walk->index, local = end + 1);
        }
    }
    *out_local = local;
    return end;
}

/* Past the end tag of the element with this name, if it is the next stop. */
static inline __attribute__((always_inline)) const uint8_t *
pass_leaf(struct xml_walk *walk, const uint8_t *name, size_t size)
{
    const uint8_t *stop = xml_index_see(&walk->index), *end = stop + 2 + size;
    if (stop[0] != '<' || stop[1] != '/' || end >= walk->source.end || *end != '>' ||
        !find_equal(stop + 2, name, size))
        return NULL;
    xml_index_take(&walk->index);
    return end + 1;
}

static void enter_prefix(struct xml_element *element)
{
    uint32_t size = element->name.prefix_size;
    bool is_short = size - 1 < sizeof element->prefix_mask - 1;
    element->prefix_bytes = is_short ? size + 1 : 0;
    element->prefix_mask = is_short ? UINT64_MAX >> (56 - 8 * size) : 0;
}

/* Into the next element, which has its name and this node, and begins at `at`. */
static inline __attribute__((always_inline)) bool enter_plan(struct xml_walk *walk, uint16_t node,
                                                             const uint8_t *at)
{
    const struct plan_place *outer = &walk->innermost->place;
    struct xml_element *element = ++walk->innermost;
    element->tap = plan_walk_tap(&walk->plan, node);
    element->gathers = element->has_bindings = false;
    bool entered = plan_walk_enter(&walk->plan, &walk->source, outer, node, at, &element->place);
    element->is_special = element->tap != TAP_NONE || element->place.begins_entry;
    return entered;
}

static uint16_t node_of(const struct xml_walk *walk, const struct xml_name *name)
{
    uint16_t outer = walk->innermost->place.node;
    if (walk->innermost == walk->elements)
        return plan_walk_root(&walk->plan);
    if (plan_walk_is_lost(&walk->plan, outer))
        return PLAN_NODE_NONE;
    return plan_walk_child(&walk->plan, outer, xml_name_local(name), false);
}

/* Any tag; `at` is at the `<`, the stop that was taken last. */
static const uint8_t *begin_element(struct xml_walk *walk, const uint8_t *at)
{
    const uint8_t *start = at;
    struct xml_tag *tag = &walk->tag;
    const struct xml_element *outer = walk->innermost;
    struct xml_element *element = walk->innermost + 1;
    if (element == walk->elements + 1 + SCAN_DEPTH_MAX)
        return scan_refuse(&walk->source, SCAN_TOO_DEEP, at, NULL);
    at = xml_read_plain_tag(&walk->index, start + 1, &outer->name, tag);
    if (at == NULL)
        at = xml_read_tag(&walk->source, start + 1, &outer->name, tag);
    if (at == NULL)
        return NULL;
    element->name = tag->name;
    if (!enter_plan(walk, node_of(walk, &tag->name), start))
        return NULL;
    enter_prefix(element);
    element->has_bindings = tag->attribute_count > 0;
    element->is_special |= element->has_bindings;
    if ((tag->attribute_count > 0 || (tag->name.prefix_size > 0 && !tag->shares_prefix)) &&
        !xml_scope_enter(&walk->scope, &walk->source, tag, xml_walk_depth(walk)))
        return NULL;
    if (outer == walk->elements && walk->plan.plan->root_name_tapped &&
        !xml_capture_root_name(walk))
        return NULL;
    if (tag->attribute_count > 0 && !xml_capture_attributes(walk))
        return NULL;
    return !tag->closed || leave_element(walk, between(at, at)) ? at : NULL;
}

/* ---- End tags -------------------------------------------------------------------------------- */

/* Most end tags have the open element's name and no blanks. NULL if this one is not that, or after
 * a fault; `at` is at the `</`, and the text from `run` to there is not gathered yet. */
static inline __attribute__((always_inline)) const uint8_t *
end_plain_element(struct xml_walk *walk, const uint8_t *run, const uint8_t *at)
{
    const struct xml_element *element = walk->innermost;
    const uint8_t *end = at + 2 + element->name.size;
    if (end >= walk->source.end || *end != '>' ||
        !find_equal(at + 2, element->name.data, element->name.size))
        return NULL;
    if (!element->is_special)
        walk->innermost--;
    else if (!leave_element(walk, between(run, at)))
        return NULL;
    return end + 1;
}

/* Any end tag. */
static const uint8_t *end_element(struct xml_walk *walk, const uint8_t *run, const uint8_t *at)
{
    struct scan_source *source = &walk->source;
    const uint8_t *end = scan_expect(source, at + 2, xml_name_whole(&walk->innermost->name),
                                     "not the end of the open element");
    if (end != NULL)
        end = scan_expect_byte(source, find_nonblank(end, source->end), '>', "expected `>`");
    return end != NULL && leave_element(walk, between(run, at)) ? end : NULL;
}

/* `rest` is the text of the innermost element that is not gathered yet. */
static inline __attribute__((always_inline)) bool leave_element(struct xml_walk *walk,
                                                                struct bytes rest)
{
    const struct xml_element *element = walk->innermost;
    if (element->tap != TAP_NONE && !xml_capture_text(walk, rest))
        return false;
    if (element->has_bindings)
        xml_scope_leave(&walk->scope, xml_walk_depth(walk));
    plan_walk_leave(&walk->plan, &element->place);
    walk->innermost--;
    return true;
}
