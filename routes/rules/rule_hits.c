#include "routes/rules/rule_hits.h"

#include <stdlib.h>

enum status rule_hits_open(const struct generation *generation, struct rule_hits **out_hits)
{
    size_t count = 0;
    for (uint16_t i = 0; i < generation->table_count; i++)
        count += generation->tables[i]->rule_count;
    struct rule_hits *hits = calloc(1, sizeof *hits + count * sizeof *hits->rules);
    if (hits == NULL)
        return STATUS_NO_MEMORY;
    struct rule_hit *at = hits->rules;
    for (uint16_t i = 0; i < generation->table_count; i++) {
        hits->tables[i] = at;
        at += generation->tables[i]->rule_count;
    }
    *out_hits = hits;
    return STATUS_OK;
}

void rule_hits_close(struct rule_hits *hits)
{
    while (hits != NULL) {
        struct rule_hits *before = hits->before;
        free(hits);
        hits = before;
    }
}
