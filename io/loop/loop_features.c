#include "io/loop/loop_features.h"

#include <stdio.h>

#include "io/loop/uring_features.h"

enum { PROBE_ENTRIES = 2, PROBE_US = 1 };

static bool polls_devices(struct io_uring *ring);

static uint32_t bit(enum loop_feature feature)
{
    return 1U << feature;
}

uint32_t loop_features_of_ring(struct io_uring *ring)
{
    uint32_t features = 0;
    if ((ring->features & URING_FEATURE_LEAST_WAIT) != 0)
        features |= bit(LOOP_FEATURE_TURN_WAIT);
    if ((ring->flags & IORING_SETUP_SQPOLL) != 0)
        features |= bit(LOOP_FEATURE_SUBMISSION_POLL);
    if (polls_devices(ring))
        features |= bit(LOOP_FEATURE_BUSY_POLL);
    struct io_uring_probe *probe = io_uring_get_probe_ring(ring);
    if (probe != NULL && io_uring_opcode_supported(probe, IORING_OP_SENDMSG_ZC))
        features |= bit(LOOP_FEATURE_ZERO_COPY_SEND);
    io_uring_free_probe(probe);
    return features;
}

/* Asks for it and gives it back. */
static bool polls_devices(struct io_uring *ring)
{
    struct uring_busy_poll before;
    return loop_features_poll_devices(ring, PROBE_US) &&
           io_uring_register((unsigned)ring->ring_fd, URING_UNREGISTER_BUSY_POLL, &before, 1) == 0;
}

uint32_t loop_features_of_kernel(void)
{
    struct io_uring ring;
    if (io_uring_queue_init(PROBE_ENTRIES, &ring, 0) != 0)
        return bit(LOOP_FEATURES) - 1;
    uint32_t features = loop_features_of_ring(&ring);
    io_uring_queue_exit(&ring);
    if (io_uring_queue_init(PROBE_ENTRIES, &ring, IORING_SETUP_SQPOLL) == 0) {
        features |= bit(LOOP_FEATURE_SUBMISSION_POLL);
        io_uring_queue_exit(&ring);
    }
    return features;
}

void loop_features_grant(uint32_t features, struct loop_wishes *wishes)
{
#define X(feature, wish, needs)                                                                    \
    if ((features & bit(LOOP_FEATURE_##feature)) == 0)                                             \
        wishes->wish = 0;
    LOOP_FEATURE_LIST(X)
#undef X
}

void loop_features_name(const struct loop_wishes *wishes, char *out_text, size_t capacity)
{
    size_t size = 0;
    snprintf(out_text, capacity, "none");
#define X(feature, wish, needs)                                                                    \
    if (wishes->wish != 0 && size < capacity)                                                      \
        size += (size_t)snprintf(out_text + size, capacity - size, "%s%s", size > 0 ? "," : "",    \
                                 #wish);
    LOOP_FEATURE_LIST(X)
#undef X
}

bool loop_features_poll_devices(struct io_uring *ring, uint32_t poll_us)
{
    struct uring_busy_poll settings = {.poll_us = poll_us, .preferred = 1};
    return io_uring_register((unsigned)ring->ring_fd, URING_REGISTER_BUSY_POLL, &settings, 1) == 0;
}
