/* kouan tail: follows a destination as a member of one of its groups: of its own for the time
 * being, or of a named one, whose messages it then takes. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/cli/client.h"
#include "io/cli/output.h"
#include "io/cli/pause.h"

enum { BATCH_MAX = 100, SILENCE_MAX_MS = 60000, EXCERPT_BYTES = 100, NAME_BYTES = 64 };

#define BLOCK_MS "10000" /* below SILENCE_MAX_MS: an answer comes even when nothing happens */

struct tail_arguments {
    struct client_settings client;
    const char *group, *consumer, *destination;
    uint64_t count; /* 0: without end */
    bool no_ack, json, body_only;
};

struct tail {
    const struct tail_arguments *arguments;
    struct client client;
    int signals;
    char own_name[NAME_BYTES]; /* of a group and consumer of its own */
    struct bytes group, consumer;
    bool owns_group;
    uint64_t shown;
};

static enum cli_exit create_group(struct tail *tail);
static void destroy_group(struct tail *tail);
static enum cli_exit follow(struct tail *tail);

static bool parse_arguments(int argc, char **argv, struct tail_arguments *out,
                            enum cli_exit *out_exit)
{
    int first;
    *out = (struct tail_arguments){.client.command = "tail"};
    const struct argument arguments[] = {
        CLIENT_ARGUMENTS(out->client),
        {.name = "group",
         .kind = ARGUMENT_TEXT,
         .target = &out->group,
         .value = "NAME",
         .help = "read as a member of this group, and acknowledge: its other\n"
                 "consumers do not get what is shown here"},
        {.name = "consumer",
         .kind = ARGUMENT_TEXT,
         .target = &out->consumer,
         .value = "NAME",
         .help = "the member's name (default: tail-PID)"},
        {.name = "no-ack",
         .target = &out->no_ack,
         .help = "with --group: leave what is shown pending, for this consumer"},
        {.letter = 'n',
         .name = "count",
         .kind = ARGUMENT_NUMBER,
         .target = &out->count,
         .value = "N",
         .help = "end after so many messages",
         .min = 1,
         .max = UINT64_MAX},
        {.name = "body-only",
         .target = &out->body_only,
         .help = "print the bodies alone, each followed by a line end"},
        {.name = "json", .target = &out->json, .help = "one JSON object a line"},
    };
    const struct argument_page page = {
        .command = "tail",
        .operands = "DESTINATION",
        .about = "Shows what arrives at a destination from now on, until Ctrl-C: id, fields, and "
                 "the\nbeginning of the body. Without --group it makes a group of its own, which "
                 "takes\nnothing from others, and removes it at the end; that wants the right to "
                 "create groups.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 1,
        .operands_max = 1,
    };
    if (!arguments_parse(&page, argc, argv, &first, out_exit))
        return false;
    out->destination = argv[first];
    if (out->no_ack && out->group == NULL) {
        *out_exit = arguments_fail("tail", "--no-ack wants --group");
        return false;
    }
    if (out->json && out->body_only) {
        *out_exit = arguments_fail("tail", "--json and --body-only exclude each other");
        return false;
    }
    return true;
}

enum cli_exit cli_tail(int argc, char **argv)
{
    struct tail_arguments arguments;
    enum cli_exit exit_code;
    if (!parse_arguments(argc, argv, &arguments, &exit_code))
        return exit_code;
    struct tail tail = {.arguments = &arguments};
    snprintf(tail.own_name, sizeof tail.own_name, "tail-%ld", (long)getpid());
    tail.group = bytes_from_text(arguments.group != NULL ? arguments.group : tail.own_name);
    tail.consumer =
        bytes_from_text(arguments.consumer != NULL ? arguments.consumer : tail.own_name);
    enum cli_exit end = client_open(&arguments.client, &tail.client);
    if (end != CLI_OK)
        return end;
    tail.signals = pause_open();
    if (arguments.group == NULL)
        end = create_group(&tail);
    if (end == CLI_OK)
        end = follow(&tail);
    if (tail.owns_group)
        destroy_group(&tail);
    client_close(&tail.client);
    close(tail.signals);
    return end;
}

