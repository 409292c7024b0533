/* What a ring can do beyond what this program needs, if the kernel has it and somebody asks for it:
 * docs/tuning.md says what each is worth. What is asked for and not to be had is left out, never a
 * reason not to start. */
#ifndef KOUAN_IO_LOOP_FEATURES_H
#define KOUAN_IO_LOOP_FEATURES_H

#include <liburing.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* feature, wish and option of that name, what it needs */
#define LOOP_FEATURE_LIST(X)                                                                       \
    X(TURN_WAIT, turn_wait, "kernel 6.12")                                                         \
    X(SUBMISSION_POLL, submission_poll, "leave for a thread of the kernel's")                      \
    X(BUSY_POLL, busy_poll, "kernel 6.9 with CONFIG_NET_RX_BUSY_POLL")                             \
    X(ZERO_COPY_SEND, zero_copy_send, "kernel 6.1, and IORING_OP_SENDMSG_ZC allowed")

enum loop_feature {
#define X(feature, wish, needs) LOOP_FEATURE_##feature,
    LOOP_FEATURE_LIST(X)
#undef X
        LOOP_FEATURES
};

/* 0: not that one. */
struct loop_wishes {
    uint32_t turn_wait;        /* us */
    uint32_t turn_completions; /* that end it */
    uint32_t submission_poll;  /* ms without work after which the kernel's thread sleeps */
    uint32_t busy_poll;        /* us */
    uint32_t zero_copy_send;   /* bytes of a send from which on it is not copied */
};

/* Both as bits, 1 << feature. A ring that is not polled cannot tell of SUBMISSION_POLL. */
uint32_t loop_features_of_ring(struct io_uring *ring);
/* By rings of its own, closed again. All, if there are no rings to be had: who starts says why. */
uint32_t loop_features_of_kernel(void);

/* Takes away the wishes for what is not among `features`. */
void loop_features_grant(uint32_t features, struct loop_wishes *wishes);

/* The names of the wishes that are not 0, with a comma between them, or `none`. */
void loop_features_name(const struct loop_wishes *wishes, char *out_text, size_t capacity);

/* False: this kernel polls no network devices. */
bool loop_features_poll_devices(struct io_uring *ring, uint32_t poll_us);

#endif
