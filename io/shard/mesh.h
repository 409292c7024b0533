/* What goes from shard to shard. Between each two shards there are four lanes in each direction; a
 * lane carries asks one way and their answers back, each in a ring of 64-byte messages
 * (core/ring.h).
 *
 * Nobody ever waits on a push. An ask is refused when its ring is full, or when as many asks are
 * unanswered as the ring of answers holds: so an answer always has its place, and who answers
 * cannot be stopped by who asks. What was refused stays with the asker, in a place of its own that
 * is bounded, and is tried again in a later turn. Lanes are apart so that a full one stops no
 * other.
 *
 * Asks of one lane arrive in their order, answers in the order in which they were given. Messages
 * go out together at the end of the turn (mesh_flush; by the loop, once mesh_begin was called) and
 * come in at the begin of the next (mesh_receive). What a message points to is borrowed: until the
 * answer, or until the message is consumed, as its lane's owner says.
 *
 * One struct mesh for the process, made before the threads; one end a shard, used by its thread
 * only. */
#ifndef KOUAN_IO_MESH_H
#define KOUAN_IO_MESH_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/status.h"
#include "io/loop/loop.h"

enum { MESH_SHARDS_MAX = 64 };

enum mesh_lane {
    MESH_CONTROL,  /* connections handed over, sums, stop */
    MESH_CLAIMS,   /* of identities */
    MESH_MESSAGES, /* decided messages to append */
    MESH_ERRANDS,  /* commands run elsewhere */
    MESH_LANES
};

/* One cache line. */
struct mesh_message {
    uint16_t kind;   /* the lane's owner says which there are */
    uint8_t from;    /* filled in */
    bool has_answer; /* filled in: an ask, not a notice */
    uint32_t number;
    void *context; /* the asker's, which the answer brings back */
    uint64_t words[6];
};
static_assert(sizeof(struct mesh_message) == 64, "a slot of a ring");

struct mesh;
struct mesh_end;

MUST_CHECK enum status mesh_open(uint16_t shards, struct mesh **out_mesh);
/* When all threads have stopped. */
void mesh_close(struct mesh *mesh);
struct mesh_end *mesh_end(struct mesh *mesh, uint16_t shard);
uint64_t mesh_memory_bytes(const struct mesh *mesh);

/* On the end's own thread: the loop receives and flushes in each turn from now on, and is woken
 * when it sleeps and something comes. */
void mesh_begin(struct mesh_end *end, struct loop *loop);
/* Nothing comes or goes any more. All threads have stopped to send, and no loop is closed before
 * all have done this. */
void mesh_leave(struct mesh_end *end);

/* `asked` may say false: not now. That message and those behind it stay, of this lane and peer
 * only, and are offered again at every turn; what makes it acceptable must wake the loop. An ask
 * with has_answer that was accepted is answered once, then or later. Messages are valid during the
 * call. */
struct mesh_handler {
    bool (*asked)(void *context, const struct mesh_message *message);
    void (*answered)(void *context, const struct mesh_message *message);
    void *context;
};
void mesh_on(struct mesh_end *end, enum mesh_lane lane, const struct mesh_handler *handler);

uint16_t mesh_self(const struct mesh_end *end);
uint16_t mesh_shards(const struct mesh_end *end);
/* Slots of each ring of a lane: so many asks may be unanswered at once. */
uint32_t mesh_capacity(const struct mesh_end *end, enum mesh_lane lane);

/* ---- the asker; `to` is another shard ---- */

/* False: no room now. An ask gets one answer, a notice none. */
MUST_CHECK bool mesh_ask(struct mesh_end *end, uint16_t to, enum mesh_lane lane,
                         const struct mesh_message *message);
MUST_CHECK bool mesh_tell(struct mesh_end *end, uint16_t to, enum mesh_lane lane,
                          const struct mesh_message *message);
/* How many asks fit now. */
uint32_t mesh_room(struct mesh_end *end, uint16_t to, enum mesh_lane lane);
/* The index behind the last ask or notice on the lane, and whether the peer is done with all before
 * an index: its handler has returned, and what it did is visible here. */
uint64_t mesh_asked(struct mesh_end *end, uint16_t to, enum mesh_lane lane);
bool mesh_is_consumed(struct mesh_end *end, uint16_t to, enum mesh_lane lane, uint64_t index);
/* In the next turn `consumed` runs once, after what came was received; and if this end sleeps
 * before that, it is woken when a peer consumes, too. A refusal asks for the same. Cheap to repeat.
 */
void mesh_await_consumption(struct mesh_end *end);
void mesh_on_consumption(struct mesh_end *end, void (*consumed)(void *context), void *context);
/* Asks without an answer yet, on all lanes. */
uint64_t mesh_unanswered(const struct mesh_end *end);

/* ---- who was asked ---- */

/* Never fails. `message->context` and whatever else the asker needs are the ask's. */
void mesh_answer(struct mesh_end *end, uint16_t to, enum mesh_lane lane,
                 const struct mesh_message *message);

/* ---- by the loop, or by tests ---- */

/* What all peers have sent until now, answers before asks. False: nothing had come. */
bool mesh_receive(struct mesh_end *end);
/* Shows the peers what was sent and consumed, and wakes those that sleep. */
void mesh_flush(struct mesh_end *end);

struct mesh_figures {
    uint64_t asks, notices, answers, refusals; /* sent by this end */
    uint64_t kept;                             /* times that a handler said: not now */
    uint64_t wakes;                            /* of peers, by this end */
};
void mesh_figures(const struct mesh_end *end, struct mesh_figures *out_figures);

#endif
