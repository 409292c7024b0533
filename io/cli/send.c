/* kouan send: publishes files, pipelined, and sees to it that each gets a receipt or an error.
 *
 * Messages wait in a ring, in order, until they are settled. Those at its front were sent; replies
 * come in the order of sending. After a lost connection, everything unsettled is sent again, in
 * order: what was kept gets its first receipt once more. After a TRYAGAIN nothing new is sent until
 * all replies are there; then, after a pause, what is unsettled goes again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/cli/client.h"
#include "io/cli/output.h"
#include "io/cli/progress.h"
#include "io/cli/send_source.h"

enum {
    WINDOW_MAX = 4096,
    WINDOW_BYTES_MAX = 8 * 1024 * 1024, /* above it, one message at a time */
    PAUSE_FIRST_MS = 200,
    PAUSE_LAST_MS = 5000
};

struct send_arguments {
    struct client_settings client;
    const char *channel;
    uint64_t window, retries;
    bool lines, json, quiet;
};

struct send_item {
    struct send_message message;
    bool settled;
};

struct sender {
    const struct send_arguments *arguments;
    struct client client;
    struct send_source source;
    struct progress progress;
    struct send_item *items; /* a ring of `window`, from `first` */
    uint64_t first;
    uint64_t count, sent, answered; /* in it; answered <= sent <= count */
    uint64_t bytes;                 /* of what is in it */
    bool source_ended;
    bool has_to_wait;               /* a TRYAGAIN is in the ring */
    struct send_message unreadable; /* told when its turn has come */
    const char *problem;            /* with it; NULL: there is none */
    uint64_t fruitless;             /* attempts since something was last settled */
};

