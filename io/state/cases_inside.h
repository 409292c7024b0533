/* What the parts of io/state/cases.h share: cases.c (messages and their entries), cases_view.c (a
 * generation as they see it). */
#ifndef KOUAN_IO_CASES_INSIDE_H
#define KOUAN_IO_CASES_INSIDE_H

#include "io/state/cases.h"
#include "routes/read/reading.h"

struct cases {
    struct case_table *table;
    struct digest_secret secret;
    struct cases_view *view;
    const struct life_candidates *candidates; /* of the message at hand */
    /* Keys and statuses of each entry, in order: */
    uint16_t first[READING_ENTRIES_MAX + 1];
    uint16_t next[RECORD_VALUES_MAX];
};

struct cases_view {
    const struct generation *generation;
    struct cases_choice *choices; /* by what messages look like */
    uint16_t *participants;       /* names, by index */
    uint16_t *roles;              /* names of all their roles, one participant's behind another's */
    uint32_t *first_role;         /* by index */
    uint8_t states[LIFE_STATES_MAX]; /* of the table, by that of the life cycle */
    uint64_t from[LIFE_STATES_MAX];
};

/* ---- cases_view.c ---- */

/* The rules of the life cycle that may hold for a message of the profile; there until the next one
 * is asked for. */
const struct life_candidates *cases_view_choose(const struct cases_view *view, uint16_t profile,
                                                const struct life_message *life);

#endif
