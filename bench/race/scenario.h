/* What is driven through the servers: a table of scenarios, and the points of those that vary one
 * thing. A scenario is a value; the command line and the points change a copy of it. */
#ifndef KOUAN_BENCH_SCENARIO_H
#define KOUAN_BENCH_SCENARIO_H

#include "bench/day/day.h"
#include "bench/race/hard_rules.h"

enum {
    SCENARIO_CONNECTIONS_MAX = 10000,
    SCENARIO_DESTINATIONS_MAX = 16,
    SCENARIO_CONSUMERS_MAX = 16,
    SCENARIO_POINTS_MAX = 16,
    SCENARIO_LABEL_BYTES = 48
};

/* What a scenario varies from point to point. */
enum scenario_axis {
    AXIS_NONE,
    AXIS_CONNECTIONS, /* 1 .. 10,000, with 1 and with 16 messages a wake */
    AXIS_DESTINATIONS,
    AXIS_WINDOW, /* identities that the dedupe window is full of beforehand */
    AXIS_SHARDS,
    AXIS_RULES /* 10 .. 100,000, and such as are hard on a matcher */
};

struct scenario {
    const char *name, *help;
    enum day_mix mix;
    uint32_t event_bytes; /* of MIX_EVENTS */
    uint32_t replay_percent;
    uint32_t rule_count;        /* 0: no table, and everything goes to the one destination */
    enum hard_rules hard_rules; /* instead of usual ones */
    uint32_t destination_count; /* each with one group, and each gets every message */
    uint32_t consumer_count;    /* of each destination's group */
    uint32_t late_count;        /* of the destinations: nobody reads before all have receipts */
    bool has_far_group;         /* the first destination has a group more, which reads nothing but
                                   beside the peer that is for that */
    bool has_reloads;           /* beside the peer that is told to reload all the while */
    uint32_t load_percent;      /* of what Kouan can do, where no rate is given; 0: all */
    uint32_t connection_count;  /* that publish */
    uint32_t in_flight;         /* messages without a receipt, on each connection */
    uint32_t burst;             /* messages sent at once when so many may be */
    uint32_t batch;             /* entries a read */
    bool is_durable;            /* else in memory */
    bool is_over_unix;          /* connections by Unix sockets; else TCP */
    bool has_fields;            /* deliveries have message_type and verdict */
    uint32_t message_count;     /* of a run; 0: as many as `seconds` take */
    uint64_t window_entries;    /* of the dedupe window; 0: the default */
    uint32_t prefill_count;     /* messages sent before the clock starts */
    uint32_t shard_count;
    enum scenario_axis axis;
};

/* Rows: what is 0 in one is as in `wire`, where 0 makes no sense. For names and help. */
extern const struct scenario scenarios[];
extern const uint32_t scenario_count;

/* False if there is none of that name. */
bool scenario_find(const char *name, struct scenario *out_scenario);

struct scenario_point {
    struct scenario scenario;
    char label[SCENARIO_LABEL_BYTES]; /* `10000 connections, 16 a wake`, or "" of the only one */
};

/* The points of a scenario, from 1 to SCENARIO_POINTS_MAX of them. */
uint32_t scenario_points(const struct scenario *scenario, struct scenario_point *out_points);

#endif
