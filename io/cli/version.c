/* kouan version */
#include <stdio.h>

#include "io/cli/arguments.h"
#include "io/cli/cli.h"

enum cli_exit cli_version(int argc, char **argv)
{
    static const struct argument_page page = {
        .command = "version",
        .operands = "",
        .about = "Prints the version of this program.",
    };
    int first;
    enum cli_exit exit_code;
    if (!arguments_parse(&page, argc, argv, &first, &exit_code))
        return exit_code;
    puts("kouan " KOUAN_VERSION);
    return CLI_OK;
}
