/* kouan reload and kouan rollback: another configuration, while messages run through. */
#include "io/cli/operator.h"

enum cli_exit cli_reload(int argc, char **argv)
{
    struct operator_settings settings = {.command = "reload"};
    const struct argument arguments[] = {OPERATOR_ARGUMENTS(settings)};
    const struct argument_page page = {
        .command = "reload",
        .operands = "",
        .about = "Has the running server load its configuration again, with all files that it\n"
                 "names. What is in order takes over between two batches of messages, on all\n"
                 "shards; what is not changes nothing, and each error is told with its place.\n"
                 "Prints what changed, and what waits for a restart.",
        .epilogue =
            "Exit code: 0 the server runs by these files, 1 they are refused, 3 the server\n"
            "cannot be reached.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    return operator_call(&settings, &BYTES_LITERAL("RELOAD"), 1);
}

enum cli_exit cli_rollback(int argc, char **argv)
{
    struct operator_settings settings = {.command = "rollback"};
    const struct argument arguments[] = {OPERATOR_ARGUMENTS(settings)};
    const struct argument_page page = {
        .command = "rollback",
        .operands = "[GENERATION]",
        .about = "Has the running server go back to what a generation was made from, as it is\n"
                 "stored beside the journal: to the one that ran before this, or the one named.\n"
                 "It gets a number of its own. The files of the configuration stay as they are.",
        .epilogue = "Exit code: as of `kouan reload`.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    uint64_t number;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    struct bytes words[2] = {BYTES_LITERAL("ROLLBACK")};
    if (first == argc)
        return operator_call(&settings, words, 1);
    words[1] = bytes_from_text(argv[first]);
    if (!bytes_parse_u64(words[1], &number) || number == 0)
        return arguments_fail("rollback", "`%s` is no number of a generation", argv[first]);
    return operator_call(&settings, words, 2);
}
