#include "bench/load/load.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bench/load/consumer.h"
#include "bench/load/publisher.h"
#include "bench/wire/login.h"

enum {
    CONNECTIONS_MAX = DAY_STREAMS_MAX + CHECKER_OUTLETS_MAX,
    BLOCK_MS = 100,     /* of an empty read */
    PROGRESS_MS = 200,  /* between calls of on_progress */
    RECONNECT_MS = 100, /* between attempts */
    SETTLE_MS = 250,    /* listening on for deliveries that should not come */
    MS_NS = 1000 * 1000
};

/* Connection n is publisher n, or consumer n - publisher_count. */
struct load {
    const struct load_settings *settings;
    struct publisher publishers[DAY_STREAMS_MAX];
    struct consumer consumers[CHECKER_OUTLETS_MAX];
    uint32_t publisher_count, consumer_count;
    char logins[CONNECTIONS_MAX][LOGIN_BYTES_MAX];
    uint64_t retry_ns[CONNECTIONS_MAX]; /* when a broken connection is made again */
    struct reserve sent_us;             /* a uint32_t for each message */
    int poller;
    uint64_t start_ns, progress_ns; /* of the last change seen */
    uint64_t seen;                  /* answers and deliveries */
    uint64_t next_report_ns;
};

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static enum status open_all(struct load *load, struct load_result *result);
static void close_all(struct load *load, struct load_result *result);
static void start_clock(struct load *load);
static enum status turn(struct load *load, struct load_result *result);
static bool is_over(struct load *load, struct load_result *result);

