/* One stream socket on the ring: multishot receive into provided buffers, input handed up in
 * contiguous pieces, one ordered sendmsg in flight, absolute deadlines, orderly ends. It knows no
 * protocol; the front door above is `struct connection_protocol`.
 *
 * Memory is bounded: receive buffers, carries of half commands and output chunks come from pools of
 * the `transport`, reserved at start. A connection that cannot get a carry or output waits in line;
 * one whose protocol has paused it stops receiving (the kernel's window then stops the peer). An
 * idle connection costs about 1.1 KiB and its session; one that lies in the middle of a command, or
 * has a little output queued, 4 KiB each for that time. It costs a turn nothing. */
#ifndef KOUAN_IO_CONNECTION_H
#define KOUAN_IO_CONNECTION_H

#include "io/loop/loop.h"

struct connection;

struct connection_protocol {
    /* A new connection; its `session` memory (session_bytes) is zeroed. */
    void (*opened)(struct connection *connection);
    /* All unconsumed input, contiguous, with BYTES_PADDING readable behind it. Returns how many
     * bytes it consumed: all, unless a command is unfinished, or the connection was paused or
     * ended inside. For an unfinished one it may set `*out_needed` to the total it wants, counted
     * from the start of this input (a hint, input.size + 1 when it is called); it is not called
     * again before that much is there. What it did not consume comes again from the same byte on,
     * never shorter, perhaps at another place. Views of consumed input stay valid after the return
     * only while the caller holds the chunk (connection_input_chunk + chunk_borrow). */
    size_t (*input)(struct connection *connection, struct bytes input, size_t *out_needed);
    /* Output that had been refused for want of room may be tried again. */
    void (*output_room)(struct connection *connection);
    /* The peer sends no more, and all that it sent was consumed but half a command: the protocol
     * finishes the connection when its last replies are written. NULL: it is finished at once. */
    void (*ended)(struct connection *connection);
    /* The peer sends no more; input that was not consumed yet may be left. Before `ended`. May be
     * NULL. */
    void (*left)(struct connection *connection);
    /* No operation is in flight any more; the struct is reused after this returns. */
    void (*closed)(struct connection *connection);
};

struct transport_settings {
    uint32_t connections_max;   /* 16 .. 65536; further ones are accepted and closed at once */
    uint32_t session_bytes;     /* protocol's memory behind each connection */
    uint32_t command_bytes_max; /* the largest frame, at least 4 KiB; the large carries' size */
    uint32_t small_carries;     /* 4 KiB each */
    uint32_t large_carries;     /* command_bytes_max each */
    uint32_t output_chunks;     /* 64 KiB each */
    uint32_t output_bytes_max;  /* queued for one connection before reserve says no; from 64 KiB */
    uint64_t half_command_ns;   /* deadline for an unfinished command, from its first byte */
    uint64_t stuck_send_ns;     /* deadline for a send that makes no progress */
    const struct connection_protocol *protocol;
    void *context; /* the protocol's, see transport_context() */
};

struct transport;
MUST_CHECK enum status transport_open(struct loop *loop, const struct transport_settings *settings,
                                      struct transport **out_transport);
void transport_close(struct transport *transport); /* all connections must be closed */
void *transport_context(const struct transport *transport);
struct transport *connection_transport(const struct connection *connection);
struct loop *connection_loop(const struct connection *connection);

/* Wraps an accepted descriptor, which it owns from now on (FULL: the caller closes it). */
MUST_CHECK enum status transport_adopt(struct transport *transport, int descriptor,
                                       const char *peer_text);
uint32_t transport_connection_count(const struct transport *transport);
/* Calls `visit` for each open one. */
void transport_visit(struct transport *transport,
                     void (*visit)(struct connection *connection, void *context), void *context);

/* Less than a quarter of the receive buffers, or of the small or large carries, is left: who keeps
 * input (connection_input_chunk) should let go of it. */
bool transport_input_is_scarce(const struct transport *transport);

void *connection_session(struct connection *connection);
uint64_t connection_id(const struct connection *connection);      /* from 1, never reused */
const char *connection_peer(const struct connection *connection); /* 127.0.0.1:5301, or unix:... */
uint64_t connection_opened_ns(const struct connection *connection);

/* Inside `input`: the chunk in which its bytes lie. */
struct chunk *connection_input_chunk(struct connection *connection);

/* While paused, `input` is not called; what has arrived is kept, and receiving stops. Counts: each
 * pause needs a resume. Resume continues in the same turn (by a deferral, never from inside the
 * call). */
void connection_pause(struct connection *connection);
/* While watched, `left` is called for a paused connection, too, that does not receive. */
void connection_watch(struct connection *connection, bool watched);
void connection_resume(struct connection *connection);

/* Room for `size` contiguous bytes of output (size <= CHUNK_RECEIVE_BYTES), or NULL when the
 * connection's bound or the pool is exhausted: `output_room` is called later (and never when the
 * connection is closing). Up to 4 KiB are there for each connection whatever the others hold.
 * Write, then commit what was written. Committed output is sent at the end of the turn. */
uint8_t *connection_reserve(struct connection *connection, size_t size);
void connection_commit(struct connection *connection, size_t size);
/* Copies any amount if it fits in the bound, else writes nothing and returns false. */
bool connection_write(struct connection *connection, struct bytes bytes);
/* Sends what is used of a chunk of the caller's own pool from where it lies, and takes over one
 * reference until that is done. False, and nothing is taken, if it does not fit in the bound. */
bool connection_lend(struct connection *connection, struct chunk *chunk);
/* Would a write of so much be taken now? If not, `output_room` is called when it may be. */
bool connection_has_room(struct connection *connection, size_t size);
size_t connection_queued_bytes(const struct connection *connection);
/* `output_room` is called when no more than half of the bound is queued; more must be now. */
void connection_await_room(struct connection *connection);

/* An extra absolute deadline of the protocol's (handshake); 0 takes it away. Past it the
 * connection is aborted. */
void connection_set_deadline(struct connection *connection, uint64_t deadline_ns);

/* No more input and output; sends what is queued, shuts its side, and closes when the peer has,
 * or after a second: closing at once could reset what the peer has not read yet. */
void connection_finish(struct connection *connection);
/* Closes now, with a reset; what is queued is lost. `closed` is called in a later turn or at the
 * end of this one, never from inside. */
void connection_abort(struct connection *connection);
bool connection_is_closing(const struct connection *connection);

struct transport_figures {
    uint64_t accepted, refused_full, closed_by_peer, aborted_half_command, aborted_stuck_send,
        aborted_deadline, received_bytes, sent_bytes;
    /* Connections that are paused, or wait for a carry, hold at most three quarters of the receive
     * buffers; past that, the one goes that holds the most, or has for the longest time. */
    uint64_t aborted_holding;
    uint32_t open;
    uint32_t receive_starved, carry_waiting, output_waiting; /* connections waiting for memory */
};
void transport_figures(const struct transport *transport, struct transport_figures *out_figures);

#endif
