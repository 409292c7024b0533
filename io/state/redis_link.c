#include "io/state/redis_link.h"

#include <assert.h>
#include <errno.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/net/listener.h"

#define NS_PER_MS UINT64_C(1000000)

enum {
    OUT_BYTES = 256 * 1024,
    IN_BYTES = 16 * 1024,
    REPLY_BYTES_MAX = 1024 * 1024, /* nothing that is asked for has such a reply */
    COMMANDS_MAX = 64,
    TICK_MS = 1000,
    TIMEOUT_MS = 5000, /* of a connection, and of a reply */
    RETRY_MIN_MS = 100,
    RETRY_MAX_MS = 10000,
    REASON_BYTES = 128,
    KEY_BYTES = 256
};

enum asked { ASKED_GREETING, ASKED_MARKER, ASKED_SET_MARKER, ASKED_ITEM };
enum phase { PHASE_DOWN, PHASE_CONNECTING, PHASE_UP, PHASE_CLOSING };

struct flight {
    uint8_t asked; /* enum asked */
    uint64_t sent_ns;
};

struct redis_link {
    struct loop *loop;
    const struct config_redis *config;
    struct address address;
    struct redis_source source;
    uint64_t epoch;
    char epoch_text[24], marker[KEY_BYTES];
    struct redis_figures figures;

    enum phase phase;
    int descriptor;
    struct operation connect, send, receive;
    uint8_t operations; /* of these three that are under way */
    bool is_sending, ends;
    bool is_greeted; /* it knows who we are, and which database is meant */
    struct timer timer;
    uint64_t retry_ms, began_ns;
    uint64_t rest_until_ns; /* after a refusal; 0: none */
    uint64_t random;

    redisReader *reader;
    struct flight flights[COMMANDS_MAX]; /* number % COMMANDS_MAX */
    uint64_t first_flight, end_flight;
    size_t out_size, out_sent;
    enum redis_state told;
    char reason[REASON_BYTES];
    uint8_t out[OUT_BYTES];
    char in[IN_BYTES];
};

static void begin(struct redis_link *link);
static void complete_connect(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags);
static void complete_send(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags);
static void complete_receive(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags);
static void expire(struct loop *loop, struct timer *timer);
static void fail(struct redis_link *link, enum redis_state state, const char *reason);
static void put(struct redis_link *link, enum asked asked, const struct bytes *arguments,
                uint32_t count);
static void flush(struct redis_link *link);
static void pump(struct redis_link *link);
static void take_replies(struct redis_link *link);

#define LINK_OF(member, pointer)                                                                   \
    ((struct redis_link *)(void *)((char *)(pointer)-offsetof(struct redis_link, member)))

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
    link->send.complete = complete_send;
    link->receive.complete = complete_receive;
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
        fail(link, link->told, "");
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

static void count(_Atomic uint64_t *figure, uint64_t more)
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
static void tell(struct redis_link *link, enum redis_state state, const char *reason)
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

static uint64_t now_ns(const struct redis_link *link)
{
    return loop_now_ns(link->loop);
}

static void await(struct redis_link *link, uint64_t ms)
{
    loop_timer_arm(link->loop, &link->timer, now_ns(link) + ms * NS_PER_MS);
}

/* Doubled each time, of which between three and five quarters are waited for. */
static uint64_t take_retry_ms(struct redis_link *link)
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
        fail(link, REDIS_AWAY, strerror(errno));
        return;
    }
    link->phase = PHASE_CONNECTING;
    link->began_ns = now_ns(link);
    link->operations++;
    submission = loop_submission(link->loop, &link->connect);
    io_uring_prep_connect(submission, link->descriptor,
                          (const struct sockaddr *)(const void *)&address->storage, address->size);
    io_uring_sqe_set_data(submission, &link->connect);
    await(link, TICK_MS);
}

static void receive(struct redis_link *link)
{
    struct io_uring_sqe *submission = loop_submission(link->loop, &link->receive);
    link->operations++;
    io_uring_prep_recv(submission, link->descriptor, link->in, sizeof link->in, 0);
    io_uring_sqe_set_data(submission, &link->receive);
}

/* What is under way ends with the socket, and then it is tried again. */
static void let_go(struct redis_link *link)
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
        await(link, take_retry_ms(link));
}

static void fail(struct redis_link *link, enum redis_state state, const char *reason)
{
    if (link->phase == PHASE_CLOSING)
        return;
    if (!link->ends) {
        count(&link->figures.errors, 1);
        tell(link, state, reason);
    }
    enum phase before = link->phase;
    link->phase = PHASE_CLOSING;
    if (before == PHASE_CONNECTING)
        loop_cancel(link->loop, &link->connect);
    if (before == PHASE_UP)
        shutdown(link->descriptor, SHUT_RDWR);
    if (link->is_sending)
        loop_cancel(link->loop, &link->send);
    let_go(link);
}

