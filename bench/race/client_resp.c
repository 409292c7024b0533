/* The fast client for servers that speak RESP streams: one thread around one epoll. What it sends
 * was rendered before, what it receives is read and verified in place. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/peers/peer.h"
#include "bench/race/client.h"
#include "bench/race/puller.h"
#include "bench/race/pusher.h"

enum {
    PULLERS_MAX = SCENARIO_DESTINATIONS_MAX * SCENARIO_CONSUMERS_MAX,
    EVENTS_MAX = 256,
    INPUT_BYTES = 256 * 1024,
    BLOCK_MS = 100,      /* of an empty read */
    IDLE_MS = 10,        /* between looks at the clock when nothing comes */
    SETTLE_MS = 250,     /* listening on for deliveries that should not come */
    PACE_NS = 50 * 1000, /* at a rate: sent is what is due, this often */
    MS_NS = 1000 * 1000
};

/* Epoll tells which connection it is: pushers, then the pullers' two. */
struct fast_client {
    const struct client_settings *settings;
    struct client_result *result;
    struct schedule schedule;
    struct pushing pushing;
    struct pulling pulling;
    struct pusher *pushers;
    struct puller *pullers;
    uint32_t pusher_count, puller_count, started_count;
    int poller;
    uint64_t paced_ns, progress_ns, seen;
};

static uint64_t clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static enum status open_all(struct fast_client *client);
static void close_all(struct fast_client *client);
static enum status begin(struct fast_client *client);
static enum status turn(struct fast_client *client);
static bool is_over(struct fast_client *client);

static enum status run(const struct client_settings *settings, struct client_result *out_result)
{
    *out_result = (struct client_result){0};
    struct fast_client client = {.settings = settings, .result = out_result, .poller = -1};
    prctl(PR_SET_TIMERSLACK, 1); /* ns: 50 us otherwise */
    enum status status = open_all(&client);
    if (status != STATUS_OK)
        goto end;
    struct usage before = usage_now(settings->server);
    client.schedule.start_ns = client.progress_ns = clock_ns();
    status = begin(&client);
    while (status == STATUS_OK && !is_over(&client))
        status = turn(&client);
    out_result->elapsed_ns = clock_ns() - client.schedule.start_ns;
    out_result->usage = usage_between(before, usage_now(settings->server));
    uint64_t settled_ns = clock_ns() + (uint64_t)SETTLE_MS * MS_NS;
    while (status == STATUS_OK && clock_ns() < settled_ns && !*settings->stop)
        status = turn(&client);
end:
    for (uint32_t i = 0; i < client.puller_count; i++)
        out_result->acknowledged_count += client.pullers[i].acknowledged_count;
    if (status != STATUS_OK && out_result->problem[0] == '\0')
        snprintf(out_result->problem, sizeof out_result->problem, "%s%s",
                 client.pushing.problem[0] != '\0' ? client.pushing.problem
                                                   : client.pulling.problem,
                 client.pushing.problem[0] != '\0' || client.pulling.problem[0] != '\0'
                     ? ""
                     : status_text(status));
    close_all(&client);
    return status;
}

const struct client client_resp = {.name = "RESP streams", .run = run};

/* ---- Opening and closing --------------------------------------------------------------------- */

static void watch(struct fast_client *client, int descriptor, int action, bool wants_room,
                  uint32_t number)
{
    struct epoll_event event = {.events = EPOLLIN | (wants_room ? EPOLLOUT : 0U),
                                .data.u32 = number};
    int result = epoll_ctl(client->poller, action, descriptor, &event);
    assert(result == 0);
    (void)result;
}

static enum status open_pushers(struct fast_client *client, const struct target *target)
{
    uint32_t count = client->settings->cargo->stream_count;
    enum status status = STATUS_OK;
    client->pushers = calloc(count, sizeof *client->pushers);
    if (client->pushers == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t s = 0; s < count && status == STATUS_OK; s++) {
        int descriptor;
        status = target_connect(target, &descriptor);
        if (status != STATUS_OK)
            break;
        pusher_init(&client->pushing, s, descriptor, &client->pushers[s]);
        client->pusher_count++;
        watch(client, descriptor, EPOLL_CTL_ADD, false, s);
    }
    return status;
}

/* Of each destination. Who pushes to all that subscribe has one. */
static uint32_t readers_each(const struct fast_client *client)
{
    const struct client_settings *settings = client->settings;
    return settings->peer->is_pushing ? 1 : settings->scenario->consumer_count;
}