enum status load_run(const struct load_settings *settings, struct load_result *out_result)
{
    *out_result = (struct load_result){0};
    struct load *load = calloc(1, sizeof *load);
    if (load == NULL)
        return STATUS_NO_MEMORY;
    load->settings = settings;
    prctl(PR_SET_TIMERSLACK, 1); /* ns: 50 us otherwise */
    load->poller = epoll_create1(EPOLL_CLOEXEC);
    load->sent_us = reserve_open(settings->day->settings.message_count, sizeof(uint32_t));
    enum status status = STATUS_NO_MEMORY;
    if (load->poller < 0 || load->sent_us.memory == NULL)
        goto end;
    status = open_all(load, out_result);
    if (status != STATUS_OK)
        goto end;
    start_clock(load);
    struct usage before = usage_now(settings->server);
    while (status == STATUS_OK && !is_over(load, out_result))
        status = turn(load, out_result);
    out_result->usage = usage_between(before, usage_now(settings->server));
    out_result->elapsed_ns = clock_ns() - load->start_ns;
    uint64_t settled_ns = clock_ns() + (uint64_t)SETTLE_MS * MS_NS;
    while (status == STATUS_OK && clock_ns() < settled_ns && !*settings->stop)
        status = turn(load, out_result);
end:
    close_all(load, out_result);
    return status;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

static enum status read_login(struct load *load, uint32_t number, const char *name,
                              struct load_result *result, const char **out_login)
{
    *out_login = NULL;
    if (load->settings->secrets_directory == NULL)
        return STATUS_OK;
    enum status status = login_read(load->settings->secrets_directory, name, load->logins[number]);
    if (status != STATUS_OK)
        snprintf(result->problem, sizeof result->problem, "no usable secret `%.100s/%s`",
                 load->settings->secrets_directory, name);
    *out_login = load->logins[number];
    return status;
}

static enum status open_publisher(struct load *load, uint8_t stream, struct load_result *result)
{
    const struct load_settings *settings = load->settings;
    const char *login;
    enum status status =
        read_login(load, stream, eports[stream % EPORT_COUNT].name, result, &login);
    if (status != STATUS_OK)
        return status;
    struct publisher_settings of = {
        .day = settings->day,
        .checker = settings->checker,
        .target = settings->target,
        .channel = settings->channel,
        .login = login,
        .sent_us = load->sent_us.memory,
        .window = settings->window,
        .stream = stream,
    };
    if (settings->rate > 0)
        of.interval_ns = 1e9 * settings->day->settings.stream_count / (double)settings->rate;
    status = publisher_open(&of, &load->publishers[stream]);
    if (status == STATUS_OK)
        load->publisher_count++;
    return status;
}

static enum status open_consumer(struct load *load, uint8_t outlet, struct load_result *result)
{
    const struct load_settings *settings = load->settings;
    const char *login;
    enum status status = read_login(load, load->publisher_count + outlet,
                                    settings->outlets[outlet].destination, result, &login);
    if (status != STATUS_OK)
        return status;
    status = consumer_open(
        &(struct consumer_settings){
            .checker = settings->checker,
            .target = settings->target,
            .destination = settings->outlets[outlet].destination,
            .group = settings->outlets[outlet].group,
            .login = login,
            .sent_us = load->sent_us.memory,
            .batch = settings->batch,
            .block_ms = BLOCK_MS,
            .outlet = outlet,
        },
        &load->consumers[outlet]);
    if (status == STATUS_OK)
        load->consumer_count++;
    return status;
}

static struct wire *wire_of(struct load *load, uint32_t number)
{
    return number < load->publisher_count ? &load->publishers[number].wire
                                          : &load->consumers[number - load->publisher_count].wire;
}

static enum status connect_one(struct load *load, uint32_t number)
{
    enum status status = number < load->publisher_count
                             ? publisher_connect(&load->publishers[number])
                             : consumer_connect(&load->consumers[number - load->publisher_count]);
    if (status == STATUS_OK)
        wire_watch(wire_of(load, number), load->poller, number);
    return status;
}

static uint32_t connection_count(const struct load *load)
{
    return load->publisher_count + load->consumer_count;
}

static enum status open_all(struct load *load, struct load_result *result)
{
    const struct load_settings *settings = load->settings;
    enum status status = STATUS_OK;
    assert(settings->outlet_count == settings->checker->outlet_count);
    for (uint8_t s = 0; s < settings->day->settings.stream_count && status == STATUS_OK; s++)
        status = open_publisher(load, s, result);
    for (uint8_t o = 0; o < settings->outlet_count && status == STATUS_OK; o++)
        status = open_consumer(load, o, result);
    for (uint32_t i = 0; i < connection_count(load) && status == STATUS_OK; i++)
        status = connect_one(load, i);
    if (status == STATUS_IO)
        snprintf(result->problem, sizeof result->problem, "nobody listens on %s",
                 settings->target->text);
    return status;
}

static void close_all(struct load *load, struct load_result *result)
{
    for (uint32_t i = 0; i < load->publisher_count; i++) {
        struct publisher *publisher = &load->publishers[i];
        histogram_merge(&result->receipt_ns, publisher->receipt_ns);
        result->reconnects += publisher->reconnects;
        publisher_close(publisher);
    }
    for (uint32_t i = 0; i < load->consumer_count; i++) {
        struct consumer *consumer = &load->consumers[i];
        histogram_merge(&result->delivery_ns, consumer->delivery_ns);
        result->acknowledged[i] = consumer->acknowledged;
        result->reconnects += consumer->reconnects;
        consumer_close(consumer);
    }
    if (load->poller >= 0)
        close(load->poller);
    reserve_close(&load->sent_us);
    free(load);
}

/* ---- Running --------------------------------------------------------------------------------- */

/* Once all are connected, so that no message is late before it could be sent. */
static void start_clock(struct load *load)
{
    load->start_ns = load->progress_ns = clock_ns();
    for (uint32_t i = 0; i < load->publisher_count; i++)
        load->publishers[i].settings.start_ns = load->start_ns;
    for (uint32_t i = 0; i < load->consumer_count; i++)
        load->consumers[i].settings.start_ns = load->start_ns;
}

static enum status receive_one(struct load *load, uint32_t number, uint64_t now_ns)
{
    if (number < load->publisher_count)
        return publisher_receive(&load->publishers[number], now_ns);
    return consumer_receive(&load->consumers[number - load->publisher_count], now_ns);
}

static enum status send_one(struct load *load, uint32_t number, uint64_t now_ns)
{
    if (number < load->publisher_count)
        return publisher_send(&load->publishers[number], now_ns);
    return consumer_send(&load->consumers[number - load->publisher_count]);
}

/* IO: the connection is made again later. Anything else ends the run. */
static enum status settle_failure(struct load *load, uint32_t number, enum status status,
                                  uint64_t now_ns, struct load_result *result)
{
    bool publishes = number < load->publisher_count;
    struct publisher *publisher = &load->publishers[publishes ? number : 0];
    struct consumer *consumer = &load->consumers[publishes ? 0 : number - load->publisher_count];
    if (status == STATUS_IO) {
        if (publishes)
            publisher_disconnected(publisher);
        else
            consumer_disconnected(consumer);
        load->retry_ns[number] = now_ns + (uint64_t)RECONNECT_MS * MS_NS;
        return STATUS_OK;
    }
    snprintf(result->problem, sizeof result->problem, "%s: %s",
             publishes ? eports[number % EPORT_COUNT].name : consumer->settings.destination,
             publishes ? publisher->problem : consumer->problem);
    return status;
}

/* Makes a broken connection again when its time has come. */
static void reconnect(struct load *load, uint32_t number, uint64_t now_ns)
{
    if (now_ns >= load->retry_ns[number] && connect_one(load, number) != STATUS_OK)
        load->retry_ns[number] = now_ns + (uint64_t)RECONNECT_MS * MS_NS;
}

/* Until something comes or the next message is due: what waited in here for longer would be taken
 * for the server's slowness. */
static int wait_for_events(const struct load *load, struct epoll_event *events)
{
    uint64_t now_ns = clock_ns(), until_ns = now_ns + MS_NS;
    for (uint32_t i = 0; i < load->publisher_count; i++) {
        uint64_t due_ns = publisher_due_ns(&load->publishers[i]);
        if (due_ns < until_ns)
            until_ns = due_ns;
    }
    struct timespec timeout = {.tv_nsec = until_ns > now_ns ? (long)(until_ns - now_ns) : 0};
    return epoll_pwait2(load->poller, events, CONNECTIONS_MAX, &timeout, NULL);
}

static enum status turn(struct load *load, struct load_result *result)
{
    struct epoll_event events[CONNECTIONS_MAX];
    int count = wait_for_events(load, events);
    if (count < 0 && errno != EINTR)
        return STATUS_IO;
    uint64_t now_ns = clock_ns();
    for (int i = 0; i < count; i++) {
        uint32_t number = events[i].data.u32;
        if ((events[i].events & ~(uint32_t)EPOLLOUT) == 0)
            continue;
        enum status status = receive_one(load, number, now_ns);
        if (status != STATUS_OK)
            status = settle_failure(load, number, status, now_ns, result);
        if (status != STATUS_OK)
            return status;
    }
    now_ns = clock_ns();
    for (uint32_t i = 0; i < connection_count(load); i++) {
        if (wire_of(load, i)->descriptor < 0) {
            reconnect(load, i, now_ns);
            continue;
        }
        enum status status = send_one(load, i, now_ns);
        if (status != STATUS_OK)
            status = settle_failure(load, i, status, now_ns, result);
        if (status != STATUS_OK)
            return status;
        wire_update_watch(wire_of(load, i), load->poller, i);
    }
    return STATUS_OK;
}

static uint64_t count_delivered(const struct checker *checker)
{
    uint64_t delivered = 0;
    for (uint8_t o = 0; o < checker->outlet_count; o++)
        delivered += checker->delivered_count[o];
    return delivered;
}

static void report(struct load *load, uint64_t now_ns, uint64_t delivered)
{
    const struct load_settings *settings = load->settings;
    if (settings->on_progress == NULL || now_ns < load->next_report_ns)
        return;
    load->next_report_ns = now_ns + (uint64_t)PROGRESS_MS * MS_NS;
    settings->on_progress(settings->context, &(struct load_progress){
                                                 .elapsed_ns = now_ns - load->start_ns,
                                                 .answered = settings->checker->answered_count,
                                                 .total = settings->day->settings.message_count,
                                                 .delivered = delivered,
                                             });
}

static bool is_over(struct load *load, struct load_result *result)
{
    const struct load_settings *settings = load->settings;
    uint64_t now_ns = clock_ns(), delivered = count_delivered(settings->checker);
    report(load, now_ns, delivered);
    if (*settings->stop) {
        result->interrupted = true;
        return true;
    }
    if (checker_is_satisfied(settings->checker))
        return true;
    if (load->seen != settings->checker->answered_count + delivered) {
        load->seen = settings->checker->answered_count + delivered;
        load->progress_ns = now_ns;
    }
    result->out_of_patience = now_ns - load->progress_ns > (uint64_t)settings->patience_ms * MS_NS;
    return result->out_of_patience;
}
