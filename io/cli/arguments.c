#include "io/cli/arguments.h"

#include <assert.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/bytes.h"
#include "io/cli/cli.h"
#include "routes/suggest.h"

enum { NAMED = 256 }; /* what getopt_long returns for row i: NAMED + i */

static void print_help(const struct argument_page *page);
static bool apply(const struct argument_page *page, const struct argument *argument,
                  const char *value);
static void report_unknown(const struct argument_page *page, const char *written);

struct getopt_tables {
    struct option options[ARGUMENTS_MAX + 2];
    char letters[2 * ARGUMENTS_MAX + 4];
};

static void fill_tables(const struct argument_page *page, struct getopt_tables *out)
{
    size_t letter_count = 0;
    assert(page->argument_count <= ARGUMENTS_MAX);
    out->letters[letter_count++] = ':'; /* tells a missing value from an unknown option */
    out->letters[letter_count++] = 'h';
    for (uint32_t i = 0; i < page->argument_count; i++) {
        const struct argument *argument = &page->arguments[i];
        bool valued = argument->kind == ARGUMENT_TEXT || argument->kind == ARGUMENT_NUMBER;
        out->options[i] = (struct option){
            .name = argument->name,
            .has_arg = valued                                       ? required_argument
                       : argument->kind == ARGUMENT_OPTIONAL_NUMBER ? optional_argument
                                                                    : no_argument,
            .val = NAMED + (int)i,
        };
        if (argument->letter == 0)
            continue;
        out->letters[letter_count++] = argument->letter;
        if (valued)
            out->letters[letter_count++] = ':';
    }
    out->letters[letter_count] = '\0';
    out->options[page->argument_count] = (struct option){.name = "help", .val = 'h'};
    out->options[page->argument_count + 1] = (struct option){0};
}

static const struct argument *find_argument(const struct argument_page *page, int option)
{
    if (option >= NAMED)
        return &page->arguments[option - NAMED];
    for (uint32_t i = 0; i < page->argument_count; i++)
        if (page->arguments[i].letter == option)
            return &page->arguments[i];
    return NULL;
}

bool arguments_parse(const struct argument_page *page, int argc, char **argv, int *out_first,
                     enum cli_exit *out_exit)
{
    struct getopt_tables tables;
    fill_tables(page, &tables);
    *out_exit = CLI_USAGE;
    opterr = 0;
    optind = 1;
    for (int option;
         (option = getopt_long(argc, argv, tables.letters, tables.options, NULL)) != -1;) {
        if (option == 'h') {
            print_help(page);
            *out_exit = CLI_OK;
            return false;
        }
        if (option == ':') {
            arguments_fail(page->command, "`%s` wants a value", argv[optind - 1]);
            return false;
        }
        if (option == '?') {
            report_unknown(page, argv[optind - 1]);
            return false;
        }
        if (!apply(page, find_argument(page, option), optarg))
            return false;
    }
    int operand_count = argc - optind;
    if (operand_count < page->operands_min || operand_count > page->operands_max) {
        if (operand_count > page->operands_max)
            arguments_fail(page->command, "`%s` is one argument too many",
                           argv[optind + page->operands_max]);
        else
            arguments_fail(page->command, "something is missing: kouan %s %s", page->command,
                           page->operands);
        return false;
    }
    *out_first = optind;
    return true;
}

enum cli_exit arguments_run_subcommand(const struct argument_page *page,
                                       const struct subcommand *subcommands, uint32_t count,
                                       int argc, char **argv)
{
    const char *names[SUBCOMMANDS_MAX];
    assert(count <= SUBCOMMANDS_MAX);
    for (uint32_t i = 0; i < count; i++) {
        names[i] = subcommands[i].name;
        if (argc > 1 && strcmp(argv[1], names[i]) == 0)
            return subcommands[i].run(argc - 1, argv + 1);
    }
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(page, argc, argv, &first, &exit_code))
        return exit_code;
    const char *near = suggest_name(bytes_from_text(argv[first]), names, count);
    if (near != NULL)
        return arguments_fail(page->command, "there is no `%s`; did you mean `%s`?", argv[first],
                              near);
    return arguments_fail(page->command, "there is no `%s`", argv[first]);
}

