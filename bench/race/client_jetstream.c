/* JetStream as its documentation has it: published with a `Nats-Msg-Id` by which the stream
 * dedupes, answered with the number in the stream, fetched by the batch through a pull consumer,
 * acknowledged one by one. A repeat bears the id of its first, and its answer must be the number of
 * that. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/peers/nats_run.h"
#include "bench/peers/peer.h"

enum { FETCH_MS = 100, INBOX_BYTES = 128, NUMBER_TOKEN = 5 /* of an acknowledgement's subject */ };

struct jetstream_publisher {
    struct nats_run *run;
    natsInbox *inbox;
    natsSubscription *answers;
};

struct jetstream_consumer {
    struct nats_run *run;
    uint32_t number;
    jsCtx *context;
    natsSubscription *subscription;
    pthread_t thread;
    bool is_running;
    natsStatus status;
};

struct jetstream_run {
    struct nats_run base;
    struct jetstream_publisher publishers[NATS_PUBLISHERS_MAX];
    struct jetstream_consumer consumers[NATS_CONSUMERS_MAX];
};

/* ---- Publishing ------------------------------------------------------------------------------ */

static natsStatus publish(struct nats_run *run, natsConnection *connection, uint32_t index)
{
    struct jetstream_run *jetstream = (struct jetstream_run *)(void *)run;
    const struct cargo *cargo = run->settings->cargo;
    const struct cargo_message *message = &cargo->messages[index];
    struct bytes body = cargo_body(cargo, index);
    char answer_to[INBOX_BYTES], id[16];
    natsMsg *out = NULL;
    uint32_t stream = 0;
    while (run->publishers[stream] != connection)
        stream++;
    snprintf(answer_to, sizeof answer_to, "%s.%" PRIu32, jetstream->publishers[stream].inbox,
             index);
    snprintf(id, sizeof id, "%" PRIu32, message->twin != CARGO_NO_MESSAGE ? message->twin : index);
    natsStatus status =
        natsMsg_Create(&out, PEER_CHANNEL, answer_to, (const char *)body.data, (int)body.size);
    if (status == NATS_OK)
        status = natsMsgHeader_Set(out, "Nats-Msg-Id", id);
    if (status == NATS_OK)
        status = natsConnection_PublishMsg(connection, out);
    natsMsg_Destroy(out);
    return status;
}

static uint64_t under_way(const struct nats_run *run)
{
    return run->sent - run->answered;
}

static bool is_done(const struct nats_run *run)
{
    return proof_is_whole(run->settings->proof) && run->acknowledged == run->delivered;
}

/* `{"stream":"in","seq":17}`, perhaps with `"duplicate": true`; or with an error. */
static void take_answer(natsConnection *connection, natsSubscription *subscription,
                        natsMsg *message, void *context)
{
    (void)connection, (void)subscription;
    struct jetstream_publisher *publisher = context;
    const char *index = strrchr(natsMsg_GetSubject(message), '.');
    const char *text = natsMsg_GetData(message), *number = strstr(text, "\"seq\":");
    uint32_t of = (uint32_t)strtoul(index + 1, NULL, 10);
    if (number != NULL && strstr(text, "\"error\"") == NULL)
        nats_run_answer(publisher->run, of,
                        (struct record_id){.ms = strtoull(number + 6, NULL, 10)});
    else
        nats_run_refuse(publisher->run, of, bytes_from_text(text));
    natsMsg_Destroy(message);
}

static enum status open_publishers(struct jetstream_run *run)
{
    for (uint32_t i = 0; i < run->base.publisher_count; i++) {
        struct jetstream_publisher *publisher = &run->publishers[i];
        char subject[INBOX_BYTES];
        publisher->run = &run->base;
        natsStatus status = natsInbox_Create(&publisher->inbox);
        snprintf(subject, sizeof subject, "%s.*", status == NATS_OK ? publisher->inbox : "");
        if (status == NATS_OK)
            status = natsConnection_Subscribe(&publisher->answers, run->base.publishers[i], subject,
                                              take_answer, publisher);
        if (status == NATS_OK)
            status = natsSubscription_SetPendingLimits(publisher->answers, -1, -1);
        if (status != NATS_OK)
            return nats_run_fail(&run->base, "listening for answers", status);
    }
    return STATUS_OK;
}

/* ---- Consuming ------------------------------------------------------------------------------- */

/* `$JS.ACK.<stream>.<consumer>.<deliveries>.<number in the stream>. ...`; 0: it is no such subject.
 */
static uint64_t number_of(natsMsg *message)
{
    const char *at = natsMsg_GetReply(message);
    for (unsigned token = 0; at != NULL && token < NUMBER_TOKEN; token++) {
        at = strchr(at, '.');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? strtoull(at, NULL, 10) : 0;
}

static natsStatus take_batch(struct jetstream_consumer *consumer, natsMsgList *list)
{
    natsStatus status = NATS_OK;
    for (int i = 0; i < list->Count && status == NATS_OK; i++) {
        natsMsg *message = list->Msgs[i];
        nats_run_deliver(
            consumer->run, consumer->number, (struct record_id){.ms = number_of(message)},
            bytes_make(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message)));
        status = natsMsg_Ack(message, NULL);
        if (status == NATS_OK)
            nats_run_acknowledge(consumer->run);
    }
    return status;
}

