/* A command to the control socket of a running Kouan (io/front/control.h): where that is, what it
 * said, and the exit code. */
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

enum { OPERATOR_WORDS_MAX = 40 };

/* `KOUAN` and these words. CLI_OK: ok, or unchanged; INVALID: refused. */
enum cli_exit operator_call(const struct operator_settings *settings, const struct bytes *words,
                            uint32_t count);

/* The same step by step, for who has more to ask. Stays where it is while it is open. */
struct operator
{
    const struct operator_settings *settings;
    char address[4096];
    struct client_settings client_settings;
    struct client client;
};
enum cli_exit operator_open(const struct operator_settings *settings,
                            struct operator* out_operator);
void operator_close(struct operator* operator);
/* CLI_OK with [word, text], to be freed. */
enum cli_exit operator_ask(struct operator* operator, const struct bytes * words, uint32_t count,
                           redisReply **out_reply);
bool operator_answer_is(const redisReply *reply, const char *word);
enum cli_exit operator_print(const struct operator* operator, const redisReply * reply);

#endif
