/* The hits of rules, over shards and generations. */
#include <stdlib.h>

#include "io/reload/reload_inside.h"
#include "io/shard/server_inside.h"

void reload_stats_advance(struct reload *reload, const struct generation *next, uint64_t now_ms)
{
    const struct generation *before = reload->current.config->generation;
    struct rule_totals totals;
    for (uint16_t i = 0; i < reload->server->count; i++) {
        struct rule_hits *hits = reload->server->shards[i]->rule_hits;
        rule_totals_add(&reload->totals, before, hits->before);
        rule_hits_close(hits->before);
        hits->before = NULL;
    }
    if (rule_totals_advance(&reload->totals, before, next, now_ms, &totals) != STATUS_OK)
        abort(); /* as an arena does */
    rule_totals_close(&reload->totals);
    reload->totals = totals;
}

bool reload_stats_report(FILE *out, const struct reload *reload,
                         const struct rule_stats_choice *choice)
{
    const struct generation *generation = reload->current.config->generation;
    struct rule_totals now;
    if (rule_totals_copy(&reload->totals, &now) != STATUS_OK)
        abort(); /* as an arena does */
    for (uint16_t i = 0; i < reload->server->count; i++)
        rule_totals_add(&now, generation, reload->server->shards[i]->rule_hits);
    bool is_there = rule_stats_print(generation, &now, choice, out);
    if (!is_there)
        fprintf(out, "there is no table %s\n", choice->table);
    rule_totals_close(&now);
    return is_there;
}
