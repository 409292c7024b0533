#include "routes/match.h"

#include <stdlib.h>

#include "routes/match_parts.h"

/* Sets of one field that are united on the fly; more are summed up before. */
enum { SOURCES_MAX = 32 };

struct source {
    const uint64_t *set;
    struct rule_set_block block; /* of the open block */
};

struct field_sources {
    struct source items[SOURCES_MAX];
    uint32_t count;
};

struct match_scratch {
    /* The first rule from a number on that holds, by its number, or NO_NUMBER. */
    uint32_t (*find_from)(const struct matcher *matcher, struct match_scratch *scratch,
                          uint32_t from);
    struct field_sources fields[SLOT_FIELD_COUNT];
    uint64_t top, summary; /* of the intersection; the summary of the open block */
    unsigned open_block;   /* RULE_SET_BLOCKS: none */
    struct rule_set_sum sum;
    uint64_t packed[SLOT_FIELD_COUNT][RULE_SET_WORDS_MAX]; /* summed up sources of each field */
};

enum { NO_NUMBER = UINT32_MAX };

static void collect(const struct matcher *matcher, struct match_scratch *scratch,
                    const struct reading *reading);
static uint32_t find_from_portable(const struct matcher *matcher, struct match_scratch *scratch,
                                   uint32_t from);
static void decide(const struct rule_table *const *tables, struct decision *decision);
static void choose_path(struct match_scratch *scratch);

enum status match_scratch_open(struct match_scratch **out_scratch)
{
    struct match_scratch *scratch = calloc(1, sizeof *scratch);
    if (scratch == NULL)
        return STATUS_NO_MEMORY;
    scratch->find_from = find_from_portable;
    choose_path(scratch);
    *out_scratch = scratch;
    return STATUS_OK;
}

void match_scratch_choose_portable(struct match_scratch *scratch)
{
    scratch->find_from = find_from_portable;
}

void match_scratch_close(struct match_scratch *scratch)
{
    free(scratch);
}

void match_run(const struct matcher *matcher, struct match_scratch *scratch,
               const struct reading *reading, struct decision *out_decision)
{
    *out_decision = (struct decision){.table_count = matcher->table_count};
    collect(matcher, scratch, reading);
    for (uint16_t i = 0; i < matcher->table_count; i++)
        out_decision->matched[i] = DECISION_NO_RULE;
    uint16_t table = 0;
    uint32_t number = scratch->find_from(matcher, scratch, 0);
    while (number != NO_NUMBER) { /* at most once a table */
        while (number >= matcher->first_number[table + 1])
            table++;
        out_decision->matched[table] = number - matcher->first_number[table];
        number = scratch->find_from(matcher, scratch, matcher->first_number[table + 1]);
    }
    decide(matcher->tables, out_decision);
}

uint32_t match_list(const struct matcher *matcher, struct match_scratch *scratch,
                    const struct reading *reading, uint16_t table, uint32_t *out_rules,
                    uint32_t capacity)
{
    uint32_t count = 0, first = matcher->first_number[table];
    collect(matcher, scratch, reading);
    uint32_t number = scratch->find_from(matcher, scratch, first);
    while (count < capacity && number < matcher->first_number[table + 1]) {
        out_rules[count++] = number - first;
        number = scratch->find_from(matcher, scratch, number + 1);
    }
    return count;
}

void match_naive(const struct rule_table *const *tables, uint16_t table_count,
                 const struct reading *reading, struct decision *out_decision)
{
    *out_decision = (struct decision){.table_count = table_count};
    for (uint16_t i = 0; i < table_count; i++) {
        uint32_t rule = 0;
        while (rule < tables[i]->rule_count && !rule_holds(&tables[i]->rules[rule], reading))
            rule++;
        out_decision->matched[i] = rule < tables[i]->rule_count ? rule : DECISION_NO_RULE;
    }
    decide(tables, out_decision);
}

/* ---- From the matches to the decision -------------------------------------------------------- */

