/* kouan version */
#include <stdio.h>

#include "io/cli/cli.h"

int cli_version(int argc, char **argv)
{
    (void)argc;
    (void)argv;
    puts("kouan " KOUAN_VERSION);
    return CLI_OK;
}
