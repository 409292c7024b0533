/* MULTI ... EXEC: the commands that a connection has queued, as the bytes that it sent. EXEC
 * carries them out one behind the other, each as if it came then, and their replies are the
 * elements of one array. Nothing holds the commands of others off meanwhile.
 *
 * The queue's memory is a chunk of a pool reserved at start, `transactions` of `transaction_max`
 * bytes, taken with the first command. Messages that EXEC publishes borrow it as they would the
 * chunk that they arrived in. */
#ifndef KOUAN_IO_TRANSACTION_H
#define KOUAN_IO_TRANSACTION_H

#include "core/bytes.h"
#include "core/status.h"
#include "io/net/chunk.h"

struct transaction {
    struct chunk *queue; /* frames, one behind the other; NULL: none came yet */
    uint32_t count;
    uint32_t done_bytes; /* of the queue, while EXEC runs */
    bool open;           /* MULTI came, and no EXEC or DISCARD */
    bool failed;         /* a command could not be queued */
    bool running;        /* EXEC is under way */
};

/* FULL: the pool is used up; TOO_BIG: there is no room for it behind the others. */
MUST_CHECK enum status transaction_add(struct transaction *transaction, struct chunk_pool *pool,
                                       struct bytes frame);

/* What EXEC has not carried out; empty at the end. */
struct bytes transaction_rest(const struct transaction *transaction);

/* Forgets it all, and gives the queue back. */
void transaction_end(struct transaction *transaction);

#endif
