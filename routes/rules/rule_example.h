/* Examples for rules: messages, and where the tables must send them, in YAML. One document an
 * example:
 *
 *   message: messages/list_1210.xml   # a file beside this one; or `body:` and the message itself
 *   deliver: [customs, inspection]    # exactly these; none if it is left out
 *   hold: port                        # and exactly these
 *   rules: [lists/gz-lists]           # if it matters: the rules that match, table/id
 *   participant: nansha               # who sends it; else whose `ids` have the sender's address
 *   channel: in                       # else the first one
 *   at: 2026-12-01                    # when, for rules that are not always valid; else now
 *   part: 2                           # of an interchange of several messages
 *
 * or, instead of `deliver` and `hold`, `refused: UNROUTABLE` (or REJECTED, NOPERM): the first word
 * of the reply. Touches no files. Examples live in the arena. */
#ifndef KOUAN_ROUTES_RULE_EXAMPLE_H
#define KOUAN_ROUTES_RULE_EXAMPLE_H

#include "routes/router.h"

struct yaml_node;

struct rule_example {
    const char *file;                 /* that it stands in */
    const struct yaml_node *document; /* whose `message` is a file; without one, `body` is it */
    const char *message;              /* NULL: then `body` */
    struct bytes body;
    const struct participant *participant; /* NULL: by the sender's address */
    const struct channel *channel;
    bool has_time;
    uint64_t at_ms;
    uint32_t part; /* 0: there is one */
    const struct rule_example *next;
};

/* The examples of one file, in its order. Mistakes are reported; an example with some is left out.
 */
const struct rule_example *rule_examples_parse(struct arena *arena, const char *path,
                                               struct bytes text,
                                               const struct generation *generation,
                                               struct diagnostics *diagnostics);

/* Holds what was decided on the example's message against what it says. Each difference is
 * reported, where the example says otherwise. True if there is none. */
bool rule_example_check(const struct rule_example *example, const struct generation *generation,
                        const struct routing *routings, uint32_t routing_count,
                        struct diagnostics *diagnostics);

/* Where its message is named, or it begins. */
struct place rule_example_place(const struct rule_example *example);

/* T1xx. */
extern const struct diagnostic_code rule_example_codes[];

#endif
