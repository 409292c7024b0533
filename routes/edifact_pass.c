#include "routes/edifact_pass.h"

/* True if none of the rows can have for its own the qualifier that begins at `from`, where nothing
 * is released. Blanks before it are for the common way. */
static inline bool differs_in_qualifier(const struct plan_index *index,
                                        const struct plan_rows *rows, const uint8_t *from)
{
    if (!rows->by_first || *from <= ' ')
        return false;
    uint64_t word = plan_load_word(from);
    for (uint32_t row = rows->first; row < rows->end; row++)
        if (plan_begins(index->beginnings[row], word))
            return false;
    return true;
}

const struct plan_rows *edifact_pass_segments(struct edifact_envelope *envelope,
                                              const struct plan *plan)
{
    struct edifact_index *index = &envelope->index;
    const struct plan_index *plan_index = plan->index;
    const struct edifact_syntax *syntax = &envelope->syntax;
    const uint8_t *data = envelope->body.data, element = syntax->element;
    const uint32_t limit = envelope->limit, entry_tag = plan_tag(plan->entry_tag);
    const bool plain = index->specials == 0 && syntax->repetition == 0;
    const uint32_t *end = &index->ends[index->end];
    uint32_t at = envelope->next, number = envelope->number;
    const struct plan_rows *found = NULL;
    for (;;) {
        while (data[at] <= ' ' && at < limit && edifact_is_blank(data[at]))
            at++;
        const uint8_t *tag_at = data + at;
        while (*end < at + 3)
            end++;
        const uint32_t tag = plan_load_tag(tag_at), stop = *end;
        if (stop >= limit || (tag & 0xFFFF) == ('U' | 'N' << 8))
            break;
        bool has_elements = tag_at[3] == element;
        if (__builtin_expect(!has_elements, 0) && !edifact_ends_tag(syntax, tag_at[3]))
            break;
        const struct plan_rows *rows = plan_index_rows(plan_index, tag);
        bool tapped = rows->end != 0; /* what a plan taps is a tag */
        if (!tapped && !edifact_is_tag(tag_at))
            break;
        number++;
        if (tag == entry_tag || (tapped && !(plain && has_elements &&
                                             differs_in_qualifier(plan_index, rows, tag_at + 4)))) {
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
