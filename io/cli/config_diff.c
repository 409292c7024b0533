/* kouan config diff: what changes from one configuration to another, or from what a server runs by
 * to its files. Starts nothing. */
#include "io/config/config_diff.h"

#include "io/cli/arguments.h"
#include "io/cli/config.h"
#include "io/cli/operator.h"

static enum cli_exit compare(const char *const *paths, bool json);

enum cli_exit config_diff_command(int argc, char **argv)
{
    struct operator_settings settings = {.command = "config diff"};
    const struct argument arguments[] = {OPERATOR_ARGUMENTS(settings)};
    const struct argument_page page = {
        .command = "config diff",
        .operands = "[OLD NEW]",
        .about = "Lists what has changed: rules by table and id, and in which cells; profiles and\n"
                 "their order, participants, channels, destinations, lists, options; and what of\n"
                 "it would wait for a restart. From the configuration OLD to NEW, with all that\n"
                 "they name, without a server; or else from what a server runs by to its files as\n"
                 "they are now, which it reads as for a reload, and changes nothing.",
        .epilogue =
            "Exit code: 0, or 1 if one of them has errors, which are reported; 3 the server\n"
            "cannot be reached.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 2,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    if (argc - first == 1)
        return arguments_fail("config diff",
                              "one configuration is compared with what? Give two, or "
                              "none, and -c FILE of the server's");
    if (argc - first == 2)
        return compare((const char *const *)argv + first, settings.json);
    const struct bytes words[] = {BYTES_LITERAL("CONFIG"), BYTES_LITERAL("DIFF")};
    return operator_call(&settings, words, 2);
}

static struct config *load(const char *path, struct diagnostics *diagnostics)
{
    struct config *config = NULL;
    if (config_load(path, &config, diagnostics) != STATUS_OK)
        return NULL;
    return config;
}

static void print(const struct config *before, const struct config *next, bool json)
{
    struct config_diff diff;
    config_diff_make(before, NULL, next, &diff);
    if (json) {
        config_diff_print_json(&diff, stdout);
        putchar('\n');
    } else {
        config_diff_print(&diff, UINT32_MAX, stdout);
    }
    config_diff_free(&diff);
}

static enum cli_exit compare(const char *const *paths, bool json)
{
    struct diagnostics diagnostics;
    diagnostics_init(&diagnostics);
    struct config *before = load(paths[0], &diagnostics);
    struct config *next = load(paths[1], &diagnostics);
    bool are_right = before != NULL && next != NULL;
    if (are_right)
        print(before, next, json);
    else
        diagnostics_print(&diagnostics, stderr);
    config_free(before);
    config_free(next);
    diagnostics_deinit(&diagnostics);
    return are_right ? CLI_OK : CLI_INVALID;
}
