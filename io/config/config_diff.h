/* What differs between two configurations that were loaded: what `kouan config diff` and `check
 * --against` print, and what a reload answers. Each change is a thing by its kind and name, how it
 * changed, and whether a reload applies it or it waits for a restart. Secrets are compared and
 * never told. What a generation has marked as removed is not there.
 *
 * All memory is the diff's; the configurations may go when it is made. */
#ifndef KOUAN_IO_CONFIG_DIFF_H
#define KOUAN_IO_CONFIG_DIFF_H

#include "io/config/config.h"

/* In the order in which they are listed. */
#define CONFIG_CHANGE_LIST(X)                                                                      \
    X(OPTION, "option")                                                                            \
    X(CHANNEL, "channel")                                                                          \
    X(DESTINATION, "destination")                                                                  \
    X(PARTICIPANT, "participant")                                                                  \
    X(PROFILE, "profile")                                                                          \
    X(LIST, "list")                                                                                \
    X(TABLE, "table")                                                                              \
    X(RULE, "rule")

enum config_change_kind {
#define X(constant, text) CHANGED_##constant,
    CONFIG_CHANGE_LIST(X)
#undef X
        CHANGED_KIND_COUNT
};

enum config_change_how { CHANGE_ADDED, CHANGE_REMOVED, CHANGE_MADE, CHANGE_MOVED };

struct config_change {
    enum config_change_kind kind;
    enum config_change_how how;
    const char *name; /* of a rule: table/id */
    const char
        *detail; /* "trade_mode: 1210 -> 1210|9610; to: ..."; "" where there is nothing to say */
    bool needs_restart;
};

struct config_diff {
    struct arena arena;
    struct config_change *changes;
    uint32_t count, capacity;
    uint32_t restart_count; /* of them */
};

/* `started`: the configuration that the server started with, whose options hold until it ends;
 * NULL: that is `before`. Its generation may be gone. */
void config_diff_make(const struct config *before, const struct config *started,
                      const struct config *next, struct config_diff *out_diff);
void config_diff_free(struct config_diff *diff);

/* For each rule of `next`, numbered through all tables, the number of the rule of `before` that is
 * the same: its table, id and cells are. Where it stands among the others may differ. */
enum { CONFIG_DIFF_NO_RULE = UINT32_MAX };
void config_diff_find_same_rules(const struct generation *before, const struct generation *next,
                                 uint32_t *out_numbers);

/* A line each, "  rule customs/gz changed: ...", of each kind at most `lines_max`, and how many
 * more there are; then a sum. Control bytes are escaped. */
void config_diff_print(const struct config_diff *diff, uint32_t lines_max, FILE *out);
/* One JSON array. */
void config_diff_print_json(const struct config_diff *diff, FILE *out);

#endif
