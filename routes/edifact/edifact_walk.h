/* The second half: where a segment ends, and where its elements and their components lie. Most
 * segments lie within the 64 bytes behind their tag, and stay bits; of longer ones the places are
 * noted. Internal to this folder. */
#ifndef KOUAN_ROUTES_EDIFACT_WALK_H
#define KOUAN_ROUTES_EDIFACT_WALK_H

#include "routes/edifact/edifact_index.h"

enum {
    EDIFACT_ELEMENTS_MAX = PLAN_ELEMENT_MAX, /* of one segment; further ones are passed over */
    EDIFACT_COMPONENTS_MAX = 2 * EDIFACT_ELEMENTS_MAX /* separators of them in one segment */
};

/* The separators in a segment, from behind its tag to its terminator. */
struct edifact_elements {
    uint32_t from, end;  /* offsets in the body; `end` is the terminator's */
    bool plain;          /* all within a window of ASCII in which nothing is released */
    bool few;            /* all within 64 bytes: only the bits below hold */
    uint64_t elements;   /* separators before elements; bit i stands for byte from + i */
    uint64_t components; /* separators of components */

    /* Otherwise: element i (from 1) begins at starts[i - 1], and ends one byte before starts[i].
     * The separators of its components stand at components_at[first_components[i - 1]] and after,
     * up to those of the next element. */
    uint32_t count;
    bool crowded; /* more than EDIFACT_COMPONENTS_MAX: not all are in `components_at` */
    uint16_t first_components[EDIFACT_ELEMENTS_MAX + 1];
    uint32_t starts[EDIFACT_ELEMENTS_MAX + 1];
    uint32_t components_at[EDIFACT_COMPONENTS_MAX];
};

/* What is below, where it is not as it mostly is: the window must be moved, or the segment is long.
 */
uint32_t edifact_walk_far_terminator(struct edifact_index *index, struct bytes body, uint32_t from);
void edifact_walk_far_elements(const struct edifact_index *index, struct bytes body,
                               struct edifact_elements *out_elements);

/* The offset of the terminator of the segment in which `from` lies, unreleased; the body's size if
 * it has none. `from` never falls. The body has BYTES_PADDING readable bytes past its end; what
 * they hold makes no difference. */
static inline uint32_t edifact_walk_terminator(struct edifact_index *index, struct bytes body,
                                               uint32_t from)
{
    uint32_t end = edifact_index_end(index, from);
    return end != EDIFACT_NO_END ? end : edifact_walk_far_terminator(index, body, from);
}

/* 64 bits of the window, from bit `at` on. */
static inline uint64_t edifact_walk_bits(const uint64_t *blocks, uint32_t at)
{
    uint32_t block = at / EDIFACT_MARKS_BYTES, shift = at % EDIFACT_MARKS_BYTES;
    return blocks[block] >> shift | blocks[block + 1] << 1 << (EDIFACT_MARKS_BYTES - 1 - shift);
}

/* Where the elements and their components lie between `from` and the terminator at `end`, which was
 * found last. */
static inline void edifact_walk_split(const struct edifact_index *index, struct bytes body,
                                      uint32_t from, uint32_t end,
                                      struct edifact_elements *out_elements)
{
    uint32_t size = end - from, at = from - index->base;
    out_elements->from = from;
    out_elements->end = end;
    out_elements->crowded = false;
    /* A segment is within the window from its start on, if its end is. */
    bool within = index->ends[index->end] != EDIFACT_NO_END;
    out_elements->plain = within && index->specials == 0;
    out_elements->few = within && size < EDIFACT_MARKS_BYTES;
    if (!out_elements->few) {
        edifact_walk_far_elements(index, body, out_elements);
        return;
    }
    uint64_t inside = (UINT64_C(1) << size) - 1;
    out_elements->elements = edifact_walk_bits(index->elements, at) & inside;
    out_elements->components = edifact_walk_bits(index->components, at) & inside;
}

struct bytes edifact_far_element(struct bytes body, const struct edifact_elements *elements,
                                 uint32_t number);
struct bytes edifact_far_component(struct bytes body, const struct edifact_elements *elements,
                                   uint32_t number, uint32_t component);

/* Without its lowest `count` bits; 0 if it has no more. */
static inline uint64_t edifact_drop_bits(uint64_t bits, uint32_t count)
{
    for (; count > 0 && bits != 0; count--)
        bits &= bits - 1;
    return bits;
}

/* The bytes of element `number` (from 1); absent if the segment has fewer. */
static inline struct bytes edifact_element(struct bytes body,
                                           const struct edifact_elements *elements, uint32_t number)
{
    if (!elements->few)
        return edifact_far_element(body, elements, number);
    uint64_t left = edifact_drop_bits(elements->elements, number - 1);
    if (left == 0)
        return (struct bytes){NULL, 0};
    uint32_t start = elements->from + (uint32_t)__builtin_ctzll(left) + 1;
    left &= left - 1;
    uint32_t end = left == 0 ? elements->end : elements->from + (uint32_t)__builtin_ctzll(left);
    return bytes_make(body.data + start, end - start);
}

/* The bytes of a component (from 1) of an element that is not crowded. Repetitions are no matter of
 * this: a repetition's separator is a byte like any other. */
static inline struct bytes edifact_component(struct bytes body,
                                             const struct edifact_elements *elements,
                                             uint32_t number, uint32_t component)
{
    if (!elements->few)
        return edifact_far_component(body, elements, number, component);
    uint64_t left = edifact_drop_bits(elements->elements, number - 1);
    if (left == 0)
        return (struct bytes){NULL, 0};
    uint64_t opening = left & (0 - left);
    uint64_t separators = (elements->elements | elements->components) & (0 - opening);
    for (; component > 1; component--) {
        separators &= separators - 1;
        if ((elements->components & separators & (0 - separators)) == 0)
            return (struct bytes){NULL, 0}; /* the next is of an element, or there is none */
    }
    uint32_t start = elements->from + (uint32_t)__builtin_ctzll(separators) + 1,
             end = elements->end;
    separators &= separators - 1;
    if (separators != 0)
        end = elements->from + (uint32_t)__builtin_ctzll(separators);
    return bytes_make(body.data + start, end - start);
}

#endif
