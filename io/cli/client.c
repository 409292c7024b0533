#include "io/cli/client.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/cli/output.h"
#include "io/file.h"

enum { CONNECT_TIMEOUT_S = 5, REPLY_TIMEOUT_S = 60, SECRET_FILE_BYTES_MAX = 64 * 1024 };

static bool parse_address(const char *text, char *out_host, size_t capacity, int *out_port);
static enum cli_exit authenticate(struct client *client);

/* ---- connecting ---- */

/* NULL: the address is none, and that was said. */
static redisContext *connect_to(const struct client *client)
{
    static const char unix_prefix[] = "unix:";
    const struct timeval timeout = {.tv_sec = CONNECT_TIMEOUT_S};
    char host[sizeof client->address];
    int port;
    redisContext *context;
    if (strncmp(client->address, unix_prefix, sizeof unix_prefix - 1) == 0) {
        context = redisConnectUnixWithTimeout(client->address + sizeof unix_prefix - 1, timeout);
    } else {
        if (!parse_address(client->address, host, sizeof host, &port)) {
            arguments_fail(client->settings->command,
                           "`%s` is no address: HOST:PORT, [IPv6]:PORT or unix:PATH",
                           client->address);
            return NULL;
        }
        context = redisConnectWithTimeout(host, port, timeout);
    }
    if (context == NULL)
        abort();
    return context;
}

enum cli_exit client_reopen(struct client *client)
{
    client_close(client);
    client->context = connect_to(client);
    if (client->context == NULL)
        return CLI_USAGE;
    if (client->context->err != 0)
        return CLI_UNREACHABLE;
    const struct timeval timeout = {.tv_sec = REPLY_TIMEOUT_S};
    if (redisSetTimeout(client->context, timeout) != REDIS_OK)
        return CLI_UNREACHABLE;
    return authenticate(client);
}

enum cli_exit client_open(const struct client_settings *settings, struct client *out_client)
{
    const char *address = settings->address;
    if (address == NULL)
        address = getenv("KOUAN_CONNECT");
    if (address == NULL || address[0] == '\0')
        address = CLIENT_ADDRESS_DEFAULT;
    if ((settings->name == NULL) != (settings->secret_file == NULL))
        return arguments_fail(settings->command, "--auth NAME and --secret-file FILE go together");
    struct client client = {.settings = settings};
    if (strlen(address) >= sizeof client.address)
        return arguments_fail(settings->command, "the address is too long");
    memcpy(client.address, address, strlen(address) + 1);
    signal(SIGPIPE, SIG_IGN);
    enum cli_exit end = client_reopen(&client);
    if (end == CLI_UNREACHABLE)
        fprintf(stderr, "kouan %s: cannot reach %s: %s; is `kouan serve` running?\n",
                settings->command, client.address, client.context->errstr);
    if (end != CLI_OK) {
        client_close(&client);
        return end;
    }
    *out_client = client;
    return CLI_OK;
}

void client_close(struct client *client)
{
    if (client->context != NULL)
        redisFree(client->context);
    client->context = NULL;
}

static bool parse_address(const char *text, char *out_host, size_t capacity, int *out_port)
{
    const char *colon = strrchr(text, ':');
    uint64_t port;
    if (colon == NULL || colon == text || !bytes_parse_u64(bytes_from_text(colon + 1), &port) ||
        port == 0 || port > UINT16_MAX)
        return false;
    size_t size = (size_t)(colon - text);
    if (text[0] == '[' && colon[-1] == ']') {
        text++;
        size -= 2;
    } else if (memchr(text, ':', size) != NULL) {
        return false; /* an IPv6 address wants its brackets: which colon would be the port's? */
    }
    if (size == 0 || size >= capacity)
        return false;
    memcpy(out_host, text, size);
    out_host[size] = '\0';
    *out_port = (int)port;
    return true;
}

