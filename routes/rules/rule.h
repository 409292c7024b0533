/* Rule tables: CSV as people save it from a spreadsheet -> rules -> (routes/match/match.h) a
 * matcher.
 *
 * Columns, by the header row's names, in any order: id, priority, any field of routes/field.h
 * (canonical or session's), to, action, valid_from, valid_to, note. A cell is blank or `*` (always
 * holds), or alternatives separated by `|`, each `text`, `prefix*`, `low..high`, or `@list`; a `!`
 * before the cell negates the whole; `\` before a sign makes it text. A condition holds if any
 * value of the field meets it; a negation, if none does (so it holds for an absent field). First
 * match within a table, by priority (higher first), then by order in the file; the destinations of
 * all tables add up. Docs: docs/rules.md. Everything parsed lies in the caller's arena, immutable.
 */
#ifndef KOUAN_ROUTES_RULE_H
#define KOUAN_ROUTES_RULE_H

#include "core/destination_set.h"
#include "core/diagnostic.h"
#include "routes/field.h"
#include "routes/scan/charset.h"

enum {
    RULE_TABLES_MAX = 16,
    RULES_MAX = 200000,                            /* over all tables of a generation */
    RULE_ALTERNATIVES_MAX = 1024,                  /* in one cell, lists counted as one */
    RULE_ALTERNATIVES_TOTAL_MAX = 4 * 1000 * 1000, /* over all tables */
    RULE_ID_BYTES_MAX = 64,
    RULE_PERIODS_MAX =
        60000, /* that the times of all rules cut time into (routes/rules/rule_time.h) */
    VALUE_LIST_VALUES_MAX = 200000,
    VALUE_LIST_VERSION_BYTES_MAX = 64
};

/* A value list, `@name`: one value a line or the first column of a CSV, `#` comments; among those
 * before the first value may be `# version: 2026-11`. */
struct value_list {
    const char *name, *file;
    const char *version;  /* what its head says; "" if it says nothing */
    struct bytes *values; /* sorted by bytes_compare, unique */
    uint32_t count;
};

enum alternative_kind {
    ALTERNATIVE_EXACT,
    ALTERNATIVE_PREFIX,
    ALTERNATIVE_RANGE,
    ALTERNATIVE_LIST
};

/* RANGE compares as numbers if both ends are decimal digits only and of equal length, and then only
 * with values of that same form and length; otherwise as bytes. */
struct alternative {
    enum alternative_kind kind;
    struct bytes low, high; /* EXACT and PREFIX: `low` */
    const struct value_list *list;
};

/* At most one of a slot in a rule. */
struct condition {
    enum slot slot;
    bool negated;
    const struct alternative *alternatives;
    uint32_t alternative_count;
    struct bytes text; /* of its cell */
};

enum rule_action { ACTION_DELIVER, ACTION_HOLD, ACTION_REJECT };
const char *rule_action_name(enum rule_action action);

struct rule {
    const char *id;
    int32_t priority;
    const struct condition *conditions;
    uint16_t condition_count;
    const uint16_t *destinations; /* indices by the caller's resolver */
    uint16_t destination_count;
    bool to_receiver; /* `@receiver` */
    enum rule_action action;
    /* Since 1970: holds from then on, and no more from then on; 0 and UINT64_MAX: always. */
    uint64_t valid_from_ms, valid_to_ms;
    const char *note;      /* "" if there is none */
    uint32_t line, column; /* of its id */
};

struct rule_table {
    const char *name, *file;
    const struct rule *rules; /* in order of matching */
    uint32_t rule_count;
    uint32_t alternative_count; /* of all rules */
};

/* How names in cells become things: the configuration's destinations and lists. */
struct rule_names {
    const char *const *destinations;
    uint16_t destination_count;
    const struct value_list *const *lists;
    uint16_t list_count;
};

/* Parses one list file. Every error is reported; the list then holds the values that are right, so
 * that the tables that use it can be checked in the same run. Never NULL. */
const struct value_list *value_list_parse(struct arena *arena, struct charsets *charsets,
                                          const char *name, const char *path, struct bytes content,
                                          struct diagnostics *diagnostics);
bool value_list_has(const struct value_list *list, struct bytes value);

/* Parses one table. Every error is reported; NULL if there was one. Warns of a rule that an earlier
 * one covers (routes/rules/rule_cover.c). Ids are unique within a table. */
const struct rule_table *rule_table_parse(struct arena *arena, struct charsets *charsets,
                                          const char *name, const char *path, struct bytes content,
                                          const struct rule_names *names,
                                          struct diagnostics *diagnostics);

/* False, and reported, if all tables together have more than RULES_MAX rules or more than
 * RULE_ALTERNATIVES_TOTAL_MAX alternatives. */
bool rule_tables_check_total(const struct rule_table *const *tables, uint16_t table_count,
                             struct diagnostics *diagnostics);

/* The naive truth (routes/rules/condition.c): do these hold? Used by `explain`, by the cover check,
 * and by the tests that the matcher is checked against. */
struct reading;
bool alternative_holds(const struct alternative *alternative, struct bytes value);
/* True if the value meets any of its alternatives, negated or not. */
bool condition_is_met_by(const struct condition *condition, struct bytes value);
bool condition_holds(const struct condition *condition, const struct reading *reading);
bool rule_holds(const struct rule *rule, const struct reading *reading, uint64_t now_ms);

/* True if a range compares as numbers: only with values of its ends' number of digits. */
bool alternative_is_numeric(const struct alternative *range);

/* The codes raised here: R1xx for tables, L1xx for lists. */
extern const struct diagnostic_code rule_codes[];

#endif
