#include "io/reload/rule_totals.h"

#include <stdlib.h>

#include "io/config/config_diff.h"

static uint32_t count_rules(const struct generation *generation)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < generation->table_count; i++)
        count += generation->tables[i]->rule_count;
    return count;
}

static enum status reserve(uint32_t count, struct rule_totals *out_totals)
{
    struct rule_total *rules = calloc(count + 1U, sizeof *rules);
    if (rules == NULL)
        return STATUS_NO_MEMORY;
    *out_totals = (struct rule_totals){rules, count};
    return STATUS_OK;
}

enum status rule_totals_open(const struct generation *generation, uint64_t now_ms,
                             struct rule_totals *out_totals)
{
    enum status status = reserve(count_rules(generation), out_totals);
    for (uint32_t i = 0; status == STATUS_OK && i < out_totals->count; i++)
        out_totals->rules[i].since_ms = now_ms;
    return status;
}

void rule_totals_close(struct rule_totals *totals)
{
    free(totals->rules);
    *totals = (struct rule_totals){0};
}

void rule_totals_add(struct rule_totals *totals, const struct generation *generation,
                     const struct rule_hits *hits)
{
    struct rule_total *total = totals->rules;
    for (uint16_t t = 0; t < generation->table_count; t++)
        for (uint32_t i = 0; i < generation->tables[t]->rule_count; i++, total++) {
            const struct rule_hit *hit = &hits->tables[t][i];
            uint64_t last_ms = atomic_load_explicit(&hit->last_ms, memory_order_relaxed);
            total->hits += atomic_load_explicit(&hit->count, memory_order_relaxed);
            if (total->last_ms < last_ms)
                total->last_ms = last_ms;
        }
}

enum status rule_totals_advance(const struct rule_totals *totals, const struct generation *before,
                                const struct generation *next, uint64_t now_ms,
                                struct rule_totals *out_next)
{
    uint32_t *numbers; /* before */
    enum status status = rule_totals_open(next, now_ms, out_next);
    if (status != STATUS_OK)
        return status;
    struct arena scratch;
    arena_init(&scratch);
    numbers = arena_allocate_array(&scratch, out_next->count + 1U, sizeof *numbers);
    config_diff_find_same_rules(before, next, numbers);
    for (uint32_t i = 0; i < out_next->count; i++)
        if (numbers[i] != CONFIG_DIFF_NO_RULE)
            out_next->rules[i] = totals->rules[numbers[i]];
    arena_deinit(&scratch);
    return STATUS_OK;
}

enum status rule_totals_copy(const struct rule_totals *totals, struct rule_totals *out_copy)
{
    enum status status = reserve(totals->count, out_copy);
    if (status == STATUS_OK)
        memcpy(out_copy->rules, totals->rules, totals->count * sizeof *totals->rules);
    return status;
}
