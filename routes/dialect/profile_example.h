/* Examples of a dialect: messages beside the values that a profile must read from them, in YAML.
 * One document an example:
 *
 *   message: ceb311_two_orders.xml    # a file beside this one; or `body:` and the message itself
 *   profile: ceb-order                # that recognises it
 *   fields:                           # all that are read, each with all its values, in their order
 *     message_type: CEB311
 *     trader: [440316K8Q2, 440316K8Q3]
 *   keys: { client_seq: "417" }       # those outside of entries
 *   entries:                          # one mapping an entry, with its keys; `{}` for none
 *     - { order: SZ240611000017+440366T001 }
 *     - { order: [A, B], payment: C }
 *
 * or, of a message that must be refused, beside `message` or `body`:
 *
 *   refused: CONSTRAINT customs_office    # the reason, and the detail where there is one
 *   at: 103                               # the byte, if it matters
 *
 * Of an EDIFACT interchange of several messages, `part: 2` says which is meant.
 *
 * What an example does not name must not be read. Nothing here touches files: the caller finds the
 * message. The examples live in the arena. */
#ifndef KOUAN_ROUTES_PROFILE_EXAMPLE_H
#define KOUAN_ROUTES_PROFILE_EXAMPLE_H

#include "routes/dialect/profile.h"

struct yaml_node;

struct profile_example {
    const char *file; /* that it stands in */
    uint32_t line;
    const char *message; /* the message's file name, or NULL: then `body` */
    struct bytes body;
    uint32_t part; /* which of several messages, from 1; 0: there is one */
    const struct yaml_node *document;
    const struct profile_example *next;
};

/* The examples of one file, in its order; NULL if there are none. Mistakes are reported with the
 * codes of profiles; an example with mistakes is left out. */
const struct profile_example *profile_examples_parse(struct arena *arena, const char *path,
                                                     struct bytes text,
                                                     struct diagnostics *diagnostics);

/* Holds what came of reading the example's message (`read_message` or `read_part`, OK or INVALID)
 * against what it says. Each difference is reported as P115, where the example says otherwise. True
 * if there is none. */
bool profile_example_check(const struct profile_example *example, struct arena *arena,
                           enum status status, const struct reading *reading,
                           const struct scan_fault *fault, struct diagnostics *diagnostics);

#endif
