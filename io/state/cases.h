/* The cases of one log (core/case_table.h): what its durable messages say of the cases that their
 * keys name. Each entry of a message is of a case of its own.
 *
 *   order, payment, waybill, list, client_seq, unified, entry   name one case when they come
 *                                   together in an entry; several of one kind in an entry do not:
 *                                   the message is about each of theirs
 *   bill, handbook, container, voyage   are shared by many; they name a case only in an entry that
 *                                   has nothing else
 *
 * Which state a message moves a case to is said by the life cycle of the generation that decided it
 * and by the roles that its participant had in that, so it is seen through a view of that
 * generation. Memory is reserved at open; a view allocates. One owner thread. */
#ifndef KOUAN_IO_CASES_H
#define KOUAN_IO_CASES_H

#include "core/case_names.h"
#include "io/config/options.h"
#include "routes/generation.h"

struct cases;
struct cases_view;

/* NO_MEMORY. The options are those of a shard, and want at least one case. */
MUST_CHECK enum status cases_open(const struct options *options, const struct digest_secret *secret,
                                  struct cases **out_cases);
void cases_close(struct cases *cases);
struct case_table *cases_table(struct cases *cases);

/* How a generation's messages are seen; which stays until the view is closed. NO_MEMORY. */
MUST_CHECK enum status cases_view_open(struct cases *cases, const struct generation *generation,
                                       struct cases_view **out_view);
void cases_view_close(struct cases_view *view);
/* From now on it is the current one; the one before is closed. */
void cases_set_view(struct cases *cases, struct cases_view *view);
const struct cases_view *cases_current_view(const struct cases *cases);

/* The cases, of which there are none yet, become those of an image, and the current view is opened
 * again. CORRUPT, NO_MEMORY: they are to be closed. */
MUST_CHECK enum status cases_restore(struct cases *cases, const void *image);

/* A durable message, in the order of the log; one that Kouan made (released, dead letter, copied
 * forward) says nothing new. */
void cases_observe(struct cases *cases, const struct cases_view *view, const struct record *record,
                   uint64_t position);

/* The digest of a key: of its kind, by its slot, and its text. */
struct digest cases_key_digest(const struct cases *cases, enum slot kind, struct bytes text);
/* The kind's slot, as a case's key has it. */
static inline enum slot cases_kind_slot(uint8_t kind)
{
    return (enum slot)(SLOT_FIELD_COUNT + kind);
}

#endif
