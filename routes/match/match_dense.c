/* The rows of a dense field (routes/match/match_parts.h). */
#include <assert.h>

#include "routes/match/match_build.h"

size_t match_dense_bytes(const struct match_build *build)
{
    size_t rows = (size_t)build->link_count + build->value_count;
    return rows * build->matcher->row_words * sizeof(uint64_t);
}

/* Hits first; they become rows in `finish_row`. */
static void add_set(const struct matcher *matcher, uint64_t *row, const uint64_t *set)
{
    for (unsigned block = 0; block < matcher->block_count; block++) {
        struct rule_set_block opened = rule_set_open_block(set, block);
        uint64_t *chunks =
            row + matcher->block_count + (size_t)block * RULE_BLOCK_CHUNKS * RULE_CHUNK_WORDS;
        for (uint64_t left = opened.summary; left != 0; left &= left - 1) {
            unsigned chunk = (unsigned)__builtin_ctzll(left);
            const uint64_t *from =
                opened.chunks + rule_set_rank(opened.summary, chunk) * RULE_CHUNK_WORDS;
            for (unsigned i = 0; i < RULE_CHUNK_WORDS; i++)
                chunks[chunk * RULE_CHUNK_WORDS + i] |= from[i];
        }
    }
}

static void add_row(const struct matcher *matcher, uint64_t *row, const uint64_t *other)
{
    for (uint32_t i = matcher->block_count; i < matcher->row_words; i++)
        row[i] |= other[i];
}

static void finish_row(const struct match_build *build, uint64_t *row)
{
    const struct matcher *matcher = build->matcher;
    uint64_t *words = row + matcher->block_count;
    for (uint32_t i = 0; i < matcher->chunk_count * RULE_CHUNK_WORDS; i++) {
        uint32_t chunk = i / RULE_CHUNK_WORDS;
        words[i] ^= build->base[i];
        if (words[i] != 0)
            row[chunk / RULE_BLOCK_CHUNKS] |= UINT64_C(1) << (chunk % RULE_BLOCK_CHUNKS);
    }
}

void match_build_dense(struct match_build *build)
{
    const struct matcher *matcher = build->matcher;
    struct match_field *field = build->field;
    size_t row_words = matcher->row_words;
    size_t row_count = (size_t)build->link_count + build->value_count;
    uint64_t *rows = arena_allocate_array(build->arena, row_count * row_words, sizeof *rows);
    for (uint32_t link = 1; link < build->link_count; link++) {
        assert(build->links[link].next < link);
        add_set(matcher, rows + link * row_words, build->links[link].set);
        add_row(matcher, rows + link * row_words, rows + build->links[link].next * row_words);
    }
    uint32_t number = build->link_count;
    for (size_t begin = 0, end; begin < build->set_count; begin = end, number++) {
        struct bytes text = build->sets[begin].text;
        uint64_t *row = rows + number * row_words;
        end = match_build_value_end(build, begin);
        for (size_t i = begin; i < end; i++)
            add_set(matcher, row, build->sets[i].set);
        add_row(matcher, row, rows + match_find_prefix(field, text) * row_words);
        add_row(matcher, row, rows + match_find_numeric(field, text) * row_words);
        add_row(matcher, row, rows + match_find_bytewise(field, text) * row_words);
    }
    for (size_t i = 0; i < row_count; i++)
        finish_row(build, rows + i * row_words);
    field->rows = rows;
    match_build_met(build, build->link_count);
}
