/* nats-server, twice: as it is (core), and with JetStream, one stream in files and a pull consumer
 * for each destination. Both by nats-server's own defaults but for bounds that a run would meet. */
#include <stdio.h>

#include "bench/peers/nats_run.h"
#include "bench/peers/peer.h"

enum { PATH_BYTES = SERVER_PATH_BYTES + 32 };
#define DEDUPE_WINDOW_NS (INT64_C(10) * 60 * 1000000000)
#define ACK_WAIT_NS      (INT64_C(600) * 1000000000)

/* max_pending: what is queued for a subscriber before it is dropped as slow. */
static enum status write_config(const struct server *server, bool has_jetstream, const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return STATUS_IO;
    fprintf(file, "listen: \"127.0.0.1:-1\"\nmax_pending: 1GB\nmax_connections: 65536\n");
    if (has_jetstream)
        fprintf(file, "jetstream { store_dir: \"%s/jetstream\" }\n", server->directory);
    bool wrote = ferror(file) == 0;
    return fclose(file) == 0 && wrote ? STATUS_OK : STATUS_IO;
}

static enum status start(const struct peer_settings *settings, bool has_jetstream,
                         struct server *out_server)
{
    struct server server;
    char path[PATH_BYTES];
    enum status status = server_open(settings->folder, &server);
    if (status != STATUS_OK)
        return status;
    snprintf(path, sizeof path, "%s/nats.conf", server.directory);
    const char *const arguments[] = {peer_nats.program, "-c", path, NULL};
    status = write_config(&server, has_jetstream, path);
    if (status == STATUS_OK)
        status = server_spawn(&server, arguments);
    if (status == STATUS_OK)
        status = server_await(&server, "Listening for client connections on ");
    if (status == STATUS_OK)
        status = server_await(&server, "Server is ready");
    if (status == STATUS_OK)
        *out_server = server;
    else
        server_stop(&server);
    return status;
}

static enum status start_core(const struct peer_settings *settings, struct server *out_server)
{
    return start(settings, false, out_server);
}

static enum status start_jetstream(const struct peer_settings *settings, struct server *out_server)
{
    return start(settings, true, out_server);
}

/* ---- JetStream's stream and consumers -------------------------------------------------------- */

static natsStatus add_stream(jsCtx *context)
{
    const char *subjects[] = {PEER_CHANNEL};
    jsStreamConfig config;
    natsStatus status = jsStreamConfig_Init(&config);
    if (status != NATS_OK)
        return status;
    config.Name = PEER_CHANNEL;
    config.Subjects = subjects;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    config.Duplicates = DEDUPE_WINDOW_NS;
    return js_AddStream(NULL, context, &config, NULL, NULL);
}

static natsStatus add_consumer(jsCtx *context, const char *name)
{
    jsConsumerConfig config;
    natsStatus status = jsConsumerConfig_Init(&config);
    if (status != NATS_OK)
        return status;
    config.Durable = name;
    config.AckPolicy = js_AckExplicit;
    config.AckWait = ACK_WAIT_NS;
    config.MaxAckPending = -1;
    return js_AddConsumer(NULL, context, PEER_CHANNEL, &config, NULL, NULL);
}

static natsStatus prepare_stream(const struct scenario *scenario, jsCtx *context)
{
    natsStatus status = js_DeleteStream(context, PEER_CHANNEL, NULL, NULL);
    if (status == NATS_OK || status == NATS_NOT_FOUND)
        status = add_stream(context);
    for (uint32_t i = 0; i < scenario->destination_count && status == NATS_OK; i++) {
        char name[DESTINATION_NAME_BYTES];
        peer_name_destination(i, name);
        status = add_consumer(context, name);
    }
    return status;
}

static enum status prepare_jetstream(const struct peer_settings *settings,
                                     const struct server *server)
{
    natsConnection *connection = NULL;
    jsCtx *context = NULL;
    natsStatus status = nats_run_connect(server->address, &connection);
    if (status == NATS_OK)
        status = natsConnection_JetStream(&context, connection, NULL);
    if (status == NATS_OK)
        status = prepare_stream(settings->scenario, context);
    jsCtx_Destroy(context);
    natsConnection_Destroy(connection);
    if (status == NATS_OK)
        return STATUS_OK;
    fprintf(stderr, "kouan-bench: jetstream: making its stream: %s\n", natsStatus_GetText(status));
    return STATUS_IO;
}

/* ---- What they promise ----------------------------------------------------------------------- */

static const char *tell_core(const struct scenario *scenario)
{
    (void)scenario;
    return "none: passed on to who is subscribed, not kept, neither receipts nor acknowledgements";
}

static const char *tell_jetstream(const struct scenario *scenario)
{
    (void)scenario;
    return "file store: answered when written, not when on disk (synced every 2 minutes)";
}

const struct peer peer_nats = {
    .name = "nats",
    .program = "nats-server",
    .package = "nats-server",
    .durability = tell_core,
    .client = &client_nats,
    .start = start_core,
};

const struct peer peer_jetstream = {
    .name = "jetstream",
    .program = "nats-server",
    .package = "nats-server",
    .durability = tell_jetstream,
    .client = &client_jetstream,
    .promise = {.dedupes = true, .has_receipts = true, .has_ids = true},
    .start = start_jetstream,
    .prepare = prepare_jetstream,
};
