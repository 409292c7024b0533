/* `kouan-bench null`: the null router as a server of its own, which the race starts. */
#include <stdio.h>
#include <string.h>

#include "bench/command.h"
#include "bench/peers/null_router.h"

int command_null(int argc, char **argv)
{
    struct null_router *router;
    char problem[256];
    if (argc > 1) {
        bool asks = strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0;
        fputs("kouan-bench null\n"
              "Serves on a free port of 127.0.0.1 until it is ended: answers each command that it\n"
              "receives with a receipt, and sends it on to who sent it SUBSCRIBE. It does nothing\n"
              "else: what it takes is the machine's limit for any router.\n",
              asks ? stdout : stderr);
        return asks ? EXIT_OK : EXIT_USAGE;
    }
    if (null_router_open(&router, problem, sizeof problem) != STATUS_OK) {
        fprintf(stderr, "kouan-bench: %s\n", problem);
        return EXIT_UNREACHABLE;
    }
    printf("listening on %s\n", null_router_address(router));
    fflush(stdout);
    null_router_serve(router);
}