static void greet(struct redis_link *link)
{
    const struct config_redis *config = link->config;
    char database[24];
    struct bytes arguments[3] = {BYTES_LITERAL("AUTH")};
    uint32_t count_of = 1;
    if (config->password.size > 0) {
        if (config->username != NULL)
            arguments[count_of++] = bytes_from_text(config->username);
        arguments[count_of++] = config->password;
        put(link, ASKED_GREETING, arguments, count_of);
    }
    if (config->database > 0) {
        snprintf(database, sizeof database, "%" PRIu64, config->database);
        arguments[0] = BYTES_LITERAL("SELECT");
        arguments[1] = bytes_from_text(database);
        put(link, ASKED_GREETING, arguments, 2);
    }
}

static void ask_for_marker(struct redis_link *link)
{
    const struct bytes arguments[] = {BYTES_LITERAL("GET"), bytes_from_text(link->marker)};
    put(link, ASKED_MARKER, arguments, 2);
}

/* Before all that is written anew: who loses any of that loses the marker with it. */
static void refill(struct redis_link *link)
{
    const struct bytes arguments[] = {BYTES_LITERAL("SET"), bytes_from_text(link->marker),
                                      bytes_from_text(link->epoch_text)};
    count(&link->figures.refills, 1);
    tell(link, REDIS_REFILLING, "");
    put(link, ASKED_SET_MARKER, arguments, 3);
    link->source.refill(link->source.context);
}

/* Nothing is written before: it might go to another database. */
static void be_greeted(struct redis_link *link)
{
    link->is_greeted = true;
    refill(link);
    pump(link);
}

static void complete_connect(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags)
{
    struct redis_link *link = LINK_OF(connect, operation);
    (void)loop, (void)flags;
    link->operations--;
    if (link->phase == PHASE_CLOSING) {
        let_go(link);
        return;
    }
    if (result < 0) {
        fail(link, REDIS_AWAY, strerror(-result));
        return;
    }
    link->phase = PHASE_UP;
    count(&link->figures.connections, 1);
    receive(link);
    greet(link);
    flush(link);
    if (link->first_flight == link->end_flight)
        be_greeted(link);
}

/* ---- out ---- */

static bool has_room(const struct redis_link *link)
{
    return link->end_flight - link->first_flight < COMMANDS_MAX - 4 /* of its own */ &&
           link->out_size + REDIS_COMMAND_BYTES_MAX + KEY_BYTES * 4 <= sizeof link->out;
}

static void put(struct redis_link *link, enum asked asked, const struct bytes *arguments,
                uint32_t count_of)
{
    const char *data[REDIS_ARGUMENTS_MAX];
    size_t sizes[REDIS_ARGUMENTS_MAX];
    char *text = NULL;
    assert(count_of <= REDIS_ARGUMENTS_MAX);
    for (uint32_t i = 0; i < count_of; i++) {
        data[i] = (const char *)arguments[i].data;
        sizes[i] = arguments[i].size;
    }
    int size = redisFormatCommandArgv(&text, (int)count_of, data, sizes);
    if (size < 0)
        abort(); /* out of memory */
    assert(size <= REDIS_COMMAND_BYTES_MAX && (size_t)size <= sizeof link->out - link->out_size);
    memcpy(link->out + link->out_size, text, (size_t)size);
    link->out_size += (size_t)size;
    free(text);
    link->flights[link->end_flight++ % COMMANDS_MAX] =
        (struct flight){.asked = (uint8_t)asked, .sent_ns = now_ns(link)};
    assert(link->end_flight - link->first_flight <= COMMANDS_MAX);
    count(&link->figures.commands, 1);
    count(&link->figures.bytes, (uint64_t)size);
    atomic_store_explicit(&link->figures.in_flight, link->end_flight - link->first_flight,
                          memory_order_relaxed);
}

void redis_link_command(struct redis_link *link, const struct bytes *arguments, uint32_t count_of)
{
    put(link, ASKED_ITEM, arguments, count_of);
}

static void flush(struct redis_link *link)
{
    if (link->is_sending || link->out_sent == link->out_size || link->phase != PHASE_UP)
        return;
    struct io_uring_sqe *submission = loop_submission(link->loop, &link->send);
    link->operations++;
    link->is_sending = true;
    io_uring_prep_send(submission, link->descriptor, link->out + link->out_sent,
                       link->out_size - link->out_sent, MSG_NOSIGNAL);
    io_uring_sqe_set_data(submission, &link->send);
}