static enum cli_exit create_group(struct tail *tail)
{
    redisReply *reply = NULL;
    const struct bytes words[] = {BYTES_LITERAL("XGROUP"),
                                  BYTES_LITERAL("CREATE"),
                                  bytes_from_text(tail->arguments->destination),
                                  tail->group,
                                  BYTES_LITERAL("$"),
                                  BYTES_LITERAL("MKSTREAM")};
    enum cli_exit end = client_call(&tail->client, words, 6, &reply);
    if (end != CLI_OK)
        return end;
    freeReplyObject(reply);
    tail->owns_group = true;
    return CLI_OK;
}

/* Over a new connection, since the old one may be in the middle of a blocking read. */
static void destroy_group(struct tail *tail)
{
    redisReply *reply = NULL;
    const struct bytes words[] = {BYTES_LITERAL("XGROUP"), BYTES_LITERAL("DESTROY"),
                                  bytes_from_text(tail->arguments->destination), tail->group};
    if (client_reopen(&tail->client) == CLI_OK &&
        client_call(&tail->client, words, 4, &reply) == CLI_OK)
        freeReplyObject(reply);
}

/* ---- what is printed ---- */

/* Several values stand a line each; here they are to be one word. */
static void print_values(struct bytes values)
{
    while (values.size > 0) {
        const uint8_t *end = memchr(values.data, '\n', values.size);
        size_t size = end != NULL ? (size_t)(end - values.data) : values.size;
        output_escaped(stdout, bytes_slice(values, 0, size));
        values = bytes_slice(values, size + 1, values.size);
        fputs(values.size > 0 ? "," : "", stdout);
    }
}

static void print_line(struct bytes id, const redisReply *fields)
{
    struct bytes body = reply_text(fields, "body");
    output_escaped(stdout, id);
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        struct bytes name = reply_bytes(fields->element[i]);
        struct bytes value = reply_bytes(fields->element[i + 1]);
        if (bytes_equal_text(name, "body") || value.size == 0)
            continue;
        fputs("  ", stdout);
        output_escaped(stdout, name);
        putchar('=');
        print_values(value);
    }
    fputs("  ", stdout);
    output_escaped(stdout, bytes_slice(body, 0, EXCERPT_BYTES));
    puts(body.size > EXCERPT_BYTES ? "..." : "");
}

static void print_json(const struct tail *tail, struct bytes id, const redisReply *fields)
{
    const char *separator = "";
    fputs("{\"destination\":", stdout);
    output_json_text(stdout, tail->arguments->destination);
    fputs(",\"id\":", stdout);
    output_json(stdout, id);
    fputs(",\"fields\":{", stdout);
    for (size_t i = 0; i + 1 < fields->elements; i += 2) {
        struct bytes name = reply_bytes(fields->element[i]);
        if (bytes_equal_text(name, "body"))
            continue;
        fputs(separator, stdout);
        output_json(stdout, name);
        putchar(':');
        output_json(stdout, reply_bytes(fields->element[i + 1]));
        separator = ",";
    }
    fputs("},", stdout);
    output_json_body(stdout, reply_text(fields, "body"));
    puts("}");
}

static void print_body(struct bytes body)
{
    if (output_is_terminal(stdout))
        output_escaped(stdout, body);
    else
        fwrite(body.data, 1, body.size, stdout);
    putchar('\n');
}

static void print_entry(const struct tail *tail, struct bytes id, const redisReply *fields)
{
    if (tail->arguments->json)
        print_json(tail, id, fields);
    else if (tail->arguments->body_only)
        print_body(reply_text(fields, "body"));
    else
        print_line(id, fields);
}

/* ---- following ---- */

static uint64_t count_wanted(const struct tail *tail)
{
    uint64_t count = tail->arguments->count;
    uint64_t left = count == 0 ? BATCH_MAX : count - tail->shown;
    return left < BATCH_MAX ? left : BATCH_MAX;
}

