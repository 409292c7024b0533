/* Where the values of an EDIFACT body stand: its components, but for those by whose values
 * something else is decided. Only bodies of the default service characters are cut, without
 * repetitions, objects and line ends inside of segments; then no value that fits a hole is more
 * than a value. */
#include "routes/edifact/edifact_envelope.h"
#include "routes/stencil/stencil_parts.h"

/* Where in a segment a component stands, as rows count. */
struct component {
    uint32_t tag;
    uint32_t element, number;
};

/* UNB says by which syntax all is written, UNH what the message is. */
static bool decides(const struct plan *plan, const struct component *component)
{
    if ((component->tag == EDIFACT_UNB && component->element == 1) ||
        (component->tag == EDIFACT_UNH && component->element > 1))
        return true;
    const struct plan_rows *rows = plan_index_rows(plan->index, component->tag);
    for (uint32_t i = rows->first; i < rows->end; i++)
        if (plan->components[i].qualifier_element == component->element &&
            plan->components[i].qualifier_component == component->number)
            return true;
    return false;
}

/* Where a component ends; NULL if this body is not cut. */
static const uint8_t *component_end(const uint8_t *at, const uint8_t *end)
{
    for (; at < end && *at != '+' && *at != ':' && *at != '\''; at++) {
        at += *at == '?';
        if (*at < ' ' || *at == '*' || *at == '"')
            return NULL;
    }
    return at < end ? at : NULL;
}

/* From a segment's tag past its terminator; NULL if the body is not cut. */
static const uint8_t *cut_segment(struct stencil_cutter *cutter, const struct plan *plan,
                                  const uint8_t *at)
{
    struct component component = {.tag = plan_tag(at), .number = 1};
    if (component.tag == EDIFACT_UNO || component.tag == EDIFACT_UNA)
        return NULL;
    for (at += 3; at < cutter->end && *at != '\'';) {
        component.number = *at == ':' ? component.number + 1 : 1;
        component.element += *at == '+';
        const uint8_t *start = at + 1;
        at = component_end(start, cutter->end);
        if (at == NULL ||
            (!decides(plan, &component) && !stencil_cut_hole(cutter, HOLE_EDIFACT, start, at)))
            return NULL;
    }
    return at < cutter->end ? at + 1 : NULL;
}

bool stencil_cut_edifact(const struct plan *plan, struct bytes body, uint32_t from,
                         struct stencil_cut *out_cuts, uint32_t *out_count)
{
    const struct bytes advice = BYTES_LITERAL("UNA:+.? '");
    struct stencil_cutter cutter = stencil_cutter_of(body, from, out_cuts);
    if (edifact_syntax_is_marked(body))
        body = bytes_slice(body, EDIFACT_MARK_BYTES, body.size);
    const uint8_t *at = body.data, *end = cutter.end;
    if (plan->strict || body.size == 0 || *at != 'U')
        return false;
    if (bytes_start_with(body, advice))
        at += advice.size;
    while (at != NULL && (at = stencil_pass_blanks(at, end)) < end)
        at = end - at > 3 && at[3] == '+' ? cut_segment(&cutter, plan, at) : NULL;
    *out_count = cutter.count;
    return at != NULL;
}
