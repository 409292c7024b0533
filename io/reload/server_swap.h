/* All shards of a server go to another generation together (io/reload/adoption.h), step by step:
 * each shard's thread takes a step in a turn of its own, and reports. Who reports last begins the
 * next one: between the first step and the last no message is decided, and the loader's thread,
 * which asks, is of low priority. For server*.c and reload*.c only. */
#ifndef KOUAN_IO_SERVER_SWAP_H
#define KOUAN_IO_SERVER_SWAP_H

#include <pthread.h>
#include <stdatomic.h>

#include "io/reload/adoption.h"

struct server;
struct seat;

enum swap_step {
    SWAP_RESTS,
    SWAP_JUDGES,     /* pauses, and says if it may be */
    SWAP_CARRIES_OUT /* adopts */
};

struct swap {
    pthread_mutex_t lock; /* of what follows, down to the blank line */
    pthread_cond_t ended; /* all rest again, or a shard has ended */
    enum swap_step step;
    uint64_t number; /* of the step; rises */
    uint16_t reported;
    bool has_refused, is_carried_out; /* one has; all have */
    bool is_over;                     /* a shard has ended: there is nothing to wait for any more */

    struct adoption *adoptions; /* by seat */
};

MUST_CHECK enum status server_swap_open(struct server *server);
void server_swap_close(struct server *server);
/* A shard's loop has ended. */
void server_swap_end(struct server *server);

/* On the seat's own thread, when its loop was woken, and in each turn while it has work here. */
void server_swap_go_on(struct seat *seat);

struct swap_result {
    char problem[ADOPTION_TEXT_BYTES]; /* why it was not, or what is missing; else empty */
    uint32_t cut_sessions;
    bool is_torn; /* it was not, yet some shards have adopted: the server ends */
};

/* From the loader's thread: waits until all shards have adopted, after which none names the
 * generation before. False: none has, and nothing has changed; or `is_torn`. */
MUST_CHECK bool server_swap(struct server *server, const struct generation *generation,
                            const struct generation_names *names,
                            const struct fact_generation *fact, struct swap_result *out_result);

#endif
