/* kouan check: all that `serve` would read at start, and all that is wrong with it, in one run. */
#include <stdio.h>

#include "io/cli/arguments.h"
#include "io/cli/cli.h"
#include "io/cli/explain.h"
#include "io/cli/output.h"
#include "io/config/config_diff.h"

struct check_arguments {
    const char *config_path, *against;
    bool json, profiles;
};

static bool parse_arguments(int argc, char **argv, struct check_arguments *out,
                            enum cli_exit *out_exit)
{
    int first;
    const struct argument arguments[] = {
        {.letter = 'c',
         .name = "config",
         .kind = ARGUMENT_TEXT,
         .target = &out->config_path,
         .value = "FILE",
         .help = "the configuration; else the embedded defaults are checked"},
        {.name = "against",
         .kind = ARGUMENT_TEXT,
         .target = &out->against,
         .value = "FILE",
         .help = "also list what would change from this configuration, and what of it would\n"
                 "wait for a restart"},
        {.name = "profiles",
         .target = &out->profiles,
         .help = "also list the profiles, and how each recognises its messages"},
        {.name = "json", .target = &out->json, .help = "one JSON object"},
    };
    const struct argument_page page = {
        .command = "check",
        .operands = "",
        .about = "Reads a configuration and everything that it names, as `kouan serve` would, and\n"
                 "reports every error of every file, each with its place. Starts nothing.",
        .epilogue = "`kouan help CODE` explains a code. Exit code: 0, or 1 if there are errors.",
        .arguments = arguments,
        .argument_count = sizeof arguments / sizeof *arguments,
    };
    *out = (struct check_arguments){0};
    return arguments_parse(&page, argc, argv, &first, out_exit);
}

static uint64_t count_rules(const struct generation *generation)
{
    uint64_t rules = 0;
    for (uint16_t i = 0; i < generation->table_count; i++)
        rules += generation->tables[i]->rule_count;
    return rules;
}

/* Without the anonymous one. */
static unsigned count_participants(const struct generation *generation)
{
    return generation->directory.count - 1U;
}

/* ---- for people ---- */

static void print_bytes(const char *before, struct bytes bytes)
{
    fputs(before, stdout);
    output_escaped(stdout, bytes);
}

static void print_recognise(const struct profile *profile)
{
    static const char *const kinds[FORMAT_COUNT] = {
        [FORMAT_EDIFACT] = "UNH type", [FORMAT_XML] = "root", [FORMAT_JSON] = "member"};
    const struct recognise *recognise = &profile->recognise;
    fputs("    recognised by ", stdout);
    fputs(kinds[profile->plan.format], stdout);
    for (uint16_t i = 0; i < recognise->name_count; i++)
        print_bytes(i > 0 ? ", " : " ", recognise->names[i]);
    if (recognise->name_count == 0 && recognise->member_count == 0)
        fputs(" of any name", stdout);
    for (uint16_t i = 0; i < recognise->value_count; i++)
        print_bytes(i > 0 ? " | " : " = ", recognise->values[i]);
    for (uint16_t i = 0; i < recognise->member_count; i++)
        print_bytes(i > 0 || recognise->name_count > 0 ? " and " : " ", recognise->members[i]);
    for (uint16_t i = 0; i < recognise->namespace_count; i++)
        print_bytes(i > 0 ? " | " : ", namespace ", recognise->namespaces[i].size > 0
                                                        ? recognise->namespaces[i]
                                                        : BYTES_LITERAL("none"));
    if (recognise->first_bytes.data != NULL)
        print_bytes(", first bytes ", recognise->first_bytes);
    if (recognise->condition_count > 0)
        fputs(", where its conditions hold", stdout);
    if (recognise->otherwise)
        fputs(", if no other knows it", stdout);
    putchar('\n');
}

static void print_profiles(const struct profile_set *set)
{
    for (uint16_t i = 0; i < set->count; i++) {
        const struct profile *profile = set->profiles[i];
        output_painted(stdout, PAINT_BOLD, profile->name);
        printf("  %s, %s%s%s\n", profile->family, explain_format_name(profile->plan.format),
               profile->receipt ? ", receipt" : "", profile->shipped ? "" : ", own");
        if (profile->description[0] != '\0')
            printf("    %s\n", profile->description);
        print_recognise(profile);
    }
    putchar('\n');
}

static void print_plural(unsigned long count, const char *noun, const char *end)
{
    printf("%lu %s%s%s", count, noun, count == 1 ? "" : "s", end);
}

static void print_lists(const struct generation *generation)
{
    for (uint16_t i = 0; i < generation->list_count; i++) {
        const struct value_list *list = generation->lists[i];
        printf("  list @%s: ", list->name);
        print_plural(list->count, "value", list->version[0] != '\0' ? ", version " : "");
        output_escaped(stdout, bytes_from_text(list->version));
        putchar('\n');
    }
}

