/* Core NATS: published without an answer, delivered at most once to who is subscribed, acknowledged
 * by nobody. So that nothing is dropped for being slow, no more is under way than the scenario has
 * in flight; what is lost all the same is found by the proof. A destination is a queue group of its
 * consumers. */
#include "bench/peers/nats_run.h"
#include "bench/peers/peer.h"

struct nats_consumer {
    struct nats_run *run;
    uint32_t number;
    natsSubscription *subscription;
};

static natsStatus publish(struct nats_run *run, natsConnection *connection, uint32_t index)
{
    struct bytes body = cargo_body(run->settings->cargo, index);
    return natsConnection_Publish(connection, PEER_CHANNEL, body.data, (int)body.size);
}

static uint64_t under_way(const struct nats_run *run)
{
    return run->sent - run->delivered / run->settings->scenario->destination_count;
}

static bool is_done(const struct nats_run *run)
{
    return run->delivered >= run->sent * run->settings->scenario->destination_count;
}

static void take(natsConnection *connection, natsSubscription *subscription, natsMsg *message,
                 void *context)
{
    (void)connection, (void)subscription;
    struct nats_consumer *consumer = context;
    nats_run_deliver(consumer->run, consumer->number, (struct record_id){0},
                     bytes_make(natsMsg_GetData(message), (size_t)natsMsg_GetDataLength(message)));
    natsMsg_Destroy(message);
}

/* Subscribed before anything is sent. */
static enum status subscribe(struct nats_run *run, struct nats_consumer *consumers)
{
    for (uint32_t i = 0; i < run->consumer_count; i++) {
        char group[DESTINATION_NAME_BYTES];
        consumers[i] = (struct nats_consumer){.run = run, .number = i};
        peer_name_destination(i / run->settings->scenario->consumer_count, group);
        natsStatus status =
            natsConnection_QueueSubscribe(&consumers[i].subscription, run->consumers[i],
                                          PEER_CHANNEL, group, take, &consumers[i]);
        if (status == NATS_OK)
            status = natsSubscription_SetPendingLimits(consumers[i].subscription, -1, -1);
        if (status == NATS_OK)
            status = natsConnection_Flush(run->consumers[i]);
        if (status != NATS_OK)
            return nats_run_fail(run, "subscribing", status);
    }
    return STATUS_OK;
}

static enum status run_nats(const struct client_settings *settings,
                            struct client_result *out_result)
{
    static const struct nats_flow flow = {publish, under_way, is_done};
    struct nats_run run;
    struct nats_consumer consumers[NATS_CONSUMERS_MAX] = {0};
    enum status status = nats_run_open(&run, settings, out_result);
    if (status == STATUS_OK)
        status = subscribe(&run, consumers);
    if (status == STATUS_OK)
        status = nats_run_publish(&run, &flow);
    if (status == STATUS_OK)
        nats_run_measure(&run);
    for (uint32_t i = 0; i < run.consumer_count; i++)
        natsSubscription_Destroy(consumers[i].subscription);
    nats_run_close(&run);
    return status;
}

const struct client client_nats = {.name = "nats", .run = run_nats};
