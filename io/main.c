/* kouan: dispatches to the commands of io/cli. */
#include <stdio.h>
#include <string.h>

#include "io/cli/cli.h"
#include "routes/suggest.h"

struct cli_command {
    const char *name, *text;
    enum cli_exit (*run)(int argc, char **argv);
};

static const struct cli_command commands[] = {
#define X(name, text) {#name, text, cli_##name},
    CLI_COMMAND_LIST(X)
#undef X
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_usage(FILE *out)
{
    fputs("usage: kouan COMMAND [OPTIONS]\n\n"
          "Kouan routes customs-clearance messages: it takes each in, makes sure that it is new,\n"
          "decides who shall have it, and hands it on, with a receipt at each end.\n\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].text);
    fputs("\n`kouan COMMAND --help` says more. Exit codes: 0 ok, 1 invalid, 2 usage, "
          "3 unreachable.\n",
          out);
}

static enum cli_exit report_unknown(const char *name)
{
    const char *names[COMMAND_COUNT];
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = commands[i].name;
    const char *near = suggest_name(bytes_from_text(name), names, COMMAND_COUNT);
    fprintf(stderr, "kouan: there is no command `%s`", name);
    if (near != NULL)
        fprintf(stderr, "; did you mean `%s`?", near);
    fputs("\n`kouan --help` lists them.\n", stderr);
    return CLI_USAGE;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        print_usage(stderr);
        return CLI_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return CLI_OK;
    }
    if (strcmp(argv[1], "--version") == 0)
        return (int)cli_version(argc - 1, argv + 1);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(argv[1], commands[i].name) == 0)
            return (int)commands[i].run(argc - 1, argv + 1);
    return (int)report_unknown(argv[1]);
}
