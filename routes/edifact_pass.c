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

bool edifact_pass_segments(struct edifact_envelope *envelope, const struct plan *plan,
                           const struct plan_rows **out_rows)
{
    struct edifact_index *index = &envelope->index;
    const struct plan_index *plan_index = plan->index;
    const struct edifact_syntax syntax = envelope->syntax;
    const uint8_t *data = envelope->body.data;
    const uint32_t limit = envelope->limit, entry_tag = plan_tag(plan->entry_tag);
    const bool plain = index->specials == 0 && syntax.repetition == 0;
    const uint32_t *end = &index->ends[index->end];
    uint32_t at = envelope->next, number = envelope->number;
    bool found = false;
    while (!found) {
        while ((edifact_byte_classes[data[at]] & EDIFACT_BLANK) != 0 && at < limit)
            at++;
        const uint8_t *tag_at = data + at;
        uint32_t tag = plan_load_tag(tag_at);
        while (*end < at + 3)
            end++;
        if (*end >= limit || (tag & 0xFFFF) == ('U' | 'N' << 8) ||
            !edifact_ends_tag(&syntax, tag_at[3]))
            break;
        const struct plan_rows *rows = plan_index_rows(plan_index, tag);
        if (rows->end == 0 && !edifact_is_tag(tag_at)) /* what a plan taps is a tag */
            break;
        number++;
        found = tag == entry_tag ||
                (rows->end != 0 && !(plain && tag_at[3] == syntax.element &&
                                     differs_in_qualifier(plan_index, rows, tag_at + 4)));
        if (found) {
            envelope->start = at;
            envelope->end = *end + 1;
            envelope->tag = tag;
            *out_rows = rows;
        }
        at = *end + 1;
    }
    index->end = (uint32_t)(end - index->ends);
    envelope->next = at;
    envelope->number = number;
    return found;
}
