/* The subcommands of `kouan config`. */
#ifndef KOUAN_IO_CLI_CONFIG_H
#define KOUAN_IO_CLI_CONFIG_H

#include "io/cli/cli.h"

enum cli_exit config_diff_command(int argc, char **argv); /* io/cli/config_diff.c */

#endif
