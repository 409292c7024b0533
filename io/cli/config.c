/* kouan config: what changes from one configuration to another. */
#include "io/cli/config.h"

#include "io/cli/arguments.h"

static const struct subcommand subcommands[] = {{"diff", config_diff_command}};
enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof *subcommands };

enum cli_exit cli_config(int argc, char **argv)
{
    static const struct argument_page page = {
        .command = "config",
        .operands = "diff ...",
        .about = "diff     what changes from one configuration to another",
        .epilogue = "`kouan config diff --help` says more.",
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    return arguments_run_subcommand(&page, subcommands, SUBCOMMAND_COUNT, argc, argv);
}
