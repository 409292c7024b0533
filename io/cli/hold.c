/* kouan hold: what rules held back for an operator's word. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/client.h"
#include "io/cli/output.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 1000, EXCERPT_BYTES = 80 };

struct hold_arguments {
    struct client_settings client;
    bool json;
};

static enum cli_exit list(const struct hold_arguments *arguments, int argc, char **argv);
static enum cli_exit end_all(const struct hold_arguments *arguments, bool releases, int argc,
                             char **argv);

enum cli_exit cli_hold(int argc, char **argv)
{
    struct hold_arguments arguments = {.client.command = "hold"};
    const struct argument rows[] = {
        CLIENT_ARGUMENTS(arguments.client),
        {.name = "json", .target = &arguments.json, .help = "one JSON array"},
    };
    const struct argument_page page = {
        .command = "hold",
        .operands = "list [N] | release ID... | reject ID...",
        .about = "Messages that a rule with the action `hold` keeps back. `list` shows the oldest\n"
                 "N (default 100, at most 1000); `release` sends them on to the destinations at\n"
                 "which they are held; `reject` drops them for good. Wants the right to operate.",
        .epilogue = "Exit code: 0, or 1 if one of the ids is not held.",
        .arguments = rows,
        .argument_count = sizeof rows / sizeof *rows,
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    const char *word = argv[first++];
    if (strcmp(word, "list") == 0)
        return list(&arguments, argc - first, argv + first);
    bool releases = strcmp(word, "release") == 0;
    if (!releases && strcmp(word, "reject") != 0)
        return arguments_fail("hold", "`%s` is not list, release or reject", word);
    if (first == argc)
        return arguments_fail("hold", "which one? kouan hold %s ID...", word);
    return end_all(&arguments, releases, argc - first, argv + first);
}

/* ---- list ---- */

static void print_hold(const redisReply *hold)
{
    struct bytes body = reply_text(hold, "body");
    output_escaped(stdout, reply_text(hold, "id"));
    fputs("  ", stdout);
    output_time(stdout, reply_number(hold, "since_ms"));
    fputs("  ", stdout);
    output_escaped(stdout, reply_text(hold, "origin"));
    fputs(" -> ", stdout);
    output_escaped(stdout, reply_text(hold, "destination"));
    fputs("  ", stdout);
    output_escaped(stdout, bytes_slice(body, 0, EXCERPT_BYTES));
    puts(body.size > EXCERPT_BYTES ? "..." : "");
}

static void print_hold_json(const redisReply *hold, bool is_first)
{
    fputs(is_first ? "\n{" : ",\n{", stdout);
    fputs("\"id\":", stdout);
    output_json(stdout, reply_text(hold, "id"));
    fputs(",\"destination\":", stdout);
    output_json(stdout, reply_text(hold, "destination"));
    printf(",\"since_ms\":%" PRIu64 ",\"origin\":", reply_number(hold, "since_ms"));
    output_json(stdout, reply_text(hold, "origin"));
    fputs(",\"beginning\":", stdout);
    output_json(stdout, reply_text(hold, "body"));
    putchar('}');
}

static enum cli_exit list(const struct hold_arguments *arguments, int argc, char **argv)
{
    char count_text[24];
    uint64_t count = LIST_DEFAULT;
    if (argc > 1 || (argc == 1 && (!bytes_parse_u64(bytes_from_text(argv[0]), &count) ||
                                   count == 0 || count > LIST_MAX)))
        return arguments_fail("hold", "list takes one number from 1 to %d", LIST_MAX);
    struct client client;
    redisReply *reply = NULL;
    snprintf(count_text, sizeof count_text, "%" PRIu64, count);
    const struct bytes words[] = {BYTES_LITERAL("KOUAN"), BYTES_LITERAL("HOLDS"),
                                  bytes_from_text(count_text)};
    enum cli_exit end = client_open(&arguments->client, &client);
    if (end != CLI_OK)
        return end;
    end = client_call(&client, words, 3, &reply);
    client_close(&client);
    if (end != CLI_OK)
        return end;
    fputs(arguments->json ? "[" : "", stdout);
    for (size_t i = 0; i < reply->elements; i++) {
        if (arguments->json)
            print_hold_json(reply->element[i], i == 0);
        else
            print_hold(reply->element[i]);
    }
    if (arguments->json)
        puts("]");
    else if (reply->elements == 0)
        puts("nothing is held");
    else if (reply->elements == count)
        puts("there may be more: kouan hold list N");
    freeReplyObject(reply);
    return CLI_OK;
}

/* ---- release and reject ---- */

static void print_ended(const struct hold_arguments *arguments, const char *id, bool releases,
                        int64_t destinations, bool is_first)
{
    const char *word = destinations == 0 ? "not held" : releases ? "released" : "rejected";
    if (arguments->json) {
        fputs(is_first ? "\n{\"id\":" : ",\n{\"id\":", stdout);
        output_json_text(stdout, id);
        printf(",\"result\":\"%s\",\"destinations\":%" PRId64 "}", word, destinations);
        return;
    }
    output_escaped(stdout, bytes_from_text(id));
    printf(" %s", word);
    if (destinations > 1)
        printf(" at %" PRId64 " destinations", destinations);
    putchar('\n');
}

static enum cli_exit end_all(const struct hold_arguments *arguments, bool releases, int argc,
                             char **argv)
{
    struct client client;
    enum cli_exit end = client_open(&arguments->client, &client), worst = CLI_OK;
    if (end != CLI_OK)
        return end;
    fputs(arguments->json ? "[" : "", stdout);
    for (int i = 0, printed = 0; i < argc; i++) {
        redisReply *reply;
        const struct bytes words[] = {BYTES_LITERAL("KOUAN"),
                                      releases ? BYTES_LITERAL("RELEASE") : BYTES_LITERAL("REJECT"),
                                      bytes_from_text(argv[i])};
        end = client_call(&client, words, 3, &reply);
        if (end == CLI_UNREACHABLE) {
            worst = end;
            break;
        }
        if (end != CLI_OK) {
            worst = end;
            continue;
        }
        print_ended(arguments, argv[i], releases, reply->integer, printed++ == 0);
        if (reply->integer == 0)
            worst = CLI_INVALID;
        freeReplyObject(reply);
    }
    fputs(arguments->json ? "]\n" : "", stdout);
    client_close(&client);
    return worst;
}
