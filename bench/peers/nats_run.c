#include "bench/peers/nats_run.h"

#include <stdio.h>
#include <time.h>

#include "bench/peers/peer.h"

enum { CONNECT_TIMEOUT_MS = 5000, WAIT_MS = 20, NS_PER_MS = 1000000 };

static uint64_t clock_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

enum status nats_run_fail(struct nats_run *run, const char *what, natsStatus status)
{
    snprintf(run->result->problem, sizeof run->result->problem, "%s: %s", what,
             natsStatus_GetText(status));
    return STATUS_IO;
}

/* ---- Opening and closing --------------------------------------------------------------------- */

natsStatus nats_run_connect(const char *address, natsConnection **out_connection)
{
    natsOptions *options = NULL;
    char url[160];
    snprintf(url, sizeof url, "nats://%s", address);
    natsStatus status = natsOptions_Create(&options);
    if (status == NATS_OK)
        status = natsOptions_SetURL(options, url);
    if (status == NATS_OK)
        status = natsOptions_SetTimeout(options, CONNECT_TIMEOUT_MS);
    if (status == NATS_OK)
        status = natsOptions_SetAllowReconnect(options, false);
    if (status == NATS_OK)
        status = natsConnection_Connect(out_connection, options);
    natsOptions_Destroy(options);
    return status;
}

enum status nats_run_open(struct nats_run *run, const struct client_settings *settings,
                          struct client_result *result)
{
    const struct scenario *scenario = settings->scenario;
    *result = (struct client_result){0};
    *run = (struct nats_run){.settings = settings, .result = result};
    pthread_mutex_init(&run->lock, NULL);
    pthread_cond_init(&run->changed, NULL);
    uint32_t consumers = scenario->destination_count * scenario->consumer_count;
    if (schedule_open(settings->rate, settings->cargo->message_count, settings->cargo->stream_count,
                      &run->schedule) != STATUS_OK)
        return STATUS_NO_MEMORY;
    if (settings->cargo->stream_count > NATS_PUBLISHERS_MAX || consumers > NATS_CONSUMERS_MAX) {
        snprintf(result->problem, sizeof result->problem,
                 "libnats has two threads a connection: at most %d that publish and %d that "
                 "consume",
                 NATS_PUBLISHERS_MAX, NATS_CONSUMERS_MAX);
        return STATUS_UNSUPPORTED;
    }
    natsStatus status = NATS_OK;
    for (; run->publisher_count < settings->cargo->stream_count && status == NATS_OK;
         run->publisher_count++)
        status = nats_run_connect(settings->address, &run->publishers[run->publisher_count]);
    for (; run->consumer_count < consumers && status == NATS_OK; run->consumer_count++)
        status = nats_run_connect(settings->address, &run->consumers[run->consumer_count]);
    return status == NATS_OK ? STATUS_OK : nats_run_fail(run, settings->address, status);
}

void nats_run_close(struct nats_run *run)
{
    for (uint32_t i = 0; i < run->publisher_count; i++)
        natsConnection_Destroy(run->publishers[i]);
    for (uint32_t i = 0; i < run->consumer_count; i++)
        natsConnection_Destroy(run->consumers[i]);
    schedule_close(&run->schedule);
    pthread_cond_destroy(&run->changed);
    pthread_mutex_destroy(&run->lock);
}

/* ---- Sending --------------------------------------------------------------------------------- */

static uint64_t progress(const struct nats_run *run)
{
    return run->sent + run->answered + run->delivered + run->acknowledged;
}

/* Under the lock: waits until there is no more under way than `most`, or, with a flow that is at
 * its end, until it is done. False: it was interrupted, or nothing came for too long. */
static bool wait_for(struct nats_run *run, const struct nats_flow *flow, uint64_t most,
                     bool to_the_end)
{
    uint64_t last_progress = progress(run), last_ns = clock_ns();
    while (to_the_end ? !flow->is_done(run) : flow->under_way(run) > most) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_MS * NS_PER_MS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        run->is_waiting = true;
        pthread_cond_timedwait(&run->changed, &run->lock, &until);
        run->is_waiting = false;
        uint64_t now_ns = clock_ns();
        if (progress(run) != last_progress) {
            last_progress = progress(run);
            last_ns = now_ns;
        }
        run->result->is_interrupted = *run->settings->stop != 0;
        run->result->is_out_of_patience =
            now_ns - last_ns > (uint64_t)run->settings->patience_ms * NS_PER_MS;
        if (run->result->is_interrupted || run->result->is_out_of_patience)
            return false;
    }
    return true;
}

/* The next of the streams in turn that has one left. */
static uint32_t next_stream(const struct cargo *cargo, const uint32_t *next, uint32_t stream)
{
    do
        stream = stream + 1 < cargo->stream_count ? stream + 1 : 0;
    while (next[stream] == cargo->stream_first[stream + 1]);
    return stream;
}

