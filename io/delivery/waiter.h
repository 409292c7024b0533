/* Lines of sessions that wait for entries: at a group (XREADGROUP) or a destination (XREAD), first
 * come, first served. A waiter is embedded in its session, stands in one line at most, and can
 * leave from the middle at any time. */
#ifndef KOUAN_IO_WAITER_H
#define KOUAN_IO_WAITER_H

struct session;

struct waiter {
    struct session *session;
    struct waiter *next, *previous;
    struct waiter_line *line; /* where it stands; NULL: nowhere */
};

struct waiter_line {
    struct waiter *first, *last;
};

void waiter_stand(struct waiter *waiter, struct waiter_line *line, struct session *session);
void waiter_leave(struct waiter *waiter); /* nothing if it stands nowhere */

/* The next one that is another session's; one session's stand one behind the other. */
struct waiter *waiter_of_next_session(const struct waiter *waiter);

#endif
