/* What the trailers of an envelope say of it (UNT, UNE, UNZ, UNP), held against what is there: the
 * counts and the references. Senders get them wrong in otherwise sane messages, so it is only for
 * strict profiles that a scan looks at them, and else for `kouan explain`. Internal to this folder.
 */
#ifndef KOUAN_ROUTES_EDIFACT_TALLY_H
#define KOUAN_ROUTES_EDIFACT_TALLY_H

#include "routes/edifact/edifact_envelope.h"

struct edifact_tally {
    struct bytes interchange, group, message, package; /* UNB, UNG, UNH, UNO */
    uint32_t message_number;                           /* of the UNH */
    uint32_t group_count, interchange_count;           /* as in struct edifact_part */
    const struct edifact_part *part; /* knows the counts of what is around it; or NULL */
    struct edifact_warning *warnings;
    uint32_t capacity, count; /* what is found past `capacity` is only counted */
};

/* Of a whole body, or of one part of it. The warnings go to `out_warnings`, which stays the
 * caller's. */
void edifact_tally_init(struct edifact_tally *tally, const struct edifact_part *part,
                        struct edifact_warning *out_warnings, uint32_t capacity);

/* Takes the end of what is walked: the interchange may have no UNZ. */
void edifact_tally_take_end(struct edifact_tally *tally, const struct edifact_envelope *envelope);

/* Takes the segment whose end the envelope has just found; those that are not UN.. mean nothing. */
void edifact_tally_take(struct edifact_tally *tally, const struct edifact_envelope *envelope);

#endif
