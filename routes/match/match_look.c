/* The values of a message -> the rows and sets that they lead to. */
#include "routes/match/match_parts.h"

static void look_up_dense(const struct matcher *matcher, const struct match_field *field,
                          struct match_scratch *scratch, const struct reading *reading,
                          uint64_t *summed_up);
static uint32_t look_up_sparse(const struct match_field *field, struct match_scratch *scratch,
                               const struct reading *reading, const uint64_t **out_sets,
                               uint64_t *summed_up);

/* The row of a dense field in the usual case: no value, or one that is known or meets no pattern.
 * NULL: look further. */
static inline const uint64_t *find_row(const struct matcher *matcher,
                                       const struct match_field *field,
                                       const struct reading *reading)
{
    uint16_t first = reading_first(reading, field->slot);
    if (first == READING_NO_OCCURRENCE)
        return field->rows;
    const struct occurrence *occurrence = &reading->occurrences[first];
    if (occurrence->next != READING_NO_OCCURRENCE)
        return NULL;
    uint32_t met = text_index_find(&field->values, occurrence->value);
    if (met != TEXT_INDEX_NONE)
        return field->rows + (size_t)field->met[met] * matcher->row_words;
    return field->has_patterns ? NULL : field->rows;
}

void match_look_up(const struct matcher *matcher, struct match_scratch *scratch,
                   const struct reading *reading)
{
    const struct match_field *fields = matcher->fields;
    scratch->row_count = scratch->union_count = 0;
    scratch->open_block = RULE_SET_BLOCKS;
    for (uint32_t f = 0; f < matcher->dense_count; f++) {
        const uint64_t *row = find_row(matcher, &fields[f], reading);
        if (row != NULL)
            scratch->rows[scratch->row_count++] = row;
        else
            look_up_dense(matcher, &fields[f], scratch, reading, scratch->summed_up[f]);
    }
    uint32_t end = 0;
    for (uint32_t f = matcher->dense_count; f < matcher->field_count; f++) {
        end += look_up_sparse(&fields[f], scratch, reading, scratch->sets + end,
                              scratch->summed_up[f]);
        scratch->set_ends[f - matcher->dense_count] = end;
    }
}

/* ---- Dense fields ---------------------------------------------------------------------------- */

/* One row for all: B xor the hits of each. A chunk of it has any only where B or a row has. */
static void sum_up_rows(const struct matcher *matcher, struct dense_union *united,
                        uint64_t *summed_up)
{
    for (uint32_t i = 0; i < matcher->row_words; i++) {
        bool is_summary = i < matcher->block_count;
        uint64_t base = united->base[i], hits = 0, any = base;
        for (uint32_t k = 0; k < united->count; k++) { /* one of them may be `summed_up` */
            hits |= united->rows[k][i] ^ base;
            any |= united->rows[k][i];
        }
        summed_up[i] = is_summary ? any : base ^ hits;
    }
    united->rows[0] = summed_up;
    united->count = 1;
}

/* Several values of a field often lead to the same row. */
static void add_row(const struct matcher *matcher, struct dense_union *united, const uint64_t *row,
                    uint64_t *summed_up)
{
    for (uint32_t i = 0; i < united->count; i++)
        if (united->rows[i] == row)
            return;
    if (united->count == MATCH_PARTS_MAX)
        sum_up_rows(matcher, united, summed_up);
    united->rows[united->count++] = row;
}

static void look_up_dense(const struct matcher *matcher, const struct match_field *field,
                          struct match_scratch *scratch, const struct reading *reading,
                          uint64_t *summed_up)
{
    struct dense_union *united = &scratch->unions[scratch->union_count];
    size_t row_words = matcher->row_words;
    united->base = field->rows;
    united->count = 0;
    uint16_t i = reading_first(reading, field->slot);
    for (; i != READING_NO_OCCURRENCE; i = reading->occurrences[i].next) {
        struct bytes value = reading->occurrences[i].value;
        uint32_t met = text_index_find(&field->values, value);
        if (met != TEXT_INDEX_NONE) {
            add_row(matcher, united, field->rows + field->met[met] * row_words, summed_up);
            continue;
        }
        uint32_t prefix = match_find_prefix(field, value);
        uint32_t numeric = match_find_numeric(field, value);
        uint32_t bytewise = match_find_bytewise(field, value);
        if (prefix != 0)
            add_row(matcher, united, field->rows + prefix * row_words, summed_up);
        if (numeric != 0)
            add_row(matcher, united, field->rows + numeric * row_words, summed_up);
        if (bytewise != 0)
            add_row(matcher, united, field->rows + bytewise * row_words, summed_up);
    }
    if (united->count > 1)
        scratch->union_count++;
    else
        scratch->rows[scratch->row_count++] = united->count == 0 ? field->rows : united->rows[0];
}

/* ---- Sparse fields --------------------------------------------------------------------------- */

/* The sets of one field while they are collected. */
struct collected {
    struct match_scratch *scratch;
    const uint64_t **sets;
    uint32_t count;
    bool summed_up;
};

static void sum_up_sets(struct collected *collected)
{
    for (uint32_t i = 0; i < collected->count; i++)
        rule_set_sum_add(&collected->scratch->sum, collected->sets[i]);
    collected->count = 0;
    collected->summed_up = true;
}

static void add_set(struct collected *collected, const uint64_t *set)
{
    for (uint32_t i = 0; i < collected->count; i++)
        if (collected->sets[i] == set)
            return;
    if (collected->count == MATCH_PARTS_MAX)
        sum_up_sets(collected);
    collected->sets[collected->count++] = set;
}

static void add_chain(struct collected *collected, const struct set_link *links, uint32_t link)
{
    for (; link != 0; link = links[link].next)
        add_set(collected, links[link].set);
}

static void add_value(struct collected *collected, const struct match_field *field,
                      struct bytes value)
{
    uint32_t met = text_index_find(&field->values, value);
    if (met == TEXT_INDEX_NONE) {
        add_chain(collected, field->links, match_find_prefix(field, value));
        add_chain(collected, field->links, match_find_numeric(field, value));
        add_chain(collected, field->links, match_find_bytewise(field, value));
        return;
    }
    const struct known_value *known = &field->known[field->met[met]];
    for (uint32_t i = 0; i < known->set_count; i++)
        add_set(collected, known->sets[i]);
    add_chain(collected, field->links, known->prefix_link);
    add_chain(collected, field->links, known->numeric_link);
    add_chain(collected, field->links, known->byte_link);
}

/* Writes the sets that a field's values lead to, at least one; returns how many. */
static uint32_t look_up_sparse(const struct match_field *field, struct match_scratch *scratch,
                               const struct reading *reading, const uint64_t **out_sets,
                               uint64_t *summed_up)
{
    struct collected collected = {.scratch = scratch, .sets = out_sets};
    uint16_t i = reading_first(reading, field->slot);
    for (; i != READING_NO_OCCURRENCE; i = reading->occurrences[i].next)
        add_value(&collected, field, reading->occurrences[i].value);
    if (collected.summed_up) {
        sum_up_sets(&collected);
        rule_set_sum_pack(&scratch->sum, summed_up);
        out_sets[collected.count++] = summed_up;
    }
    if (collected.count == 0)
        out_sets[collected.count++] = rule_set_empty;
    return collected.count;
}