static void print_summary(const struct config *config, const struct diagnostics *diagnostics)
{
    if (config == NULL) {
        print_plural(diagnostics->error_count, "error", ", ");
        print_plural(diagnostics->warning_count, "warning", "\n");
        return;
    }
    const struct generation *generation = config->generation;
    output_painted(stdout, PAINT_GOOD, "ok");
    fputs(": ", stdout);
    print_plural(generation->profiles.count, "profile", ", ");
    print_plural(generation->table_count, "table", " with ");
    print_plural(count_rules(generation), "rule", ", ");
    print_plural(generation->destination_count, "destination", ", ");
    print_plural(count_participants(generation), "participant",
                 diagnostics->warning_count > 0 ? ", " : "\n");
    if (diagnostics->warning_count > 0)
        print_plural(diagnostics->warning_count, "warning", "\n");
    print_lists(generation);
}

/* ---- as JSON ---- */

static void print_json_member(const char *name, const char *text)
{
    printf("\"%s\":", name);
    output_json_text(stdout, text);
}

static void print_json_texts(const char *name, const struct bytes *items, uint16_t count)
{
    printf(",\"%s\":[", name);
    for (uint16_t i = 0; i < count; i++) {
        fputs(i > 0 ? "," : "", stdout);
        output_json(stdout, items[i]);
    }
    putchar(']');
}

static void print_profile_json(const struct profile *profile)
{
    const struct recognise *recognise = &profile->recognise;
    fputs("\n  {", stdout);
    print_json_member("name", profile->name);
    putchar(',');
    print_json_member("family", profile->family);
    printf(",\"format\":\"%s\",", explain_format_name(profile->plan.format));
    print_json_member("description", profile->description);
    printf(",\"receipt\":%s,\"shipped\":%s", profile->receipt ? "true" : "false",
           profile->shipped ? "true" : "false");
    print_json_texts("recognised_names", recognise->names, recognise->name_count);
    print_json_texts("recognised_values", recognise->values, recognise->value_count);
    print_json_texts("recognised_members", recognise->members, recognise->member_count);
    print_json_texts("recognised_namespaces", recognise->namespaces, recognise->namespace_count);
    printf(",\"otherwise\":%s", recognise->otherwise ? "true" : "false");
    if (recognise->first_bytes.data != NULL) {
        fputs(",\"first_bytes\":", stdout);
        output_json(stdout, recognise->first_bytes);
    }
    putchar('}');
}

static void print_lists_json(const struct generation *generation)
{
    fputs(",\"lists\":[", stdout);
    for (uint16_t i = 0; i < generation->list_count; i++) {
        const struct value_list *list = generation->lists[i];
        fputs(i > 0 ? ",{" : "{", stdout);
        print_json_member("name", list->name);
        printf(",\"values\":%u,", list->count);
        print_json_member("version", list->version);
        putchar('}');
    }
    putchar(']');
}

static void print_json(const struct config *config, const struct diagnostics *diagnostics,
                       const struct config_diff *diff, bool profiles)
{
    printf("{\"ok\":%s,\"errors\":%u,\"warnings\":%u,\"diagnostics\":",
           config != NULL ? "true" : "false", diagnostics->error_count, diagnostics->warning_count);
    diagnostics_print_json(diagnostics, stdout);
    if (config != NULL) {
        const struct generation *generation = config->generation;
        printf(",\"profiles\":%u,\"tables\":%u,\"rules\":%lu,\"destinations\":%u,"
               "\"participants\":%u",
               generation->profiles.count, generation->table_count,
               (unsigned long)count_rules(generation), generation->destination_count,
               count_participants(generation));
        print_lists_json(generation);
        if (profiles) {
            fputs(",\"profile_list\":[", stdout);
            for (uint16_t i = 0; i < generation->profiles.count; i++) {
                fputs(i > 0 ? "," : "", stdout);
                print_profile_json(generation->profiles.profiles[i]);
            }
            putchar(']');
        }
    }
    if (diff != NULL) {
        fputs(",\n \"changes\":", stdout);
        config_diff_print_json(diff, stdout);
    }
    fputs("}\n", stdout);
}

enum cli_exit cli_check(int argc, char **argv)
{
    struct check_arguments arguments;
    enum cli_exit exit_code;
    if (!parse_arguments(argc, argv, &arguments, &exit_code))
        return exit_code;
    struct diagnostics diagnostics;
    struct config *config = NULL;
    struct config_diff diff = {0};
    diagnostics_init(&diagnostics);
    enum status status = config_load(arguments.config_path, &config, &diagnostics);
    if (status == STATUS_OK && arguments.against != NULL) {
        struct config *before;
        status = config_load(arguments.against, &before, &diagnostics);
        if (status == STATUS_OK) {
            config_diff_make(before, NULL, config, &diff);
            config_free(before);
        } else {
            config_free(config);
            config = NULL;
        }
    }
    bool compared = status == STATUS_OK && arguments.against != NULL;
    if (arguments.json) {
        print_json(config, &diagnostics, compared ? &diff : NULL, arguments.profiles);
    } else {
        diagnostics_print(&diagnostics, stdout);
        if (config != NULL && arguments.profiles)
            print_profiles(&config->generation->profiles);
        print_summary(config, &diagnostics);
        if (compared)
            config_diff_print(&diff, UINT32_MAX, stdout);
    }
    config_diff_free(&diff);
    config_free(config);
    diagnostics_deinit(&diagnostics);
    return status == STATUS_OK ? CLI_OK : CLI_INVALID;
}