static enum status open_puller(struct fast_client *client, const struct target *target,
                               uint32_t place)
{
    const struct scenario *scenario = client->settings->scenario;
    char name[DESTINATION_NAME_BYTES];
    struct puller *puller = &client->pullers[place];
    uint32_t destination = place / readers_each(client);
    uint32_t consumer = destination * scenario->consumer_count + place % readers_each(client);
    peer_name_destination(destination, name);
    struct puller_settings of = {
        .stream = client->settings->peer->is_one_stream ? PEER_CHANNEL : name,
        .group = name,
        .consumer = consumer,
        .batch = scenario->batch,
        .block_ms = BLOCK_MS,
        .is_pushed = client->settings->peer->is_pushing,
    };
    enum status status = puller_open(&of, puller);
    if (status != STATUS_OK)
        return status;
    client->puller_count++;
    status = puller_connect(puller, target);
    if (status != STATUS_OK)
        return status;
    uint32_t number = client->pusher_count + 2 * place;
    wire_watch(&puller->reading, client->poller, number);
    if (!of.is_pushed)
        wire_watch(&puller->acknowledging, client->poller, number + 1);
    return STATUS_OK;
}

static enum status open_pullers(struct fast_client *client, const struct target *target)
{
    const struct scenario *scenario = client->settings->scenario;
    uint32_t count = scenario->destination_count * readers_each(client);
    enum status status = STATUS_OK;
    assert(count <= PULLERS_MAX);
    client->pullers = calloc(count, sizeof *client->pullers);
    if (client->pullers == NULL)
        return STATUS_NO_MEMORY;
    for (uint32_t place = 0; place < count && status == STATUS_OK; place++)
        status = open_puller(client, target, place);
    return status;
}

/* As many descriptors as the system allows: a connection each. */
static void raise_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static enum status open_all(struct fast_client *client)
{
    const struct client_settings *settings = client->settings;
    const struct cargo *cargo = settings->cargo;
    struct target target;
    client->pushing = (struct pushing){.cargo = cargo,
                                       .proof = settings->proof,
                                       .schedule = &client->schedule,
                                       .receipt_ns = &client->result->receipt_ns,
                                       .in_flight = settings->scenario->in_flight,
                                       .burst = settings->scenario->burst,
                                       .input = malloc(INPUT_BYTES),
                                       .input_bytes = INPUT_BYTES};
    client->pulling = (struct pulling){.cargo = cargo,
                                       .proof = settings->proof,
                                       .schedule = &client->schedule,
                                       .delivery_ns = &client->result->delivery_ns,
                                       .has_fields = settings->scenario->has_fields &&
                                                     !settings->peer->is_one_stream};
    pulling_init(&client->pulling);
    raise_limit();
    client->poller = epoll_create1(EPOLL_CLOEXEC);
    enum status status =
        client->pushing.input != NULL && client->poller >= 0 ? STATUS_OK : STATUS_NO_MEMORY;
    if (status == STATUS_OK)
        status = target_parse(settings->address, &target);
    if (status == STATUS_OK)
        status = schedule_open(settings->rate, cargo->message_count, cargo->stream_count,
                               &client->schedule);
    if (status == STATUS_OK)
        status = open_pushers(client, &target);
    if (status == STATUS_OK)
        status = open_pullers(client, &target);
    if (status == STATUS_IO)
        snprintf(client->result->problem, sizeof client->result->problem, "connection %u to %s: %s",
                 client->pusher_count + 2 * client->puller_count + 1, settings->address,
                 strerror(errno));
    return status;
}

static void close_all(struct fast_client *client)
{
    for (uint32_t i = 0; i < client->pusher_count; i++)
        pusher_deinit(&client->pushers[i]);
    for (uint32_t i = 0; i < client->puller_count; i++)
        puller_close(&client->pullers[i]);
    free(client->pushers);
    free(client->pullers);
    free(client->pushing.input);
    schedule_close(&client->schedule);
    if (client->poller >= 0)
        close(client->poller);
}

/* ---- Running --------------------------------------------------------------------------------- */

/* The readers of the destinations that are not late, which are the last ones. */
static enum status start_pullers(struct fast_client *client, uint32_t count)
{
    enum status status = STATUS_OK;
    while (client->started_count < count && status == STATUS_OK)
        status = puller_start(&client->pullers[client->started_count++]);
    return status;
}

static enum status push(struct fast_client *client, uint32_t number, uint64_t now_ns)
{
    struct pusher *pusher = &client->pushers[number];
    enum status status = pusher_send(&client->pushing, pusher, now_ns);
    if (status == STATUS_OK && pusher_wants_room(pusher) != pusher->watches_room) {
        pusher->watches_room = !pusher->watches_room;
        watch(client, pusher->descriptor, EPOLL_CTL_MOD, pusher->watches_room, number);
    }
    return status;
}

