/* kouan-bench: generates traffic, drives servers with it, verifies and measures. */
#include <stdio.h>
#include <string.h>

#include "bench/command.h"

struct subcommand {
    const char *name, *help;
    int (*run)(int argc, char **argv);
};

static const struct subcommand subcommands[] = {
    {"run", "a scenario through kouan, and through other servers beside it", command_run},
    {"sweep", "a scenario at rising loads, and where its knee is", command_sweep},
    {"compare", "two results of one scenario, figure by figure", command_compare},
    {"report", "one HTML page of the results that were kept", command_report},
    {"day", "publish a generated provincial day and verify what comes of it", command_day},
    {"generate", "write the messages of a day to stdout or to files", command_generate},
    {"null", "a router that does nothing: the machine's limit", command_null},
    {"micro", "what the stages of a message's way cost by themselves", command_micro},
    {"read", "what reading a message costs, kind by kind, without a server", command_read},
    {"scan", "how fast files of messages are scanned, verified by slow oracles", command_scan},
    {"window", "how fast the dedupe window is back after a start", command_window},
    {"disk", "what making blocks durable costs on a disk", command_disk},
};

enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof *subcommands };

static void print_help(FILE *out)
{
    fputs("kouan-bench COMMAND [OPTION]...\n\n", out);
    for (int i = 0; i < SUBCOMMAND_COUNT; i++)
        fprintf(out, "  %-10s %s\n", subcommands[i].name, subcommands[i].help);
    fputs("\nkouan-bench COMMAND --help tells more.\n", out);
}

int main(int argc, char **argv)
{
    if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0)) {
        print_help(stdout);
        return EXIT_OK;
    }
    for (int i = 0; argc >= 2 && i < SUBCOMMAND_COUNT; i++)
        if (strcmp(argv[1], subcommands[i].name) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    print_help(stderr);
    return EXIT_USAGE;
}
