/* How much of a thread some work may take that is not urgent: what the others leave idle, and of
 * the time in which they are busy one part in PACE_SHARE. Credit is earned as time passes, up to
 * PACE_CREDIT_NS; work is done while there is some, and may leave a debt.
 *
 * Busy is the thread while it runs, and while it would but others have its processor; the kernel
 * says so in /proc/thread-self/schedstat. Where there is none, only its running time counts. */
#ifndef KOUAN_IO_PACE_H
#define KOUAN_IO_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum { PACE_SHARE = 25, PACE_CREDIT_NS = 2000000, PACE_WAIT_NS_MIN = 50000 };

struct pace {
    int schedstat; /* descriptor; -1: none */
    uint64_t now_ns, busy_ns;
    uint64_t spent_ns; /* of the busy time since then */
    int64_t credit_ns;
};

/* On the thread that it is of. */
void pace_open(struct pace *pace);
void pace_close(struct pace *pace);

/* Is there credit? */
bool pace_may_go(struct pace *pace);
/* When there may be, if everybody else is idle from now on. */
uint64_t pace_wait_ns(const struct pace *pace);
void pace_spend(struct pace *pace, uint64_t ns);

/* What pace_may_go does with the clocks it reads; for what is paced by other clocks, such as how
 * long a disk was busy. `busy_ns` only grows. */
void pace_account(struct pace *pace, uint64_t now_ns, uint64_t busy_ns);

uint64_t pace_clock_ns(void);

#endif
