#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/command.h"
#include "bench/peer.h"
#include "bench/stop.h"
#include "bench/trial.h"

enum { PAIRS_MAX = 50 };

enum side { SIDE_KOUAN, SIDE_REDIS, SIDE_COUNT };

struct compare_command {
    struct trial_settings trial;
    char kouan[4096];
    uint32_t pairs;
    bool prints_json;
};

struct figures {
    double rate, serving_ns, server_ns, client_ns;
    uint64_t receipt_p99_ns, delivery_p99_ns;
};

struct comparison {
    struct server servers[SIDE_COUNT];
    struct figures figures[SIDE_COUNT][PAIRS_MAX];
    uint32_t runs[SIDE_COUNT];
};

static const char *const side_names[SIDE_COUNT] = {"kouan", "redis"};

static void print_help(void)
{
    puts("kouan-bench compare [--messages N] [--size BYTES] [--mix mix|events] [--pairs N]\n"
         "                    [--against redis] [--kouan PROGRAM] [--publishers N]\n"
         "                    [--window N] [--batch N] [--json]\n"
         "Starts `kouan serve` and redis-server, both in memory on 127.0.0.1, and drives the same\n"
         "messages through each in turn (A B, B A ...): published with XADD, read with\n"
         "XREADGROUP, acknowledged with XACK, every answer and delivery verified. Serving costs\n"
         "are the CPU time of the whole machine less this client's, so keep the machine quiet.");
}

static void keep_figures(const struct trial *trial, struct figures *figures)
{
    struct report report = trial_report(trial);
    *figures = (struct figures){
        .rate = report_rate(&report),
        .serving_ns = report_ns_per_message(&report, report_serving_ns(&report)),
        .server_ns = report_ns_per_message(&report, trial->result.usage.server_ns),
        .client_ns = report_ns_per_message(&report, trial->result.usage.client_ns),
        .receipt_p99_ns = histogram_quantile(&trial->result.receipt_ns, 990),
        .delivery_p99_ns = histogram_quantile(&trial->result.delivery_ns, 990),
    };
}

static void print_run(enum side side, const struct figures *figures)
{
    char rate[REPORT_NUMBER_BYTES], receipt[REPORT_NUMBER_BYTES], delivery[REPORT_NUMBER_BYTES];
    printf("%-6s %11s %12.0f %12.0f %12.0f %11s %11s\n", side_names[side],
           report_number((uint64_t)figures->rate, rate), figures->serving_ns, figures->server_ns,
           figures->client_ns, report_duration(figures->receipt_p99_ns, receipt),
           report_duration(figures->delivery_p99_ns, delivery));
    fflush(stdout);
}

/* Each run has a seed of its own, since Kouan would know the messages of the run before. */
static int run_one(const struct compare_command *command, struct comparison *comparison,
                   enum side side)
{
    struct trial_settings settings = command->trial;
    uint32_t run = comparison->runs[side]++;
    settings.day.seed += run;
    settings.model = side == SIDE_KOUAN ? MODEL_OPEN : MODEL_PLAIN;
    settings.address = comparison->servers[side].address;
    settings.server = comparison->servers[side].process;
    settings.drops_stream = true; /* Redis need not keep those of all runs */
    struct trial *trial = calloc(1, sizeof *trial);
    if (trial == NULL)
        return EXIT_FINDINGS;
    int code = EXIT_OK;
    enum status status = trial_run(&settings, trial);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s: %s\n", side_names[side], trial->result.problem);
        code = EXIT_UNREACHABLE;
    } else if (trial->result.interrupted) {
        code = EXIT_STOPPED;
    } else if (findings_count(&trial->checker.findings) > 0) {
        fprintf(stderr, "kouan-bench: %s:\n", side_names[side]);
        checker_print(&trial->checker, stderr);
        code = EXIT_FINDINGS;
    } else {
        keep_figures(trial, &comparison->figures[side][run]);
        if (!command->prints_json)
            print_run(side, &comparison->figures[side][run]);
    }
    trial_close(trial);
    free(trial);
    return code;
}

static void print_summary(const struct compare_command *command,
                          const struct comparison *comparison)
{
    double rates[PAIRS_MAX], costs[PAIRS_MAX];
    for (uint32_t i = 0; i < command->pairs; i++) {
        const struct figures *kouan = &comparison->figures[SIDE_KOUAN][i];
        const struct figures *redis = &comparison->figures[SIDE_REDIS][i];
        rates[i] = redis->rate > 0 ? kouan->rate / redis->rate : 0;
        costs[i] = redis->serving_ns > 0 ? kouan->serving_ns / redis->serving_ns : 0;
    }
    double rate = report_median(rates, command->pairs), cost = report_median(costs, command->pairs);
    if (!command->prints_json) {
        printf("\nmedian of %" PRIu32 " pairs: kouan at %.2f times the rate of redis, at %.2f times"
               " the CPU time a message\n",
               command->pairs, rate, cost);
        return;
    }
    printf("{\"messages\":%" PRIu32 ",\"rate_ratio\":%.4f,\"serving_ns_ratio\":%.4f,\"runs\":[",
           command->trial.day.message_count, rate, cost);
    for (uint32_t i = 0; i < command->pairs * SIDE_COUNT; i++) {
        const struct figures *run = &comparison->figures[i % SIDE_COUNT][i / SIDE_COUNT];
        printf("%s{\"server\":\"%s\",\"messages_per_second\":%.0f,\"serving_ns\":%.1f,"
               "\"server_process_ns\":%.1f,\"client_ns\":%.1f,\"receipt_p99_ns\":%" PRIu64
               ",\"delivery_p99_ns\":%" PRIu64 "}",
               i > 0 ? "," : "", side_names[i % SIDE_COUNT], run->rate, run->serving_ns,
               run->server_ns, run->client_ns, run->receipt_p99_ns, run->delivery_p99_ns);
    }
    puts("]}");
}

