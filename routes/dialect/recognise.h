/* Which profile a body belongs to: an index over the recognisers of a set, so that a hundred
 * profiles cost no more than one. `read_recognise` (routes/read/read.h) looks things up in it. */
#ifndef KOUAN_ROUTES_RECOGNISE_H
#define KOUAN_ROUTES_RECOGNISE_H

#include "routes/dialect/profile.h"

struct recognise_index;

/* Of profiles in the order of precedence. Lies in the arena. */
const struct recognise_index *
recognise_index_build(struct arena *arena, const struct profile *const *profiles, uint16_t count);

/* True if whatever `inner` recognises is recognised by `outer` too. */
bool recognise_covers(const struct profile *outer, const struct profile *inner);

#endif
