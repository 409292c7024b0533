/* kouan rejects: the last refused messages, newest first. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/client.h"
#include "io/cli/output.h"

struct rejects_arguments {
    struct client_settings client;
    bool json, bodies;
    uint64_t count;
};

static bool parse_arguments(int argc, char **argv, struct rejects_arguments *out,
                            enum cli_exit *out_exit)
{
    enum { COUNT_DEFAULT = 10, COUNT_MAX = 100000 };
    *out = (struct rejects_arguments){.client.command = "rejects", .count = COUNT_DEFAULT};
    const struct argument arguments[] = {
        CLIENT_ARGUMENTS(out->client),
        {.name = "bodies",
         .target = &out->bodies,
         .help = "also print as much of each body as the server kept\n(its option reject_bytes)"},
        {.name = "json", .target = &out->json, .help = "one JSON array, with the bodies"},
    };
    const struct argument_page page = {
        .command = "rejects",
        .operands = "[N]",
        .about = "Shows the last N (default 10) refused messages, newest first: when, from whom, "
                 "why.\nWants the right to operate.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    if (!arguments_parse(&page, argc, argv, &first, out_exit))
        return false;
    if (first < argc && (!bytes_parse_u64(bytes_from_text(argv[first]), &out->count) ||
                         out->count == 0 || out->count > COUNT_MAX)) {
        *out_exit = arguments_fail("rejects", "N is a number from 1 to %d, not `%s`", COUNT_MAX,
                                   argv[first]);
        return false;
    }
    return true;
}

static void print_reject(const redisReply *reject, bool with_body)
{
    struct bytes body = reply_text(reject, "body");
    uint64_t body_bytes = reply_number(reject, "body_bytes");
    printf("#%" PRIu64 "  ", reply_number(reject, "number"));
    output_time(stdout, reply_number(reject, "at_ms"));
    fputs("  ", stdout);
    output_escaped(stdout, reply_text(reject, "participant"));
    fputs(" -> ", stdout);
    output_escaped(stdout, reply_text(reject, "channel"));
    fputs("  ", stdout);
    output_count(stdout, body_bytes);
    fputs(" bytes\n    ", stdout);
    output_escaped(stdout, reply_text(reject, "reason"));
    putchar('\n');
    if (!with_body)
        return;
    fputs("    ", stdout);
    output_escaped(stdout, body);
    puts(body.size < body_bytes ? "..." : "");
}

static void print_reject_json(const redisReply *reject, bool is_first)
{
    printf("%s{\"number\":%" PRIu64 ",\"at_ms\":%" PRIu64 ",\"participant\":",
           is_first ? "\n" : ",\n", reply_number(reject, "number"), reply_number(reject, "at_ms"));
    output_json(stdout, reply_text(reject, "participant"));
    fputs(",\"channel\":", stdout);
    output_json(stdout, reply_text(reject, "channel"));
    fputs(",\"reason\":", stdout);
    output_json(stdout, reply_text(reject, "reason"));
    printf(",\"body_bytes\":%" PRIu64 ",", reply_number(reject, "body_bytes"));
    output_json_body(stdout, reply_text(reject, "body"));
    putchar('}');
}

enum cli_exit cli_rejects(int argc, char **argv)
{
    struct rejects_arguments arguments;
    enum cli_exit exit_code;
    if (!parse_arguments(argc, argv, &arguments, &exit_code))
        return exit_code;
    char count[24];
    struct client client;
    redisReply *reply = NULL;
    snprintf(count, sizeof count, "%" PRIu64, arguments.count);
    const struct bytes words[] = {BYTES_LITERAL("KOUAN"), BYTES_LITERAL("REJECTS"),
                                  bytes_from_text(count)};
    enum cli_exit end = client_open(&arguments.client, &client);
    if (end != CLI_OK)
        return end;
    end = client_call(&client, words, 3, &reply);
    client_close(&client);
    if (end != CLI_OK)
        return end;
    fputs(arguments.json ? "[" : "", stdout);
    for (size_t i = 0; i < reply->elements; i++) {
        if (arguments.json)
            print_reject_json(reply->element[i], i == 0);
        else
            print_reject(reply->element[i], arguments.bodies);
    }
    if (arguments.json)
        puts("]");
    else if (reply->elements == 0)
        puts("nothing was refused");
    freeReplyObject(reply);
    return CLI_OK;
}
