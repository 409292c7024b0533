#include "io/cli/operator.h"

#include <stdio.h>

#include "io/cli/output.h"
#include "io/config.h"

/* Loading may take its time. */
enum { ANSWER_TIMEOUT_S = 600, WORDS_MAX = 8 };

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

/* [word, text]. */
static enum cli_exit print(const struct operator_settings *settings, const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        fprintf(stderr, "kouan %s: the answer is none\n", settings->command);
        return CLI_INVALID;
    }
    struct bytes word = reply_bytes(reply->element[0]), text = reply_bytes(reply->element[1]);
    bool is_refused = bytes_equal_text(word, "refused");
    if (settings->json) {
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
    char address[4096];
    struct client client;
    redisReply *reply = NULL;
    struct bytes all[WORDS_MAX] = {BYTES_LITERAL("KOUAN")};
    assert(count < WORDS_MAX);
    memcpy(all + 1, words, count * sizeof *words);
    enum cli_exit end = find_control(settings, address, sizeof address);
    const struct client_settings own = {.command = settings->command, .address = address};
    if (end == CLI_OK)
        end = client_open(&own, &client);
    if (end != CLI_OK)
        return end;
    if (redisSetTimeout(client.context, (struct timeval){.tv_sec = ANSWER_TIMEOUT_S}) != REDIS_OK)
        end = CLI_UNREACHABLE;
    else
        end = client_call(&client, all, count + 1, &reply);
    client_close(&client);
    if (end != CLI_OK)
        return end;
    end = print(settings, reply);
    freeReplyObject(reply);
    return end;
}
