#include "bench/race/scenario.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { HARD_RULES = 10000 };

static const struct scenario usual = {
    .event_bytes = 256,
    .destination_count = 1,
    .consumer_count = 1,
    .connection_count = EPORT_COUNT,
    .in_flight = 1024,
    .burst = 256,
    .batch = 1000,
    .shard_count = 1,
};

const struct scenario scenarios[] = {
    {.name = "wire", .help = "256-byte events, in memory, one group", .mix = MIX_EVENTS},
    {.name = "durable",
     .help = "the same, each on disk before its receipt",
     .mix = MIX_EVENTS,
     .is_durable = true},
    {.name = "full",
     .help = "receipts, events and short EDIFACT, 256 bytes in the mean, 10 % replays,\n"
             "1,000 rules, on disk, two destinations, all acknowledged",
     .mix = MIX_SHORT,
     .replay_percent = 10,
     .rule_count = 1000,
     .destination_count = 2,
     .is_durable = true,
     .has_fields = true},
    {.name = "documents",
     .help = "as full, of declarations, manifests and orders, 3 to 5 KB in the mean",
     .mix = MIX_DOCUMENTS,
     .replay_percent = 10,
     .rule_count = 1000,
     .destination_count = 2,
     .in_flight = 256,
     .burst = 32,
     .is_durable = true,
     .has_fields = true},
    {.name = "national-day",
     .help = "10 million 256-byte events to the last acknowledgement, on disk",
     .mix = MIX_EVENTS,
     .is_durable = true,
     .message_count = 10000000},
    {.name = "connections",
     .help = "wire over 1 to 10,000 connections, with 1 and with 16 messages a wake",
     .mix = MIX_EVENTS,
     .axis = AXIS_CONNECTIONS},
    {.name = "fan-out",
     .help = "wire to 1 to 16 destinations",
     .mix = MIX_EVENTS,
     .axis = AXIS_DESTINATIONS},
    {.name = "slow-consumer",
     .help = "durable to two destinations, of which one is read only when all is published",
     .mix = MIX_EVENTS,
     .rule_count = 1,
     .destination_count = 2,
     .late_count = 1,
     .is_durable = true},
    {.name = "far-behind",
     .help = "durable, with a group that is a million messages behind: while that reads from\n"
             "the files as fast as it can, beside while it does not",
     .mix = MIX_EVENTS,
     .has_far_group = true,
     .is_durable = true,
     .prefill_count = 1000000},
    {.name = "reload",
     .help = "durable at half load, 1,000 rules, two destinations of which one is read only when\n"
             "all is published: while the server reloads all the time, half of it invalid, beside\n"
             "while it does not; on one shard, and on as many as there are cores",
     .mix = MIX_EVENTS,
     .rule_count = 1000,
     .destination_count = 2,
     .late_count = 1,
     .has_reloads = true,
     .load_percent = 50,
     .is_durable = true,
     .axis = AXIS_SHARDS},
    {.name = "window",
     .help = "wire with 1 million to 100 million identities in the dedupe window beforehand",
     .mix = MIX_EVENTS,
     .axis = AXIS_WINDOW},
    {.name = "shards",
     .help = "wire on one shard, and on as many as there are cores",
     .mix = MIX_EVENTS,
     .axis = AXIS_SHARDS},
    {.name = "rules",
     .help = "wire with 10 to 100,000 rules, and with 10,000 that are hard on a matcher",
     .mix = MIX_EVENTS,
     .axis = AXIS_RULES},
};
const uint32_t scenario_count = sizeof scenarios / sizeof *scenarios;

static void fill(uint32_t *number, uint32_t otherwise)
{
    if (*number == 0)
        *number = otherwise;
}

bool scenario_find(const char *name, struct scenario *out_scenario)
{
    for (uint32_t i = 0; i < scenario_count; i++) {
        if (strcmp(scenarios[i].name, name) != 0)
            continue;
        struct scenario found = scenarios[i];
        fill(&found.event_bytes, usual.event_bytes);
        fill(&found.destination_count, usual.destination_count);
        fill(&found.consumer_count, usual.consumer_count);
        fill(&found.connection_count, usual.connection_count);
        fill(&found.in_flight, usual.in_flight);
        fill(&found.burst, usual.burst);
        fill(&found.batch, usual.batch);
        fill(&found.shard_count, usual.shard_count);
        *out_scenario = found;
        return true;
    }
    return false;
}

