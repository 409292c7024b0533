/* kouan rules: looks at rule tables. */
#include "io/cli/rules.h"

#include "io/cli/arguments.h"

static const struct subcommand subcommands[] = {{"test", rules_test}, {"stats", rules_stats}};
enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof *subcommands };

enum cli_exit cli_rules(int argc, char **argv)
{
    static const struct argument_page page = {
        .command = "rules",
        .operands = "test|stats ...",
        .about = "test     example messages, and whether the tables send them where they should\n"
                 "stats    how often each rule was hit, which never, and what stands in its way",
        .epilogue = "`kouan rules test --help` says more of one.",
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    return arguments_run_subcommand(&page, subcommands, SUBCOMMAND_COUNT, argc, argv);
}
