/* A command to the control socket of a running Kouan (io/control.h): where that is, what it said,
 * and the exit code. */
#ifndef KOUAN_IO_CLI_OPERATOR_H
#define KOUAN_IO_CLI_OPERATOR_H

#include "io/cli/client.h"

struct operator_settings {
    const char *command;     /* for messages: "reload" */
    const char *control;     /* the path; NULL: as the configuration says */
    const char *config_path; /* NULL: the embedded defaults */
    bool json;
};

/* Rows of an argument table, for a settings variable. */
#define OPERATOR_ARGUMENTS(settings)                                                               \
    {.letter = 'c',                                                                                \
     .name = "config",                                                                             \
     .kind = ARGUMENT_TEXT,                                                                        \
     .target = &(settings).config_path,                                                            \
     .value = "FILE",                                                                              \
     .help = "the configuration of the server, which says where its control\n"                     \
             "socket is; without it as with the embedded defaults"},                               \
        {.name = "control",                                                                        \
         .kind = ARGUMENT_TEXT,                                                                    \
         .target = &(settings).control,                                                            \
         .value = "PATH",                                                                          \
         .help = "the control socket itself"},                                                     \
    {                                                                                              \
        .name = "json", .target = &(settings).json, .help = "one JSON object"                      \
    }

/* `KOUAN` and these words. CLI_OK: ok, or unchanged; INVALID: refused. */
enum cli_exit operator_call(const struct operator_settings *settings, const struct bytes *words,
                            uint32_t count);

#endif
