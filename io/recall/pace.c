#include "io/recall/pace.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t read_clock_ns(clockid_t clock)
{
    enum { NS_PER_S = 1000000000 };
    struct timespec time;
    int failed = clock_gettime(clock, &time);
    assert(failed == 0);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

uint64_t pace_clock_ns(void)
{
    return read_clock_ns(CLOCK_MONOTONIC);
}

/* "<running ns> <waiting for a processor ns> <times>"; the first is as old as the last tick. */
static uint64_t read_busy_ns(const struct pace *pace)
{
    char text[96], *rest;
    uint64_t running_ns = read_clock_ns(CLOCK_THREAD_CPUTIME_ID);
    ssize_t size = pace->schedstat < 0 ? -1 : pread(pace->schedstat, text, sizeof text - 1, 0);
    if (size <= 0)
        return running_ns;
    text[size] = '\0';
    (void)strtoull(text, &rest, 10);
    return running_ns + strtoull(rest, NULL, 10);
}

void pace_open(struct pace *pace)
{
    *pace = (struct pace){.schedstat = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)};
    pace->now_ns = pace_clock_ns();
    pace->busy_ns = read_busy_ns(pace);
    pace->credit_ns = PACE_CREDIT_NS;
}

void pace_close(struct pace *pace)
{
    if (pace->schedstat >= 0)
        close(pace->schedstat);
    pace->schedstat = -1;
}

void pace_account(struct pace *pace, uint64_t now_ns, uint64_t busy_ns)
{
    uint64_t elapsed_ns = now_ns - pace->now_ns;
    uint64_t busy = busy_ns - pace->busy_ns;
    if (busy > elapsed_ns) /* the clocks are not read at one instant */
        busy = elapsed_ns;
    uint64_t others = busy > pace->spent_ns ? busy - pace->spent_ns : 0;
    uint64_t earned = elapsed_ns - busy + others / PACE_SHARE;
    int64_t missing = PACE_CREDIT_NS - pace->credit_ns;
    pace->credit_ns += missing > 0 && earned > (uint64_t)missing ? missing : (int64_t)earned;
    pace->now_ns = now_ns;
    pace->busy_ns = busy_ns;
    pace->spent_ns = 0;
}

bool pace_may_go(struct pace *pace)
{
    pace_account(pace, pace_clock_ns(), read_busy_ns(pace));
    return pace->credit_ns > 0;
}

uint64_t pace_wait_ns(const struct pace *pace)
{
    uint64_t debt_ns = pace->credit_ns < 0 ? (uint64_t)-pace->credit_ns : 0;
    return debt_ns > PACE_WAIT_NS_MIN ? debt_ns : PACE_WAIT_NS_MIN;
}

void pace_spend(struct pace *pace, uint64_t ns)
{
    pace->credit_ns -= (int64_t)ns;
    pace->spent_ns += ns;
}
