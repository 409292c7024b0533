/* A destination as its log tells of it. Recovery hands over what it reads, in the order of the log,
 * from the checkpoint of the oldest segment on; at the end the outlet and its groups stand as they
 * stood, but that nothing is pending: what is unsettled below the highest settled id of a group is
 * returned to it, and delivered first.
 *
 * Only what some group still needs is kept on the way, whatever the log holds of what is done with.
 * Messages, `settled` and `group` facts count as they did when they happened; the first `outlet`
 * fact, and the first word of each group, are absolute. Memory is allocated as it must be, and
 * freed at the end. Any function may say NO_MEMORY. */
#ifndef KOUAN_IO_OUTLET_RESTORE_H
#define KOUAN_IO_OUTLET_RESTORE_H

#include "core/fact.h"
#include "io/delivery/outlet.h"

struct outlet_restore;

/* `outlet` is open, empty, and without groups. `uncommitted_max`: so many messages at most were
 * written and not pushed yet at any time. */
MUST_CHECK enum status outlet_restore_open(struct outlet *outlet, uint64_t uncommitted_max,
                                           struct outlet_restore **out_restore);
void outlet_restore_close(struct outlet_restore *restore);

/* The first one only; later ones say what is known. */
void outlet_restore_account(struct outlet_restore *restore, const struct fact_outlet *fact);

/* A message that goes to this destination, at once or copied forward; not one that is held there.
 */
MUST_CHECK enum status outlet_restore_message(struct outlet_restore *restore,
                                              const struct record *record, uint64_t position);

MUST_CHECK enum status outlet_restore_group(struct outlet_restore *restore,
                                            const struct fact_group *fact);
/* Of a group that is not known (destroyed since, by a fact that comes later): nothing. */
MUST_CHECK enum status outlet_restore_settled(struct outlet_restore *restore,
                                              const struct fact_settled *fact);

/* Builds what was told. Configured groups of which the log knows nothing are not among it
 * (outlet_create_configured_groups). */
MUST_CHECK enum status outlet_restore_end(struct outlet_restore *restore);

#endif
