/* kouan journal: looks at a journal folder, and saves what can be saved of a damaged one. */
#include "io/cli/logbook.h"

static const struct subcommand subcommands[] = {
    {"info", cli_journal_info},     {"verify", cli_journal_verify}, {"show", cli_journal_show},
    {"export", cli_journal_export}, {"repair", cli_journal_repair},
};
enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof *subcommands };

enum cli_exit cli_journal(int argc, char **argv)
{
    static const struct argument_page page = {
        .command = "journal",
        .operands = "info|verify|show|export|repair ...",
        .about = "info    what is in a journal: segments, generations, groups, who has it open\n"
                 "verify  reads every block and record, and tells every place that is not as it\n"
                 "        was written\n"
                 "show    the records, as people or programs read them\n"
                 "export  the messages as they came in, as files or one stream\n"
                 "repair  copies what verifies to a new journal, and lists what is lost\n\n"
                 "All of them but `repair` also work while a server has the journal open; none of\n"
                 "them writes into it.",
        .epilogue = "`kouan journal show --help` says more of one.",
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    return arguments_run_subcommand(&page, subcommands, SUBCOMMAND_COUNT, argc, argv);
}
