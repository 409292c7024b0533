/* What rings of newer kernels have, and the liburing that this program is built with (2.3) has no
 * names for: taken from the kernel's include/uapi/linux/io_uring.h. Whether the kernel has it is
 * found out first: io/loop/loop_features.h. */
#ifndef KOUAN_IO_URING_FEATURES_H
#define KOUAN_IO_URING_FEATURES_H

#include <assert.h>
#include <liburing.h>
#include <stdint.h>

enum {
    URING_FEATURE_LEAST_WAIT = 1 << 15, /* of the ring's features: since kernel 6.12 */
    URING_REGISTER_BUSY_POLL = 27,      /* IORING_REGISTER_NAPI: since 6.9 */
    URING_UNREGISTER_BUSY_POLL = 28
};

/* Of io_uring_enter with IORING_ENTER_EXT_ARG: io_uring_getevents_arg, whose padding became
 * min_wait_usec. */
struct uring_wait {
    uint64_t signals;
    uint32_t signals_bytes;
    uint32_t least_us; /* wait so long for as many completions as are asked for, then for one */
    uint64_t timer;    /* struct __kernel_timespec *, or 0 */
};
static_assert(sizeof(struct uring_wait) == sizeof(struct io_uring_getevents_arg), "as the kernel");

struct uring_busy_poll { /* io_uring_napi */
    uint32_t poll_us;
    uint8_t preferred, reserved[3];
    uint64_t reserved_too;
};
static_assert(sizeof(struct uring_busy_poll) == 16, "as the kernel");

#endif
