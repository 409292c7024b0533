/* The control socket: a Unix socket that only the server's own user and root may open, on which an
 * operator has a session like any other, with the right to operate, and beside it what nobody else
 * may: reload, rollback, and the history of both. `redis-cli -s` works on it.
 *
 * On the first shard's thread. A session that has asked the loader (io/reload/reload.h) waits for
 * its answer; all else goes on. */
#ifndef KOUAN_IO_CONTROL_H
#define KOUAN_IO_CONTROL_H

#include <sys/socket.h>

#include "io/net/listener.h"
#include "io/reload/reload.h"

struct shard;
struct session;

struct control {
    struct reload *reload;
    struct session *waiting;     /* for the loader's answer; NULL: nobody, or it has left */
    const struct ucred *opening; /* whose connection is being opened; NULL: an ordinary one */
};

/* Listens, if the configuration says so. A status with a problem text if it cannot where it is told
 * to; where it was not told where, that is a line on stderr, and the server does without. */
MUST_CHECK enum status control_open(struct control *control, struct shard *shard, char *out_problem,
                                    size_t problem_capacity);

/* Asks the loader for the session, which waits (SESSION_WAIT_RELOAD); or replies why not. By whom
 * is filled in. */
void control_ask(struct session *session, const struct reload_request *wanted);
/* What does not fit of an answer is cut. */
size_t control_answer_bytes_max(const struct session *session);
/* There may be an answer. */
void control_answer(struct control *control);
/* The session's client sends no more: is it gone altogether, then it waits for nothing. */
void control_end(const struct session *session);
/* The session closes. */
void control_leave(struct session *session);

#endif
