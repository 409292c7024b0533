/* The fast way over those segments of a message that give a plan nothing. Internal to this folder.
 */
#ifndef KOUAN_ROUTES_EDIFACT_PASS_H
#define KOUAN_ROUTES_EDIFACT_PASS_H

#include "routes/edifact/edifact_envelope.h"

/* Within a message: passes over plain segments that are well-formed, begin no entry, and whose tag
 * nothing taps, or only under qualifiers that are others. Then the rows of the first that may give
 * something (none, if it only begins an entry): it is the envelope's segment, and its end is found.
 * NULL where the next segment has to be looked at in the common way. */
const struct plan_rows *edifact_pass_segments(struct edifact_envelope *envelope,
                                              const struct plan *plan);

#endif
