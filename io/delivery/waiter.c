#include "io/delivery/waiter.h"

#include <assert.h>
#include <stddef.h>

void waiter_stand(struct waiter *waiter, struct waiter_line *line, struct session *session)
{
    assert(waiter->line == NULL);
    *waiter = (struct waiter){.session = session, .previous = line->last, .line = line};
    if (line->last != NULL)
        line->last->next = waiter;
    else
        line->first = waiter;
    line->last = waiter;
}

void waiter_leave(struct waiter *waiter)
{
    struct waiter_line *line = waiter->line;
    if (line == NULL)
        return;
    if (waiter->previous != NULL)
        waiter->previous->next = waiter->next;
    else
        line->first = waiter->next;
    if (waiter->next != NULL)
        waiter->next->previous = waiter->previous;
    else
        line->last = waiter->previous;
    *waiter = (struct waiter){0};
}

struct waiter *waiter_of_next_session(const struct waiter *waiter)
{
    struct waiter *next = waiter->next;
    while (next != NULL && next->session == waiter->session)
        next = next->next;
    return next;
}