static bool is_over(struct nats_run *run)
{
    pthread_mutex_lock(&run->lock);
    bool over = run->is_over;
    pthread_mutex_unlock(&run->lock);
    return over;
}

static void *consume(void *context)
{
    struct jetstream_consumer *consumer = context;
    int batch = (int)consumer->run->settings->scenario->batch;
    while (!is_over(consumer->run) && consumer->status == NATS_OK) {
        natsMsgList list = {0};
        natsStatus status =
            natsSubscription_Fetch(&list, consumer->subscription, batch, FETCH_MS, NULL);
        if (status == NATS_OK)
            status = take_batch(consumer, &list);
        else if (status == NATS_TIMEOUT)
            status = NATS_OK;
        natsMsgList_Destroy(&list);
        consumer->status = status;
    }
    return NULL;
}

/* The consumers were made by peer_jetstream.c. */
static enum status open_consumers(struct jetstream_run *run)
{
    for (uint32_t i = 0; i < run->base.consumer_count; i++) {
        struct jetstream_consumer *consumer = &run->consumers[i];
        char name[DESTINATION_NAME_BYTES];
        *consumer = (struct jetstream_consumer){.run = &run->base, .number = i};
        peer_name_destination(i / run->base.settings->scenario->consumer_count, name);
        jsSubOptions options;
        natsStatus status = jsSubOptions_Init(&options);
        options.Stream = PEER_CHANNEL;
        options.Consumer = name;
        if (status == NATS_OK)
            status = natsConnection_JetStream(&consumer->context, run->base.consumers[i], NULL);
        if (status == NATS_OK)
            status = js_PullSubscribe(&consumer->subscription, consumer->context, PEER_CHANNEL,
                                      name, NULL, &options, NULL);
        if (status == NATS_OK)
            status = natsSubscription_SetPendingLimits(consumer->subscription, -1, -1);
        if (status != NATS_OK)
            return nats_run_fail(&run->base, "opening a consumer", status);
        consumer->is_running = pthread_create(&consumer->thread, NULL, consume, consumer) == 0;
        if (!consumer->is_running)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* The server has taken all acknowledgements when it answers the flush that follows them. */
static enum status flush_acknowledgements(struct jetstream_run *run)
{
    natsStatus status = NATS_OK;
    for (uint32_t i = 0; i < run->base.consumer_count && status == NATS_OK; i++)
        status = natsConnection_Flush(run->base.consumers[i]);
    return status == NATS_OK ? STATUS_OK : nats_run_fail(&run->base, "acknowledging", status);
}

static enum status end_consumers(struct jetstream_run *run)
{
    natsStatus status = NATS_OK;
    pthread_mutex_lock(&run->base.lock);
    run->base.is_over = true;
    pthread_mutex_unlock(&run->base.lock);
    for (uint32_t i = 0; i < run->base.consumer_count; i++) {
        if (run->consumers[i].is_running)
            pthread_join(run->consumers[i].thread, NULL);
        if (status == NATS_OK)
            status = run->consumers[i].status;
    }
    return status == NATS_OK ? STATUS_OK : nats_run_fail(&run->base, "consuming", status);
}

static void close_all(struct jetstream_run *run)
{
    for (uint32_t i = 0; i < run->base.consumer_count; i++) {
        natsSubscription_Destroy(run->consumers[i].subscription);
        jsCtx_Destroy(run->consumers[i].context);
    }
    for (uint32_t i = 0; i < run->base.publisher_count; i++) {
        natsSubscription_Destroy(run->publishers[i].answers);
        natsInbox_Destroy(run->publishers[i].inbox);
    }
    nats_run_close(&run->base);
}

static enum status run_jetstream(const struct client_settings *settings,
                                 struct client_result *out_result)
{
    static const struct nats_flow flow = {publish, under_way, is_done};
    struct jetstream_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return STATUS_NO_MEMORY;
    enum status status = nats_run_open(&run->base, settings, out_result);
    if (status == STATUS_OK)
        status = open_publishers(run);
    if (status == STATUS_OK)
        status = open_consumers(run);
    if (status == STATUS_OK)
        status = nats_run_publish(&run->base, &flow);
    if (status == STATUS_OK)
        status = flush_acknowledgements(run);
    if (status == STATUS_OK)
        nats_run_measure(&run->base);
    enum status ended = end_consumers(run);
    if (status == STATUS_OK)
        status = ended;
    close_all(run);
    free(run);
    return status;
}

const struct client client_jetstream = {.name = "jetstream", .run = run_jetstream};
