/* The second half: a walk from segment to segment, and within one from element to element, over the
 * bits of routes/edifact_index.h. It holds the bits of one short window of the body and goes only
 * forward. */
#ifndef KOUAN_ROUTES_EDIFACT_WALK_H
#define KOUAN_ROUTES_EDIFACT_WALK_H

#include "routes/edifact_index.h"

enum {
    EDIFACT_WINDOW_BLOCKS = 4,
    EDIFACT_ELEMENTS_MAX = PLAN_ELEMENT_MAX, /* of one segment; further ones are passed over */
    EDIFACT_COMPONENTS_MAX = 2 * EDIFACT_ELEMENTS_MAX /* separators of them in one segment */
};

struct edifact_walk {
    const struct edifact_indexer *indexer;
    const struct edifact_syntax *syntax;
    struct bytes body;
    uint32_t block_count;
    uint32_t window; /* the number of the one whose bits are held */
    bool released;   /* the first byte behind it is released */
    struct edifact_block blocks[EDIFACT_WINDOW_BLOCKS];
};

/* Element i (from 1) of a segment begins at starts[i - 1], and ends one byte before starts[i]. The
 * separators of its components stand at components[first_components[i - 1]] and after, up to those
 * of the next element. */
struct edifact_elements {
    uint32_t count;
    bool crowded; /* more than EDIFACT_COMPONENTS_MAX: not all are in `components` */
    uint16_t first_components[EDIFACT_ELEMENTS_MAX + 1];
    uint32_t starts[EDIFACT_ELEMENTS_MAX + 1];
    uint32_t components[EDIFACT_COMPONENTS_MAX];
};

/* The body has BYTES_PADDING readable bytes past its end; what they hold makes no difference. */
void edifact_walk_init(struct edifact_walk *walk, const struct edifact_indexer *indexer,
                       const struct edifact_syntax *syntax, struct bytes body);

/* What follows is looked at anew, by the syntax as it is now: at another place further on, which no
 * release character stands before, or from any place on if the syntax has changed. */
void edifact_walk_leap(struct edifact_walk *walk);

/* The offset of the terminator of the segment in which `from` lies; the body's size if it has none.
 * `from` never falls, and no byte between two calls' segments is a release character. */
uint32_t edifact_walk_terminator(struct edifact_walk *walk, uint32_t from);

/* The same, and where the elements and their components lie between `from` and there. */
uint32_t edifact_walk_elements(struct edifact_walk *walk, uint32_t from,
                               struct edifact_elements *out_elements);

/* The bytes of element `number` (from 1); absent if the segment has fewer. */
static inline struct bytes edifact_element(struct bytes body,
                                           const struct edifact_elements *elements, uint32_t number)
{
    if (number - 1 >= elements->count)
        return (struct bytes){NULL, 0};
    uint32_t start = elements->starts[number - 1];
    return bytes_make(body.data + start, elements->starts[number] - 1 - start);
}

/* The bytes of a component (from 1) of an element that is not crowded. Repetitions are no matter of
 * this: a repetition's separator is a byte like any other. */
static inline struct bytes edifact_component(struct bytes body,
                                             const struct edifact_elements *elements,
                                             uint32_t number, uint32_t component)
{
    if (number - 1 >= elements->count)
        return (struct bytes){NULL, 0};
    uint32_t first = elements->first_components[number - 1];
    uint32_t last = elements->first_components[number] - first + 1; /* component */
    if (component - 1 >= last)
        return (struct bytes){NULL, 0};
    const uint32_t *separators = &elements->components[first];
    uint32_t start = component == 1 ? elements->starts[number - 1] : separators[component - 2] + 1;
    uint32_t end = component == last ? elements->starts[number] - 1 : separators[component - 1];
    return bytes_make(body.data + start, end - start);
}

#endif
