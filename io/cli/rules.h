/* The subcommands of `kouan rules`. */
#ifndef KOUAN_IO_CLI_RULES_H
#define KOUAN_IO_CLI_RULES_H

#include "io/cli/cli.h"

enum cli_exit rules_test(int argc, char **argv); /* io/cli/rules_test.c */

#endif
