/* A client: what one connection is to the front door. Parses its commands, runs them, and sends
 * their replies in order.
 *
 * XADD takes a publication and goes on, and XACK a reply slot; every other command waits until the
 * replies before it are known (a barrier), so that it sees their effects, and then runs at once. A
 * session stops reading while it waits: at a barrier, in a blocking read, while publications are
 * parked, for want of output room or of a slot. */
#ifndef KOUAN_IO_SESSION_H
#define KOUAN_IO_SESSION_H

#include "io/delivery/errand_terms.h"
#include "io/delivery/waiter.h"
#include "io/front/transaction.h"
#include "io/intake/parking.h"
#include "io/resp/resp.h"
#include "io/shard/shard.h"

enum { SESSION_NAME_BYTES = 64 };

/* Why a session does not read; a bit each. The connection is paused while any is set. */
enum session_wait {
    SESSION_WAIT_REPLIES = 1, /* at a barrier */
    SESSION_WAIT_SLOTS = 2,   /* a pool or its own share is used up */
    SESSION_WAIT_OUTPUT = 4,
    SESSION_WAIT_PARKED = 8,
    SESSION_WAIT_READ = 16,   /* in XREAD or XREADGROUP ... BLOCK */
    SESSION_WAIT_RECALL = 32, /* for old records of its command (io/front/session_records.h) */
    SESSION_WAIT_ERRAND = 64, /* for other shards (io/delivery/errand.h) */
    SESSION_WAIT_RELOAD = 128 /* for the loader (io/front/control.h) */
};

/* One destination that a read names. */
struct read_stream {
    struct outlet *outlet;  /* NULL: there is none of that name */
    struct group *group;    /* NULL: XREAD */
    struct record_id after; /* XREAD: what was seen; XREADGROUP: of its own pending ones */
    struct record_id until; /* nothing above is shown; not of new ones of a group */
    uint64_t count;         /* of entries, at most */
    uint16_t consumer;
    bool is_history; /* its own pending ones, and not `>` */
};

struct read_request {
    struct read_stream streams[READ_STREAMS_MAX];
    uint32_t stream_count;
    bool no_ack;
};

struct blocked_read {
    struct read_request request; /* without streams: not blocked */
    struct waiter waiters[READ_STREAMS_MAX];
    struct timer timer;
};

struct errand;
struct command_row;

struct session {
    struct connection *connection;    /* NULL: it runs a command for another shard */
    const struct errand_terms *terms; /* and that is how; NULL: as its client says */
    struct errand *errand;            /* what it waits for at other shards; NULL: nothing */
    struct shard *shard;
    const struct participant *participant; /* NULL: not yet authenticated */
    struct resp_parser parser;
    uint8_t protocol;
    uint8_t waits;
    bool has_consumed;
    bool in_unflushed;
    bool finishing;  /* closes when all that is owed is sent */
    bool is_control; /* by the control socket: whose user and process it is */
    uint32_t control_uid;
    int32_t control_pid;
    struct session *next_unflushed;
    struct reply_slot *first, *last;           /* the replies that are owed, in order */
    uint32_t publication_count, promise_count; /* of them: publications, and others */
    struct parked parked;
    struct transaction transaction;
    struct blocked_read blocked;
    struct recall_list recalled; /* old records that the command which waits will show */
    uint64_t commands;
    const struct command_row *last_row; /* of the last command; NULL: it was none, or unknown */
    char name[SESSION_NAME_BYTES];
    char library[SESSION_NAME_BYTES], library_version[SESSION_NAME_BYTES];
};

extern const struct connection_protocol session_protocol;

static inline struct session *session_of(struct connection *connection)
{
    return connection_session(connection);
}

/* The reply of the command that runs comes later. */
void session_owe(struct session *session, struct reply_slot *slot);
/* A reply may be sent (`ready` is set here), and is at the end of the turn. */
void session_slot_done(struct shard *shard, struct reply_slot *slot);
/* Sends what is known, in order, for all sessions with news. */
void session_flush_all(struct shard *shard);

/* It is asked what its command would say, and changes nothing. */
static inline bool session_only_looks(const struct session *session)
{
    return session->terms != NULL && session->terms->looks;
}
/* What one reply may have of bodies, about. */
uint64_t session_reply_max(const struct session *session);

/* Stops and goes on reading, for one reason. */
void session_wait_for(struct session *session, enum session_wait reason);
void session_wait_over(struct session *session, enum session_wait reason);

/* A writer over the shard's reply memory, in the session's protocol, and the sending of what it
 * holds. */
struct resp_writer session_reply_begin(struct session *session);
void session_reply_end(struct session *session, const struct resp_writer *writer);

/* The chunk in which the bytes of the command that runs lie. */
struct chunk *session_input_chunk(struct session *session);

/* No more commands: answers what is owed, then closes. */
void session_finish(struct session *session);

/* As it began: a participant only where there are no secrets, else until the handshake's end. */
void session_forget_participant(struct session *session);

#endif
