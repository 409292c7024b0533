/* Tables compiled in two ways decide as the naive truth does, whatever the reading and the time.
 * What two fuzz targets share. */
#ifndef KOUAN_TESTS_FUZZ_RULES_CHECK_H
#define KOUAN_TESTS_FUZZ_RULES_CHECK_H

#include <stdio.h>
#include <stdlib.h>

#include "routes/match/match.h"
#include "routes/rules/rule_cover.h"
#include "routes/rules/rule_time.h"

enum { OCCURRENCES = 128, COVER_RULES = 24, LISTED = 16 };

struct sample {
    struct reading reading;
    struct occurrence occurrences[OCCURRENCES];
};

/* What is kept from one run to the next, as a shard does. */
struct kept {
    struct charsets *charsets;
    struct match_scratch *scratch, *portable;
};

struct matchers {
    const struct rule_table *tables[2];
    uint16_t table_count;
    const struct matcher *usual, *sparse;
    struct match_scratch *scratch, *portable;
    struct rule_periods periods;
};

static inline void require(bool condition, const char *what)
{
    if (condition)
        return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

static inline void open_kept(struct kept *kept)
{
    kept->charsets = charsets_open();
    require(kept->charsets != NULL, "charsets");
    require(match_scratch_open(&kept->scratch) == STATUS_OK, "memory");
    require(match_scratch_open(&kept->portable) == STATUS_OK, "memory");
    match_scratch_choose_portable(kept->portable);
}

static inline void matchers_compile(struct matchers *matchers, struct arena *arena,
                                    struct diagnostics *diagnostics)
{
    require(rule_tables_check_total(matchers->tables, matchers->table_count, diagnostics), "total");
    require(rule_periods_build(arena, matchers->tables, matchers->table_count, &matchers->periods,
                               diagnostics),
            "periods");
    matchers->usual = matcher_compile(arena, matchers->tables, matchers->table_count);
    matchers->sparse = matcher_compile_sets(arena, matchers->tables, matchers->table_count, 0);
}

static inline void sample_init(struct sample *sample)
{
    sample->reading = (struct reading){.occurrences = sample->occurrences};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        sample->reading.first[slot] = sample->reading.last[slot] = READING_NO_OCCURRENCE;
}

static inline void sample_add(struct sample *sample, enum slot slot, struct bytes value)
{
    struct reading *reading = &sample->reading;
    if (reading->count == OCCURRENCES || value.size == 0 || value.size > READING_VALUE_BYTES_MAX)
        return;
    uint16_t index = reading->count++;
    sample->occurrences[index] =
        (struct occurrence){value, 0, READING_NO_OCCURRENCE, (uint8_t)slot};
    if (reading->first[slot] == READING_NO_OCCURRENCE)
        reading->first[slot] = index;
    else
        sample->occurrences[reading->last[slot]].next = index;
    reading->last[slot] = index;
}

/* Values on the edges of what a rule's conditions say. */
static inline void sample_from_rule(struct sample *sample, const struct rule *rule, bool all)
{
    sample_init(sample);
    for (uint16_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];
        uint32_t count = all ? condition->alternative_count : 1;
        for (uint32_t k = 0; k < count && (all || !condition->negated); k++) {
            const struct alternative *alternative = &condition->alternatives[k];
            const struct value_list *list = alternative->list;
            sample_add(sample, condition->slot, alternative->low);
            sample_add(sample, condition->slot, all ? alternative->high : (struct bytes){0});
            if (list != NULL && list->count > 0)
                sample_add(sample, condition->slot, list->values[list->count / 2]);
        }
    }
}

static inline void require_same(const struct decision *a, const struct decision *b)
{
    require(a->table_count == b->table_count && a->rejected == b->rejected, "tables, rejected");
    require(memcmp(a->matched, b->matched, a->table_count * sizeof *a->matched) == 0, "matched");
    require(memcmp(&a->deliver, &b->deliver, sizeof a->deliver) == 0, "deliver");
    require(memcmp(&a->hold, &b->hold, sizeof a->hold) == 0, "hold");
    require(a->to_receiver_deliver == b->to_receiver_deliver, "to receiver: deliver");
    require(a->to_receiver_hold == b->to_receiver_hold, "to receiver: hold");
}

static inline void check_covers(const struct rule_table *table, const struct reading *reading,
                                uint64_t now_ms)
{
    for (uint32_t later = 1; later < table->rule_count && later < COVER_RULES; later++) {
        if (!rule_holds(&table->rules[later], reading, now_ms))
            continue;
        for (uint32_t i = 0; i < later; i++) {
            uint64_t steps_left = 10000;
            require(!rule_covers(&table->rules[i], &table->rules[later], &steps_left) ||
                        rule_holds(&table->rules[i], reading, now_ms),
                    "a cover that does not hold");
        }
    }
}

static inline void check_at(const struct matchers *matchers, const struct reading *reading,
                            uint64_t now_ms)
{
    struct decision naive, usual, sparse;
    match_naive(matchers->tables, matchers->table_count, reading, now_ms, &naive);
    match_run(matchers->usual, matchers->scratch, reading, now_ms, &usual);
    match_run(matchers->sparse, matchers->portable, reading, now_ms, &sparse);
    require_same(&naive, &usual);
    require_same(&naive, &sparse);
    for (uint16_t i = 0; i < matchers->table_count; i++) {
        uint32_t listed[LISTED];
        uint32_t count =
            match_list(matchers->usual, matchers->scratch, reading, now_ms, i, listed, LISTED);
        uint32_t first = count > 0 ? listed[0] : DECISION_NO_RULE;
        require(first == naive.matched[i], "first of the list");
        for (uint32_t k = 0; k < count; k++)
            require(rule_holds(&matchers->tables[i]->rules[listed[k]], reading, now_ms), "listed");
        check_covers(matchers->tables[i], reading, now_ms);
    }
}

/* Before, at and after some of the times at which rules begin and end. */
static inline void check(const struct matchers *matchers, const struct reading *reading)
{
    enum { PERIODS = 8 };
    const struct rule_periods *periods = &matchers->periods;
    check_at(matchers, reading, UINT64_MAX - 1);
    for (uint32_t i = 0; i < periods->count && i < PERIODS; i++) {
        uint64_t begin_ms = periods->begins_ms[i];
        require(rule_periods_find(periods, begin_ms) == i, "the period of its begin");
        require(i == 0 || rule_periods_find(periods, begin_ms - 1) == i - 1, "and before it");
        check_at(matchers, reading, begin_ms);
        if (i > 0)
            check_at(matchers, reading, begin_ms - 1);
    }
}

#endif
