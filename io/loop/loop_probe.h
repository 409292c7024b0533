/* Setting up a ring with the best features that the kernel grants, and saying in one line why it
 * could not be had. Part of the loop. */
#ifndef KOUAN_IO_LOOP_PROBE_H
#define KOUAN_IO_LOOP_PROBE_H

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

/* From best to least; each falls back to the next when the kernel says EINVAL. */
enum loop_mode {
    LOOP_MODE_DEFER_TASKRUN, /* completions are worked on only when the loop asks for them */
    LOOP_MODE_COOP_TASKRUN,  /* ... at any entry into the kernel */
    LOOP_MODE_PLAIN,
    LOOP_MODE_SUBMISSION_POLL /* a thread of the kernel's submits; only if it is wished for */
};

struct loop_settings;

/* What the explanations rest on. */
struct loop_facts {
    uint32_t kernel_major, kernel_minor;
    int32_t io_uring_disabled; /* the sysctl: 0, 1, 2; -1: this kernel has none */
    uint64_t memlock_bytes, descriptors_max;
};
void loop_facts_read(struct loop_facts *out_facts);

/* Tries the mode that is wished for, or the best, and then the lesser ones. UNSUPPORTED, NO_MEMORY
 * or IO with `*out_error` set. */
MUST_CHECK enum status loop_probe_ring(struct io_uring *ring, const struct loop_settings *settings,
                                       enum loop_mode *out_mode, int *out_error);

/* Can a ring with deferred task work get messages from another thread's ring? Their wake-up came
 * with kernel 6.3. */
bool loop_probe_messages(const struct loop_facts *facts, struct io_uring *ring);

/* One line for people: what is wrong and how to mend it. `step` is what failed with `error`. */
void loop_probe_explain(const struct loop_facts *facts, const char *step, int error,
                        char *out_problem, size_t problem_capacity);

/* Raises the soft limit on descriptors to `wanted`; false if the hard limit is below that. */
bool loop_probe_raise_descriptors(uint64_t wanted);
/* As far as the hard limit allows; the limit that holds now. */
uint64_t loop_probe_raise_descriptors_toward(uint64_t wanted);

/* The rest of this program needs kernel 6.1. */
bool loop_probe_kernel_is_old(const struct loop_facts *facts);

#endif
