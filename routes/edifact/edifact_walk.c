#include "routes/edifact/edifact_walk.h"

#include <assert.h>

uint32_t edifact_walk_far_terminator(struct edifact_index *index, struct bytes body, uint32_t from)
{
    edifact_index_move(index, body, from);
    if (index->ends[0] != EDIFACT_NO_END)
        return index->ends[0];
    bool released = false;
    for (uint32_t base = from; base < body.size; base += EDIFACT_MARKS_BYTES) {
        uint64_t terminators =
            edifact_marks_terminators(&index->marker, body.data + base, &released);
        if (terminators == 0)
            continue;
        uint32_t end = base + (uint32_t)__builtin_ctzll(terminators);
        return end < body.size ? end : (uint32_t)body.size;
    }
    return (uint32_t)body.size;
}

/* Notes the separators among 64 bytes, those of elements and those of components in turn. */
static void note_separators(uint64_t element_bits, uint64_t component_bits, uint32_t base,
                            struct edifact_elements *elements, uint32_t *component_count)
{
    uint32_t count = elements->count, components = *component_count;
    for (uint64_t left = element_bits | component_bits; left != 0; left &= left - 1) {
        uint32_t at = base + (uint32_t)__builtin_ctzll(left);
        if (count > EDIFACT_ELEMENTS_MAX)
            break;
        if ((element_bits & left & (0 - left)) != 0) {
            elements->first_components[count] = (uint16_t)components;
            elements->starts[count++] = at + 1;
        } else if (components < EDIFACT_COMPONENTS_MAX) {
            elements->components_at[components] = at;
            components += count > 0; /* before the first element they mean nesting */
        } else {
            elements->crowded = true;
        }
    }
    elements->count = count;
    *component_count = components;
}

void edifact_walk_far_elements(const struct edifact_index *index, struct bytes body,
                               struct edifact_elements *out_elements)
{
    uint32_t end = out_elements->end, component_count = 0;
    bool released = false;
    out_elements->count = 0;
    for (uint32_t base = out_elements->from; base < end; base += EDIFACT_MARKS_BYTES) {
        struct edifact_marks marks = edifact_marks_all(&index->marker, body.data + base, &released);
        uint64_t inside = UINT64_MAX;
        if (end - base < EDIFACT_MARKS_BYTES)
            inside = (UINT64_C(1) << (end - base)) - 1;
        note_separators(marks.elements & inside, marks.components & inside, base, out_elements,
                        &component_count);
    }
    if (out_elements->count <= EDIFACT_ELEMENTS_MAX) {
        out_elements->first_components[out_elements->count] = (uint16_t)component_count;
        out_elements->starts[out_elements->count] = end + 1;
    } else {
        out_elements->count = EDIFACT_ELEMENTS_MAX;
    }
}

struct bytes edifact_far_element(struct bytes body, const struct edifact_elements *elements,
                                 uint32_t number)
{
    if (number - 1 >= elements->count)
        return (struct bytes){NULL, 0};
    uint32_t start = elements->starts[number - 1];
    return bytes_make(body.data + start, elements->starts[number] - 1 - start);
}

struct bytes edifact_far_component(struct bytes body, const struct edifact_elements *elements,
                                   uint32_t number, uint32_t component)
{
    if (number - 1 >= elements->count)
        return (struct bytes){NULL, 0};
    uint32_t first = elements->first_components[number - 1];
    uint32_t last = elements->first_components[number] - first + 1; /* component */
    if (component - 1 >= last)
        return (struct bytes){NULL, 0};
    const uint32_t *separators = &elements->components_at[first];
    uint32_t start = component == 1 ? elements->starts[number - 1] : separators[component - 2] + 1;
    uint32_t end = component == last ? elements->starts[number] - 1 : separators[component - 1];
    return bytes_make(body.data + start, end - start);
}
