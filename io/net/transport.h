/* What the parts of the transport share; only io/net/transport.c and io/net/connection*.c include
 * it. The door for everybody else is io/net/connection.h.
 *
 *   transport.c          pools, queues, who is served next, starvation
 *   connection.c         a connection's life: adopted, finished, aborted, closed; deadlines
 *   connection_receive.c receiving into the kernel's buffers
 *   connection_watch.c   the peer's end while nothing is received
 *   connection_input.c   feeding the protocol contiguous bytes
 *   connection_output.c  queued output and the one send in flight */
#ifndef KOUAN_IO_TRANSPORT_H
#define KOUAN_IO_TRANSPORT_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "io/net/connection.h"
#include "io/net/connection_queue.h"

enum {
    CARRY_SMALL_BYTES = 4096,
    OUTPUT_SMALL_BYTES = 4096, /* each connection has one such chunk for itself */
    OUTPUT_PARTS_MAX = 8,      /* chunks in one send */
    PEER_TEXT_BYTES = 128
};
#define LINGER_NS UINT64_C(1000000000) /* from our last byte to the peer's end */

enum connection_state {
    CONNECTION_OPEN,
    CONNECTION_FINISHING, /* input is thrown away, queued output is sent */
    CONNECTION_LINGERING, /* all is sent and our side is shut; closing now could reset what the
                           * peer has not read yet */
    CONNECTION_CLOSING    /* waits for the last completions */
};

enum deadline {
    DEADLINE_HALF_COMMAND,
    DEADLINE_STUCK_SEND,
    DEADLINE_PROTOCOL,
    DEADLINE_LINGER,
    DEADLINE_COUNT
};

/* A pool for which connections wait in line. */
struct shared_pool {
    struct chunk_pool pool;
    struct connection_queue waiting;
    const struct connection *served; /* whose turn it is */
    struct transport *transport;
};

struct transport {
    struct loop *loop;
    struct transport_settings settings;

    struct shared_pool small_carries, large_carries, outputs;
    struct chunk_pool small_outputs; /* one for each connection: never empty when asked */

    struct connection_queue open;    /* all of them */
    struct connection_queue work;    /* input or output room is due: the deferral `carry_on` */
    struct connection_queue flushes; /* output or an end is due: the deferral `flush` */
    struct connection_queue starved; /* want a receive buffer */
    struct connection_queue holding; /* not fed, but hold receive buffers; the longest first */
    uint32_t held_buffers, held_buffers_max;
    struct deferral carry_on, hand_out, rearm, flush;

    uint8_t *memory; /* connections_max times stride_bytes */
    size_t memory_bytes, stride_bytes;
    struct connection *free; /* used before */
    uint32_t fresh_count;    /* from here on never used, so never touched */
    uint64_t last_id;
    struct transport_figures figures;
};

struct connection {
    struct transport *transport;
    struct connection *next_free;
    uint64_t id, opened_ns;
    int descriptor;
    enum connection_state state;
    bool resets; /* closes with a reset: what the kernel has queued is lost, too */
    struct connection_link open_link, work_link, flush_link, starved_link, holding_link;
    struct connection_link carry_link, room_link; /* in a shared pool's line */

    /* Input: what the protocol has not consumed is the carry, then the received chunks. */
    struct operation receive;
    struct chunk *received, *received_last;
    uint32_t received_count, received_offset; /* consumed of the first */
    uint32_t held_buffers;                    /* as the transport has counted */
    struct chunk *carry;
    uint32_t carry_offset; /* consumed of the carry */
    size_t needed; /* unconsumed bytes without which the protocol cannot go on; 0: unknown */
    struct chunk *input_chunk;
    uint32_t pause_count;
    bool receiving, receiving_many, receive_cancelled;
    struct operation watch;
    bool watched, watching, watch_cancelled; /* watched: the protocol's wish */
    bool drained;                            /* the last receive left nothing in the socket */
    uint8_t light_receives;                  /* in a row */
    bool feeding, interrupted, consumed_some;
    bool ended, ended_told; /* the peer sends no more; the protocol knows */
    bool feed_due, room_due;

    /* Output: chunks in order; what is before their starts is sent. */
    struct operation send;
    struct chunk *output, *output_last;
    uint32_t reserved_bytes;
    size_t queued_bytes;
    bool sending, wants_room, has_small_output;
    bool must_copy;          /* its socket sends nothing without copying */
    bool is_lending;         /* it was sent, and the kernel still reads its memory */
    int32_t uncopied_result; /* of a send whose memory the kernel still reads */
    uint32_t chunks_wanted;  /* while in line for output: served when so many are free */
    struct msghdr message;
    struct iovec parts[OUTPUT_PARTS_MAX];

    struct timer timer; /* at or before the earliest deadline */
    uint64_t deadlines_ns[DEADLINE_COUNT];

    char peer[PEER_TEXT_BYTES];
    _Alignas(16) uint8_t session[];
};

/* transport.c */
/* NULL: none is to be had, and the connection stands in line with `link`. */
struct chunk *shared_pool_take(struct shared_pool *shared, struct connection *connection,
                               struct connection_link *link);
/* May take without standing in line. */
bool shared_pool_is_open_to(const struct shared_pool *shared, const struct connection *connection);
/* Puts it in line for a receive buffer. */
void transport_starve(struct connection *connection);
/* Notes how many receive buffers the connection, which is not being fed, keeps from the others. May
 * abort it or another one: together they hold three quarters at most, so that no number of
 * connections that stand still can stop those that go. */
void transport_note_held(struct connection *connection, uint32_t buffer_count);
void transport_put_to_work(struct connection *connection);
void transport_put_to_flush(struct connection *connection);

/* connection.c */
void connection_begin_close(struct connection *connection);
void connection_continue_end(struct connection *connection); /* nothing is queued any more */
void connection_set_end(struct connection *connection, enum deadline which, uint64_t deadline_ns);
void connection_lose_peer(struct connection *connection);

/* connection_receive.c */
void connection_receive_init(struct connection *connection);
void connection_update_receive(struct connection *connection); /* starts or stops it as is due */

/* connection_watch.c */
void connection_watch_init(struct connection *connection);
void connection_update_watch(struct connection *connection); /* starts or stops it as is due */

/* connection_input.c */
void connection_feed(struct connection *connection);
bool connection_is_held_up(const struct connection *connection); /* paused, or waits for a carry */
void connection_drop_input(struct connection *connection);

/* connection_output.c */
void connection_output_init(struct connection *connection);
void connection_flush(struct connection *connection);
void connection_drop_output(struct connection *connection);

#endif