/* ---- Points ---------------------------------------------------------------------------------- */

static struct scenario_point *add(const struct scenario *scenario, uint32_t *count,
                                  struct scenario_point *points)
{
    assert(*count < SCENARIO_POINTS_MAX);
    struct scenario_point *point = &points[(*count)++];
    *point = (struct scenario_point){.scenario = *scenario};
    return point;
}

static uint32_t add_connections(const struct scenario *scenario, struct scenario_point *points)
{
    static const uint32_t connections[] = {1, 10, 100, 1000, 10000}, wakes[] = {1, 16};
    uint32_t count = 0;
    for (size_t w = 0; w < sizeof wakes / sizeof *wakes; w++)
        for (size_t i = 0; i < sizeof connections / sizeof *connections; i++) {
            struct scenario_point *point = add(scenario, &count, points);
            point->scenario.connection_count = connections[i];
            point->scenario.in_flight = point->scenario.burst = wakes[w];
            snprintf(point->label, sizeof point->label, "%u connections, %u a wake", connections[i],
                     wakes[w]);
        }
    return count;
}

static uint32_t add_destinations(const struct scenario *scenario, struct scenario_point *points)
{
    uint32_t count = 0;
    for (uint32_t n = 1; n <= SCENARIO_DESTINATIONS_MAX; n *= 2) {
        struct scenario_point *point = add(scenario, &count, points);
        point->scenario.destination_count = n;
        point->scenario.rule_count = 1;
        snprintf(point->label, sizeof point->label, "%u destinations", n);
    }
    return count;
}

/* As many again as the window holds are sent beforehand, so that each new one drives out one. */
static uint32_t add_windows(const struct scenario *scenario, struct scenario_point *points)
{
    static const uint32_t millions[] = {1, 10, 100};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof millions / sizeof *millions; i++) {
        struct scenario_point *point = add(scenario, &count, points);
        point->scenario.window_entries = millions[i] * UINT64_C(1000000);
        point->scenario.prefill_count = millions[i] * 1000000U;
        snprintf(point->label, sizeof point->label, "%u million identities", millions[i]);
    }
    return count;
}

static uint32_t add_shards(const struct scenario *scenario, struct scenario_point *points)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t count = 0;
    for (long shards = 1; shards <= cores && shards <= 64; shards *= 2) {
        struct scenario_point *point = add(scenario, &count, points);
        point->scenario.shard_count = (uint32_t)shards;
        snprintf(point->label, sizeof point->label, "%ld shards", shards);
    }
    return count;
}

static uint32_t add_rules(const struct scenario *scenario, struct scenario_point *points)
{
    static const uint32_t rules[] = {10, 1000, 10000, 100000};
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++) {
        struct scenario_point *point = add(scenario, &count, points);
        point->scenario.rule_count = rules[i];
        snprintf(point->label, sizeof point->label, "%u rules", rules[i]);
    }
    for (unsigned kind = HARD_RULES_NONE + 1; kind < HARD_RULES_KINDS; kind++) {
        struct scenario_point *point = add(scenario, &count, points);
        point->scenario.rule_count = HARD_RULES;
        point->scenario.hard_rules = (enum hard_rules)kind;
        snprintf(point->label, sizeof point->label, "%u rules, %s", HARD_RULES,
                 hard_rules_names[kind]);
    }
    return count;
}

uint32_t scenario_points(const struct scenario *scenario, struct scenario_point *out_points)
{
    uint32_t count = 0;
    switch (scenario->axis) {
    case AXIS_NONE: add(scenario, &count, out_points); break;
    case AXIS_CONNECTIONS: count = add_connections(scenario, out_points); break;
    case AXIS_DESTINATIONS: count = add_destinations(scenario, out_points); break;
    case AXIS_WINDOW: count = add_windows(scenario, out_points); break;
    case AXIS_SHARDS: count = add_shards(scenario, out_points); break;
    case AXIS_RULES: count = add_rules(scenario, out_points); break;
    }
    return count;
}