static void add_destinations(const struct rule *rule, struct decision *decision)
{
    bool held = rule->action == ACTION_HOLD;
    for (uint16_t i = 0; i < rule->destination_count; i++)
        destination_set_add(held ? &decision->hold : &decision->deliver, rule->destinations[i]);
    if (rule->to_receiver)
        *(held ? &decision->to_receiver_hold : &decision->to_receiver_deliver) = true;
}

static void decide(const struct rule_table *const *tables, struct decision *decision)
{
    for (uint16_t i = 0; i < decision->table_count; i++) {
        if (decision->matched[i] == DECISION_NO_RULE)
            continue;
        const struct rule *rule = &tables[i]->rules[decision->matched[i]];
        if (rule->action == ACTION_REJECT && !decision->rejected) {
            decision->rejected = true;
            decision->rejected_table = i;
        }
        if (rule->action != ACTION_REJECT)
            add_destinations(rule, decision);
    }
    if (decision->rejected) {
        decision->deliver = decision->hold = (struct destination_set){0};
        decision->to_receiver_deliver = decision->to_receiver_hold = false;
    }
    for (size_t i = 0; i < DESTINATIONS_MAX / 64; i++)
        decision->deliver.words[i] &= ~decision->hold.words[i];
    if (decision->to_receiver_hold)
        decision->to_receiver_deliver = false;
}

/* ---- Values -> sets -------------------------------------------------------------------------- */

/* `repeats`: the field has several values, of which others may have led to the same set. */
static void add_source(struct match_scratch *scratch, struct field_sources *sources,
                       const uint64_t *set, bool repeats)
{
    for (uint32_t i = 0; repeats && i < sources->count; i++)
        if (sources->items[i].set == set)
            return;
    if (sources->count == SOURCES_MAX) {
        for (uint32_t i = 0; i < SOURCES_MAX; i++)
            rule_set_sum_add(&scratch->sum, sources->items[i].set);
        sources->count = 0;
    }
    sources->items[sources->count++].set = set;
}

static void add_chain(struct match_scratch *scratch, struct field_sources *sources,
                      const struct match_field *field, uint32_t link, bool repeats)
{
    for (; link != 0; link = field->links[link].next)
        add_source(scratch, sources, field->links[link].set, repeats);
}

static void add_value(struct match_scratch *scratch, struct field_sources *sources,
                      const struct match_field *field, struct bytes value, bool repeats)
{
    uint32_t prefix, numeric, bytewise;
    uint32_t index = text_index_find(&field->values, value);
    if (index != TEXT_INDEX_NONE) {
        const struct known_value *known = &field->known[index];
        add_source(scratch, sources, known->set, repeats);
        for (uint32_t i = 0; i < known->more_count; i++)
            add_source(scratch, sources, known->more[i], repeats);
        prefix = known->prefix_link;
        numeric = known->numeric_link;
        bytewise = known->byte_link;
    } else {
        prefix = match_find_prefix(field, value);
        numeric = match_find_numeric(field, value);
        bytewise = field->byte_tree == NULL ? 0 : match_find_range(field->byte_tree, value);
    }
    add_chain(scratch, sources, field, prefix, repeats);
    add_chain(scratch, sources, field, numeric, repeats);
    add_chain(scratch, sources, field, bytewise, repeats);
}

static void collect(const struct matcher *matcher, struct match_scratch *scratch,
                    const struct reading *reading)
{
    uint64_t all = ~UINT64_C(0);
    for (uint32_t f = 0; f < matcher->field_count; f++) {
        const struct match_field *field = &matcher->fields[f];
        struct field_sources *sources = &scratch->fields[f];
        sources->count = 0;
        uint16_t first = reading_first(reading, field->slot);
        for (uint16_t i = first; i != READING_NO_OCCURRENCE; i = reading->occurrences[i].next)
            add_value(scratch, sources, field, reading->occurrences[i].value, i != first);
        if (scratch->sum.top != 0) {
            for (uint32_t i = 0; i < sources->count; i++)
                rule_set_sum_add(&scratch->sum, sources->items[i].set);
            rule_set_sum_pack(&scratch->sum, scratch->packed[f]);
            sources->items[0].set = scratch->packed[f];
            sources->count = 1;
        }
        uint64_t top = field->base_top;
        for (uint32_t i = 0; i < sources->count; i++)
            top |= sources->items[i].set[0];
        all &= top;
    }
    scratch->top = all;
    scratch->open_block = RULE_SET_BLOCKS;
}

