/* `micro route`: batches of bodies through the router: read, digest, match, resolve. Events, and
 * the short messages among which they come (`full`): receipts, events, short EDIFACT. */
#include <stdio.h>

#include "bench/micro/micro.h"
#include "bench/micro/micro_bodies.h"
#include "bench/micro/micro_rules.h"
#include "routes/router.h"

enum { RULES = 1000, BATCH = 64 };

static_assert((int)MICRO_BODIES_OF_A_KIND % (int)BATCH == 0, "bodies come in whole batches");

struct routed {
    struct generation generation;
    struct participant participant;
    const struct participant *participants[1];
    struct channel channel;
    struct router *router;
    struct arrival arrivals[MICRO_BODIES_OF_A_KIND];
    uint32_t count;
};

static uint64_t decide(void *context)
{
    static struct routing routings[ROUTER_BATCH_MAX];
    struct routed *routed = context;
    for (uint32_t at = 0; at < routed->count; at += BATCH) {
        uint32_t routing_count;
        if (router_decide(routed->router, &routed->generation, routed->arrivals + at, BATCH, 0,
                          routings, &routing_count) != BATCH)
            return 0;
        for (uint32_t i = 0; i < routing_count; i++)
            if (routings[i].refused || destination_set_count(&routings[i].deliver) == 0)
                return 0;
    }
    return routed->count;
}

/* Anybody may send anything. */
static bool open_routed(struct routed *routed, struct micro_reading *reading)
{
    static const struct digest_secret secret = {.bytes = {1, 2, 3}};
    struct diagnostics diagnostics;
    *routed = (struct routed){
        .participant = {.name = "anonymous",
                        .name_bytes = BYTES_LITERAL("anonymous"),
                        .scope_name = BYTES_LITERAL("participant anonymous")},
        .channel = {.name = "in"},
    };
    routed->participants[0] = &routed->participant;
    memset(routed->channel.profiles, 0xFF, sizeof routed->channel.profiles);
    struct generation *generation = &routed->generation;
    *generation = (struct generation){.profiles = reading->profiles,
                                      .open = true,
                                      .destination_count = 2,
                                      .unroutable_destination = NO_DESTINATION};
    generation->matcher = micro_rules_compile(&reading->arena, HARD_RULES_NONE, RULES,
                                              &generation->table_count, &generation->tables);
    diagnostics_init(&diagnostics);
    participant_directory_build(&reading->arena, routed->participants, 1, &generation->directory,
                                &diagnostics, "bench");
    diagnostics_deinit(&diagnostics);
    return generation->matcher != NULL &&
           router_open(&secret, READING_ENTRIES_DEFAULT, &routed->router) == STATUS_OK;
}

static void add(struct routed *routed, struct bytes body)
{
    routed->arrivals[routed->count++] = (struct arrival){
        .body = body, .channel = &routed->channel, .participant = &routed->participant};
}

static bool measure(struct micro *micro, struct routed *routed, const char *name)
{
    double bytes = 0;
    for (uint32_t i = 0; i < routed->count; i++)
        bytes += (double)routed->arrivals[i].body.size;
    const struct micro_case measured = {
        .name = name, .item_bytes = bytes / routed->count, .turn = decide, .context = routed};
    return micro_measure(micro, &measured);
}

bool micro_route(struct micro *micro)
{
    static struct micro_reading reading;
    static struct routed routed;
    const struct micro_bodies *mixed[] = {&reading.events, &reading.kinds[KIND_KJDOCREC],
                                          &reading.events, &reading.kinds[KIND_CUSRES]};
    routed.router = NULL;
    bool good = micro_reading_open(&reading) && open_routed(&routed, &reading);
    for (uint32_t i = 0; i < MICRO_BODIES_OF_A_KIND && good; i++)
        add(&routed, reading.events.items[i % reading.events.count]);
    good = good && measure(micro, &routed, "events, 1000 rules");
    routed.count = 0;
    for (uint32_t i = 0; i < MICRO_BODIES_OF_A_KIND && good; i++)
        add(&routed, mixed[i % 4]->items[i % mixed[i % 4]->count]);
    good = good && measure(micro, &routed, "short messages, 1000 rules");
    router_close(routed.router);
    micro_reading_close(&reading);
    return good;
}
