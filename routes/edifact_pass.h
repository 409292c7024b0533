/* The fast way over those segments of a message that give a plan nothing. Internal to this folder.
 */
#ifndef KOUAN_ROUTES_EDIFACT_PASS_H
#define KOUAN_ROUTES_EDIFACT_PASS_H

#include "routes/edifact_envelope.h"

/* Within a message: passes over plain segments that are well-formed, begin no entry, and whose tag
 * nothing taps, or only under qualifiers that are others. True if it has found one that may give
 * something: it is the envelope's segment, its end is found, and `out_rows` tap it (or it begins an
 * entry). False where the next segment has to be looked at in the common way. */
bool edifact_pass_segments(struct edifact_envelope *envelope, const struct plan *plan,
                           const struct plan_rows **out_rows);

#endif