/* ---- The intersection ------------------------------------------------------------------------ */

/* Finds each source's part of a block, and which words of the block are worth a look. */
__attribute__((always_inline)) static inline void
open_block(const struct matcher *matcher, struct match_scratch *scratch, unsigned block)
{
    uint64_t all = ~UINT64_C(0);
    for (uint32_t f = 0; f < matcher->field_count && all != 0; f++) {
        struct field_sources *sources = &scratch->fields[f];
        uint64_t summary = matcher->fields[f].base_summaries[block];
        for (uint32_t i = 0; i < sources->count; i++) {
            struct source *source = &sources->items[i];
            source->block = rule_set_open_block(source->set, block);
            summary |= source->block.summary;
        }
        all &= summary;
    }
    scratch->summary = all;
    scratch->open_block = block;
}

/* The rules of one word that hold. */
__attribute__((always_inline)) static inline uint64_t
holding_rules(const struct matcher *matcher, const struct match_scratch *scratch, unsigned word)
{
    uint64_t all = ~UINT64_C(0);
    unsigned word_of_all = scratch->open_block * RULE_SET_WORDS_PER_BLOCK + word;
    for (uint32_t f = 0; f < matcher->field_count && all != 0; f++) {
        const struct field_sources *sources = &scratch->fields[f];
        uint64_t hits = 0;
        for (uint32_t i = 0; i < sources->count; i++)
            hits |= rule_set_word(sources->items[i].block, word);
        all &= matcher->fields[f].base_words[word_of_all] ^ hits;
    }
    return all;
}

/* The first rule from `from` on that holds, by its number. */
__attribute__((always_inline)) static inline uint32_t
find_from_inline(const struct matcher *matcher, struct match_scratch *scratch, uint32_t from)
{
    while (from < matcher->first_number[matcher->table_count]) { /* a block a turn */
        unsigned block = from / RULE_SET_BLOCK_NUMBERS;
        uint64_t blocks = scratch->top & (~UINT64_C(0) << block);
        if (blocks == 0)
            return NO_NUMBER;
        if ((unsigned)__builtin_ctzll(blocks) != block) {
            block = (unsigned)__builtin_ctzll(blocks);
            from = block * RULE_SET_BLOCK_NUMBERS;
        }
        if (scratch->open_block != block)
            open_block(matcher, scratch, block);
        unsigned first_word = from / 64 % RULE_SET_WORDS_PER_BLOCK;
        uint64_t words = scratch->summary & (~UINT64_C(0) << first_word);
        for (; words != 0; words &= words - 1) {
            unsigned word = (unsigned)__builtin_ctzll(words);
            uint64_t rules = holding_rules(matcher, scratch, word);
            if (word == first_word)
                rules &= ~UINT64_C(0) << (from % 64);
            if (rules != 0)
                return block * RULE_SET_BLOCK_NUMBERS + word * 64 +
                       (unsigned)__builtin_ctzll(rules);
        }
        from = (block + 1) * RULE_SET_BLOCK_NUMBERS;
    }
    return NO_NUMBER;
}

static uint32_t find_from_portable(const struct matcher *matcher, struct match_scratch *scratch,
                                   uint32_t from)
{
    return find_from_inline(matcher, scratch, from);
}

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static uint32_t
find_from_popcnt(const struct matcher *matcher, struct match_scratch *scratch, uint32_t from)
{
    return find_from_inline(matcher, scratch, from);
}

static void choose_path(struct match_scratch *scratch)
{
    if (__builtin_cpu_supports("popcnt"))
        scratch->find_from = find_from_popcnt;
}
#else
static void choose_path(struct match_scratch *scratch)
{
    (void)scratch;
}
#endif
