/* Who sent a message of the journal, and where it went, by the indices of today: each generation
 * that decided some of them is read once from the store, and its names are followed to those of the
 * present one. For who decides such messages anew. One thread; the caller owns all that it gives,
 * and it outlives this. */
#ifndef KOUAN_IO_ORIGINS_H
#define KOUAN_IO_ORIGINS_H

#include "core/record.h"
#include "io/audit/log_reader.h"
#include "io/reload/generation_store.h"

struct origins {
    const struct generation *present;
    const struct generation_names *names; /* of the present one */
    const struct generation_store *store;
    struct arena arena;
    struct origin *items;
    uint32_t count, capacity;
};

/* A generation that decided messages of the journal. */
struct origin {
    uint64_t number;
    bool is_known; /* else it is not stored */
    struct generation_names names;
    const uint16_t *participants, *channels, *destinations; /* as those of the present one */
};

void origins_open(struct origins *origins, const struct generation *present,
                  const struct generation_names *names, const struct generation_store *store);
void origins_close(struct origins *origins);

/* Never NULL; valid until the next call. */
const struct origin *origins_get(struct origins *origins, uint64_t number);

/* False: one of the two is gone, or may not send there any more. */
bool origins_find_sender(struct origins *origins, const struct record *record,
                         uint16_t *out_participant, uint16_t *out_channel);
bool origins_may_come(const struct generation *generation, uint16_t participant, uint16_t channel);

/* Where it went, and where it was held, of what there still is. */
void origins_find_destinations(struct origins *origins, const struct record *record,
                               struct destination_set *out_delivered,
                               struct destination_set *out_held);

#endif