/* With a rate, each message has its time, whatever came before. */
static void await_time(const struct nats_run *run, uint32_t stream, uint32_t place)
{
    if (run->settings->rate == 0)
        return;
    uint64_t due_ns = schedule_due_ns(&run->schedule, stream, place);
    struct timespec until = {.tv_sec = (time_t)(due_ns / 1000000000),
                             .tv_nsec = (long)(due_ns % 1000000000)};
    if (due_ns > clock_ns())
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

/* Waits while there is too much under way. False: it is over. */
static bool admit(struct nats_run *run, const struct nats_flow *flow, uint32_t stream,
                  uint32_t index)
{
    const struct client_settings *settings = run->settings;
    uint64_t most = (uint64_t)settings->scenario->in_flight * settings->cargo->stream_count;
    pthread_mutex_lock(&run->lock);
    bool goes_on = *settings->stop == 0 &&
                   (flow->under_way(run) < most || wait_for(run, flow, most / 2, false));
    run->result->is_interrupted = *settings->stop != 0;
    if (goes_on) {
        schedule_sent(&run->schedule, index, index + 1, clock_ns());
        run->sent++;
        if (!settings->peer->promise.has_receipts)
            proof_receipt(settings->proof, stream, index, (struct record_id){0});
    }
    pthread_mutex_unlock(&run->lock);
    return goes_on;
}

enum status nats_run_publish(struct nats_run *run, const struct nats_flow *flow)
{
    const struct cargo *cargo = run->settings->cargo;
    uint32_t next[NATS_PUBLISHERS_MAX], stream = cargo->stream_count - 1;
    memcpy(next, cargo->stream_first, cargo->stream_count * sizeof *next);
    run->before = usage_now(run->settings->server);
    run->schedule.start_ns = clock_ns();
    for (uint64_t number = 0; number < cargo->message_count; number++) {
        stream = next_stream(cargo, next, stream);
        uint32_t index = next[stream]++;
        await_time(run, stream, index - cargo->stream_first[stream]);
        if (!admit(run, flow, stream, index))
            return STATUS_OK;
        natsStatus status = flow->publish(run, run->publishers[stream], index);
        if (status != NATS_OK)
            return nats_run_fail(run, "publishing", status);
    }
    pthread_mutex_lock(&run->lock);
    wait_for(run, flow, 0, true);
    pthread_mutex_unlock(&run->lock);
    return STATUS_OK;
}

void nats_run_measure(struct nats_run *run)
{
    run->result->elapsed_ns = clock_ns() - run->schedule.start_ns;
    run->result->acknowledged_count = run->acknowledged;
    run->result->usage = usage_between(run->before, usage_now(run->settings->server));
}

/* ---- What has come --------------------------------------------------------------------------- */

static void tell(struct nats_run *run)
{
    if (run->is_waiting)
        pthread_cond_signal(&run->changed);
}

static uint64_t age_ns(const struct nats_run *run, uint32_t index, uint32_t stream)
{
    uint32_t place = index - run->settings->cargo->stream_first[stream];
    return schedule_age_ns(&run->schedule, index, stream, place, clock_ns());
}

void nats_run_answer(struct nats_run *run, uint32_t index, struct record_id id)
{
    const struct client_settings *settings = run->settings;
    uint32_t stream = cargo_stream_of(settings->cargo, index);
    pthread_mutex_lock(&run->lock);
    proof_receipt(settings->proof, stream, index, id);
    histogram_record(&run->result->receipt_ns, age_ns(run, index, stream));
    run->answered++;
    tell(run);
    pthread_mutex_unlock(&run->lock);
}

void nats_run_refuse(struct nats_run *run, uint32_t index, struct bytes error)
{
    pthread_mutex_lock(&run->lock);
    proof_refusal(run->settings->proof, index, error);
    run->answered++;
    tell(run);
    pthread_mutex_unlock(&run->lock);
}

void nats_run_deliver(struct nats_run *run, uint32_t consumer, struct record_id id,
                      struct bytes body)
{
    pthread_mutex_lock(&run->lock);
    uint32_t index = proof_deliver(run->settings->proof, consumer, id, body);
    if (index != CARGO_NO_MESSAGE)
        histogram_record(&run->result->delivery_ns,
                         age_ns(run, index, cargo_stream_of(run->settings->cargo, index)));
    run->delivered++;
    tell(run);
    pthread_mutex_unlock(&run->lock);
}

void nats_run_acknowledge(struct nats_run *run)
{
    pthread_mutex_lock(&run->lock);
    run->acknowledged++;
    tell(run);
    pthread_mutex_unlock(&run->lock);
}