static int compare(const struct compare_command *command)
{
    struct comparison *comparison = calloc(1, sizeof *comparison);
    if (comparison == NULL)
        return EXIT_FINDINGS;
    int code = EXIT_UNREACHABLE;
    struct scenario wire;
    bool found = scenario_find("wire", &wire);
    assert(found);
    struct peer_settings of = {.scenario = &wire, .kouan = command->kouan};
    if (peer_kouan.start(&of, &comparison->servers[SIDE_KOUAN]) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: `%s serve` did not start\n", command->kouan);
        goto end;
    }
    if (peer_redis.start(&of, &comparison->servers[SIDE_REDIS]) != STATUS_OK) {
        fputs("kouan-bench: redis-server did not start\n", stderr);
        goto end;
    }
    if (!command->prints_json)
        printf("%-6s %11s %12s %12s %12s %11s %11s\n", "", "messages/s", "serving ns", "process ns",
               "client ns", "receipt p99", "delivery p99");
    code = EXIT_OK;
    for (uint32_t pair = 0; pair < command->pairs && code == EXIT_OK; pair++) {
        enum side first = pair % 2 == 0 ? SIDE_KOUAN : SIDE_REDIS;
        code = run_one(command, comparison, first);
        if (code == EXIT_OK)
            code = run_one(command, comparison, first == SIDE_KOUAN ? SIDE_REDIS : SIDE_KOUAN);
    }
    if (code == EXIT_OK)
        print_summary(command, comparison);
end:
    for (uint32_t side = 0; side < SIDE_COUNT; side++)
        server_stop(&comparison->servers[side]);
    free(comparison);
    return code;
}

int command_compare(int argc, char **argv)
{
    static const struct option options[] = {{"messages", required_argument, NULL, 'm'},
                                            {"size", required_argument, NULL, 'b'},
                                            {"mix", required_argument, NULL, 'x'},
                                            {"pairs", required_argument, NULL, 'n'},
                                            {"against", required_argument, NULL, 'a'},
                                            {"kouan", required_argument, NULL, 'k'},
                                            {"publishers", required_argument, NULL, 'p'},
                                            {"window", required_argument, NULL, 'w'},
                                            {"batch", required_argument, NULL, 'r'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static const char *const mixes[] = {"events", "mix", NULL};
    static const char *const rivals[] = {"redis", NULL};
    struct compare_command command = {.pairs = 2};
    trial_defaults(&command.trial);
    uint64_t messages = command.trial.day.message_count, bytes = 256, pairs = 2;
    uint64_t streams = EPORT_COUNT, window = command.trial.window, batch = command.trial.batch;
    uint32_t mix = 0, peer;
    server_find_kouan(command.kouan, sizeof command.kouan);
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        bool taken = false;
        switch (option) {
        case 'm': taken = option_number("messages", optarg, 1, 100000000, &messages); break;
        case 'b':
            taken = option_number("size", optarg, DAY_EVENT_BYTES_MIN, DAY_EVENT_BYTES_MAX, &bytes);
            break;
        case 'x': taken = option_choice("mix", optarg, mixes, &mix); break;
        case 'n': taken = option_number("pairs", optarg, 1, PAIRS_MAX, &pairs); break;
        case 'a': taken = option_choice("against", optarg, rivals, &peer); break;
        case 'k': taken = snprintf(command.kouan, sizeof command.kouan, "%s", optarg) > 0; break;
        case 'p': taken = option_number("publishers", optarg, 1, DAY_STREAMS_MAX, &streams); break;
        case 'w': taken = option_number("window", optarg, 1, 16384, &window); break;
        case 'r': taken = option_number("batch", optarg, 1, 1000, &batch); break;
        case 'j': command.prints_json = taken = true; break;
        case 'h': print_help(); return EXIT_OK;
        default: break;
        }
        if (!taken)
            return EXIT_USAGE;
    }
    command.pairs = (uint32_t)pairs;
    command.trial.day.message_count = (uint32_t)messages;
    command.trial.day.event_bytes = (uint32_t)bytes;
    command.trial.day.stream_count = (uint32_t)streams;
    command.trial.day.mix = mix == 0 ? MIX_EVENTS : MIX_DAY;
    command.trial.window = (uint32_t)window;
    command.trial.batch = (uint32_t)batch;
    command.trial.stop = stop_install();
    return compare(&command);
}
