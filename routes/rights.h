/* Participants: identities with roles, addresses and rights. Default deny once any is configured.
 */
#ifndef KOUAN_ROUTES_RIGHTS_H
#define KOUAN_ROUTES_RIGHTS_H

#include "core/destination_set.h"
#include "core/diagnostic.h"

enum { PARTICIPANTS_MAX = 4096, CHANNELS_MAX = 256, PARTICIPANT_ROLES_MAX = 16 };

/* An address that a participant may claim and by which it is found: exact, or a prefix (`DXPENT*`).
 */
struct address_pattern {
    struct bytes text;
    bool is_prefix;
};

struct participant {
    const char *name;
    struct bytes name_bytes;   /* the same, measured */
    struct bytes secret;       /* what AUTH must give; absent only for the anonymous one */
    const struct bytes *roles; /* each with a NUL behind it */
    uint16_t role_count;
    const struct address_pattern *ids;
    uint32_t id_count;
    uint32_t ids_line, ids_column;       /* where they stand in the configuration */
    uint64_t publish[CHANNELS_MAX / 64]; /* channels it may publish to, a bit each */
    struct destination_set consume;      /* destinations it may read and acknowledge */
    struct destination_set delivers_to;  /* `@receiver`: the destinations that reach it */
    bool create_groups;                  /* XGROUP CREATE beyond the configured ones */
    bool operate;                        /* holds, rejects, ledger, and what others do */
    uint16_t scope;                      /* of the identity window */
    struct bytes scope_name; /* "scope NAME" if it shares one, or else "participant NAME": part of
                                each identity, so it may not change when the numbers do */
    uint16_t index;
    bool is_removed; /* it only keeps its place, and has neither secret nor rights */
};

struct participant_directory {
    const struct participant *const *participants; /* [0] is the anonymous one */
    uint16_t count;
    /* Exact addresses in a hash table, prefixes from the longest to the shortest. */
    const struct directory_entry *exact;
    uint32_t exact_mask;
    const struct directory_entry *prefixes;
    uint32_t prefix_count;
};

/* Builds the look-up; addresses that two participants claim are errors (C1xx). */
void participant_directory_build(struct arena *arena, const struct participant *const *participants,
                                 uint16_t count, struct participant_directory *out_directory,
                                 struct diagnostics *diagnostics, const char *file);

/* By name; NULL if there is none, or none any more. */
const struct participant *participant_find(const struct participant_directory *directory,
                                           struct bytes name);
/* The participant that owns an address; NULL if none does. */
const struct participant *participant_by_address(const struct participant_directory *directory,
                                                 struct bytes address);
bool participant_may_claim(const struct participant *participant, struct bytes address);
bool participant_may_publish(const struct participant *participant, uint16_t channel);

#endif