static bool parse_arguments(int argc, char **argv, struct send_arguments *out, int *out_first,
                            enum cli_exit *out_exit)
{
    *out = (struct send_arguments){
        .client.command = "send", .channel = "in", .window = 256, .retries = 5};
    const struct argument arguments[] = {
        CLIENT_ARGUMENTS(out->client),
        {.name = "channel",
         .kind = ARGUMENT_TEXT,
         .target = &out->channel,
         .value = "NAME",
         .help = "the channel to publish to (default: in)"},
        {.name = "lines", .target = &out->lines, .help = "each line is a message of its own"},
        {.name = "window",
         .kind = ARGUMENT_NUMBER,
         .target = &out->window,
         .value = "N",
         .help = "so many messages under way at once (default: 256)",
         .min = 1,
         .max = WINDOW_MAX},
        {.name = "retries",
         .kind = ARGUMENT_NUMBER,
         .target = &out->retries,
         .value = "N",
         .help = "attempts in a row that may settle nothing: to connect again,\n"
                 "or to send again after TRYAGAIN (default: 5)",
         .max = 1000000},
        {.letter = 'q',
         .name = "quiet",
         .target = &out->quiet,
         .help = "print errors and the summary only"},
        {.name = "json", .target = &out->json, .help = "one JSON object a line"},
    };
    const struct argument_page page = {
        .command = "send",
        .operands = "FILE...|-",
        .about = "Publishes each file as a message and prints `FILE ID` for its receipt or\n"
                 "`FILE error REASON`. What had neither when a connection was lost is sent again;\n"
                 "what was kept the first time then gets the same receipt.",
        .epilogue =
            "Exit code: 0 if all were accepted, 1 if not, 3 if the server cannot be reached.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    return arguments_parse(&page, argc, argv, out_first, out_exit);
}

/* ---- what is printed ---- */

static void print_subject(const struct sender *sender, const struct send_message *message)
{
    if (!sender->arguments->json) {
        output_escaped(stdout, bytes_from_text(message->path));
        if (message->line > 0)
            printf(":%" PRIu64, message->line);
        return;
    }
    fputs("{\"file\":", stdout);
    output_json_text(stdout, message->path);
    if (message->line > 0)
        printf(",\"line\":%" PRIu64, message->line);
}

static void print_outcome(struct sender *sender, const struct send_message *message,
                          struct bytes text, bool accepted)
{
    if (accepted)
        sender->progress.accepted++;
    else
        sender->progress.refused++;
    if (accepted && sender->arguments->quiet)
        return;
    if (output_is_terminal(stdout))
        progress_hide(&sender->progress);
    print_subject(sender, message);
    if (sender->arguments->json) {
        printf(",\"%s\":", accepted ? "id" : "error");
        output_json(stdout, text);
        puts("}");
        return;
    }
    fputs(accepted ? " " : " error ", stdout);
    output_escaped(stdout, text);
    putchar('\n');
}

static void print_summary(struct sender *sender, bool gave_up)
{
    const struct progress *progress = &sender->progress;
    double seconds = progress_seconds(progress);
    progress_hide(&sender->progress);
    if (sender->arguments->json) {
        printf("{\"accepted\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"unsettled\":%" PRIu64
               ",\"complete\":%s,\"seconds\":%.3f}\n",
               progress->accepted, progress->refused, sender->count, gave_up ? "false" : "true",
               seconds);
        return;
    }
    fflush(stdout);
    output_count(stderr, progress->accepted);
    fputs(" accepted, ", stderr);
    output_count(stderr, progress->refused);
    fprintf(stderr, " refused in %.1f s (", seconds);
    output_count(stderr, (uint64_t)((double)(progress->accepted + progress->refused) / seconds));
    fputs("/s)\n", stderr);
    if (gave_up)
        fprintf(stderr,
                "kouan send: gave up; %" PRIu64 " messages are without a receipt%s: send again\n",
                sender->count, sender->source_ended ? "" : ", and more were not sent");
}

/* ---- the ring ---- */

static struct send_item *item_at(const struct sender *sender, uint64_t index)
{
    return &sender->items[(sender->first + index) % sender->arguments->window];
}

static void drop_settled_front(struct sender *sender)
{
    while (sender->count > 0 && item_at(sender, 0)->settled) {
        free(item_at(sender, 0)->message.body.memory);
        sender->first++;
        sender->count--;
        sender->sent--;
        sender->answered--;
    }
}

static void settle(struct sender *sender, struct send_item *item, struct bytes text, bool accepted)
{
    size_t size = item->message.body.content.size;
    print_outcome(sender, &item->message, text, accepted);
    item->settled = true;
    sender->bytes -= size;
    sender->progress.bytes += size + (item->message.line > 0); /* with the line's end */
    sender->fruitless = 0;
}

/* Nothing counts as sent any more; what is settled goes, the order of the rest stays. */
static void rewind_ring(struct sender *sender)
{
    uint64_t kept = 0;
    for (uint64_t i = 0; i < sender->count; i++) {
        struct send_item item = *item_at(sender, i);
        if (item.settled)
            free(item.message.body.memory);
        else
            *item_at(sender, kept++) = item;
    }
    sender->count = kept;
    sender->sent = 0;
    sender->answered = 0;
    sender->has_to_wait = false;
}

static bool has_room(const struct sender *sender)
{
    return sender->count < sender->arguments->window &&
           (sender->count == 0 || sender->bytes < WINDOW_BYTES_MAX);
}

/* Takes in what the source gives, as far as there is room; waits for it only where there is nothing
 * else to do. */
static void fill(struct sender *sender)
{
    for (;;) {
        if (sender->problem != NULL) {
            if (sender->count > 0)
                return; /* outcomes stand in the order of the arguments */
            print_outcome(sender, &sender->unreadable, bytes_from_text(sender->problem), false);
            sender->problem = NULL;
        }
        if (sender->source_ended || !has_room(sender))
            return;
        if (!send_source_is_ready(&sender->source)) {
            if (sender->count > 0)
                return;
            fflush(stdout); /* somebody may wait for a receipt before he gives more */
        }
        struct send_message message;
        switch (send_source_next(&sender->source, &message, &sender->problem)) {
        case SEND_END: sender->source_ended = true; break;
        case SEND_UNREADABLE: sender->unreadable = message; break;
        case SEND_MESSAGE:
            *item_at(sender, sender->count) = (struct send_item){.message = message};
            sender->count++;
            sender->bytes += message.body.content.size;
            break;
        }
    }
}

/* ---- the connection ---- */

static void append_unsent(struct sender *sender)
{
    while (sender->sent < sender->count) {
        const struct bytes words[] = {
            BYTES_LITERAL("XADD"), bytes_from_text(sender->arguments->channel), BYTES_LITERAL("*"),
            BYTES_LITERAL("body"), item_at(sender, sender->sent)->message.body.content};
        client_append(&sender->client, words, sizeof words / sizeof *words);
        sender->sent++;
    }
}

/* False: the connection is lost. */
static bool take_reply(struct sender *sender)
{
    void *any;
    if (redisGetReply(sender->client.context, &any) != REDIS_OK)
        return false;
    redisReply *reply = any;
    struct send_item *item = item_at(sender, sender->answered);
    struct bytes text = reply_bytes(reply);
    sender->answered++;
    if (reply->type == REDIS_REPLY_ERROR && bytes_start_with(text, BYTES_LITERAL("TRYAGAIN")))
        sender->has_to_wait = true;
    else if (reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_ERROR)
        settle(sender, item, text, reply->type == REDIS_REPLY_STRING);
    else
        settle(sender, item, BYTES_LITERAL("this reply is not Kouan's"), false);
    freeReplyObject(reply);
    drop_settled_front(sender);
    return true;
}

/* False when there were enough fruitless attempts; else waits, longer each time. */
static bool pause_before_retry(struct sender *sender)
{
    if (sender->fruitless == sender->arguments->retries)
        return false;
    uint64_t pause_ms = PAUSE_FIRST_MS;
    for (uint64_t i = 0; i < sender->fruitless && pause_ms < PAUSE_LAST_MS; i++)
        pause_ms *= 2;
    if (pause_ms > PAUSE_LAST_MS)
        pause_ms = PAUSE_LAST_MS;
    const struct timespec pause = {.tv_sec = (time_t)(pause_ms / 1000),
                                   .tv_nsec = (long)(pause_ms % 1000) * 1000000};
    sender->fruitless++;
    nanosleep(&pause, NULL);
    return true;
}

/* CLI_OK with a new connection, or what to end with. */
static enum cli_exit reconnect(struct sender *sender)
{
    enum cli_exit end = client_lost(&sender->client);
    rewind_ring(sender);
    while (end == CLI_UNREACHABLE && pause_before_retry(sender))
        end = client_reopen(&sender->client);
    return end;
}

/* One reply, with all that can be sent before it. CLI_OK to go on. */
static enum cli_exit step(struct sender *sender)
{
    if (!sender->has_to_wait)
        append_unsent(sender);
    if (!take_reply(sender)) {
        progress_hide(&sender->progress);
        return reconnect(sender);
    }
    if (sender->has_to_wait && sender->answered == sender->sent) {
        rewind_ring(sender);
        if (!pause_before_retry(sender)) {
            fprintf(stderr, "kouan send: there is no room at %s (TRYAGAIN)\n",
                    sender->client.address);
            return CLI_INVALID;
        }
    }
    return CLI_OK;
}

static enum cli_exit run(struct sender *sender)
{
    enum cli_exit end = CLI_OK;
    while (end == CLI_OK) {
        if (!sender->has_to_wait)
            fill(sender);
        if (sender->count == 0) /* then fill has told the last problem too */
            break;
        end = step(sender);
        progress_draw(&sender->progress);
    }
    print_summary(sender, end != CLI_OK);
    if (end == CLI_OK && sender->progress.refused > 0)
        end = CLI_INVALID;
    return end;
}

enum cli_exit cli_send(int argc, char **argv)
{
    struct send_arguments arguments;
    int first;
    enum cli_exit exit_code;
    if (!parse_arguments(argc, argv, &arguments, &first, &exit_code))
        return exit_code;
    struct sender sender = {
        .arguments = &arguments,
        .source = {.paths = argv + first, .count = argc - first, .by_lines = arguments.lines},
    };
    enum cli_exit end = client_open(&arguments.client, &sender.client);
    if (end != CLI_OK)
        return end;
    sender.items = calloc(arguments.window, sizeof *sender.items);
    if (sender.items == NULL)
        abort();
    progress_start(&sender.progress, send_source_bytes(&sender.source), arguments.json);
    end = run(&sender);
    rewind_ring(&sender);
    for (uint64_t i = 0; i < sender.count; i++)
        free(item_at(&sender, i)->message.body.memory);
    free(sender.items);
    send_source_close(&sender.source);
    client_close(&sender.client);
    return end;
}
