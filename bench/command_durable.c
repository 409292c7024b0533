/* `kouan-bench durable`: what it costs that a receipt says that its message is on disk. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/command.h"
#include "bench/durable.h"
#include "bench/stop.h"

enum {
    DEFAULT_MESSAGES = 300000,
    DEFAULT_SECONDS = 5,
    DEFAULT_PAIRS = 2,
    SMOKE_MESSAGES = 2000,
    SMOKE_MILLISECONDS = 100
};

struct durable_command {
    struct durable_settings settings;
    char kouan[4096];
    bool prints_json;
};

static void print_help(void)
{
    puts("kouan-bench durable [--messages N] [--seconds S] [--size BYTES] [--pairs N] [--json]\n"
         "                    [--folder PATH] [--kouan PROGRAM] [--publishers N] [--window N]\n"
         "                    [--batch N] [--smoke]\n"
         "Starts `kouan serve` in memory, `kouan serve` with its journal, and redis-server with\n"
         "appendfsync always, all on 127.0.0.1, and drives events through each in turn, first as\n"
         "fast as it goes, then at 1 %, 50 % and 90 % of that: published with XADD, read with\n"
         "XREADGROUP, acknowledged with XACK, every answer and delivery verified. Redis is driven\n"
         "at Kouan's rates, too, where it can be. The disk by itself stands beside them. Receipts\n"
         "are timed from the moment at which the message was to be sent. Serving costs are the\n"
         "CPU time of the whole machine less this client's, so keep the machine quiet.\n"
         "  --messages N   of each run as fast as it goes (default 300000)\n"
         "  --seconds S    of each run at a rate (default 5)\n"
         "  --folder PATH  on the disk to be measured; what is made there is removed again\n"
         "                 (default: here)\n"
         "  --smoke        just long enough to see that it works");
}

static bool take_option(struct durable_command *command, int option, uint64_t *out_seconds)
{
    struct durable_settings *settings = &command->settings;
    uint64_t number = 0;
    bool taken = true;
    switch (option) {
    case 'm':
        taken = option_number("messages", optarg, 1, 100000000, &number);
        settings->trial.day.message_count = (uint32_t)number;
        break;
    case 's': taken = option_number("seconds", optarg, 1, 3600, out_seconds); break;
    case 'b':
        taken = option_number("size", optarg, DAY_EVENT_BYTES_MIN, DAY_EVENT_BYTES_MAX, &number);
        settings->trial.day.event_bytes = (uint32_t)number;
        break;
    case 'n':
        taken = option_number("pairs", optarg, 1, DURABLE_PAIRS_MAX, &number);
        settings->pairs = (uint32_t)number;
        break;
    case 'f': settings->folder = optarg; break;
    case 'k': taken = snprintf(command->kouan, sizeof command->kouan, "%s", optarg) > 0; break;
    case 'p':
        taken = option_number("publishers", optarg, 1, DAY_STREAMS_MAX, &number);
        settings->trial.day.stream_count = (uint32_t)number;
        break;
    case 'w':
        taken = option_number("window", optarg, 1, 16384, &number);
        settings->trial.window = (uint32_t)number;
        break;
    case 'r':
        taken = option_number("batch", optarg, 1, 1000, &number);
        settings->trial.batch = (uint32_t)number;
        break;
    case 'j': command->prints_json = true; break;
    default: taken = false; break;
    }
    return taken;
}

static int run(struct durable_command *command)
{
    struct durable *durable = calloc(1, sizeof *durable);
    if (durable == NULL)
        return EXIT_FINDINGS;
    command->settings.prints_runs = isatty(STDERR_FILENO);
    int code = durable_run(&command->settings, durable);
    if (code == EXIT_OK && command->prints_json)
        durable_print_json(durable, stdout);
    else if (code == EXIT_OK)
        durable_print(durable, stdout);
    durable_close(durable);
    free(durable);
    return code;
}

int command_durable(int argc, char **argv)
{
    static const struct option options[] = {{"messages", required_argument, NULL, 'm'},
                                            {"seconds", required_argument, NULL, 's'},
                                            {"size", required_argument, NULL, 'b'},
                                            {"pairs", required_argument, NULL, 'n'},
                                            {"folder", required_argument, NULL, 'f'},
                                            {"kouan", required_argument, NULL, 'k'},
                                            {"publishers", required_argument, NULL, 'p'},
                                            {"window", required_argument, NULL, 'w'},
                                            {"batch", required_argument, NULL, 'r'},
                                            {"json", no_argument, NULL, 'j'},
                                            {"smoke", no_argument, NULL, 'q'},
                                            {"help", no_argument, NULL, 'h'},
                                            {0}};
    static struct durable_command command;
    bool is_smoke = false;
    uint64_t seconds = DEFAULT_SECONDS;
    command.settings =
        (struct durable_settings){.kouan = command.kouan, .folder = ".", .pairs = DEFAULT_PAIRS};
    trial_defaults(&command.settings.trial);
    command.settings.trial.day.mix = MIX_EVENTS;
    command.settings.trial.day.message_count = DEFAULT_MESSAGES;
    server_find_kouan(command.kouan, sizeof command.kouan);
    for (int option; (option = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        if (option == 'h') {
            print_help();
            return EXIT_OK;
        }
        if (option == 'q')
            is_smoke = true;
        else if (!take_option(&command, option, &seconds))
            return EXIT_USAGE;
    }
    command.settings.milliseconds = seconds * 1000;
    if (is_smoke) {
        command.settings.trial.day.message_count = SMOKE_MESSAGES;
        command.settings.milliseconds = SMOKE_MILLISECONDS;
        command.settings.pairs = 1;
    }
    command.settings.trial.stop = stop_install();
    return run(&command);
}
