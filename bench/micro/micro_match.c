/* `micro match`: events that were read, matched in batches with tables of different sizes, and with
 * such as are hard on a matcher; beside it the same by the sets alone, a bit-vector classifier.
 * Before it is timed, each answer is compared with what trying the rules in turn gives. */
#include <stdio.h>

#include "bench/micro/micro.h"
#include "bench/micro/micro_bodies.h"
#include "bench/micro/micro_rules.h"

enum {
    SETS_ROW_BYTES = 64 * 1024 * 1024, /* as many as help */
    HARD_RULES = 10000,
    SMOKE_RULES_MAX = 1000
};

struct matching {
    const struct matcher *matcher;
    struct match_scratch *scratch;
    struct reading readings[MICRO_BODIES_OF_A_KIND];
    struct decision decisions[MICRO_BODIES_OF_A_KIND];
    struct match_job jobs[MICRO_BODIES_OF_A_KIND];
    uint32_t count;
};

static uint64_t match_readings(void *context)
{
    struct matching *matching = context;
    match_run_all(matching->matcher, matching->scratch, matching->jobs, matching->count, 0);
    for (uint32_t i = 0; i < matching->count; i++)
        if (matching->decisions[i].matched[0] == DECISION_NO_RULE)
            return 0;
    return matching->count;
}

static bool agrees(struct matching *matching, const struct rule_table *const *tables,
                   uint16_t table_count)
{
    match_run_all(matching->matcher, matching->scratch, matching->jobs, matching->count, 0);
    for (uint32_t i = 0; i < matching->count; i++) {
        struct decision truth;
        match_naive(tables, table_count, &matching->readings[i], 0, &truth);
        if (matching->decisions[i].matched[0] != truth.matched[0])
            return false;
    }
    return true;
}

/* By all of the matcher, then by the sets alone. */
static bool measure(struct micro *micro, struct matching *matching, enum hard_rules kind,
                    uint32_t rule_count)
{
    const struct rule_table *const *tables;
    uint16_t table_count;
    struct arena arena;
    bool good = true;
    arena_init(&arena);
    matching->matcher = micro_rules_compile(&arena, kind, rule_count, &table_count, &tables);
    for (int turn = 0; turn < 2 && good && matching->matcher != NULL; turn++) {
        char name[MICRO_CASE_BYTES];
        snprintf(name, sizeof name, "event, %u rules%s%s%s", rule_count,
                 kind == HARD_RULES_NONE ? "" : ", ",
                 kind == HARD_RULES_NONE ? "" : hard_rules_names[kind],
                 turn == 0 ? "" : ", sets alone");
        const struct micro_case measured = {
            .name = name, .turn = match_readings, .context = matching};
        if (turn == 1)
            matching->matcher = matcher_compile_sets(&arena, tables, table_count, SETS_ROW_BYTES);
        good = agrees(matching, tables, table_count) && micro_measure(micro, &measured);
    }
    good = good && matching->matcher != NULL;
    arena_deinit(&arena);
    return good;
}

bool micro_match(struct micro *micro)
{
    static const uint32_t sizes[] = {10, 1000, 10000, 100000};
    static struct micro_reading reading;
    static struct matching matching;
    matching = (struct matching){0};
    bool good = micro_reading_open(&reading) && match_scratch_open(&matching.scratch) == STATUS_OK;
    for (uint32_t i = 0; i < reading.events.count && good; i++, matching.count++) {
        good = micro_bodies_read(&reading, reading.events.items[i], &matching.readings[i]);
        matching.jobs[i] = (struct match_job){&matching.readings[i], &matching.decisions[i]};
    }
    for (unsigned i = 0; i < sizeof sizes / sizeof *sizes && good; i++)
        if (!micro->settings->is_smoke || sizes[i] <= SMOKE_RULES_MAX)
            good = measure(micro, &matching, HARD_RULES_NONE, sizes[i]);
    for (unsigned kind = HARD_RULES_NONE + 1; kind < HARD_RULES_KINDS && good; kind++)
        good = measure(micro, &matching, (enum hard_rules)kind,
                       micro->settings->is_smoke ? SMOKE_RULES_MAX : HARD_RULES);
    if (matching.scratch != NULL)
        match_scratch_close(matching.scratch);
    micro_reading_close(&reading);
    return good;
}
