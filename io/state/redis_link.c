#include "io/state/redis_inside.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void begin(struct redis_link *link);
static void complete_connect(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags);
static void expire(struct loop *loop, struct timer *timer);

const char *redis_state_name(enum redis_state state)
{
    static const char *const names[] = {"connecting", "refilling", "ready",
                                        "refuses",    "hangs",     "away"};
    static_assert(sizeof names / sizeof *names == REDIS_STATES, "a name each");
    assert(state < REDIS_STATES);
    return names[state];
}

/* ---- open and close ---- */

enum status redis_link_open(struct loop *loop, const struct config_redis *config, uint64_t epoch,
                            const struct redis_source *source, struct redis_link **out_link)
{
    char problem[256];
    struct redis_link *link = calloc(1, sizeof *link);
    if (link == NULL)
        return STATUS_NO_MEMORY;
    enum status status = address_parse(config->address, &link->address, problem, sizeof problem);
    assert(status == STATUS_OK); /* the configuration has been checked */
    (void)status;
    link->loop = loop;
    link->config = config;
    link->source = *source;
    link->epoch = epoch;
    link->descriptor = -1;
    link->random = epoch | 1;
    link->told = REDIS_CONNECTING;
    link->figures.current_ns = loop_now_ns(loop);
    link->connect.complete = complete_connect;
    link->send.complete = redis_complete_send;
    link->receive.complete = redis_complete_receive;
    link->timer.expire = expire;
    snprintf(link->epoch_text, sizeof link->epoch_text, "%" PRIu64, epoch);
    snprintf(link->marker, sizeof link->marker, "%smarker", config->prefix);
    begin(link);
    *out_link = link;
    return STATUS_OK;
}

void redis_link_close(struct redis_link *link)
{
    if (link == NULL)
        return;
    link->ends = true;
    if (link->phase == PHASE_CONNECTING || link->phase == PHASE_UP)
        redis_fail(link, link->told, "");
    while (link->operations > 0)
        loop_turn(link->loop);
    loop_timer_disarm(link->loop, &link->timer);
    if (link->descriptor >= 0)
        close(link->descriptor);
    if (link->reader != NULL)
        redisReaderFree(link->reader);
    free(link);
}

const struct redis_figures *redis_link_figures(const struct redis_link *link)
{
    return &link->figures;
}

const char *redis_link_prefix(const struct redis_link *link)
{
    return link->config->prefix;
}

uint64_t redis_link_epoch(const struct redis_link *link)
{
    return link->epoch;
}

