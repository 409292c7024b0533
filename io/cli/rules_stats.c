/* kouan rules stats: how often the rules of a server that runs were hit, or of a configuration that
 * need not run, what stands in their way. */
#include <inttypes.h>

#include "io/cli/arguments.h"
#include "io/cli/operator.h"
#include "io/cli/rules.h"
#include "io/config/config.h"
#include "io/reload/rule_stats.h"

struct settings {
    struct operator_settings server;
    const char *table;
    bool is_never, is_json;
    uint64_t top;
};

/* [TABLE name] [NEVER] [TOP count] [JSON] */
static enum cli_exit ask_server(const struct settings *settings)
{
    char top[24];
    struct bytes words[7] = {BYTES_LITERAL("RULES"), BYTES_LITERAL("STATS")};
    uint32_t count = 2;
    if (settings->table != NULL) {
        words[count++] = BYTES_LITERAL("TABLE");
        words[count++] = bytes_from_text(settings->table);
    }
    if (settings->is_never)
        words[count++] = BYTES_LITERAL("NEVER");
    if (settings->top > 0) {
        snprintf(top, sizeof top, "%" PRIu64, settings->top);
        words[count++] = BYTES_LITERAL("TOP");
        words[count++] = bytes_from_text(top);
    }
    if (settings->is_json)
        words[count++] = BYTES_LITERAL("JSON");
    return operator_call(&settings->server, words, count);
}

static enum cli_exit look_at(const struct settings *settings, const char *path)
{
    struct rule_stats_choice choice = {.is_json = settings->is_json};
    const struct config_source source = {
        .read = config_read_system, .shipped = shipped_profiles, .without_tests = true};
    struct diagnostics diagnostics;
    struct config *config = NULL;
    enum cli_exit end = CLI_INVALID;
    if (settings->table != NULL)
        snprintf(choice.table, sizeof choice.table, "%s", settings->table);
    diagnostics_init(&diagnostics);
    if (config_load_from(&source, path, &config, &diagnostics) != STATUS_OK)
        diagnostics_print(&diagnostics, stderr);
    else if (rule_stats_print(config->generation, NULL, &choice, stdout))
        end = CLI_OK;
    else
        fprintf(stderr, "there is no table %s\n", settings->table);
    config_free(config);
    diagnostics_deinit(&diagnostics);
    return end;
}

static enum cli_exit run(const struct settings *settings, const char *path)
{
    const struct operator_settings *server = &settings->server;
    if (settings->table != NULL &&
        (settings->table[0] == '\0' || strlen(settings->table) >= RULE_STATS_TABLE_BYTES))
        return arguments_fail("rules stats", "`%s` is no name of a table", settings->table);
    if (path == NULL)
        return ask_server(settings);
    if (server->config_path != NULL || server->control != NULL || settings->is_never ||
        settings->top > 0)
        return arguments_fail("rules stats", "--config, --control, --never and --top are of a "
                                             "running server; with FILE none is asked");
    return look_at(settings, path);
}

enum cli_exit rules_stats(int argc, char **argv)
{
    struct settings settings = {.server = {.command = "rules stats"}};
    const struct argument arguments[] = {
        {.letter = 'c',
         .name = "config",
         .kind = ARGUMENT_TEXT,
         .target = &settings.server.config_path,
         .value = "FILE",
         .help = "the configuration of the server, which says where its control\n"
                 "socket is; without it as with the embedded defaults"},
        {.name = "control",
         .kind = ARGUMENT_TEXT,
         .target = &settings.server.control,
         .value = "PATH",
         .help = "the control socket itself"},
        {.name = "table",
         .kind = ARGUMENT_TEXT,
         .target = &settings.table,
         .value = "NAME",
         .help = "the rules of this table alone"},
        {.name = "never", .target = &settings.is_never, .help = "rules that were never hit"},
        {.name = "top",
         .kind = ARGUMENT_NUMBER,
         .target = &settings.top,
         .value = "N",
         .help = "those N that were hit most, the first of them first",
         .min = 1,
         .max = UINT32_MAX},
        {.name = "json", .target = &settings.is_json, .help = "one JSON object"},
    };
    const struct argument_page page = {
        .command = "rules stats",
        .operands = "[FILE]",
        .about =
            "How often each rule was the match of a message since when, and when last; and, from\n"
            "the tables alone, which rules never decide, as one earlier rule takes all that they\n"
            "would, and of which earlier rules take a part. Asks the server that runs; of FILE,\n"
            "a configuration that need not run, it tells what the tables alone say.",
        .epilogue = "A rule that a reload leaves as it was goes on counting; any other begins anew,"
                    " and\nall do at a start. Exit code: 0, 1 if there is no such table or FILE has"
                    " errors,\n3 if the server cannot be reached.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = 1,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    return run(&settings, first < argc ? argv[first] : NULL);
}