static enum cli_exit authenticate(struct client *client)
{
    const struct client_settings *settings = client->settings;
    struct arena arena;
    struct bytes secret;
    redisReply *reply = NULL;
    if (settings->name == NULL)
        return CLI_OK;
    arena_init(&arena);
    enum status status =
        file_read(&arena, settings->secret_file, SECRET_FILE_BYTES_MAX, &secret, NULL);
    enum cli_exit end = CLI_INVALID;
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan %s: cannot read %s: %s\n", settings->command, settings->secret_file,
                status_text(status));
    } else {
        const struct bytes words[] = {BYTES_LITERAL("AUTH"), bytes_from_text(settings->name),
                                      bytes_trim(secret)};
        end = client_call(client, words, 3, &reply);
        if (end == CLI_OK)
            freeReplyObject(reply);
    }
    arena_deinit(&arena);
    return end;
}

/* ---- commands ---- */

void client_append(struct client *client, const struct bytes *words, uint32_t count)
{
    const char *texts[CLIENT_WORDS_MAX];
    size_t sizes[CLIENT_WORDS_MAX];
    assert(count <= CLIENT_WORDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        texts[i] = (const char *)words[i].data;
        sizes[i] = words[i].size;
    }
    if (redisAppendCommandArgv(client->context, (int)count, texts, sizes) != REDIS_OK)
        abort(); /* out of memory is its only failure */
}

enum cli_exit client_ask(struct client *client, const struct bytes *words, uint32_t count,
                         redisReply **out_reply)
{
    void *reply = NULL;
    client_append(client, words, count);
    if (redisGetReply(client->context, &reply) != REDIS_OK)
        return client_lost(client);
    *out_reply = reply;
    return CLI_OK;
}

enum cli_exit client_call(struct client *client, const struct bytes *words, uint32_t count,
                          redisReply **out_reply)
{
    redisReply *reply = NULL;
    enum cli_exit end = client_ask(client, words, count, &reply);
    if (end != CLI_OK)
        return end;
    if (reply->type != REDIS_REPLY_ERROR) {
        *out_reply = reply;
        return CLI_OK;
    }
    fprintf(stderr, "kouan %s: ", client->settings->command);
    output_escaped(stderr, reply_bytes(reply));
    if (bytes_start_with(reply_bytes(reply), BYTES_LITERAL("NOAUTH")))
        fputs(" Say who you are: --auth NAME --secret-file FILE.", stderr);
    fputc('\n', stderr);
    freeReplyObject(reply);
    return CLI_INVALID;
}

enum cli_exit client_lost(const struct client *client)
{
    if (client->context->err == REDIS_ERR_IO && errno == EAGAIN) {
        fprintf(stderr, "kouan %s: %s has not answered for %d s\n", client->settings->command,
                client->address, REPLY_TIMEOUT_S);
        return CLI_UNREACHABLE;
    }
    fprintf(stderr, "kouan %s: lost the connection to %s: %s\n", client->settings->command,
            client->address, client->context->errstr);
    return CLI_UNREACHABLE;
}

/* ---- replies ---- */

const redisReply *reply_member(const redisReply *map, const char *name)
{
    if (map->type != REDIS_REPLY_ARRAY)
        return NULL;
    for (size_t i = 0; i + 1 < map->elements; i += 2)
        if (map->element[i]->type == REDIS_REPLY_STRING &&
            bytes_equal_text(reply_bytes(map->element[i]), name))
            return map->element[i + 1];
    return NULL;
}

struct bytes reply_text(const redisReply *map, const char *name)
{
    const redisReply *member = reply_member(map, name);
    return member != NULL && member->type == REDIS_REPLY_STRING ? reply_bytes(member)
                                                                : BYTES_LITERAL("");
}

uint64_t reply_number(const redisReply *map, const char *name)
{
    const redisReply *member = reply_member(map, name);
    return member != NULL && member->type == REDIS_REPLY_INTEGER ? (uint64_t)member->integer : 0;
}
