/* The router's first stage: bodies in, a reading or a refusal of each message in them out. Only the
 * router includes this. */
#ifndef KOUAN_ROUTES_ROUTER_READ_H
#define KOUAN_ROUTES_ROUTER_READ_H

#include "routes/router.h"

struct router_reader {
    struct reader reader;
    struct edifact_part parts[EDIFACT_PARTS_MAX]; /* of the interchange at hand */
    bool is_first;                                /* the arrival at hand, in its batch */
};

/* How many arrivals were read, at least 1: fewer than `count` when the reader or the routings have
 * no room for the next. Fills `routings` as far as the reading goes: from `arrival` to `whole`,
 * and `refused` with its reasons. */
uint32_t router_read(struct router_reader *stage, const struct generation *generation,
                     const struct arrival *arrivals, uint32_t count, struct routing *routings,
                     uint32_t *out_routing_count);

#endif
