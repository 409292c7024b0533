/* kouan ledger: the conservation accounts, once or live with rates. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "io/cli/client.h"
#include "io/cli/output.h"
#include "io/cli/pause.h"

enum { WATCH_S_MAX = 3600, MS_PER_S = 1000 };

struct ledger_arguments {
    struct client_settings client;
    bool json;
    uint64_t watch_s; /* 0: once */
};

static bool parse_arguments(int argc, char **argv, struct ledger_arguments *out,
                            enum cli_exit *out_exit)
{
    *out = (struct ledger_arguments){.client.command = "ledger"};
    const struct argument arguments[] = {
        CLIENT_ARGUMENTS(out->client),
        {.name = "watch",
         .kind = ARGUMENT_OPTIONAL_NUMBER,
         .target = &out->watch_s,
         .value = "SECONDS",
         .help = "again and again until Ctrl-C, with rates (default: each second)",
         .min = 1,
         .max = WATCH_S_MAX},
        {.name = "json",
         .target = &out->json,
         .help = "one JSON object; with --watch one a line, without rates"},
    };
    const struct argument_page page = {
        .command = "ledger",
        .operands = "",
        .about = "What came in and what became of it, per participant and channel, per destination "
                 "and\ngroup. The gap is 0 when the books are right. Wants the right to operate.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
    };
    int first;
    return arguments_parse(&page, argc, argv, &first, out_exit);
}

static enum cli_exit ask(struct client *client, bool json, redisReply **out_reply)
{
    const struct bytes words[] = {BYTES_LITERAL("KOUAN"), BYTES_LITERAL("LEDGER"),
                                  BYTES_LITERAL("JSON")};
    return client_call(client, words, json ? 3 : 2, out_reply);
}

static void print_report(const redisReply *reply)
{
    fwrite(reply->str, 1, (size_t)reply->len, stdout);
}

/* Line ends in the server's JSON are only between its parts. */
static void print_json_line(const redisReply *reply)
{
    struct bytes json = bytes_trim(reply_bytes(reply));
    for (size_t i = 0; i < json.size; i++)
        putchar(json.data[i] == '\n' ? ' ' : json.data[i]);
    putchar('\n');
}

/* ---- rates ---- */

/* A row of KOUAN COUNTERS: [subject, name, value]. */
static bool is_row(const redisReply *row)
{
    return row->type == REDIS_REPLY_ARRAY && row->elements == 3 &&
           row->element[0]->type == REDIS_REPLY_STRING &&
           row->element[1]->type == REDIS_REPLY_STRING &&
           row->element[2]->type == REDIS_REPLY_INTEGER;
}

static bool is_same(const redisReply *a, const redisReply *b)
{
    return is_row(a) && bytes_equal(reply_bytes(a->element[0]), reply_bytes(b->element[0])) &&
           bytes_equal(reply_bytes(a->element[1]), reply_bytes(b->element[1]));
}

/* What the row at `index` of `now` was before: at the same index, unless a group came or went. */
static int64_t value_before(const redisReply *before, const redisReply *now, size_t index)
{
    const redisReply *row = now->element[index];
    if (index < before->elements && is_same(before->element[index], row))
        return before->element[index]->element[2]->integer;
    for (size_t i = 0; i < before->elements; i++)
        if (is_same(before->element[i], row))
            return before->element[i]->element[2]->integer;
    return 0;
}

/* The first row is the server's own clock; counters that stand still are left out. */
static void print_rates(const redisReply *before, const redisReply *now)
{
    struct bytes subject = {0};
    if (now->elements == 0 || !is_row(now->element[0]))
        return;
    int64_t elapsed_ms = now->element[0]->element[2]->integer - value_before(before, now, 0);
    fputs("\nper second", stdout);
    for (size_t i = 1; i < now->elements && elapsed_ms > 0; i++) {
        const redisReply *row = now->element[i];
        int64_t change = is_row(row) ? row->element[2]->integer - value_before(before, now, i) : 0;
        if (change <= 0)
            continue;
        if (!bytes_equal(subject, reply_bytes(row->element[0]))) {
            subject = reply_bytes(row->element[0]);
            printf("\n  %-38.*s", (int)subject.size, (const char *)subject.data);
        }
        printf("  %.*s ", (int)row->element[1]->len, row->element[1]->str);
        output_count(stdout, (uint64_t)change * MS_PER_S / (uint64_t)elapsed_ms);
    }
    puts(subject.data == NULL ? "  nothing" : "");
}

static enum cli_exit show_once_more(struct client *client, redisReply **counters)
{
    static const struct bytes words[] = {{(const uint8_t *)"KOUAN", 5},
                                         {(const uint8_t *)"COUNTERS", 8}};
    redisReply *report, *now;
    enum cli_exit end = ask(client, false, &report);
    if (end != CLI_OK)
        return end;
    end = client_call(client, words, 2, &now);
    if (end == CLI_OK) {
        fputs(output_is_terminal(stdout) ? "\033[H\033[J" : "", stdout);
        print_report(report);
        if (*counters != NULL) {
            print_rates(*counters, now);
            freeReplyObject(*counters);
        }
        fputs(output_is_terminal(stdout) ? "" : "\n", stdout);
        *counters = now;
    }
    freeReplyObject(report);
    return end;
}

static enum cli_exit watch(const struct ledger_arguments *arguments, struct client *client)
{
    enum cli_exit end = CLI_OK;
    redisReply *counters = NULL, *reply;
    int signals = pause_open();
    do {
        if (!arguments->json) {
            end = show_once_more(client, &counters);
        } else if ((end = ask(client, true, &reply)) == CLI_OK) {
            print_json_line(reply);
            freeReplyObject(reply);
        }
        fflush(stdout);
    } while (end == CLI_OK && ferror(stdout) == 0 &&
             pause_wait(signals, -1, (int)arguments->watch_s * MS_PER_S) == PAUSE_OVER);
    if (counters != NULL)
        freeReplyObject(counters);
    close(signals);
    return end;
}

enum cli_exit cli_ledger(int argc, char **argv)
{
    struct ledger_arguments arguments;
    enum cli_exit exit_code;
    if (!parse_arguments(argc, argv, &arguments, &exit_code))
        return exit_code;
    struct client client;
    enum cli_exit end = client_open(&arguments.client, &client);
    if (end != CLI_OK)
        return end;
    if (arguments.watch_s > 0) {
        end = watch(&arguments, &client);
    } else {
        redisReply *reply;
        end = ask(&client, arguments.json, &reply);
        if (end == CLI_OK) {
            print_report(reply);
            freeReplyObject(reply);
        }
    }
    client_close(&client);
    return end;
}
