/* CPU time spent: by the whole machine, by this process, by the server. The machine's figure holds
 * what escapes a process's own clock (interrupts, kernel workers), so that "machine less client" is
 * what serving costs, on a machine that does nothing else: it is counted in ticks of 10 ms. */
#ifndef KOUAN_BENCH_USAGE_H
#define KOUAN_BENCH_USAGE_H

#include <stdint.h>
#include <sys/types.h>

struct usage {
    uint64_t machine_ns, client_ns;
    uint64_t server_ns; /* 0 without a process id, or if it is gone */
};

/* Since boot, or since each process's start. `server` 0: none. */
struct usage usage_now(pid_t server);

/* What was spent between two moments. */
struct usage usage_between(struct usage before, struct usage after);

#endif