void redis_count(_Atomic uint64_t *figure, uint64_t more)
{
    atomic_store_explicit(figure, atomic_load_explicit(figure, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* ---- its state, said once ---- */

static bool is_trouble(enum redis_state state)
{
    return state >= REDIS_REFUSES;
}

/* While it is tried again, trouble stays what was said, until all is well. */
void redis_tell(struct redis_link *link, enum redis_state state, const char *reason)
{
    bool is_new =
        state != link->told || (state == REDIS_REFUSES && strcmp(reason, link->reason) != 0);
    atomic_store_explicit(&link->figures.state, state, memory_order_relaxed);
    if (!is_new || (!is_trouble(state) && state != REDIS_READY))
        return;
    link->told = state;
    snprintf(link->reason, sizeof link->reason, "%s", reason);
    if (state == REDIS_READY)
        fprintf(stderr, "kouan: redis %s: has all that it should\n", link->config->address);
    else
        fprintf(stderr,
                "kouan: redis %s %s%s%s%s; messages go on, and it gets all when it can be "
                "written again\n",
                link->config->address, state == REDIS_AWAY ? "is " : "", redis_state_name(state),
                reason[0] != '\0' ? ": " : "", reason);
}

/* ---- the connection ---- */

static void await(struct redis_link *link, uint64_t ms)
{
    loop_timer_arm(link->loop, &link->timer, loop_now_ns(link->loop) + ms * NS_PER_MS);
}

/* Doubled each time, of which between three and five quarters are waited for. */
uint64_t redis_take_retry_ms(struct redis_link *link)
{
    uint64_t ms = link->retry_ms < RETRY_MIN_MS ? RETRY_MIN_MS : link->retry_ms;
    link->retry_ms = ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : ms * 2;
    link->random ^= link->random << 13;
    link->random ^= link->random >> 7;
    link->random ^= link->random << 17;
    return ms * 3 / 4 + link->random % (ms / 2 + 1);
}

static void begin(struct redis_link *link)
{
    struct io_uring_sqe *submission;
    const struct address *address = &link->address;
    link->descriptor =
        socket(address->storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    link->reader = redisReaderCreate();
    if (link->descriptor < 0 || link->reader == NULL) {
        redis_fail(link, REDIS_AWAY, strerror(errno));
        return;
    }
    link->phase = PHASE_CONNECTING;
    link->began_ns = loop_now_ns(link->loop);
    link->operations++;
    submission = loop_submission(link->loop, &link->connect);
    io_uring_prep_connect(submission, link->descriptor,
                          (const struct sockaddr *)(const void *)&address->storage, address->size);
    io_uring_sqe_set_data(submission, &link->connect);
    await(link, TICK_MS);
}

/* What is under way ends with the socket, and then it is tried again. */
void redis_let_go(struct redis_link *link)
{
    if (link->operations > 0)
        return;
    if (link->descriptor >= 0)
        close(link->descriptor);
    if (link->reader != NULL)
        redisReaderFree(link->reader);
    link->descriptor = -1;
    link->reader = NULL;
    link->first_flight = link->end_flight = 0;
    link->out_size = link->out_sent = 0;
    link->is_sending = link->is_greeted = false;
    link->rest_until_ns = 0;
    link->phase = PHASE_DOWN;
    atomic_store_explicit(&link->figures.in_flight, 0, memory_order_relaxed);
    if (!link->ends)
        await(link, redis_take_retry_ms(link));
}

void redis_fail(struct redis_link *link, enum redis_state state, const char *reason)
{
    if (link->phase == PHASE_CLOSING)
        return;
    if (!link->ends) {
        redis_count(&link->figures.errors, 1);
        redis_tell(link, state, reason);
    }
    enum phase before = link->phase;
    link->phase = PHASE_CLOSING;
    if (before == PHASE_CONNECTING)
        loop_cancel(link->loop, &link->connect);
    if (before == PHASE_UP)
        shutdown(link->descriptor, SHUT_RDWR);
    if (link->is_sending)
        loop_cancel(link->loop, &link->send);
    redis_let_go(link);
}

static void complete_connect(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags)
{
    struct redis_link *link = LINK_OF(connect, operation);
    (void)loop, (void)flags;
    link->operations--;
    if (link->phase == PHASE_CLOSING) {
        redis_let_go(link);
        return;
    }
    if (result < 0) {
        redis_fail(link, REDIS_AWAY, strerror(-result));
        return;
    }
    link->phase = PHASE_UP;
    redis_count(&link->figures.connections, 1);
    redis_begin_talk(link);
}

static void expire(struct loop *loop, struct timer *timer)
{
    struct redis_link *link = LINK_OF(timer, timer);
    uint64_t now = loop_now_ns(loop);
    if (link->phase == PHASE_DOWN) {
        begin(link);
        return;
    }
    if (link->phase == PHASE_CLOSING) /* what is under way has not ended yet */
        return;
    uint64_t since_ns = link->phase == PHASE_CONNECTING ? link->began_ns
                        : link->first_flight < link->end_flight
                            ? link->flights[link->first_flight % COMMANDS_MAX].sent_ns
                            : now;
    if (now - since_ns > TIMEOUT_MS * NS_PER_MS) {
        redis_fail(link, REDIS_HANGS, "no answer within 5 s");
        return;
    }
    redis_tick(link);
    if (link->phase == PHASE_UP || link->phase == PHASE_CONNECTING)
        await(link, TICK_MS);
}
