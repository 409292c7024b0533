/* A generation: one loaded set of profiles, rule tables, participants, channels and destinations.
 * Immutable once built; everything lies in its arena; its number is stamped on every record that it
 * decides. */
#ifndef KOUAN_ROUTES_GENERATION_H
#define KOUAN_ROUTES_GENERATION_H

#include "routes/dialect/profile.h"
#include "routes/life/life_cycle.h"
#include "routes/match/match.h"
#include "routes/rights.h"
#include "routes/rules/rule_time.h"

enum { DESTINATION_GROUPS_MAX = 64, DESTINATION_FIELDS_MAX = 32, NO_DESTINATION = 0xFFFF };

/* A named entrance, with the profiles that may enter by it. */
struct channel {
    const char *name;
    uint64_t profiles[PROFILES_MAX / 64]; /* a bit per profile index */
    uint16_t index;
    bool is_removed; /* it only keeps its place, for those who know it by its index */
};

/* What a delivered entry carries beside `body`: fields and keys by slot, or facts of the record. */
#define RECORD_FACT_LIST(X)                                                                        \
    X(ORIGIN, "origin", "the participant that sent it")                                            \
    X(CHANNEL, "channel", "the channel by which it came")                                          \
    X(PROFILE, "profile", "the profile that read it")                                              \
    X(VERDICT, "verdict", "fresh, conflict or amendment")                                          \
    X(GENERATION, "generation", "the number of the generation that decided it")                    \
    X(RULE, "rule", "table/id of each rule that matched")                                          \
    X(KEYS, "keys", "all keys, kind:value, one a line")                                            \
    X(CAUSE, "cause", "message, released, dead-letter or rerouted")                                \
    X(FIRST_ID, "first_id", "the id of the record that this one repeats")                          \
    X(PART, "part", "its number in its interchange, 3/7; empty if it came by itself")              \
    X(ENVELOPE, "envelope", "UNA, UNB and UNG of its interchange; empty if the body has its own")

enum record_fact {
#define X(name, text, help) FACT_##name,
    RECORD_FACT_LIST(X)
#undef X
        FACT_COUNT
};

struct delivered_field {
    struct bytes name;
    enum { DELIVER_SLOT, DELIVER_FACT } kind;
    union {
        enum slot slot;
        enum record_fact fact;
    };
};

/* By name; false if it is neither a field, a key kind, nor a fact. A fact wins over a slot of its
 * name. */
bool delivered_field_find(struct bytes name, struct delivered_field *out_field);

enum when_full {
    WHEN_FULL_WAIT,
    WHEN_FULL_TRY_AGAIN,
    WHEN_FULL_DEAD_LETTER,
    WHEN_FULL_DROP_OLDEST
};

struct destination {
    const char *name;
    uint16_t index;
    bool is_removed;           /* as of a channel */
    const char *const *groups; /* configured ones */
    uint16_t group_count;
    uint64_t groups_by_case; /* a bit each: `order: case` */
    const struct delivered_field *fields;
    uint16_t field_count;
    uint32_t pending_max;       /* entries delivered and not acknowledged, per group */
    uint32_t backlog_max;       /* entries kept, per destination */
    uint64_t backlog_bytes_max; /* their bytes */
    uint64_t retain_bytes;      /* kept while there is no group */
    uint32_t deliveries_max;    /* 0: no limit */
    uint16_t dead_letter;       /* NO_DESTINATION: none */
    enum when_full when_full;
};

struct generation {
    uint64_t number;
    struct arena arena;
    struct profile_set profiles;
    const struct rule_table *const *tables;
    uint16_t table_count;
    const struct value_list *const *lists;
    uint16_t list_count;
    const struct matcher *matcher;
    struct rule_periods periods;
    const struct life_cycle *life_cycle;
    const struct channel *const *channels;
    uint16_t channel_count;
    const struct destination *const *destinations;
    uint16_t destination_count;
    struct participant_directory directory;
    bool open; /* no participants are configured: the anonymous one may do all */
    const struct participant *operator; /* who comes by the control socket; in no directory */
    uint16_t unroutable_destination;    /* NO_DESTINATION: refused */
};

/* By name; NULL if there is none, or none any more. */
const struct channel *generation_channel(const struct generation *generation, struct bytes name);
const struct destination *generation_destination(const struct generation *generation,
                                                 struct bytes name);

#endif
