/* `kouan-acl [RULES]`: the matcher beside DPDK's rte_acl and beside its own sets, a bit-vector
 * classifier: the same events and tables, in one run. A program of its own, so that kouan-bench
 * needs no DPDK. Wants no huge pages, no device and no rights. */
#include <rte_acl.h>
#include <rte_eal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/acl/acl_table.h"
#include "bench/micro/micro.h"
#include "bench/micro/micro_bodies.h"
#include "bench/micro/micro_rules.h"

enum {
    RULES_USUAL = 1000,
    ROUNDS = 11,
    ROUND_NS = 20 * 1000 * 1000,
    SETS_ROW_BYTES = 64 * 1024 * 1024,
    ACL_BYTES_MAX = 256 * 1024 * 1024
};

struct classified {
    const struct matcher *matcher;
    struct match_scratch *scratch;
    struct acl_table acl;
    struct reading readings[MICRO_BODIES_OF_A_KIND];
    struct decision decisions[MICRO_BODIES_OF_A_KIND];
    struct match_job jobs[MICRO_BODIES_OF_A_KIND];
    struct acl_key keys[MICRO_BODIES_OF_A_KIND];
    const uint8_t *key_bytes[MICRO_BODIES_OF_A_KIND];
    uint32_t answers[MICRO_BODIES_OF_A_KIND];
    uint32_t count;
};

static uint64_t turn_matcher(void *context)
{
    struct classified *all = context;
    match_run_all(all->matcher, all->scratch, all->jobs, all->count, 0);
    return all->count;
}

static uint64_t turn_acl(void *context)
{
    struct classified *all = context;
    int error = rte_acl_classify(all->acl.context, all->key_bytes, all->answers, all->count, 1);
    return error == 0 ? all->count : 0;
}

static bool measure(struct micro *micro, struct classified *all, enum hard_rules kind,
                    uint32_t rule_count, const char *by, uint64_t (*turn)(void *context))
{
    char name[MICRO_CASE_BYTES];
    snprintf(name, sizeof name, "%u rules%s%s, %s", rule_count, kind == HARD_RULES_NONE ? "" : ", ",
             hard_rules_names[kind], by);
    const struct micro_case measured = {.name = name, .turn = turn, .context = all};
    return micro_measure(micro, &measured);
}

/* What both answer must be the same rule. */
static bool agrees(struct classified *all)
{
    (void)turn_matcher(all);
    for (uint32_t i = 0; i < all->count; i++) {
        if (!acl_table_key(&all->acl, &all->readings[i], &all->keys[i]))
            return false;
        all->key_bytes[i] = &all->keys[i].first;
    }
    if (turn_acl(all) == 0)
        return false;
    for (uint32_t i = 0; i < all->count; i++)
        if (all->answers[i] != all->decisions[i].matched[0] + 1)
            return false;
    return true;
}

static bool measure_acl(struct micro *micro, struct classified *all, struct arena *arena,
                        const struct rule_table *table, enum hard_rules kind)
{
    bool good = true;
    if (acl_table_open(arena, table, ACL_BYTES_MAX, &all->acl)) {
        good = agrees(all);
        if (!good)
            fputs("kouan-acl: rte_acl and the matcher do not agree\n", stderr);
        good = good && measure(micro, all, kind, table->rule_count, "rte_acl", turn_acl);
    }
    acl_table_close(&all->acl);
    return good;
}

static bool measure_table(struct micro *micro, struct classified *all, enum hard_rules kind,
                          uint32_t rule_count)
{
    const struct rule_table *const *tables;
    uint16_t table_count;
    struct arena arena;
    arena_init(&arena);
    all->matcher = micro_rules_compile(&arena, kind, rule_count, &table_count, &tables);
    bool good = all->matcher != NULL &&
                measure(micro, all, kind, rule_count, "matcher", turn_matcher) &&
                measure_acl(micro, all, &arena, tables[0], kind);
    if (good) {
        all->matcher = matcher_compile_sets(&arena, tables, table_count, SETS_ROW_BYTES);
        good = measure(micro, all, kind, rule_count, "bit vectors", turn_matcher);
    }
    arena_deinit(&arena);
    return good;
}

static void print_result(const struct micro_result *result)
{
    printf("%-44s %9.1f %9.1f\n", result->name, result->median_ns, result->lowest_ns);
    fflush(stdout);
}

static bool open_eal(void)
{
    static char program[] = "kouan-acl", pages[] = "--no-huge", shared[] = "--no-shconf";
    static char pci[] = "--no-pci", memory[] = "-m", megabytes[] = "1024", log[] = "--log-level=4";
    char *words[] = {program, pages, shared, pci, memory, megabytes, log};
    return rte_eal_init(sizeof words / sizeof *words, words) >= 0;
}

int main(int argc, char **argv)
{
    static struct micro_reading reading;
    static struct classified all;
    static const struct micro_settings settings = {.rounds = ROUNDS, .round_ns = ROUND_NS};
    static struct micro micro = {.settings = &settings, .family = "acl", .on_result = print_result};
    unsigned long rule_count = argc > 1 ? strtoul(argv[1], NULL, 10) : RULES_USUAL;
    if (rule_count < 2 || rule_count > RULES_MAX || !open_eal()) {
        fputs("kouan-acl: wants 2 to 200000 rules, and an environment of DPDK\n", stderr);
        return 2;
    }
    bool good = micro_reading_open(&reading) && match_scratch_open(&all.scratch) == STATUS_OK;
    for (uint32_t i = 0; i < reading.events.count && good; i++, all.count++) {
        good = micro_bodies_read(&reading, reading.events.items[i], &all.readings[i]);
        all.jobs[i] = (struct match_job){&all.readings[i], &all.decisions[i]};
    }
    printf("%-44s %9s %9s\n", "table", "CPU ns", "lowest");
    for (unsigned kind = 0; kind < HARD_RULES_KINDS && good; kind++)
        good = measure_table(&micro, &all, (enum hard_rules)kind, (uint32_t)rule_count);
    if (all.scratch != NULL)
        match_scratch_close(all.scratch);
    micro_reading_close(&reading);
    rte_eal_cleanup();
    return good ? 0 : 1;
}