enum cli_exit arguments_fail(const char *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "kouan %s: ", command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, "\n`kouan %s --help` says more.\n", command);
    return CLI_USAGE;
}

static bool apply(const struct argument_page *page, const struct argument *argument,
                  const char *value)
{
    uint64_t number = argument->min;
    switch (argument->kind) {
    case ARGUMENT_SWITCH: *(bool *)argument->target = true; return true;
    case ARGUMENT_TEXT: *(const char **)argument->target = value; return true;
    case ARGUMENT_NUMBER:
    case ARGUMENT_OPTIONAL_NUMBER: break;
    }
    if (value != NULL && (!bytes_parse_u64(bytes_from_text(value), &number) ||
                          number < argument->min || number > argument->max)) {
        arguments_fail(page->command, "--%s is a number from %" PRIu64 " to %" PRIu64 ", not `%s`",
                       argument->name, argument->min, argument->max, value);
        return false;
    }
    *(uint64_t *)argument->target = number;
    return true;
}

/* getopt_long also takes unambiguous beginnings of names; what it refuses is unknown or ambiguous,
 * or a switch that was given a value. */
static void report_unknown(const struct argument_page *page, const char *written)
{
    const char *names[ARGUMENTS_MAX];
    if (written[0] != '-' || written[1] != '-') {
        arguments_fail(page->command, "there is no option `-%c`", optopt);
        return;
    }
    for (uint32_t i = 0; i < page->argument_count; i++)
        names[i] = page->arguments[i].name;
    struct bytes name = bytes_make(written + 2, strcspn(written + 2, "="));
    const char *near = suggest_name(name, names, page->argument_count);
    if (near != NULL && bytes_equal_text(name, near))
        arguments_fail(page->command, "`--%s` takes no value", near);
    else if (near != NULL)
        arguments_fail(page->command, "there is no option `%s`; did you mean `--%s`?", written,
                       near);
    else
        arguments_fail(page->command, "there is no option `%s`", written);
}

/* ---- help ---- */

enum { HELP_COLUMN = 26 };

static void print_row(char letter, const char *name, const char *value, bool optional,
                      const char *help)
{
    char form[128];
    char short_form[8] = "    ";
    if (letter != 0)
        snprintf(short_form, sizeof short_form, "-%c, ", letter);
    if (value != NULL)
        snprintf(form, sizeof form, optional ? "%s--%s[=%s]" : "%s--%s %s", short_form, name,
                 value);
    else
        snprintf(form, sizeof form, "%s--%s", short_form, name);
    if (strlen(form) <= HELP_COLUMN - 2)
        printf("  %-*s", HELP_COLUMN, form);
    else
        printf("  %s\n  %*s", form, HELP_COLUMN, "");
    for (; *help != '\0'; help++) {
        putchar(*help);
        if (*help == '\n')
            printf("  %*s", HELP_COLUMN, "");
    }
    putchar('\n');
}

static void print_help(const struct argument_page *page)
{
    printf("usage: kouan %s [OPTIONS]%s%s\n\n%s\n\n", page->command,
           page->operands[0] != '\0' ? " " : "", page->operands, page->about);
    for (uint32_t i = 0; i < page->argument_count; i++) {
        const struct argument *argument = &page->arguments[i];
        print_row(argument->letter, argument->name, argument->value,
                  argument->kind == ARGUMENT_OPTIONAL_NUMBER, argument->help);
    }
    print_row('h', "help", NULL, false, "this");
    if (page->epilogue != NULL)
        printf("\n%s\n", page->epilogue);
}
