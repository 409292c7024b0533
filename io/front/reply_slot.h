/* The place of a reply that is not known yet, among those of its connection: taken when the command
 * runs, filled in, and sent when what it says has become true. Slots complete in any order and are
 * answered in the order of the commands.
 *
 * A message on its way is more than a slot, and begins with one (io/intake/publication.h). All
 * others, of commands that wait for what they changed to be durable, come from a pool of their own,
 * reserved at start, so that neither acknowledgements nor publications can use up the others'
 * places. A session that closes lets go of its slots; each goes on to its end without a reply. */
#ifndef KOUAN_IO_REPLY_SLOT_H
#define KOUAN_IO_REPLY_SLOT_H

#include "core/record.h"
#include "core/status.h"

struct session;

enum reply_kind { REPLY_OK, REPLY_INTEGER, REPLY_ID, REPLY_ERROR };

struct reply_slot {
    struct session *session; /* NULL: its connection is gone */
    struct reply_slot *next; /* in the session's replies, or the pool's free list */
    union {
        int64_t integer;
        struct record_id id;
        const char *error; /* without `-`; stays at least as long as the slot */
    };
    uint8_t kind; /* enum reply_kind */
    bool ready;   /* it may be sent */
    bool is_publication;
};

struct reply_slot_pool {
    struct reply_slot *items, *free;
    uint32_t capacity, used;
};

MUST_CHECK enum status reply_slot_pool_open(struct reply_slot_pool *pool, uint32_t capacity);
void reply_slot_pool_close(struct reply_slot_pool *pool);
struct reply_slot *reply_slot_take(struct reply_slot_pool *pool); /* NULL: all are in use */
void reply_slot_return(struct reply_slot_pool *pool, struct reply_slot *slot);

#endif
