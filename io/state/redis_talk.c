#include "io/state/redis_inside.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static void receive(struct redis_link *link);
static void greet(struct redis_link *link);
static void be_greeted(struct redis_link *link);
static void ask_for_marker(struct redis_link *link);
static void refill(struct redis_link *link);
static void put(struct redis_link *link, enum asked asked, const struct bytes *arguments,
                uint32_t count_of);
static void flush(struct redis_link *link);
static void pump(struct redis_link *link);
static void take_replies(struct redis_link *link);

/* ---- what it says of itself ---- */

void redis_begin_talk(struct redis_link *link)
{
    receive(link);
    greet(link);
    flush(link);
    if (link->first_flight == link->end_flight)
        be_greeted(link);
}

void redis_tick(struct redis_link *link)
{
    if (link->is_greeted && link->first_flight == link->end_flight) {
        if (link->rest_until_ns > 0 && loop_now_ns(link->loop) >= link->rest_until_ns) {
            link->rest_until_ns = 0;
            refill(link);
        } else if (link->rest_until_ns == 0) {
            ask_for_marker(link);
        }
    }
    link->source.tick(link->source.context);
    pump(link);
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
    redis_count(&link->figures.refills, 1);
    redis_tell(link, REDIS_REFILLING, "");
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
        (struct flight){.asked = (uint8_t)asked, .sent_ns = loop_now_ns(link->loop)};
    assert(link->end_flight - link->first_flight <= COMMANDS_MAX);
    redis_count(&link->figures.commands, 1);
    redis_count(&link->figures.bytes, (uint64_t)size);
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

void redis_complete_send(struct loop *loop, struct operation *operation, int32_t result,
                         uint32_t flags)
{
    struct redis_link *link = LINK_OF(send, operation);
    (void)loop, (void)flags;
    link->operations--;
    link->is_sending = false;
    if (link->phase == PHASE_CLOSING) {
        redis_let_go(link);
        return;
    }
    if (result < 0) {
        redis_fail(link, REDIS_AWAY, strerror(-result));
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
    atomic_store_explicit(&link->figures.current_ns, loop_now_ns(link->loop), memory_order_relaxed);
    redis_tell(link, REDIS_READY, "");
}

/* ---- in ---- */

static void receive(struct redis_link *link)
{
    struct io_uring_sqe *submission = loop_submission(link->loop, &link->receive);
    link->operations++;
    io_uring_prep_recv(submission, link->descriptor, link->in, sizeof link->in, 0);
    io_uring_sqe_set_data(submission, &link->receive);
}

void redis_complete_receive(struct loop *loop, struct operation *operation, int32_t result,
                            uint32_t flags)
{
    struct redis_link *link = LINK_OF(receive, operation);
    (void)loop, (void)flags;
    link->operations--;
    if (link->phase == PHASE_CLOSING) {
        redis_let_go(link);
        return;
    }
    if (result <= 0) {
        redis_fail(link, REDIS_AWAY,
                   result == 0 ? "it has ended the connection" : strerror(-result));
        return;
    }
    if (redisReaderFeed(link->reader, link->in, (size_t)result) != REDIS_OK ||
        link->reader->len > REPLY_BYTES_MAX) {
        redis_fail(link, REDIS_REFUSES, "its replies are none of Redis");
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
    redis_count(&link->figures.errors, 1);
    if (link->rest_until_ns > 0)
        return;
    snprintf(reason, sizeof reason, "%.*s", (int)(reply->len < 100 ? reply->len : 100), reply->str);
    char *where = strstr(reason, " script: "); /* which says more than anybody wants */
    if (where != NULL)
        *where = '\0';
    for (char *at = reason; *at != '\0'; at++)
        if (*at < ' ' || *at > '~')
            *at = '?';
    redis_tell(link, REDIS_REFUSES, reason);
    link->rest_until_ns = loop_now_ns(link->loop) + redis_take_retry_ms(link) * NS_PER_MS;
}

static bool is_own_marker(const struct redis_link *link, const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING &&
           bytes_equal_text(bytes_make(reply->str, reply->len), link->epoch_text);
}

static void take_reply(struct redis_link *link, const redisReply *reply)
{
    if (link->first_flight == link->end_flight) {
        redis_fail(link, REDIS_REFUSES, "a reply that nothing asked for");
        return;
    }
    enum asked asked = (enum asked)link->flights[link->first_flight++ % COMMANDS_MAX].asked;
    atomic_store_explicit(&link->figures.in_flight, link->end_flight - link->first_flight,
                          memory_order_relaxed);
    if (reply->type == REDIS_REPLY_ERROR && asked == ASKED_GREETING) {
        char reason[REASON_BYTES];
        snprintf(reason, sizeof reason, "%.100s", reply->str);
        redis_fail(link, REDIS_REFUSES, reason);
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
            redis_fail(link, REDIS_REFUSES, "its replies are none of Redis");
            return;
        }
        if (reply == NULL)
            return;
        take_reply(link, reply);
        freeReplyObject(reply);
    }
}
