/* `micro match`: events that were read, matched with tables of three sizes. Before it is timed,
 * each answer is compared with what trying the rules in turn gives. */
#include <stdio.h>

#include "bench/micro.h"
#include "bench/micro_bodies.h"
#include "bench/micro_rules.h"

struct matching {
    const struct matcher *matcher;
    struct match_scratch *scratch;
    struct reading readings[MICRO_BODIES_OF_A_KIND];
    uint32_t count;
};

static uint64_t match_readings(void *context)
{
    struct matching *matching = context;
    for (uint32_t i = 0; i < matching->count; i++) {
        struct decision decision;
        match_run(matching->matcher, matching->scratch, &matching->readings[i], 0, &decision);
        if (decision.matched[0] == DECISION_NO_RULE)
            return 0;
    }
    return matching->count;
}

static bool agrees(struct matching *matching, const struct rule_table *const *tables,
                   uint16_t table_count)
{
    for (uint32_t i = 0; i < matching->count; i++) {
        struct decision decision, truth;
        match_run(matching->matcher, matching->scratch, &matching->readings[i], 0, &decision);
        match_naive(tables, table_count, &matching->readings[i], 0, &truth);
        if (decision.matched[0] != truth.matched[0])
            return false;
    }
    return true;
}

static bool measure(struct micro *micro, struct matching *matching, uint32_t rule_count)
{
    const struct rule_table *const *tables;
    uint16_t table_count;
    struct arena arena;
    char name[MICRO_CASE_BYTES];
    snprintf(name, sizeof name, "event, %u rules", rule_count);
    const struct micro_case measured = {.name = name, .turn = match_readings, .context = matching};
    arena_init(&arena);
    matching->matcher = micro_rules_compile(&arena, rule_count, &table_count, &tables);
    bool good = matching->matcher != NULL && agrees(matching, tables, table_count) &&
                micro_measure(micro, &measured);
    arena_deinit(&arena);
    return good;
}

bool micro_match(struct micro *micro)
{
    static const uint32_t sizes[] = {10, 1000, 10000};
    static struct micro_reading reading;
    static struct matching matching;
    matching = (struct matching){0};
    bool good = micro_reading_open(&reading) && match_scratch_open(&matching.scratch) == STATUS_OK;
    for (uint32_t i = 0; i < reading.events.count && good; i++)
        good = micro_bodies_read(&reading, reading.events.items[i],
                                 &matching.readings[matching.count++]);
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes && good; i++)
        good = measure(micro, &matching, sizes[i]);
    if (matching.scratch != NULL)
        match_scratch_close(matching.scratch);
    micro_reading_close(&reading);
    return good;
}
