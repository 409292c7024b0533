#include "io/loop/loop.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "io/loop/loop_buffers.h"
#include "io/loop/uring_features.h"

enum {
    DESCRIPTORS_BESIDES = 64, /* standard streams, listeners, files, the ring itself */
    SUBMIT_ATTEMPTS_MAX = 1000,
    BUFFER_AWAITERS_MAX = 8 /* transports on one loop */
};
#define NS_PER_S  UINT64_C(1000000000)
#define NS_PER_US UINT64_C(1000)

struct loop {
    struct io_uring ring;
    struct loop_buffers buffers;
    struct timer_heap timers;
    struct deferral_queue deferrals, last_deferrals;
    struct deferral *buffer_awaiters[BUFFER_AWAITERS_MAX];
    uint64_t now_ns, wall_ms;
    bool stopping;

    struct operation nothing; /* of what completes without an effect: cancel requests, nudges */
    struct operation woken;
    int wake_descriptor;
    uint64_t wake_count;     /* where the kernel reads it to */
    atomic_bool wake_called; /* loop_wake() was called, and on_wake is to run */
    void (*on_wake)(struct loop *loop, void *context);
    void *wake_context;
    struct loop_exchange exchange; /* send is NULL: none */
    struct loop_wishes granted;

    struct loop_figures figures;
};

static enum status set_up(struct loop *loop, const struct loop_settings *settings,
                          const struct loop_facts *facts, const char **out_step, int *out_error);
static void grant_wishes(struct loop *loop, const struct loop_settings *settings);
static void submit_and_wait(struct loop *loop);
static int wait_for_many(struct loop *loop, uint64_t wait_ns, struct __kernel_timespec *timer);
static void run_completions(struct loop *loop);
static void run_timers(struct loop *loop);
static void offer_buffers(struct loop *loop);
static void read_clocks(struct loop *loop);
static void raise_event(struct loop *loop);
static void listen_for_wake(struct loop *loop);
static void complete_nothing(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags);
static void complete_failed_nudge(struct loop *loop, struct operation *operation, int32_t result,
                                  uint32_t flags);
static void complete_wake(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags);

/* ---- Opening and closing --------------------------------------------------------------------- */

enum status loop_open(const struct loop_settings *settings, struct loop **out_loop,
                      char *out_problem, size_t problem_capacity)
{
    struct loop_facts facts;
    loop_facts_read(&facts);
    if (loop_probe_kernel_is_old(&facts)) {
        loop_probe_explain(&facts, "uname", ENOSYS, out_problem, problem_capacity);
        return STATUS_UNSUPPORTED;
    }
    uint64_t descriptors = (uint64_t)settings->files_max + DESCRIPTORS_BESIDES;
    if (!loop_probe_raise_descriptors(descriptors)) {
        snprintf(out_problem, problem_capacity,
                 "%" PRIu64 " descriptors are wanted and the hard limit on open files is lower: "
                 "raise it (`ulimit -Hn %" PRIu64 "`, LimitNOFILE=%" PRIu64
                 " in systemd), or lower "
                 "the number of connections",
                 descriptors, descriptors, descriptors);
        return STATUS_IO;
    }
    struct loop *loop = calloc(1, sizeof *loop);
    if (loop == NULL) {
        snprintf(out_problem, problem_capacity, "out of memory");
        return STATUS_NO_MEMORY;
    }
    loop->wake_descriptor = -1;
    loop->ring.ring_fd = -1;
    loop->nothing.complete = complete_nothing;
    loop->woken.complete = complete_wake;
    const char *step = "";
    int error = 0;
    enum status status = set_up(loop, settings, &facts, &step, &error);
    if (status != STATUS_OK) {
        loop_probe_explain(&facts, step, error, out_problem, problem_capacity);
        loop_close(loop);
        return status;
    }
    read_clocks(loop);
    listen_for_wake(loop);
    *out_loop = loop;
    return STATUS_OK;
}

