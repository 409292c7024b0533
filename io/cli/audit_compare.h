/* A record of the journal beside the decision on the same bytes, made anew. */
#ifndef KOUAN_IO_CLI_AUDIT_COMPARE_H
#define KOUAN_IO_CLI_AUDIT_COMPARE_H

#include "core/record.h"
#include "routes/router.h"

#define AUDIT_DIFFERENCE_LIST(X)                                                                   \
    X(REFUSED, "refused", "it would be refused now")                                               \
    X(PROFILE, "profile", "another profile reads it")                                              \
    X(ENTRIES, "entries", "another number of entries")                                             \
    X(VALUES, "values", "other fields or keys are read")                                           \
    X(RULES, "rules", "other rules match")                                                         \
    X(DESTINATIONS, "destinations", "it goes elsewhere")                                           \
    X(HOLDS, "holds", "it is held elsewhere")

enum audit_difference {
#define X(constant, name, text) DIFFERENCE_##constant,
    AUDIT_DIFFERENCE_LIST(X)
#undef X
        DIFFERENCE_COUNT
};

struct audit_comparison {
    bool differs[DIFFERENCE_COUNT];
    bool any;
    bool is_diverted;    /* a full destination's dead letter took it: not a matter of rules */
    bool other_identity; /* not the message's own: given by IDMP, which is not kept */
};

struct audit_comparison audit_compare(const struct record *record, const struct routing *routing,
                                      const struct generation *generation);

#endif
