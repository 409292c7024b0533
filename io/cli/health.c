/* kouan health: for people and for monitors. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/client.h"
#include "io/cli/output.h"

/* `shard N: ` before a line, where there are several. False: it has none. */
static bool take_shard(struct bytes *line, uint64_t *out_shard)
{
    static const char word[] = "shard ";
    const uint8_t *colon = memchr(line->data, ':', line->size);
    size_t end = colon != NULL ? (size_t)(colon - line->data) : 0, begin = sizeof word - 1;
    if (end <= begin || memcmp(line->data, word, begin) != 0 ||
        !bytes_parse_u64(bytes_slice(*line, begin, end - begin), out_shard))
        return false;
    *line = bytes_trim(bytes_slice(*line, end + 1, line->size));
    return true;
}

/* One line of the report, `destination: what is wrong`. */
static void print_json_line(struct bytes line, bool is_first)
{
    uint64_t shard;
    fputs(is_first ? "{" : ",{", stdout);
    if (take_shard(&line, &shard))
        printf("\"shard\":%" PRIu64 ",", shard);
    const uint8_t *colon = memchr(line.data, ':', line.size);
    size_t size = colon != NULL ? (size_t)(colon - line.data) : 0;
    fputs("\"destination\":", stdout);
    output_json(stdout, bytes_slice(line, 0, size));
    fputs(",\"problem\":", stdout);
    output_json(stdout, bytes_trim(bytes_slice(line, size + (colon != NULL), line.size)));
    putchar('}');
}

static void print_json(struct bytes report, int64_t sick)
{
    bool is_first = true;
    printf("{\"healthy\":%s,\"sick\":[", sick == 0 ? "true" : "false");
    while (report.size > 0) {
        const uint8_t *end = memchr(report.data, '\n', report.size);
        size_t size = end != NULL ? (size_t)(end - report.data) : report.size;
        print_json_line(bytes_slice(report, 0, size), is_first);
        report = bytes_slice(report, size + 1, report.size);
        is_first = false;
    }
    puts("]}");
}

enum cli_exit cli_health(int argc, char **argv)
{
    struct client_settings settings = {.command = "health"};
    bool json = false;
    const struct argument arguments[] = {
        CLIENT_ARGUMENTS(settings),
        {.name = "json", .target = &json, .help = "one JSON object"},
    };
    const struct argument_page page = {
        .command = "health",
        .operands = "",
        .about = "One line for each sick destination: nearly full, nobody reads, or a message\n"
                 "unacknowledged for long. Wants the right to operate.",
        .epilogue = "Exit code: 0 all well, 1 something is sick, 3 the server cannot be reached.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    static const struct bytes words[] = {{(const uint8_t *)"KOUAN", 5},
                                         {(const uint8_t *)"HEALTH", 6}};
    struct client client;
    redisReply *reply = NULL;
    enum cli_exit end = client_open(&settings, &client);
    if (end != CLI_OK)
        return end;
    end = client_call(&client, words, 2, &reply);
    client_close(&client);
    if (end != CLI_OK)
        return end;
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2) {
        fputs("kouan health: this is not a Kouan\n", stderr);
        freeReplyObject(reply);
        return CLI_INVALID;
    }
    int64_t sick = reply->element[0]->integer;
    struct bytes report = reply_bytes(reply->element[1]);
    if (json)
        print_json(report, sick);
    else if (sick == 0)
        puts("all well");
    else
        fwrite(report.data, 1, report.size, stdout);
    freeReplyObject(reply);
    return sick == 0 ? CLI_OK : CLI_INVALID;
}
