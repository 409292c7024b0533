/* kouan config: which configuration runs, which ran, and what changes from one to another. */
#include "io/cli/config.h"

#include "io/cli/operator.h"

static enum cli_exit ask(const char *word, const char *about, int argc, char **argv)
{
    struct operator_settings settings = {.command = word};
    const struct argument arguments[] = {OPERATOR_ARGUMENTS(settings)};
    const struct argument_page page = {
        .command = word,
        .operands = "",
        .about = about,
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    const struct bytes words[] = {BYTES_LITERAL("CONFIG"), bytes_from_text(strchr(word, ' ') + 1)};
    return operator_call(&settings, words, 2);
}

static enum cli_exit show(int argc, char **argv)
{
    return ask("config show",
               "What the server runs by now: the number of its generation, since when, by whom,\n"
               "and from which files, by the beginning of their SHA-256.",
               argc, argv);
}

static enum cli_exit history(int argc, char **argv)
{
    return ask("config history",
               "The generations that ran, the oldest first: number, since when, the beginning of\n"
               "the SHA-256 of what it was made from, and by whom.",
               argc, argv);
}

static const struct subcommand subcommands[] = {
    {"show", show}, {"history", history}, {"diff", config_diff_command}};
enum { SUBCOMMAND_COUNT = sizeof subcommands / sizeof *subcommands };

enum cli_exit cli_config(int argc, char **argv)
{
    static const struct argument_page page = {
        .command = "config",
        .operands = "show|history|diff ...",
        .about = "show     what the server runs by now, since when, by whom\n"
                 "history  the generations that ran\n"
                 "diff     what changes from what it runs by to its files, or from one "
                 "configuration to another",
        .epilogue = "`kouan config diff --help` says more of one.",
        .operands_min = 1,
        .operands_max = OPERANDS_ANY,
    };
    return arguments_run_subcommand(&page, subcommands, SUBCOMMAND_COUNT, argc, argv);
}
