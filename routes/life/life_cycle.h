/* The life of a case as data: which states there are and which can follow which, and which message,
 * from whom, moves a case to which. Written in YAML (docs/cases.md); immutable once built, in the
 * generation's arena.
 *
 *   states:
 *     received: [submitted]            from which it can be reached; every state can be the first
 *     released: [received, inspecting]
 *   moves:
 *     - { message_type: CEB621, function: original, to: submitted }
 *     - message_type: [CEB604, CEB622]
 *       by: [customs]                  roles of the participant that sends it
 *       status: { "120": received, "800": released }
 */
#ifndef KOUAN_ROUTES_LIFE_CYCLE_H
#define KOUAN_ROUTES_LIFE_CYCLE_H

#include "routes/rights.h"
#include "routes/yaml.h"

enum { LIFE_STATES_MAX = 32, LIFE_RULES_MAX = 256, LIFE_STATUSES_MAX = 256, LIFE_NAME_BYTES = 32 };

struct life_state {
    struct bytes name;
    uint32_t from; /* a bit a state of the cycle */
};

/* A pattern (routes/dialect/pattern.h) that most often is plain. */
struct life_text {
    struct bytes text;
    bool is_plain;
};

struct life_texts {
    const struct life_text *items;
    uint16_t count; /* 0: anything holds */
};

/* With a status of these the case moves to that state; with `texts` empty, with any or none. */
struct life_step {
    struct life_texts statuses;
    uint8_t to;
};

struct life_rule {
    struct life_texts message_types, functions, profiles;
    const struct bytes *roles; /* `by` */
    uint16_t role_count;       /* 0: anybody */
    const struct life_step *steps;
    uint16_t step_count;
};

struct life_cycle {
    const struct life_state *states;
    uint8_t state_count;
    const struct life_rule *rules;
    uint16_t rule_count;
};

/* What a message says, and who sent it. */
struct life_message {
    struct bytes message_type, function, profile;
    const struct participant *participant; /* NULL: who has no roles */
    bool is_open;                          /* no participants are configured: `by` is not asked */
};

/* The rules that may hold for the message, in order, as a set that is asked entry by entry. */
struct life_candidates {
    uint16_t items[LIFE_RULES_MAX];
    uint16_t count;
};
void life_cycle_choose(const struct life_cycle *cycle, const struct life_message *message,
                       struct life_candidates *out_candidates);

enum life_answer {
    LIFE_STAYS,       /* nothing is said of such a message */
    LIFE_MOVES,       /* to `out_state`, said in the `out_role` (absent: it matters not) */
    LIFE_NOT_ENTITLED /* it would, had its participant the role */
};
/* The first rule that holds decides. `status` may be absent. */
enum life_answer life_cycle_decide(const struct life_cycle *cycle,
                                   const struct life_candidates *candidates,
                                   const struct life_message *message, struct bytes status,
                                   uint8_t *out_state, struct bytes *out_role);

/* Of a mapping with `states` and `moves`. NULL, and reported as C15x at its place, if it is wrong.
 */
const struct life_cycle *life_cycle_parse(struct arena *arena, const char *path,
                                          const struct yaml_node *node,
                                          struct diagnostics *diagnostics);
/* The one that stands in the program; it fits the shipped profiles. */
extern const char life_cycle_default_text[];

/* Do both say the same? */
bool life_cycle_equal(const struct life_cycle *a, const struct life_cycle *b);

extern const struct diagnostic_code life_cycle_codes[];

#endif
