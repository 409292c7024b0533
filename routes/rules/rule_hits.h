/* How often each rule of a generation was a message's match, and when last: one array a shard, by
 * table and rule. Its shard alone counts; any thread may read meanwhile, and finds each number as
 * it was or is. */
#ifndef KOUAN_ROUTES_RULE_HITS_H
#define KOUAN_ROUTES_RULE_HITS_H

#include <stdatomic.h>

#include "routes/generation.h"

struct rule_hit {
    _Atomic uint64_t count, last_ms;
};

struct rule_hits {
    struct rule_hits *before; /* of the generation that ran before, until somebody takes it */
    struct rule_hit *tables[RULE_TABLES_MAX];
    struct rule_hit rules[];
};

MUST_CHECK enum status rule_hits_open(const struct generation *generation,
                                      struct rule_hits **out_hits);
/* With those before; NULL, too. */
void rule_hits_close(struct rule_hits *hits);

/* No other thread writes it. */
static inline void rule_hit_count(struct rule_hit *hit, uint64_t now_ms)
{
    uint64_t count = atomic_load_explicit(&hit->count, memory_order_relaxed);
    atomic_store_explicit(&hit->count, count + 1, memory_order_relaxed);
    atomic_store_explicit(&hit->last_ms, now_ms, memory_order_relaxed);
}

/* A message that was decided so, at that time. */
static inline void rule_hits_count(struct rule_hits *hits, const struct decision *decision,
                                   uint64_t now_ms)
{
    for (uint32_t i = 0; i < decision->table_count; i++)
        if (decision->matched[i] != DECISION_NO_RULE)
            rule_hit_count(&hits->tables[i][decision->matched[i]], now_ms);
}

#endif
