/* Names of participants, roles and states as numbers of the table: what a case says by number
 * means the same in another generation and after another start. They only become more. */
#ifndef KOUAN_CORE_CASE_NAMES_H
#define KOUAN_CORE_CASE_NAMES_H

#include "core/case_table.h"

enum { CASE_NAMES_MAX = 8192, CASE_NAME_BYTES = 62 };

/* Participants and roles: from 1; 0 is nobody. Cut to CASE_NAME_BYTES. 0, too, when there are
 * CASE_NAMES_MAX already. */
uint16_t case_table_number(struct case_table *table, struct bytes name);
/* Empty for 0. */
struct bytes case_table_name(const struct case_table *table, uint16_t number);
/* The number of a name that is there; 0: none. */
uint16_t case_table_find_name(const struct case_table *table, struct bytes name);

/* States: from 1; 0 is none. FULL: there were CASE_STATES_MAX - 1 others. */
MUST_CHECK enum status case_table_state_number(struct case_table *table, struct bytes name,
                                               uint8_t *out_state);
struct bytes case_table_state_name(const struct case_table *table, uint8_t state);

#endif
