#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/command.h"
#include "bench/load/consumer.h"
#include "bench/load/publisher.h"
#include "bench/load/trial.h"
#include "bench/stop.h"
#include "bench/wire/control.h"
#include "bench/wire/login.h"

/* name, name on the command line, argument ("" for none), help */
#define DAY_OPTION_LIST(X)                                                                         \
    X(messages, "messages", "N", "messages to publish, as 1000000, 1000k or 1m (default 1m)")      \
    X(seed, "seed", "N", "the same seed makes the same day (default 1)")                           \
    X(mix, "mix", "mix|events", "a provincial day, or JSON events of one size (default mix)")      \
    X(size, "size", "BYTES", "of an event, 240 to 4096 (default 256)")                             \
    X(connect, "connect", "ADDRESS", "host:port or unix:PATH (default 127.0.0.1:7400)")            \
    X(target, "target", "kouan|redis", "what listens there (default kouan)")                       \
    X(rules, "rules", "demo|none",                                                                 \
      "Kouan runs with bench/demo, or without a configuration (demo)")                             \
    X(channel, "channel", "NAME", "where messages are published (default in)")                     \
    X(secrets, "secrets", "DIR", "log in, with the secrets in the files of this directory")        \
    X(publishers, "publishers", "N", "publishing connections, 1 to 64 (default 6, one an e-port)") \
    X(window, "window", "N", "messages in flight on each (default 512)")                           \
    X(batch, "batch", "N", "entries a read asks for (default 500)")                                \
    X(rate, "rate", "N", "messages a second over all (default: as fast as it goes)")               \
    X(patience, "patience", "SECONDS", "without any progress before it gives up (default 10)")     \
    X(server_pid, "server-pid", "PID", "tell this process's CPU time")                             \
    X(ledger, "ledger", "", "print Kouan's ledger at the end")                                     \
    X(json, "json", "", "print the report as JSON")                                                \
    X(proportions, "proportions", "", "print what a day is made of, and end")                      \
    X(help, "help", "", "print this, and end")

enum day_option {
    OPTION_FIRST = 256,
#define X(name, text, argument, help) OPTION_##name,
    DAY_OPTION_LIST(X)
#undef X
};

struct day_command {
    struct trial_settings trial;
    bool prints_json, prints_ledger;
};

static void print_help(void)
{
    puts("kouan-bench day [OPTION]...\n"
         "Publishes a generated provincial day, consumes what comes of it, and verifies every\n"
         "receipt and every delivery. Exit code 0 if all is well, 1 if the checker found\n"
         "anything, 2 on wrong usage, 3 if the server cannot be reached.\n");
#define X(name, text, argument, help) printf("  --%-11s %-12s %s\n", text, argument, help);
    DAY_OPTION_LIST(X)
#undef X
}

static void print_proportions(void)
{
    puts("of the messages of each e-port:");
    for (uint32_t i = 0; i < FATE_COUNT; i++)
        printf("  %-12s %8.4f %%\n", day_fate_name((enum day_fate)i),
               day_fate_ppm((enum day_fate)i) * 100.0 / DAY_PPM);
    printf("\n%-16s", "dialects");
    for (uint32_t d = 0; d < DIALECT_COUNT; d++)
        printf(" %8s", day_dialect_name((enum day_dialect)d));
    putchar('\n');
    for (size_t e = 0; e < EPORT_COUNT; e++) {
        printf("  %-14s", eports[e].name);
        for (uint32_t d = 0; d < DIALECT_COUNT; d++)
            printf(" %6u %%", eports[e].dialects[d]);
        putchar('\n');
    }
}

static bool take_number(const char *option, uint64_t least, uint64_t most, uint32_t *out_number)
{
    uint64_t number;
    if (!option_number(option, optarg, least, most, &number))
        return false;
    *out_number = (uint32_t)number;
    return true;
}

static bool take_choices(struct trial_settings *trial, int option)
{
    static const char *const mixes[] = {"mix", "events", NULL};
    static const char *const targets[] = {"kouan", "redis", NULL};
    static const char *const rules[] = {"demo", "none", NULL};
    uint32_t choice;
    if (option == OPTION_mix) {
        if (!option_choice("mix", optarg, mixes, &choice))
            return false;
        trial->day.mix = choice == 0 ? MIX_DAY : MIX_EVENTS;
    } else if (option == OPTION_target) {
        if (!option_choice("target", optarg, targets, &choice))
            return false;
        trial->model = choice == 0 ? trial->model : MODEL_PLAIN;
    } else {
        if (!option_choice("rules", optarg, rules, &choice))
            return false;
        trial->model = choice == 0 ? MODEL_DEMO : MODEL_OPEN;
    }
    return true;
}

