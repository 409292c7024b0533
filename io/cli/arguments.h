/* The options of a command: one table from which they are parsed (by getopt_long) and `--help` is
 * written. Every command has `-h, --help` without saying so. */
#ifndef KOUAN_IO_CLI_ARGUMENTS_H
#define KOUAN_IO_CLI_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "io/cli/cli.h"

enum { ARGUMENTS_MAX = 32, SUBCOMMANDS_MAX = 16, OPERANDS_ANY = INT32_MAX };

enum argument_kind {
    ARGUMENT_SWITCH,         /* bool */
    ARGUMENT_TEXT,           /* const char * */
    ARGUMENT_NUMBER,         /* uint64_t */
    ARGUMENT_OPTIONAL_NUMBER /* uint64_t: `--watch=2`; `--watch` alone gives `min` */
};

struct argument {
    char letter; /* 0: it has none */
    const char *name;
    enum argument_kind kind;
    void *target;
    const char *value; /* what --help calls its value */
    const char *help;  /* may have several lines */
    uint64_t min, max; /* of a number */
};

struct argument_page {
    const char *command;
    const char *operands; /* "FILE...|-" */
    const char *about;    /* after the usage line */
    const char *epilogue; /* after the options; or NULL */
    const struct argument *arguments;
    uint32_t argument_count;
    int operands_min, operands_max;
};

/* True with the operands: argv[*out_first] .. argv[argc - 1]. False when the command is to end with
 * `*out_exit`: help was asked for, or what is wrong was said. */
bool arguments_parse(const struct argument_page *page, int argc, char **argv, int *out_first,
                     enum cli_exit *out_exit);

struct subcommand {
    const char *name;
    enum cli_exit (*run)(int argc, char **argv); /* argv[0] is its name */
};
/* Of a command that does nothing but choose among others: runs the one that argv[1] names, or
 * helps, or says what is wrong. */
enum cli_exit arguments_run_subcommand(const struct argument_page *page,
                                       const struct subcommand *subcommands, uint32_t count,
                                       int argc, char **argv);

/* "kouan COMMAND: ..." on stderr, and where to find more; the exit code for it. */
enum cli_exit arguments_fail(const char *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
