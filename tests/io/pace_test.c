#include "io/recall/pace.h"

#include <criterion/criterion.h>

enum { MS = 1000000 };

/* Without a thread: as if all clocks began at 0, and the credit were used up. */
static struct pace begin(void)
{
    return (struct pace){.schedstat = -1};
}

Test(pace, gives_what_others_leave_idle)
{
    struct pace pace = begin();
    pace_account(&pace, 1 * MS, 0);
    cr_assert_eq(pace.credit_ns, 1 * MS);
    pace_account(&pace, 1000 * MS, 0);
    cr_assert_eq(pace.credit_ns, PACE_CREDIT_NS, "no more than that is saved up");
}

Test(pace, gives_a_small_share_of_a_busy_thread)
{
    struct pace pace = begin();
    uint64_t now_ns = 0, spent_ns = 0;
    for (int turn = 0; turn < 100000; turn++) { /* always busy, 0.3 ms of its own when it may */
        uint64_t own_ns = 0;
        if (pace.credit_ns > 0)
            own_ns = 300000;
        pace_spend(&pace, own_ns);
        spent_ns += own_ns;
        now_ns += 100000 + own_ns;
        pace_account(&pace, now_ns, now_ns);
    }
    double share = (double)spent_ns / (double)(now_ns - spent_ns);
    cr_assert_leq(share, 1.0 / PACE_SHARE + 0.001);
    cr_assert_geq(share, 1.0 / PACE_SHARE - 0.001, "and not less");
}

Test(pace, lets_a_debt_be_paid_back)
{
    struct pace pace = begin();
    pace_spend(&pace, 5 * MS);
    cr_assert_eq(pace_wait_ns(&pace), 5 * MS);
    pace_account(&pace, 5 * MS, 5 * MS); /* all of it was this */
    cr_assert_eq(pace.credit_ns, -5 * MS);
    pace_account(&pace, 9 * MS, 5 * MS);
    cr_assert_eq(pace.credit_ns, -1 * MS);
    pace_account(&pace, 11 * MS, 5 * MS);
    cr_assert_eq(pace.credit_ns, 1 * MS);
    cr_assert_eq(pace_wait_ns(&pace), PACE_WAIT_NS_MIN);
}

Test(pace, takes_clocks_that_disagree)
{
    struct pace pace = begin();
    pace_account(&pace, 1 * MS, 2 * MS); /* busy for longer than time has passed */
    cr_assert_eq(pace.credit_ns, MS / PACE_SHARE);
}

Test(pace, reads_the_clocks_of_its_thread)
{
    struct pace pace;
    pace_open(&pace);
    cr_assert(pace_may_go(&pace));
    uint64_t busy_ns = pace.busy_ns, now_ns = pace.now_ns;
    while (pace_clock_ns() == now_ns)
        ;
    pace_spend(&pace, PACE_CREDIT_NS / 2);
    cr_assert(pace_may_go(&pace));
    cr_assert_gt(pace.busy_ns, busy_ns);
    cr_assert_gt(pace.now_ns, now_ns);
    cr_assert_eq(pace.spent_ns, 0);
    pace_close(&pace);
}