static bool take_option(struct day_command *command, int option)
{
    struct trial_settings *trial = &command->trial;
    uint32_t number = 0;
    switch (option) {
    case OPTION_messages:
        return take_number("messages", 1, UINT32_MAX - 1, &trial->day.message_count);
    case OPTION_seed: return option_number("seed", optarg, 0, UINT64_MAX, &trial->day.seed);
    case OPTION_mix:
    case OPTION_target:
    case OPTION_rules: return take_choices(trial, option);
    case OPTION_size:
        return take_number("size", DAY_EVENT_BYTES_MIN, DAY_EVENT_BYTES_MAX,
                           &trial->day.event_bytes);
    case OPTION_connect: trial->address = optarg; return true;
    case OPTION_channel: trial->channel = optarg; return true;
    case OPTION_secrets: trial->secrets_directory = optarg; return true;
    case OPTION_publishers:
        return take_number("publishers", 1, DAY_STREAMS_MAX, &trial->day.stream_count);
    case OPTION_window: return take_number("window", 1, PUBLISHER_WINDOW_MAX, &trial->window);
    case OPTION_batch: return take_number("batch", 1, CONSUMER_BATCH_MAX, &trial->batch);
    case OPTION_rate: return option_number("rate", optarg, 1, 1000000000, &trial->rate);
    case OPTION_patience:
        if (!take_number("patience", 1, 3600, &number))
            return false;
        trial->patience_ms = number * 1000;
        return true;
    case OPTION_server_pid:
        if (!take_number("server-pid", 1, INT32_MAX, &number))
            return false;
        trial->server = (pid_t)number;
        return true;
    case OPTION_ledger: command->prints_ledger = true; return true;
    case OPTION_json: command->prints_json = true; return true;
    default: return false;
    }
}

/* Asked as the demo's operator. */
static void print_ledger(const struct trial_settings *settings, const struct trial *trial)
{
    static char text[256 * 1024];
    char login[LOGIN_BYTES_MAX];
    struct control control;
    const char *words = NULL;
    if (settings->secrets_directory != NULL) {
        if (login_read(settings->secrets_directory, "operator", login) != STATUS_OK)
            return;
        words = login;
    }
    if (control_open(&control, &trial->target, words, 0) != STATUS_OK)
        return;
    enum status status = control_ask(&control, "KOUAN LEDGER", text, sizeof text);
    printf("\nledger%s\n%s\n", status == STATUS_OK ? "" : " (refused)", text);
    control_close(&control);
}

static int finish(const struct day_command *command, enum status status, const struct trial *trial)
{
    const struct load_result *result = &trial->result;
    if (status != STATUS_OK && trial->load.day == NULL) {
        fprintf(stderr, "kouan-bench: %s\n", result->problem);
        return EXIT_UNREACHABLE;
    }
    struct report report = trial_report(trial);
    if (command->prints_json)
        report_print_json(&report, stdout);
    else
        report_print(&report, stdout);
    if (command->prints_ledger)
        print_ledger(&command->trial, trial);
    if (status != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s\n",
                result->problem[0] != '\0' ? result->problem : status_text(status));
        return trial->checker.answered_count == 0 ? EXIT_UNREACHABLE : EXIT_FINDINGS;
    }
    if (result->out_of_patience)
        fprintf(stderr, "kouan-bench: gave up after %" PRIu32 " s without progress\n",
                command->trial.patience_ms / 1000);
    if (result->interrupted)
        return EXIT_STOPPED;
    return findings_count(&trial->checker.findings) == 0 ? EXIT_OK : EXIT_FINDINGS;
}

int command_day(int argc, char **argv)
{
    static const struct option options[] = {
#define X(name, text, argument, help) {text, argument[0] != '\0', NULL, OPTION_##name},
        DAY_OPTION_LIST(X)
#undef X
            {0}};
    struct day_command command = {0};
    trial_defaults(&command.trial);
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == OPTION_help || option == 'h') {
            print_help();
            return EXIT_OK;
        }
        if (option == OPTION_proportions) {
            print_proportions();
            return EXIT_OK;
        }
        if (!take_option(&command, option))
            return EXIT_USAGE;
    }
    if (optind < argc) {
        fprintf(stderr, "kouan-bench day: `%s` is one argument too many\n", argv[optind]);
        return EXIT_USAGE;
    }
    struct trial *trial = calloc(1, sizeof *trial);
    if (trial == NULL)
        return EXIT_FINDINGS;
    command.trial.stop = stop_install();
    command.trial.shows_progress = true;
    int code = finish(&command, trial_run(&command.trial, trial), trial);
    trial_close(trial);
    free(trial);
    return code;
}