static void ask_for_more(struct tail *tail)
{
    char count[24];
    struct bytes words[12];
    uint32_t n = 0;
    snprintf(count, sizeof count, "%" PRIu64, count_wanted(tail));
    words[n++] = BYTES_LITERAL("XREADGROUP");
    words[n++] = BYTES_LITERAL("GROUP");
    words[n++] = tail->group;
    words[n++] = tail->consumer;
    words[n++] = BYTES_LITERAL("COUNT");
    words[n++] = bytes_from_text(count);
    words[n++] = BYTES_LITERAL("BLOCK");
    words[n++] = BYTES_LITERAL(BLOCK_MS);
    if (tail->owns_group)
        words[n++] = BYTES_LITERAL("NOACK");
    words[n++] = BYTES_LITERAL("STREAMS");
    words[n++] = bytes_from_text(tail->arguments->destination);
    words[n++] = BYTES_LITERAL(">");
    client_append(&tail->client, words, n);
}

/* The next reply; NULL with what to end with: CLI_OK after a signal. */
static redisReply *wait_for_reply(struct tail *tail, enum cli_exit *out_end)
{
    redisContext *context = tail->client.context;
    void *reply = NULL;
    int done = 0;
    while (!done)
        if (redisBufferWrite(context, &done) != REDIS_OK)
            goto lost;
    while (reply == NULL) {
        switch (pause_wait(tail->signals, context->fd, SILENCE_MAX_MS)) {
        case PAUSE_STOPPED: *out_end = CLI_OK; return NULL;
        case PAUSE_OVER:
            snprintf(context->errstr, sizeof context->errstr, "no answer for %d s",
                     SILENCE_MAX_MS / 1000);
            goto lost;
        case PAUSE_READABLE: break;
        }
        if (redisBufferRead(context) != REDIS_OK ||
            redisGetReplyFromReader(context, &reply) != REDIS_OK)
            goto lost;
    }
    return reply;
lost:
    *out_end = client_lost(&tail->client);
    return NULL;
}

static bool is_entry(const redisReply *entry)
{
    return entry->type == REDIS_REPLY_ARRAY && entry->elements == 2 &&
           entry->element[0]->type == REDIS_REPLY_STRING &&
           entry->element[1]->type == REDIS_REPLY_ARRAY;
}

/* [[destination, [[id, [name, value ...]] ...]]]; prints all, then acknowledges them. */
static enum cli_exit take_entries(struct tail *tail, const redisReply *reply)
{
    struct bytes words[3 + BATCH_MAX] = {
        BYTES_LITERAL("XACK"), bytes_from_text(tail->arguments->destination), tail->group};
    uint32_t n = 3;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 1 ||
        reply->element[0]->elements != 2)
        return CLI_OK; /* nil: nothing came while it blocked */
    const redisReply *entries = reply->element[0]->element[1];
    for (size_t i = 0; i < entries->elements && i < BATCH_MAX; i++) {
        const redisReply *entry = entries->element[i];
        if (!is_entry(entry))
            continue;
        print_entry(tail, reply_bytes(entry->element[0]), entry->element[1]);
        words[n++] = reply_bytes(entry->element[0]);
        tail->shown++;
    }
    if (fflush(stdout) != 0 || tail->owns_group || tail->arguments->no_ack || n == 3)
        return CLI_OK;
    redisReply *acknowledged;
    enum cli_exit end = client_call(&tail->client, words, n, &acknowledged);
    if (end == CLI_OK)
        freeReplyObject(acknowledged);
    return end;
}

static enum cli_exit follow(struct tail *tail)
{
    enum cli_exit end = CLI_OK;
    while (end == CLI_OK && ferror(stdout) == 0 &&
           (tail->arguments->count == 0 || tail->shown < tail->arguments->count)) {
        ask_for_more(tail);
        redisReply *reply = wait_for_reply(tail, &end);
        if (reply == NULL)
            return end;
        if (reply->type == REDIS_REPLY_ERROR) {
            fputs("kouan tail: ", stderr);
            output_escaped(stderr, reply_bytes(reply));
            fputc('\n', stderr);
            end = CLI_INVALID;
        } else {
            end = take_entries(tail, reply);
        }
        freeReplyObject(reply);
    }
    return end;
}