static enum status push_all(struct fast_client *client, uint64_t now_ns)
{
    enum status status = STATUS_OK;
    for (uint32_t i = 0; i < client->pusher_count && status == STATUS_OK; i++)
        status = push(client, i, now_ns);
    client->paced_ns = now_ns;
    return status;
}

static enum status begin(struct fast_client *client)
{
    const struct scenario *scenario = client->settings->scenario;
    uint32_t early = scenario->destination_count - scenario->late_count;
    enum status status = start_pullers(client, early * readers_each(client));
    return status == STATUS_OK ? push_all(client, clock_ns()) : status;
}

/* At a rate until the next message is due, but no more often than is worth it. */
static struct timespec time_to_wait(const struct fast_client *client)
{
    uint64_t now_ns = clock_ns(), until_ns = now_ns + (uint64_t)IDLE_MS * MS_NS;
    for (uint32_t i = 0; i < client->pusher_count; i++) {
        uint64_t due_ns = pusher_due_ns(&client->pushing, &client->pushers[i]);
        if (due_ns < until_ns)
            until_ns = due_ns;
    }
    if (until_ns < client->paced_ns + PACE_NS)
        until_ns = client->paced_ns + PACE_NS;
    return (struct timespec){.tv_nsec = until_ns > now_ns ? (long)(until_ns - now_ns) : 0};
}

static int wait_for_events(const struct fast_client *client, struct epoll_event *events)
{
    if (client->settings->rate == 0)
        return epoll_wait(client->poller, events, EVENTS_MAX, IDLE_MS);
    struct timespec wait = time_to_wait(client);
    return epoll_pwait2(client->poller, events, EVENTS_MAX, &wait, NULL);
}

static enum status serve_puller(struct fast_client *client, uint32_t number, uint64_t now_ns)
{
    struct puller *puller = &client->pullers[number / 2];
    enum status status = number % 2 == 0 ? puller_receive_entries(&client->pulling, puller, now_ns)
                                         : puller_receive_answers(&client->pulling, puller);
    if (status == STATUS_OK)
        status = puller_flush(puller);
    if (status != STATUS_OK)
        return status;
    uint32_t first = client->pusher_count + number / 2 * 2;
    wire_update_watch(&puller->reading, client->poller, first);
    if (!puller->is_pushed)
        wire_update_watch(&puller->acknowledging, client->poller, first + 1);
    return STATUS_OK;
}

static enum status serve(struct fast_client *client, const struct epoll_event *event,
                         uint64_t now_ns)
{
    uint32_t number = event->data.u32;
    if (number >= client->pusher_count)
        return serve_puller(client, number - client->pusher_count, now_ns);
    enum status status = STATUS_OK;
    if (event->events & ~(uint32_t)EPOLLOUT)
        status = pusher_receive(&client->pushing, &client->pushers[number], now_ns);
    return status == STATUS_OK ? push(client, number, now_ns) : status;
}

static enum status turn(struct fast_client *client)
{
    struct epoll_event events[EVENTS_MAX];
    int count = wait_for_events(client, events);
    if (count < 0 && errno != EINTR)
        return STATUS_IO;
    enum status status = STATUS_OK;
    uint64_t now_ns = clock_ns();
    for (int i = 0; i < count && status == STATUS_OK; i++)
        status = serve(client, &events[i], now_ns);
    if (status == STATUS_OK && client->settings->rate > 0)
        status = push_all(client, clock_ns());
    if (status == STATUS_OK && client->started_count < client->puller_count &&
        client->settings->proof->answered_count == client->settings->cargo->message_count)
        status = start_pullers(client, client->puller_count);
    return status;
}

static bool is_settled(const struct fast_client *client)
{
    bool settled = proof_is_whole(client->settings->proof);
    for (uint32_t i = 0; i < client->puller_count && settled; i++)
        settled = puller_is_settled(&client->pullers[i]);
    return settled;
}

static bool is_over(struct fast_client *client)
{
    const struct proof *proof = client->settings->proof;
    if (*client->settings->stop) {
        client->result->is_interrupted = true;
        return true;
    }
    if (is_settled(client))
        return true;
    uint64_t now_ns = clock_ns(), seen = proof->answered_count + proof->delivered_count;
    if (client->seen != seen) {
        client->seen = seen;
        client->progress_ns = now_ns;
    }
    client->result->is_out_of_patience =
        now_ns - client->progress_ns > (uint64_t)client->settings->patience_ms * MS_NS;
    return client->result->is_out_of_patience;
}
