/* kouan config diff: what changes from one configuration to another. Starts nothing. */
#include "io/config_diff.h"

#include "io/cli/arguments.h"
#include "io/cli/config.h"

static struct config *load(const char *path, struct diagnostics *diagnostics)
{
    struct config *config = NULL;
    if (config_load(path, &config, diagnostics) != STATUS_OK)
        return NULL;
    return config;
}

enum cli_exit config_diff_command(int argc, char **argv)
{
    bool json = false;
    const struct argument arguments[] = {
        {.name = "json", .target = &json, .help = "one JSON array, an object a change"},
    };
    const struct argument_page page = {
        .command = "config diff",
        .operands = "OLD NEW",
        .about = "Loads two configurations with all that they name, and lists what has changed:\n"
                 "rules by table and id, and in which cells; profiles, participants, channels,\n"
                 "destinations, lists, options; and what of it would wait for a restart.",
        .epilogue = "Exit code: 0, or 1 if one of them has errors, which are reported.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_min = 2,
        .operands_max = 2,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    struct config *before = load(argv[first], &diagnostics);
    struct config *next = load(argv[first + 1], &diagnostics);
    bool are_right = before != NULL && next != NULL;
    if (are_right) {
        struct config_diff diff;
        config_diff_make(before, NULL, next, &diff);
        if (json) {
            config_diff_print_json(&diff, stdout);
            putchar('\n');
        } else {
            config_diff_print(&diff, UINT32_MAX, stdout);
        }
        config_diff_free(&diff);
    } else {
        diagnostics_print(&diagnostics, stderr);
    }
    config_free(before);
    config_free(next);
    diagnostics_deinit(&diagnostics);
    return are_right ? CLI_OK : CLI_INVALID;
}
