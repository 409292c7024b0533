/* Kouan itself: `kouan serve` on what a scenario asks for, written as a configuration. */
#include "bench/peers/peer.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench/race/scenario_rules.h"
#include "bench/wire/control.h"

enum {
    PATIENCE_MS = 5000,
    PATH_BYTES = SERVER_PATH_BYTES + 32,
    SPARE_CONNECTIONS = 16,
    PUBLICATIONS_LEAST = 32768,
    PUBLICATIONS_MOST = 1048576,
    PUBLICATIONS_EACH_LEAST = 1024,
    CONNECTIONS_LEAST = 10240,
    FAR_JOURNAL_GIB = 48,
    FAR_MEMORY_MIB = 128, /* so that what is far behind lies in the files only */
    LEDGER_BYTES_MAX = 256 * 1024,
    LATE_BACKLOG = 256 * 1024 * 1024 /* a destination nobody reads yet keeps all of a run */
};

static uint64_t between(uint64_t number, uint64_t least, uint64_t most)
{
    return number < least ? least : number > most ? most : number;
}

static void write_limits(const struct scenario *scenario, FILE *file)
{
    uint64_t readers = (uint64_t)scenario->destination_count * scenario->consumer_count;
    uint64_t connections = scenario->connection_count + readers + SPARE_CONNECTIONS;
    uint64_t in_flight = (uint64_t)scenario->connection_count * scenario->in_flight;
    fprintf(file, "connections_max: %" PRIu64 "\n",
            between(connections, CONNECTIONS_LEAST, UINT64_MAX));
    fprintf(file, "publications_per_connection: %" PRIu64 "\n",
            between(scenario->in_flight, PUBLICATIONS_EACH_LEAST, UINT64_MAX));
    fprintf(file, "publications_max: %" PRIu64 "\n",
            between(in_flight * 4 / 3 + 1, PUBLICATIONS_LEAST, PUBLICATIONS_MOST));
    if (scenario->window_entries > 0)
        fprintf(file, "window_entries: %" PRIu64 "\n", scenario->window_entries);
    if (scenario->shard_count > 1)
        fprintf(file, "shards: %u\n", scenario->shard_count);
    if (scenario->has_far_group)
        fprintf(file, "memory: %dMiB\njournal_size: %dGiB\n", FAR_MEMORY_MIB, FAR_JOURNAL_GIB);
    if (scenario->late_count > 0 || scenario->has_far_group)
        fprintf(file, "defaults: {backlog_max: %d}\n", LATE_BACKLOG);
}

static void write_destinations(const struct scenario *scenario, FILE *file)
{
    fputs("channels: [{name: " PEER_CHANNEL "}]\ndestinations:\n", file);
    for (uint32_t i = 0; i < scenario->destination_count; i++) {
        char name[DESTINATION_NAME_BYTES];
        peer_name_destination(i, name);
        fprintf(file, "  - {name: %s, groups: [%s%s]%s}\n", name, name,
                scenario->has_far_group && i == 0 ? ", " PEER_FAR_GROUP : "",
                scenario->has_fields ? ", fields: [message_type, verdict]" : "");
    }
}

static enum status write_tables(const struct scenario *scenario, const struct server *server,
                                FILE *file)
{
    uint32_t tables = scenario_rules_tables(scenario);
    enum status status = STATUS_OK;
    fputs(tables > 0 ? "unroutable: refuse\ntables: [" : "unroutable: all\n", file);
    for (uint32_t i = 0; i < tables && status == STATUS_OK; i++) {
        char path[PATH_BYTES];
        snprintf(path, sizeof path, "%s/rules-%u.csv", server->directory, i + 1);
        fprintf(file, "%srules-%u.csv%s", i > 0 ? ", " : "", i + 1, i + 1 == tables ? "]\n" : "");
        status = scenario_rules_write(scenario, i, path);
    }
    return status;
}

/* The journal lies beside it. */
static enum status write_config(const struct scenario *scenario, const struct server *server,
                                const char *path)
{
    FILE *file = fopen(path, "w");
    if (file == NULL)
        return STATUS_IO;
    fprintf(file, "sync: %s\n", scenario->is_durable ? "commit" : "memory");
    write_limits(scenario, file);
    write_destinations(scenario, file);
    enum status status = write_tables(scenario, server, file);
    bool wrote = ferror(file) == 0;
    if (fclose(file) != 0 || !wrote)
        status = STATUS_IO;
    return status;
}

