/* Lines of waiters: first come, first served; out of the middle at any time. */
#include <criterion/criterion.h>
#include <stdint.h>

#include "io/delivery/waiter.h"

static struct session *session_number(uintptr_t number)
{
    return (struct session *)number; /* never looked into */
}

Test(waiter, leaves_from_anywhere)
{
    struct waiter_line line = {0};
    struct waiter waiters[4] = {0};
    for (uintptr_t i = 0; i < 4; i++)
        waiter_stand(&waiters[i], &line, session_number(i + 1));
    cr_assert_eq(line.first, &waiters[0]);
    waiter_leave(&waiters[1]);
    waiter_leave(&waiters[1]);
    cr_assert_eq(waiters[0].next, &waiters[2]);
    cr_assert_eq(waiters[2].previous, &waiters[0]);
    waiter_leave(&waiters[0]);
    waiter_leave(&waiters[3]);
    cr_assert_eq(line.first, &waiters[2]);
    cr_assert_eq(line.last, &waiters[2]);
    waiter_stand(&waiters[0], &line, session_number(1));
    cr_assert_eq(line.last, &waiters[0]);
    waiter_leave(&waiters[2]);
    waiter_leave(&waiters[0]);
    cr_assert_null(line.first);
    cr_assert_null(line.last);
}

Test(waiter, the_next_session_is_behind_all_of_one_session)
{
    struct waiter_line line = {0};
    struct waiter waiters[4] = {0};
    static const uintptr_t sessions[] = {1, 1, 1, 2};
    for (int i = 0; i < 4; i++)
        waiter_stand(&waiters[i], &line, session_number(sessions[i]));
    cr_assert_eq(waiter_of_next_session(&waiters[0]), &waiters[3]);
    cr_assert_eq(waiter_of_next_session(&waiters[2]), &waiters[3]);
    cr_assert_null(waiter_of_next_session(&waiters[3]));
}
