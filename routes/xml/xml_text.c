/* Text and attributes of an XML document, and the values captured of them. */
#include "routes/scan/find_bytes.h"
#include "routes/xml/xml_markup.h"
#include "routes/xml/xml_walk.h"

static bool add_text(struct scan_source *source, struct gather *text, struct bytes run);
static bool is_plain_text(struct bytes text);
static bool gather_attribute(struct xml_walk *walk, struct gather *gather, struct bytes value);

/* The place to gather what stands in the innermost element. */
static struct gather *text_of(struct xml_walk *walk)
{
    return &walk->texts[xml_walk_depth(walk) - 1];
}

const uint8_t *xml_read_text(struct xml_walk *walk, const uint8_t **run, const uint8_t *at)
{
    struct scan_source *source = &walk->source;
    for (;; at = xml_index_take(&walk->index)) {
        if (at == source->end)
            return scan_refuse(source, SCAN_TRUNCATED, at, "an element has no end");
        if (*at == '<')
            return at;
        if (*at == ']' && !xml_sees_cdata_end(source, at))
            continue;
        if (*at == ']')
            return scan_refuse(source, SCAN_MALFORMED, at, "`]]>` outside of a CDATA section");
        if (*at != '&')
            return scan_refuse(source, SCAN_MALFORMED, at, "a control character");

        uint32_t code_point;
        const uint8_t *after = xml_read_reference(source, at, &code_point);
        if (after == NULL)
            return NULL;
        if (walk->innermost->tap != TAP_NONE &&
            !(xml_keep_text(walk, bytes_make(*run, (size_t)(at - *run))) &&
              gather_add_code_point(text_of(walk), source, code_point, at)))
            return NULL;
        *run = after;
    }
}

bool xml_keep_text(struct xml_walk *walk, struct bytes text)
{
    struct gather *gather = text_of(walk);
    if (!walk->innermost->gathers)
        gather_begin(gather);
    walk->innermost->gathers = true;
    return add_text(&walk->source, gather, text);
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

bool xml_capture_text(struct xml_walk *walk, struct bytes rest)
{
    const struct xml_element *element = walk->innermost;
    const struct plan_place *place = &element->place;
    if (!element->gathers && is_plain_text(rest))
        return gather_capture_run(&walk->source, rest, element->tap, place->entry, place->instance);
    return xml_keep_text(walk, rest) && gather_capture(text_of(walk), &walk->source, element->tap,
                                                       place->entry, place->instance);
}

/* True if the text is ASCII without a CR: then it reads as it is written. */
static bool is_plain_text(struct bytes text)
{
    const struct find_set cr = {'\r', '\r', '\r'};
    const uint8_t *end = text.data + text.size;
    return find_high(text.data, end) == end && find_xml_stop(text.data, end, cr) == end;
}

bool xml_capture_root_name(struct xml_walk *walk)
{
    struct gather *name = text_of(walk);
    gather_begin(name);
    return gather_add_run(name, &walk->source, xml_name_local(&walk->tag.name)) &&
           gather_capture(name, &walk->source, walk->plan.plan->root_name_tap, 0, 0);
}

bool xml_capture_attributes(struct xml_walk *walk)
{
    const struct plan_place *place = &walk->innermost->place;
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
