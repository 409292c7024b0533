#include "routes/stencil/stencil.h"

#include <stdlib.h>

#include "routes/stencil/stencil_parts.h"

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

const struct stencil *stencil_find(struct stencils *stencils, const struct profile_set *set,
                                   const uint64_t *allowed, struct bytes body, struct scan *scan)
{
    struct stencil_gate *gate = stencil_gate_find(stencils, set, allowed);
    const struct stencil *stencil = gate != NULL && gate->first != NULL
                                        ? stencil_walk(&gate->first, body, scan->captures)
                                        : NULL;
    if (stencil == NULL || stencil->entry_count > scan->entries_max)
        return NULL;
    scan->capture_count = stencil->capture_count;
    scan->entry_count = stencil->entry_count;
    scan->payload_count = 0;
    if (stencils->credit < LEARN_COSTS * LEARN_SAVED_MAX)
        stencils->credit += LEARN_EARNED_BY_FIT;
    return stencil;
}

static inline bool is_of(const struct stencil_gate *gate, const uint64_t *allowed,
                         uint32_t word_count)
{
    uint64_t differing = 0;
    for (uint32_t word = 0; word < word_count; word++)
        differing |= gate->allowed[word] ^ (allowed == NULL ? ~UINT64_C(0) : allowed[word]);
    return differing == 0;
}

struct stencil_gate *stencil_gate_find(struct stencils *stencils, const struct profile_set *set,
                                       const uint64_t *allowed)
{
    if (stencils->set_hash != set->hash)
        return NULL;
    uint32_t word_count = (set->count + 63U) / 64U;
    for (uint32_t i = 0; i < stencils->gate_count; i++)
        if (is_of(&stencils->gates[i], allowed, word_count))
            return &stencils->gates[i];
    return NULL;
}
