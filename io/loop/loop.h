/* The event loop: one io_uring, one thread. SINGLE_ISSUER + DEFER_TASKRUN where the kernel has
 * them, with fall-backs; a registered ring descriptor; one provided-buffer ring.
 *
 * Files are plain descriptors. Fixed file slots were measured and left out: a send costs 3.8 us
 * with and without, a slot costs 0.9 us a connection, and until kernel 6.13 no file taken out of
 * its slot is closed while any older operation on a slot is in flight, such as an idle socket's
 * receive.
 *
 * An operation is a struct embedded in its owner, with its completion function; its address is the
 * completion's user_data. Its slot is free again when the completion without IORING_CQE_F_MORE has
 * run. All time is absolute, CLOCK_MONOTONIC, and read once a turn. Only the thread that opened the
 * loop calls these, except loop_wake. */
#ifndef KOUAN_IO_LOOP_H
#define KOUAN_IO_LOOP_H

#include <liburing.h>

#include "core/status.h"
#include "io/loop/loop_deferral.h"
#include "io/loop/loop_features.h"
#include "io/loop/loop_probe.h"
#include "io/loop/loop_timer.h"
#include "io/net/chunk.h"

struct loop;

struct operation {
    /* `result` as the kernel gives it: a count, or -errno; `flags` are IORING_CQE_F_*. */
    void (*complete)(struct loop *loop, struct operation *operation, int32_t result,
                     uint32_t flags);
};

struct loop_settings {
    uint32_t submission_entries;   /* 256 .. 32768 */
    uint32_t completion_entries;   /* worst case of all multishots; the kernel's bound is 65536 */
    uint32_t receive_buffer_count; /* a power of two up to 32768; of CHUNK_RECEIVE_BYTES each */
    uint32_t files_max;            /* descriptors: sockets and files together */
    uint32_t timers_max;           /* one a connection and a listener, and yours */
    enum loop_mode best_mode;      /* 0: the best there is; tests ask for the fall-backs */
    bool without_messages;         /* ... and for nudges without messages from ring to ring */
    uint32_t without_features;     /* ... and for a kernel without these, as bits */
    struct loop_wishes wishes;     /* what of them this kernel cannot do is left out */
};

/* OK, or UNSUPPORTED / NO_MEMORY / IO with one line for people that says what is wrong and how to
 * mend it (io_uring switched off by sysctl, by seccomp, kernel below 6.1, memlock, descriptors
 * ...). Raises the soft limit on descriptors if files_max asks for it. */
MUST_CHECK enum status loop_open(const struct loop_settings *settings, struct loop **out_loop,
                                 char *out_problem, size_t problem_capacity);
void loop_close(struct loop *loop);

/* Runs turns until loop_stop() was called. A turn: submit; wait for a completion or the next timer;
 * run completions, due timers, deferrals. Never spins. */
void loop_run(struct loop *loop);
void loop_turn(struct loop *loop); /* one turn, for tests */
void loop_stop(struct loop *loop);

/* From a signal handler or another thread: makes the loop run its `on_wake` soon. */
void loop_wake(struct loop *loop);
void loop_on_wake(struct loop *loop, void (*run)(struct loop *loop, void *context), void *context);

/* What goes from thread to thread (io/shard/mesh.h) goes with the turns. */
struct loop_exchange {
    /* After a turn's completions and timers, before its deferrals. */
    void (*receive)(void *context);
    /* After a turn's deferrals. `may_wait`: the next turn waits in the kernel unless this returns
     * false, so who sends from now on must nudge the loop. */
    bool (*send)(void *context, bool may_wait);
    void *context;
};
void loop_on_exchange(struct loop *loop, const struct loop_exchange *exchange);
/* How one loop ends the wait of another thread's loop; embedded in its owner, who keeps it until
 * both have stopped. */
struct nudge {
    struct operation failed;
    struct loop *other;  /* NULL: no more */
    int ring_descriptor; /* of the other; -1: it is woken by its event descriptor */
    uint64_t user_data;
};
/* `other` may belong to another thread, which must have opened it. */
void loop_nudge_init(struct loop *loop, struct nudge *nudge, struct loop *other);
/* A message from ring to ring, which goes with the next submission; or else a write. */
void loop_nudge(struct loop *loop, struct nudge *nudge);

uint64_t loop_now_ns(const struct loop *loop);  /* monotonic, of this turn */
uint64_t loop_wall_ms(const struct loop *loop); /* CLOCK_REALTIME, of this turn */

/* A submission entry, never NULL (submits when the queue is full); its user_data is set to the
 * operation. */
struct io_uring_sqe *loop_submission(struct loop *loop, struct operation *operation);
/* Asks the kernel to cancel; the operation still completes, with -ECANCELED or its result. */
void loop_cancel(struct loop *loop, struct operation *operation);

void loop_timer_arm(struct loop *loop, struct timer *timer, uint64_t deadline_ns); /* re-arms too */
void loop_timer_disarm(struct loop *loop, struct timer *timer);
void loop_defer(struct loop *loop, struct deferral *deferral);
/* Before its owner goes; one that is not queued, too. */
void loop_undefer(struct loop *loop, struct deferral *deferral);

/* The provided buffer that a completion's flags name, with one reference for the caller. When the
 * last reference is returned, the buffer goes back to the kernel's ring. */
struct chunk *loop_take_buffer(struct loop *loop, uint32_t flags);
int loop_buffer_group(const struct loop *loop);
uint32_t loop_buffers_out(const struct loop *loop); /* taken and not yet returned */
uint32_t loop_buffers_free(const struct loop *loop);
/* Queues the deferral, once, when a buffer has come back. */
void loop_await_buffer(struct loop *loop, struct deferral *deferral);

struct loop_figures {
    uint64_t turns, completions, submissions, enters, timeouts, nudges;
    enum loop_mode mode;                  /* what the probe found */
    bool registered_ring, sends_messages; /* messages: from ring to ring */
};
/* What of the wishes this kernel can do; 0 where it cannot. */
const struct loop_wishes *loop_granted(const struct loop *loop);

void loop_figures(const struct loop *loop, struct loop_figures *out_figures);

#endif