static enum status set_up(struct loop *loop, const struct loop_settings *settings,
                          const struct loop_facts *facts, const char **out_step, int *out_error)
{
    *out_step = "io_uring_setup";
    enum status status = loop_probe_ring(&loop->ring, settings, &loop->figures.mode, out_error);
    if (status != STATUS_OK) {
        loop->ring.ring_fd = -1;
        return status;
    }
    loop->figures.registered_ring = io_uring_register_ring_fd(&loop->ring) == 1;
    grant_wishes(loop, settings);
    loop->figures.sends_messages =
        !settings->without_messages && loop_probe_messages(facts, &loop->ring);
    *out_step = "timers";
    *out_error = ENOMEM;
    if (timer_heap_open(&loop->timers, settings->timers_max) != STATUS_OK)
        return STATUS_NO_MEMORY;
    *out_step = "receive buffers";
    status =
        loop_buffers_open(&loop->buffers, &loop->ring, settings->receive_buffer_count, out_error);
    if (status != STATUS_OK)
        return status;
    *out_step = "eventfd";
    loop->wake_descriptor = eventfd(0, EFD_CLOEXEC);
    *out_error = errno;
    return loop->wake_descriptor >= 0 ? STATUS_OK : STATUS_IO;
}

static void grant_wishes(struct loop *loop, const struct loop_settings *settings)
{
    loop->granted = settings->wishes;
    loop_features_grant(loop_features_of_ring(&loop->ring) & ~settings->without_features,
                        &loop->granted);
    if (loop->granted.busy_poll > 0)
        loop_features_poll_devices(&loop->ring, loop->granted.busy_poll);
}

void loop_close(struct loop *loop)
{
    if (loop->ring.ring_fd >= 0)
        io_uring_queue_exit(&loop->ring);
    loop_buffers_close(&loop->buffers);
    timer_heap_close(&loop->timers);
    if (loop->wake_descriptor >= 0)
        close(loop->wake_descriptor);
    free(loop);
}

/* ---- Turns ----------------------------------------------------------------------------------- */

