/* kouan reload and kouan rollback: another configuration, while messages run through. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/operator.h"
#include "io/config/options.h"
#include "io/reload/rehearsal.h"

/* What `kouan reload` was asked for. */
struct asked {
    struct operator_settings settings;
    bool rehearse, apply;
    uint64_t last;
    const char *seconds;
};

/* False: what was given does not go together, which is said. */
static bool is_sound(const struct asked *asked, bool has_digest)
{
    const char *problem = NULL;
    if (asked->rehearse && asked->apply)
        problem = "--rehearse comes first, and --apply when you have seen what it says";
    else if (!asked->rehearse && (asked->last > 0 || asked->seconds != NULL))
        problem = "--last and --for are of --rehearse";
    else if (!asked->apply && has_digest)
        problem = "a candidate is named with --apply";
    if (problem != NULL)
        arguments_fail("reload", "%s", problem);
    return problem == NULL;
}

static enum cli_exit rehearse(const struct asked *asked)
{
    char last[24], seconds[24];
    uint64_t value;
    struct bytes words[6] = {BYTES_LITERAL("RELOAD"), BYTES_LITERAL("REHEARSE")};
    uint32_t count = 2;
    if (asked->last > 0) {
        snprintf(last, sizeof last, "%" PRIu64, asked->last);
        words[count++] = BYTES_LITERAL("LAST");
        words[count++] = bytes_from_text(last);
    }
    if (asked->seconds != NULL) {
        if (!option_parse_value(bytes_from_text(asked->seconds), UNIT_S, &value) || value == 0 ||
            value > REHEARSAL_SECONDS_MAX)
            return arguments_fail("reload", "--for wants a time from 1s to %ds, as 60s or 2m",
                                  REHEARSAL_SECONDS_MAX);
        snprintf(seconds, sizeof seconds, "%" PRIu64, value);
        words[count++] = BYTES_LITERAL("FOR");
        words[count++] = bytes_from_text(seconds);
    }
    return operator_call(&asked->settings, words, count);
}

enum cli_exit cli_reload(int argc, char **argv)
{
    struct asked asked = {.settings.command = "reload"};
    const struct argument arguments[] = {
        OPERATOR_ARGUMENTS(asked.settings),
        {.name = "rehearse",
         .target = &asked.rehearse,
         .help = "change nothing: decide messages of the journal by these files,\n"
                 "too, and print what would be decided otherwise"},
        {.name = "last",
         .kind = ARGUMENT_NUMBER,
         .target = &asked.last,
         .value = "N",
         .min = 1,
         .max = REHEARSAL_LAST_MAX,
         .help = "with the last N messages (default 100000, without --for)"},
        {.name = "for",
         .kind = ARGUMENT_TEXT,
         .target = &asked.seconds,
         .value = "TIME",
         .help = "with what comes in from now on, for so long: 60s, 2m"},
        {.name = "apply",
         .target = &asked.apply,
         .help = "only what was rehearsed last, and is DIGEST if that is given;\n"
                 "if the files have changed since, it says so, and changes nothing"},
    };
    const struct argument_page page = {
        .command = "reload",
        .operands = "[DIGEST]",
        .about = "Has the running server load its configuration again, with all files that it\n"
                 "names. What is in order takes over between two batches of messages, on all\n"
                 "shards; what is not changes nothing, and each error is told with its place.\n"
                 "Prints what changed, and what waits for a restart.",
        .epilogue =
            "Exit code: 0 the server runs by these files, or has rehearsed them, 1 they are\n"
            "refused, 3 the server cannot be reached.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    if (!is_sound(&asked, first < argc))
        return CLI_USAGE;
    if (asked.rehearse)
        return rehearse(&asked);
    struct bytes words[3] = {BYTES_LITERAL("RELOAD"), BYTES_LITERAL("APPLY")};
    if (first < argc)
        words[2] = bytes_from_text(argv[first]);
    return operator_call(&asked.settings, words, !asked.apply ? 1 : first < argc ? 3 : 2);
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
