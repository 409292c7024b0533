#include "io/cli/operator.h"

#include <stdio.h>

#include "io/cli/output.h"
#include "io/config/config.h"

/* Loading may take its time. */
enum { ANSWER_TIMEOUT_S = 600 };

static enum cli_exit find_control(const struct operator_settings *settings, char *out_address,
                                  size_t capacity)
{
    struct diagnostics diagnostics;
    if (settings->control != NULL) {
        snprintf(out_address, capacity, "unix:%s", settings->control);
        return CLI_OK;
    }
    diagnostics_init(&diagnostics);
    enum status status =
        config_find_control(settings->config_path, out_address, capacity, &diagnostics);
    diagnostics_print(&diagnostics, stderr);
    diagnostics_deinit(&diagnostics);
    if (status == STATUS_OK)
        return CLI_OK;
    fprintf(stderr, "kouan %s: %s; or name the socket by --control PATH\n", settings->command,
            status == STATUS_NOT_FOUND ? "this configuration has no control socket"
                                       : "that configuration does not say where to ask");
    return CLI_INVALID;
}

enum cli_exit operator_open(const struct operator_settings *settings, struct operator* out_operator)
{
    enum cli_exit end = find_control(settings, out_operator->address, sizeof out_operator->address);
    out_operator->settings = settings;
    out_operator->client_settings =
        (struct client_settings){.command = settings->command, .address = out_operator->address};
    if (end == CLI_OK)
        end = client_open(&out_operator->client_settings, &out_operator->client);
    if (end != CLI_OK)
        return end;
    struct timeval timeout = {.tv_sec = ANSWER_TIMEOUT_S};
    if (redisSetTimeout(out_operator->client.context, timeout) == REDIS_OK)
        return CLI_OK;
    client_close(&out_operator->client);
    return CLI_UNREACHABLE;
}

void operator_close(struct operator* operator)
{
    client_close(&operator->client);
}

enum cli_exit operator_ask(struct operator* operator, const struct bytes * words, uint32_t count,
                           redisReply **out_reply)
{
    struct bytes all[OPERATOR_WORDS_MAX + 1] = {BYTES_LITERAL("KOUAN")};
    assert(count <= OPERATOR_WORDS_MAX);
    memcpy(all + 1, words, count * sizeof *words);
    enum cli_exit end = client_call(&operator->client, all, count + 1, out_reply);
    const redisReply *reply = end == CLI_OK ? *out_reply : NULL;
    if (reply == NULL || (reply->type == REDIS_REPLY_ARRAY && reply->elements == 2))
        return end;
    fprintf(stderr, "kouan %s: the answer is none\n", operator->settings->command);
    freeReplyObject(*out_reply);
    return CLI_INVALID;
}

bool operator_answer_is(const redisReply *reply, const char *word)
{
    return bytes_equal_text(reply_bytes(reply->element[0]), word);
}

enum cli_exit operator_print(const struct operator* operator, const redisReply * reply)
{
    struct bytes word = reply_bytes(reply->element[0]), text = reply_bytes(reply->element[1]);
    bool is_refused = operator_answer_is(reply, "refused");
    if (operator->settings->json) {
        fputs("{\"result\":", stdout);
        output_json(stdout, word);
        fputs(",\"text\":", stdout);
        output_json(stdout, text);
        puts("}");
    } else {
        fwrite(text.data, 1, text.size, is_refused ? stderr : stdout);
    }
    return is_refused ? CLI_INVALID : CLI_OK;
}

enum cli_exit operator_call(const struct operator_settings *settings, const struct bytes *words,
                            uint32_t count)
{
    struct operator operator;
    redisReply *reply = NULL;
    enum cli_exit end = operator_open(settings, &operator);
    if (end != CLI_OK)
        return end;
    end = operator_ask(&operator, words, count, &reply);
    operator_close(&operator);
    if (end != CLI_OK)
        return end;
    end = operator_print(&operator, reply);
    freeReplyObject(reply);
    return end;
}
