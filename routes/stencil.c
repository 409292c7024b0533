#include "routes/stencil.h"

#include <stdlib.h>

#include "routes/stencil_parts.h"

struct stencils *stencils_open(void)
{
    struct stencils *stencils = aligned_alloc(alignof(struct stencils), sizeof *stencils);
    if (stencils == NULL)
        return NULL;
    memset(stencils, 0, sizeof *stencils); /* touched now, not on the data path */
    stencils_forget(stencils);
    return stencils;
}

void stencils_forget(struct stencils *stencils)
{
    stencils_empty(stencils);
    stencils->credit = LEARN_COSTS * LEARN_SAVED_MAX;
}

void stencils_empty(struct stencils *stencils)
{
    stencils->gate_count = stencils->item_count = 0;
    stencils->edge_count = stencils->constant_count = stencils->step_count = 0;
    stencils->text_size = 0;
}

void stencils_close(struct stencils *stencils)
{
    free(stencils);
}

const struct extract_step *stencil_steps(const struct stencils *stencils,
                                         const struct stencil *stencil)
{
    return stencils->steps + stencil->first_step;
}

/* ---- finding --------------------------------------------------------------------------------- */

static inline bool has_text(const uint8_t *at, const uint8_t *text, size_t size)
{
    for (; size > 32; at += 32, text += 32, size -= 32)
        if (!find_equal(at, text, 32))
            return false;
    return find_equal(at, text, size);
}

/* Where the edge's hole ends, if its text stands at `at` and a value in the hole; else NULL. */
static inline const uint8_t *fit_edge(const struct stencil_edge *edge, const uint8_t *at,
                                      const uint8_t *end)
{
    const uint8_t *value = at + edge->text_size;
    if (edge->text_size > (size_t)(end - at) || !has_text(at, edge->text, edge->text_size))
        return NULL;
    if (edge->hole == HOLE_END)
        return value == end ? end : NULL;
    const uint8_t *after = stencil_hole_end(edge->hole, edge->tap_count > 0, value, end);
    if (edge->tap_count > 0 && after != NULL && !stencil_is_value(value, after))
        return NULL;
    return after;
}

/* The edge that fits at `*io_at`, put before its siblings, and behind it; NULL if there is none. */
static inline struct stencil_edge *take_edge(struct stencil_edge **first, const uint8_t **io_at,
                                             const uint8_t *end)
{
    struct stencil_edge **link = first;
    for (struct stencil_edge *edge = *link; edge != NULL; edge = *link) {
        const uint8_t *after = fit_edge(edge, *io_at, end);
        if (after != NULL) {
            if (link != first) {
                *link = edge->next;
                edge->next = *first;
                *first = edge;
            }
            *io_at = after;
            return edge;
        }
        link = &edge->next;
    }
    return NULL;
}

static inline void capture(struct stencil_place place, struct bytes value, struct bytes body,
                           struct capture *out_captures)
{
    out_captures[place.number] = (struct capture){value, place.tap, place.entry, place.instance,
                                                  (uint32_t)(value.data - body.data)};
}

/* What an edge captures that fits from `at` to `end`. */
static inline void take_captures(const struct stencil_edge *edge, struct bytes body,
                                 const uint8_t *at, const uint8_t *end,
                                 struct capture *out_captures)
{
    for (uint16_t i = 0; i < edge->constant_count; i++) {
        const struct stencil_constant *constant = &edge->constants[i];
        capture(constant->place, bytes_make(at + constant->offset, constant->size), body,
                out_captures);
    }
    if (edge->tap_count == 0)
        return;
    const uint8_t *start = at + edge->text_size;
    struct bytes value = bytes_make(start, (size_t)(end - start));
    capture(edge->place, value, body, out_captures);
    for (uint8_t i = 1; i < edge->tap_count; i++)
        capture(edge->constants[edge->constant_count + i - 1].place, value, body, out_captures);
}

/* To the end of a stencil that the body fits. Where the way ends before, it is tried once more from
 * the last edge that has siblings: of two that fit only one may go on. */
static inline const struct stencil *walk(struct stencil_edge **first, struct bytes body,
                                         struct capture *out_captures)
{
    const uint8_t *at = body.data, *end = at + body.size, *other_at = NULL;
    struct stencil_edge **others = NULL;
    for (;;) {
        const uint8_t *start = at;
        struct stencil_edge *edge = take_edge(first, &at, end);
        if (edge != NULL) {
            take_captures(edge, body, start, at, out_captures);
            if (edge->hole == HOLE_END)
                return edge->stencil;
            if (edge->next != NULL) {
                others = &edge->next;
                other_at = start;
            }
            first = &edge->child;
        } else if (others != NULL) {
            first = others;
            at = other_at;
            others = NULL;
        } else {
            return NULL;
        }
    }
}

const struct stencil *stencil_find(struct stencils *stencils, const struct profile_set *set,
                                   const uint64_t *allowed, struct bytes body, struct scan *scan)
{
    struct stencil_gate *gate = stencil_gate_find(stencils, set, allowed);
    const struct stencil *stencil = gate != NULL ? walk(&gate->first, body, scan->captures) : NULL;
    if (stencil == NULL || stencil->entry_count > scan->entries_max)
        return NULL;
    scan->capture_count = stencil->capture_count;
    scan->entry_count = stencil->entry_count;
    scan->payload_count = 0;
    if (stencils->credit < LEARN_COSTS * LEARN_SAVED_MAX)
        stencils->credit += LEARN_EARNED_BY_FIT;
    return stencil;
}

struct stencil_gate *stencil_gate_find(struct stencils *stencils, const struct profile_set *set,
                                       const uint64_t *allowed)
{
    if (stencils->set_hash != set->hash)
        return NULL;
    uint32_t word_count = (set->count + 63U) / 64U;
    for (uint32_t i = 0; i < stencils->gate_count; i++) {
        struct stencil_gate *gate = &stencils->gates[i];
        uint32_t word = 0;
        while (word < word_count &&
               gate->allowed[word] == (allowed == NULL ? ~UINT64_C(0) : allowed[word]))
            word++;
        if (word == word_count)
            return gate;
    }
    return NULL;
}
