/* kouan rules test: example messages beside the rule tables, held against what these decide. */
#include "io/cli/arguments.h"
#include "io/cli/rules.h"
#include "io/config/rule_tests.h"

static void run_files(struct rule_tests *tests, char **paths, int count)
{
    const struct config *config = tests->config;
    for (int i = 0; i < count; i++)
        rule_tests_run(tests, paths[i], (struct place){.file = paths[i]});
    for (uint32_t i = 0; count == 0 && i < config->test_count; i++)
        rule_tests_run(tests, config->test_paths[i], config->test_places[i]);
}

static enum cli_exit run(const char *config_path, char **paths, int count)
{
    const struct config_source source = {
        .read = config_read_system, .shipped = shipped_profiles, .without_tests = true};
    struct diagnostics diagnostics;
    struct config *config = NULL;
    struct rule_tests tests = {.source = &source, .diagnostics = &diagnostics};
    diagnostics_init(&diagnostics);
    enum status status = config_load_from(&source, config_path, &config, &diagnostics);
    tests.config = config;
    if (status == STATUS_OK)
        run_files(&tests, paths, count);
    diagnostics_print(&diagnostics, stderr);
    if (status == STATUS_OK)
        printf("%u example%s as expected, %u not\n", tests.passed, tests.passed == 1 ? "" : "s",
               tests.failed);
    bool good = diagnostics.error_count == 0;
    config_free(config);
    diagnostics_deinit(&diagnostics);
    return good ? CLI_OK : CLI_INVALID;
}

enum cli_exit rules_test(int argc, char **argv)
{
    const char *config_path = NULL;
    const struct argument arguments[] = {
        {.letter = 'c',
         .name = "config",
         .kind = ARGUMENT_TEXT,
         .target = &config_path,
         .value = "FILE",
         .help = "the configuration with the tables; else the embedded defaults"},
    };
    const struct argument_page page = {
        .command = "rules test",
        .operands = "[FILE...]",
        .about =
            "Decides the messages of examples by the tables of a configuration, and tells\n"
            "each that goes elsewhere than its example says. Without files, those that the\n"
            "configuration names as `rule_tests`, which `check`, `serve` and a reload run, too.",
        .epilogue = "Exit code: 0, or 1 if an example turns out otherwise, or anything is wrong.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
        .operands_max = OPERANDS_ANY,
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    return run(config_path, argv + first, argc - first);
}
