/* The subcommands of `kouan rules`. */
#ifndef KOUAN_IO_CLI_RULES_H
#define KOUAN_IO_CLI_RULES_H

#include "io/cli/cli.h"

enum cli_exit rules_test(int argc, char **argv);  /* io/cli/rules_test.c */
enum cli_exit rules_stats(int argc, char **argv); /* io/cli/rules_stats.c */

#endif