static enum status start(const struct peer_settings *settings, struct server *out_server)
{
    struct server server;
    char path[PATH_BYTES], listen[PATH_BYTES] = "127.0.0.1:0";
    enum status status = server_open(settings->folder, &server);
    if (status != STATUS_OK)
        return status;
    snprintf(path, sizeof path, "%s/kouan.yaml", server.directory);
    if (settings->scenario->is_over_unix)
        snprintf(listen, sizeof listen, "unix:%s/socket", server.directory);
    const char *const arguments[] = {settings->kouan, "serve", "-c", path,
                                     "--listen",      listen,  NULL};
    status = write_config(settings->scenario, &server, path);
    if (status == STATUS_OK)
        status = server_spawn(&server, arguments);
    if (status == STATUS_OK)
        status = server_await(&server, "listening on ");
    if (status == STATUS_OK)
        *out_server = server;
    else
        server_stop(&server);
    return status;
}

static int64_t number_of(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool is_settled(const json_t *group)
{
    const char *name = json_string_value(json_object_get(group, "group"));
    bool is_far = name != NULL && strcmp(name, PEER_FAR_GROUP) == 0;
    return is_far || (number_of(group, "pending") == 0 && number_of(group, "backlog") == 0);
}

/* Nothing unaccounted for, and nothing left with any group but the one that is far behind. */
static bool is_balanced(const json_t *ledger)
{
    const json_t *outlets = json_object_get(ledger, "outlets");
    bool balanced =
        json_is_integer(json_object_get(ledger, "gap")) && number_of(ledger, "gap") == 0;
    for (size_t o = 0; o < json_array_size(outlets); o++) {
        const json_t *groups = json_object_get(json_array_get(outlets, o), "groups");
        for (size_t g = 0; g < json_array_size(groups); g++)
            balanced = balanced && is_settled(json_array_get(groups, g));
    }
    return balanced && json_array_size(outlets) > 0;
}

/* By its ledger. */
static bool audit(const struct server *server)
{
    static char text[LEDGER_BYTES_MAX];
    struct target target;
    struct control control;
    enum status status = target_parse(server->address, &target);
    if (status == STATUS_OK)
        status = control_open(&control, &target, NULL, PATIENCE_MS);
    if (status == STATUS_OK) {
        status = control_ask(&control, "KOUAN LEDGER JSON", text, sizeof text);
        control_close(&control);
    }
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan-bench: kouan: asking for its ledger: %s\n", status_text(status));
        return false;
    }
    json_t *ledger = json_loads(text, 0, NULL);
    bool balanced = ledger != NULL && is_balanced(ledger);
    if (!balanced)
        fprintf(stderr, "kouan-bench: kouan: its ledger is not settled:\n%s\n", text);
    json_decref(ledger);
    return balanced;
}

static const char *tell_durability(const struct scenario *scenario)
{
    return scenario->is_durable ? "sync: commit: on disk before a receipt"
                                : "sync: memory: in memory only";
}

const struct peer peer_kouan = {
    .name = "kouan",
    .durability = tell_durability,
    .client = &client_resp,
    .has_unix = true,
    .promise = {.dedupes = true, .has_receipts = true, .has_ids = true},
    .start = start,
    .audit = audit,
};

static const char *tell_far(const struct scenario *scenario)
{
    (void)scenario;
    return "the same, while a group far behind reads";
}

const struct peer peer_read_far = {
    .name = "read-far",
    .durability = tell_far,
    .client = &client_resp,
    .has_unix = true,
    .is_read_far = true,
    .promise = {.dedupes = true, .has_receipts = true, .has_ids = true},
    .start = start,
    .audit = audit,
};

static const char *tell_reloaded(const struct scenario *scenario)
{
    (void)scenario;
    return "the same, while it is told to reload all the time, half of the reloads invalid";
}

const struct peer peer_reloaded = {
    .name = "reloaded",
    .durability = tell_reloaded,
    .client = &client_resp,
    .has_unix = true,
    .is_reloaded = true,
    .promise = {.dedupes = true, .has_receipts = true, .has_ids = true},
    .start = start,
    .audit = audit,
};
