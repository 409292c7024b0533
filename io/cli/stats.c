/* kouan stats: what came, minute by minute, by what it was. */
#include <inttypes.h>
#include <stdio.h>

#include "io/cli/arguments.h"
#include "io/cli/operator.h"
#include "io/config/options.h"
#include "io/state/minute_report.h"

enum cli_exit cli_stats(int argc, char **argv)
{
    struct operator_settings settings = {.command = "stats"};
    const char *by = "type", *since = "1h";
    bool is_json = false;
    const struct argument arguments[] = {
        {.letter = 'c',
         .name = "config",
         .kind = ARGUMENT_TEXT,
         .target = &settings.config_path,
         .value = "FILE",
         .help = "the configuration of the server, which says where its control\n"
                 "socket is; without it as with the embedded defaults"},
        {.name = "control",
         .kind = ARGUMENT_TEXT,
         .target = &settings.control,
         .value = "PATH",
         .help = "the control socket itself"},
        {.name = "by",
         .kind = ARGUMENT_TEXT,
         .target = &by,
         .value = "COLUMNS",
         .help = "of minute, type, office, eport, destination and verdict, with\n"
                 "commas between (default: type)"},
        {.name = "since",
         .kind = ARGUMENT_TEXT,
         .target = &since,
         .value = "TIME",
         .help = "so long back: 10m, 24h (default: 1h)"},
        {.name = "json", .target = &is_json, .help = "one JSON object"},
    };
    const struct argument_page page = {
        .command = "stats",
        .operands = "",
        .about =
            "How many messages came, and bytes, by type, customs office, participant of origin\n"
            "(eport), destination or verdict. A message that goes to several destinations counts\n"
            "at each by --by destination, and once in all other sums. A minute is that of the\n"
            "message's id. Kept for `stats_span`, over all shards, and over restarts.",
        .epilogue = "Exit code: 0, 1 if nothing is counted (`stats_span: 0`), 3 if the server "
                    "cannot be\nreached.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
    };
    int first;
    enum cli_exit exit_code;
    uint32_t columns;
    uint64_t seconds;
    char text[24];
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    if (!minute_choice_parse_by(bytes_from_text(by), &columns))
        return arguments_fail("stats",
                              "--by wants some of minute, type, office, eport, destination "
                              "and verdict, with commas between, this is `%s`",
                              by);
    if (!option_parse_value(bytes_from_text(since), UNIT_S, &seconds) || seconds == 0 ||
        seconds > UINT32_MAX)
        return arguments_fail("stats", "--since wants a time, as 10m or 24h, this is `%s`", since);
    snprintf(text, sizeof text, "%" PRIu64, seconds);
    const struct bytes words[] = {BYTES_LITERAL("STATS"), BYTES_LITERAL("BY"),
                                  bytes_from_text(by),    BYTES_LITERAL("SINCE"),
                                  bytes_from_text(text),  BYTES_LITERAL("JSON")};
    return operator_call(&settings, words, is_json ? 6 : 5);
}
