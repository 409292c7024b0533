#include "routes/edifact/edifact_pass.h"

static uint32_t skip_blanks(const struct edifact_envelope *envelope, uint32_t at)
{
    const uint8_t *data = envelope->body.data;
    while (at < envelope->limit && (edifact_byte_classes[data[at]] & EDIFACT_BLANK) != 0)
        at++;
    return at;
}

const struct plan_rows *edifact_pass_segments(struct edifact_envelope *envelope,
                                              const struct plan *plan)
{
    struct edifact_index *index = &envelope->index;
    const uint8_t *data = envelope->body.data;
    const uint32_t limit = envelope->limit, entry_tag = plan_tag(plan->entry_tag);
    const uint32_t behind_tag = (uint32_t)envelope->syntax.element << 24;
    const bool plain = index->specials == 0 && envelope->syntax.repetition == 0;
    /* A first element that begins with this or less may be for any row: blanks may be before its
     * qualifier, and releases anywhere. */
    const uint8_t unsure = plain ? ' ' : UINT8_MAX;
    const uint32_t *end = &index->ends[index->end];
    uint32_t at = envelope->next, number = envelope->number;
    const struct plan_rows *found = NULL;
    for (;; end++) {
        if (data[at] <= ' ')
            at = skip_blanks(envelope, at);
        const uint8_t *tag_at = data + at;
        while (*end < at + 3)
            end++;
        /* Not a tag but more than one if something else than elements is behind it. */
        const uint32_t tag = plan_load_tag_and_next(tag_at) ^ behind_tag, stop = *end;
        if (stop >= limit || (tag & 0xFFFF) == ('U' | 'N' << 8))
            break;
        const struct plan_rows *rows = plan_index_rows(plan->index, tag);
        bool tapped = rows->end != 0; /* what a plan taps is a tag */
        if (!tapped && (tag > PLAN_TAG_MAX || !edifact_is_tag(tag_at)))
            break;
        number++;
        if (tag == entry_tag || (tapped && (rows->sets == NULL || tag_at[4] <= unsure ||
                                            plan_rows_for(rows, tag_at + 4) != 0))) {
            envelope->start = at;
            envelope->end = stop + 1;
            envelope->tag = tag;
            found = rows;
            at = stop + 1;
            break;
        }
        at = stop + 1;
    }
    index->end = (uint32_t)(end - index->ends);
    envelope->next = at;
    envelope->number = number;
    return found;
}