static void complete_send(struct loop *loop, struct operation *operation, int32_t result,
                          uint32_t flags)
{
    struct redis_link *link = LINK_OF(send, operation);
    (void)loop, (void)flags;
    link->operations--;
    link->is_sending = false;
    if (link->phase == PHASE_CLOSING) {
        let_go(link);
        return;
    }
    if (result < 0) {
        fail(link, REDIS_AWAY, strerror(-result));
        return;
    }
    link->out_sent += (size_t)result;
    if (link->out_sent == link->out_size)
        link->out_sent = link->out_size = 0;
    pump(link);
}

/* As much as may be without a reply. */
static void pump(struct redis_link *link)
{
    if (link->phase != PHASE_UP)
        return;
    if (!link->is_greeted) {
        flush(link);
        return;
    }
    while (link->rest_until_ns == 0 && has_room(link) &&
           link->source.next(link->source.context, link))
        ;
    flush(link);
    if (link->first_flight < link->end_flight || link->rest_until_ns > 0 ||
        !link->source.is_refilled(link->source.context))
        return;
    link->retry_ms = 0;
    atomic_store_explicit(&link->figures.current_ns, now_ns(link), memory_order_relaxed);
    tell(link, REDIS_READY, "");
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
        fail(link, REDIS_HANGS, "no answer within 5 s");
        return;
    }
    if (link->is_greeted && link->first_flight == link->end_flight) {
        if (link->rest_until_ns > 0 && now >= link->rest_until_ns) {
            link->rest_until_ns = 0;
            refill(link);
        } else if (link->rest_until_ns == 0) {
            ask_for_marker(link);
        }
    }
    link->source.tick(link->source.context);
    pump(link);
    if (link->phase == PHASE_UP || link->phase == PHASE_CONNECTING)
        await(link, TICK_MS);
}

/* ---- in ---- */

static void complete_receive(struct loop *loop, struct operation *operation, int32_t result,
                             uint32_t flags)
{
    struct redis_link *link = LINK_OF(receive, operation);
    (void)loop, (void)flags;
    link->operations--;
    if (link->phase == PHASE_CLOSING) {
        let_go(link);
        return;
    }
    if (result <= 0) {
        fail(link, REDIS_AWAY, result == 0 ? "it has ended the connection" : strerror(-result));
        return;
    }
    if (redisReaderFeed(link->reader, link->in, (size_t)result) != REDIS_OK ||
        link->reader->len > REPLY_BYTES_MAX) {
        fail(link, REDIS_REFUSES, "its replies are none of Redis");
        return;
    }
    take_replies(link);
    if (link->phase != PHASE_UP)
        return;
    receive(link);
    pump(link);
}

/* What it refuses once it would refuse again: it is left alone for a while, then all is due. */
static void refuse(struct redis_link *link, const redisReply *reply)
{
    char reason[REASON_BYTES];
    count(&link->figures.errors, 1);
    if (link->rest_until_ns > 0)
        return;
    snprintf(reason, sizeof reason, "%.*s", (int)(reply->len < 100 ? reply->len : 100), reply->str);
    char *where = strstr(reason, " script: "); /* which says more than anybody wants */
    if (where != NULL)
        *where = '\0';
    for (char *at = reason; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    tell(link, REDIS_REFUSES, reason);
    link->rest_until_ns = now_ns(link) + take_retry_ms(link) * NS_PER_MS;
}

static bool is_own_marker(const struct redis_link *link, const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING &&
           bytes_equal_text(bytes_make(reply->str, reply->len), link->epoch_text);
}

static void take_reply(struct redis_link *link, const redisReply *reply)
{
    if (link->first_flight == link->end_flight) {
        fail(link, REDIS_REFUSES, "a reply that nothing asked for");
        return;
    }
    enum asked asked = (enum asked)link->flights[link->first_flight++ % COMMANDS_MAX].asked;
    atomic_store_explicit(&link->figures.in_flight, link->end_flight - link->first_flight,
                          memory_order_relaxed);
    if (reply->type == REDIS_REPLY_ERROR && asked == ASKED_GREETING) {
        char reason[REASON_BYTES];
        snprintf(reason, sizeof reason, "%.100s", reply->str);
        fail(link, REDIS_REFUSES, reason);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        refuse(link, reply);
    } else if (asked == ASKED_GREETING) {
        if (link->first_flight == link->end_flight)
            be_greeted(link);
    } else if (asked == ASKED_MARKER && !is_own_marker(link, reply) && link->rest_until_ns == 0) {
        fprintf(stderr, "kouan: redis %s has lost what was there: it gets all again\n",
                link->config->address);
        refill(link);
    }
}

static void take_replies(struct redis_link *link)
{
    void *reply = NULL;
    while (link->phase == PHASE_UP) {
        if (redisReaderGetReply(link->reader, &reply) != REDIS_OK) {
            fail(link, REDIS_REFUSES, "its replies are none of Redis");
            return;
        }
        if (reply == NULL)
            return;
        take_reply(link, reply);
        freeReplyObject(reply);
    }
}