void loop_run(struct loop *loop)
{
    while (!loop->stopping)
        loop_turn(loop);
    loop->stopping = false;
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

void loop_turn(struct loop *loop)
{
    submit_and_wait(loop);
    read_clocks(loop);
    loop->figures.turns++;
    run_completions(loop);
    run_timers(loop);
    if (loop->exchange.send != NULL)
        loop->exchange.receive(loop->exchange.context);
    offer_buffers(loop);
    deferral_queue_run(&loop->deferrals, loop);
    deferral_queue_run(&loop->last_deferrals, loop);
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec time;
    int result = clock_gettime(clock, &time);
    assert(result == 0);
    return (uint64_t)time.tv_sec * NS_PER_S + (uint64_t)time.tv_nsec;
}

static void read_clocks(struct loop *loop)
{
    loop->now_ns = clock_ns(CLOCK_MONOTONIC);
    loop->wall_ms = clock_ns(CLOCK_REALTIME) / 1000000;
}

/* One system call. Errors need no handling of their own: ETIME and EINTR are ends of the wait, and
 * whatever could not be submitted is submitted by the next turn. */
static void submit_and_wait(struct loop *loop)
{
    offer_buffers(loop);
    uint64_t next_ns = timer_heap_next_ns(&loop->timers);
    uint64_t now_ns = next_ns != UINT64_MAX ? clock_ns(CLOCK_MONOTONIC) : 0;
    bool may_wait =
        loop->deferrals.count == 0 && loop->last_deferrals.count == 0 && next_ns > now_ns;
    if (loop->exchange.send != NULL)
        may_wait &= loop->exchange.send(loop->exchange.context, may_wait);
    loop->figures.submissions += io_uring_sq_ready(&loop->ring);
    loop->figures.enters++;
    if (!may_wait) {
        io_uring_submit_and_get_events(&loop->ring);
    } else if (next_ns == UINT64_MAX) {
        if (loop->granted.turn_wait > 0)
            wait_for_many(loop, UINT64_MAX, NULL);
        else
            io_uring_submit_and_wait(&loop->ring, 1);
    } else {
        uint64_t wait_ns = next_ns - now_ns;
        struct __kernel_timespec wait = {.tv_sec = (int64_t)(wait_ns / NS_PER_S),
                                         .tv_nsec = (int64_t)(wait_ns % NS_PER_S)};
        struct io_uring_cqe *completion;
        int result =
            loop->granted.turn_wait > 0
                ? wait_for_many(loop, wait_ns, &wait)
                : io_uring_submit_and_wait_timeout(&loop->ring, &completion, 1, &wait, NULL);
        if (result == -ETIME)
            loop->figures.timeouts++;
    }
}

/* For turn_completions, as long as turn_wait lasts; then for one. */
static int wait_for_many(struct loop *loop, uint64_t wait_ns, struct __kernel_timespec *timer)
{
    struct io_uring *ring = &loop->ring;
    uint64_t least_us = loop->granted.turn_wait;
    if (wait_ns / NS_PER_US < least_us)
        least_us = wait_ns / NS_PER_US;
    const struct uring_wait wait = {
        .signals_bytes = _NSIG / 8, .least_us = (uint32_t)least_us, .timer = (uintptr_t)timer};
    unsigned flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG |
                     (loop->figures.registered_ring ? IORING_ENTER_REGISTERED_RING : 0U);
    if (io_uring_sq_ready(ring) > 0)
        io_uring_submit(ring);
    return io_uring_enter2((unsigned)ring->enter_ring_fd, 0,
                           least_us > 0 ? loop->granted.turn_completions : 1, flags,
                           (sigset_t *)(uintptr_t)&wait, sizeof wait);
}

/* Only what is there now: what its handlers bring forth belongs to the next turn. */
static void run_completions(struct loop *loop)
{
    uint32_t count = io_uring_cq_ready(&loop->ring);
    for (uint32_t i = 0; i < count; i++) {
        struct io_uring_cqe *completion;
        if (io_uring_peek_cqe(&loop->ring, &completion) != 0)
            return;
        struct operation *operation = io_uring_cqe_get_data(completion);
        int32_t result = completion->res;
        uint32_t flags = completion->flags;
        io_uring_cqe_seen(&loop->ring, completion);
        loop->figures.completions++;
        operation->complete(loop, operation, result, flags);
    }
}

static void run_timers(struct loop *loop)
{
    /* A timer that arms itself for a time gone by runs again in the next turn, not in this one. */
    uint32_t count = loop->timers.count;
    struct timer *timer;
    while (count-- > 0 && (timer = timer_heap_pop_due(&loop->timers, loop->now_ns)) != NULL)
        timer->expire(loop, timer);
}

/* ---- Deferrals ------------------------------------------------------------------------------- */

static struct deferral_queue *queue_of(struct loop *loop, const struct deferral *deferral)
{
    return deferral->last ? &loop->last_deferrals : &loop->deferrals;
}

void loop_defer(struct loop *loop, struct deferral *deferral)
{
    deferral_queue_push(queue_of(loop, deferral), deferral);
}

void loop_undefer(struct loop *loop, struct deferral *deferral)
{
    for (int i = 0; i < BUFFER_AWAITERS_MAX; i++)
        if (loop->buffer_awaiters[i] == deferral)
            loop->buffer_awaiters[i] = NULL;
    deferral_queue_remove(queue_of(loop, deferral), deferral);
}

/* ---- Waking ---------------------------------------------------------------------------------- */

void loop_wake(struct loop *loop)
{
    int saved = errno; /* a signal handler must not change it */
    /* Pairs with the exchange in complete_wake: who reads the event sees what it is for. */
    atomic_store_explicit(&loop->wake_called, true, memory_order_release);
    raise_event(loop);
    errno = saved;
}

static void raise_event(struct loop *loop)
{
    uint64_t one = 1;
    ssize_t written = write(loop->wake_descriptor, &one, sizeof one);
    (void)written; /* it can fail only when 2^64 - 2 wakes are pending: the loop will wake anyway */
}

void loop_on_wake(struct loop *loop, void (*run)(struct loop *loop, void *context), void *context)
{
    loop->on_wake = run;
    loop->wake_context = context;
}

static void listen_for_wake(struct loop *loop)
{
    struct io_uring_sqe *submission = loop_submission(loop, &loop->woken);
    io_uring_prep_read(submission, loop->wake_descriptor, &loop->wake_count,
                       sizeof loop->wake_count, 0);
}

static void complete_wake(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags)
{
    (void)operation;
    (void)flags;
    assert(result == (int32_t)sizeof loop->wake_count || result == -EINTR || result == -EAGAIN);
    listen_for_wake(loop);
    bool called = atomic_exchange_explicit(&loop->wake_called, false, memory_order_acquire);
    if (called && loop->on_wake != NULL)
        loop->on_wake(loop, loop->wake_context);
}

/* ---- Other threads' loops -------------------------------------------------------------------- */

void loop_on_exchange(struct loop *loop, const struct loop_exchange *exchange)
{
    loop->exchange = *exchange;
}

void loop_nudge_init(struct loop *loop, struct nudge *nudge, struct loop *other)
{
    bool by_message = loop->figures.sends_messages && other->figures.sends_messages;
    *nudge = (struct nudge){.failed.complete = complete_failed_nudge,
                            .other = other,
                            .ring_descriptor = by_message ? other->ring.ring_fd : -1,
                            .user_data = (uintptr_t)&other->nothing};
}

void loop_nudge(struct loop *loop, struct nudge *nudge)
{
    loop->figures.nudges++;
    if (nudge->ring_descriptor < 0) {
        raise_event(nudge->other);
        return;
    }
    struct io_uring_sqe *submission = loop_submission(loop, &nudge->failed);
    io_uring_prep_msg_ring(submission, nudge->ring_descriptor, 0, nudge->user_data, 0);
    io_uring_sqe_set_flags(submission, IOSQE_CQE_SKIP_SUCCESS);
}

/* Its completion queue is full, or the kernel has no memory for a moment. */
static void complete_failed_nudge(struct loop *loop, struct operation *operation, int32_t result,
                                  uint32_t flags)
{
    const struct nudge *nudge = (const struct nudge *)(void *)operation;
    (void)loop;
    (void)flags;
    /* A kernel that does not skip successes tells of them, too. */
    if (result < 0 && nudge->other != NULL)
        raise_event(nudge->other);
}

/* ---- Submissions ----------------------------------------------------------------------------- */

struct io_uring_sqe *loop_submission(struct loop *loop, struct operation *operation)
{
    struct io_uring_sqe *submission = io_uring_get_sqe(&loop->ring);
    for (int i = 0; submission == NULL && i < SUBMIT_ATTEMPTS_MAX; i++) {
        loop->figures.submissions += io_uring_sq_ready(&loop->ring);
        loop->figures.enters++;
        io_uring_submit(&loop->ring);
        io_uring_sqring_wait(&loop->ring); /* for the kernel's thread, if it takes them */
        submission = io_uring_get_sqe(&loop->ring);
    }
    assert(submission != NULL);
    io_uring_sqe_set_data(submission, operation);
    return submission;
}

void loop_cancel(struct loop *loop, struct operation *operation)
{
    struct io_uring_sqe *submission = loop_submission(loop, &loop->nothing);
    io_uring_prep_cancel(submission, operation, 0);
}

static void complete_nothing(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags)
{
    (void)loop;
    (void)operation;
    (void)result; /* of a cancel request 0, ENOENT, EALREADY: what it cancelled completes itself */
    (void)flags;
}

/* ---- What it lends --------------------------------------------------------------------------- */

uint64_t loop_now_ns(const struct loop *loop)
{
    return loop->now_ns;
}

uint64_t loop_wall_ms(const struct loop *loop)
{
    return loop->wall_ms;
}

void loop_timer_arm(struct loop *loop, struct timer *timer, uint64_t deadline_ns)
{
    timer_heap_arm(&loop->timers, timer, deadline_ns);
}

void loop_timer_disarm(struct loop *loop, struct timer *timer)
{
    timer_heap_disarm(&loop->timers, timer);
}

struct chunk *loop_take_buffer(struct loop *loop, uint32_t flags)
{
    return loop_buffers_take(&loop->buffers, flags);
}

int loop_buffer_group(const struct loop *loop)
{
    (void)loop;
    return LOOP_BUFFER_GROUP;
}

uint32_t loop_buffers_out(const struct loop *loop)
{
    return loop->buffers.out_count;
}

uint32_t loop_buffers_free(const struct loop *loop)
{
    return loop->buffers.pool.count - loop->buffers.out_count;
}

void loop_await_buffer(struct loop *loop, struct deferral *deferral)
{
    struct deferral **place = NULL;
    for (int i = 0; i < BUFFER_AWAITERS_MAX; i++) {
        if (loop->buffer_awaiters[i] == deferral)
            return;
        if (loop->buffer_awaiters[i] == NULL)
            place = &loop->buffer_awaiters[i];
    }
    assert(place != NULL);
    *place = deferral;
}

/* Buffers come back at any time, also from deferrals: asked both before them and before waiting. */
static void offer_buffers(struct loop *loop)
{
    if (!loop->buffers.returned)
        return;
    loop->buffers.returned = false;
    for (int i = 0; i < BUFFER_AWAITERS_MAX; i++)
        if (loop->buffer_awaiters[i] != NULL) {
            loop_defer(loop, loop->buffer_awaiters[i]);
            loop->buffer_awaiters[i] = NULL;
        }
}

const struct loop_wishes *loop_granted(const struct loop *loop)
{
    return &loop->granted;
}

void loop_figures(const struct loop *loop, struct loop_figures *out_figures)
{
    *out_figures = loop->figures;
}
