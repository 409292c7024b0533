/* redis-server: a stream, and a consumer group for each destination. It keeps everything that is
 * added, repeats as well. */
#include "bench/peers/peer.h"
#include "bench/wire/control.h"

#include <stdio.h>

enum { PATIENCE_MS = 5000 };

/* Its file is never written anew, so that a run is not disturbed by that. */
static enum status start(const struct peer_settings *settings, const char *fsync,
                         struct server *out_server)
{
    struct server server;
    char port[8], path[SERVER_PATH_BYTES + 8];
    enum status status = server_open(settings->folder, &server);
    if (status != STATUS_OK)
        return status;
    snprintf(port, sizeof port, "%u", server_find_free_port());
    snprintf(path, sizeof path, "%s/socket", server.directory);
    const char *const arguments[] = {peer_redis.program,
                                     "--port",
                                     port,
                                     "--bind",
                                     "127.0.0.1",
                                     "--unixsocket",
                                     path,
                                     "--maxclients",
                                     "20000",
                                     "--save",
                                     "",
                                     "--dir",
                                     server.directory,
                                     "--appendonly",
                                     fsync != NULL ? "yes" : "no",
                                     "--appendfsync",
                                     fsync != NULL ? fsync : "no",
                                     "--auto-aof-rewrite-percentage",
                                     "0",
                                     NULL};
    if (settings->scenario->is_over_unix)
        snprintf(server.address, sizeof server.address, "unix:%.120s", path);
    else
        snprintf(server.address, sizeof server.address, "127.0.0.1:%s", port);
    status = server_spawn(&server, arguments);
    if (status == STATUS_OK)
        status = server_await(&server, "Ready to accept connections");
    if (status == STATUS_OK)
        *out_server = server;
    else
        server_stop(&server);
    return status;
}

static enum status start_as_scenario(const struct peer_settings *settings, struct server *server)
{
    return start(settings, settings->scenario->is_durable ? "always" : NULL, server);
}

static enum status start_everysec(const struct peer_settings *settings, struct server *server)
{
    return start(settings, "everysec", server);
}

/* The stream is dropped, and its groups made anew. */
static enum status prepare(const struct peer_settings *settings, const struct server *server)
{
    struct target target;
    struct control control;
    char words[128], text[128], group[DESTINATION_NAME_BYTES];
    enum status status = target_parse(server->address, &target);
    if (status == STATUS_OK)
        status = control_open(&control, &target, NULL, PATIENCE_MS);
    if (status != STATUS_OK)
        return status;
    status = control_ask(&control, "DEL " PEER_CHANNEL, text, sizeof text);
    for (uint32_t i = 0; i < settings->scenario->destination_count && status == STATUS_OK; i++) {
        peer_name_destination(i, group);
        snprintf(words, sizeof words, "XGROUP CREATE " PEER_CHANNEL " %s $ MKSTREAM", group);
        status = control_ask(&control, words, text, sizeof text);
    }
    control_close(&control);
    return status;
}

static const char *tell_as_scenario(const struct scenario *scenario)
{
    return scenario->is_durable ? "appendfsync always: on disk before a reply"
                                : "none: in memory only";
}

static const char *tell_everysec(const struct scenario *scenario)
{
    (void)scenario;
    return "appendfsync everysec: up to a second of replies is not on disk yet";
}

const struct peer peer_redis = {
    .name = "redis",
    .program = "redis-server",
    .package = "redis-server",
    .durability = tell_as_scenario,
    .client = &client_resp,
    .has_unix = true,
    .promise = {.has_receipts = true, .has_ids = true},
    .is_one_stream = true,
    .start = start_as_scenario,
    .prepare = prepare,
};

const struct peer peer_redis_everysec = {
    .name = "redis-everysec",
    .program = "redis-server",
    .package = "redis-server",
    .durability = tell_everysec,
    .client = &client_resp,
    .has_unix = true,
    .promise = {.has_receipts = true, .has_ids = true},
    .is_one_stream = true,
    .start = start_everysec,
    .prepare = prepare,
};
