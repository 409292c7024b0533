/* A command's connection to a running Kouan, through hiredis, blocking. What goes wrong is said in
 * one line on stderr here; callers pass the exit code on. */
#ifndef KOUAN_IO_CLI_CLIENT_H
#define KOUAN_IO_CLI_CLIENT_H

#include <hiredis/hiredis.h>

#include "core/bytes.h"
#include "io/cli/arguments.h"
#include "io/cli/cli.h"

#define CLIENT_ADDRESS_DEFAULT "127.0.0.1:7400"

enum { CLIENT_WORDS_MAX = 256 }; /* of one command */

struct client_settings {
    const char *command;     /* for messages: "send" */
    const char *address;     /* NULL: KOUAN_CONNECT, or the default */
    const char *name;        /* the participant; NULL: none */
    const char *secret_file; /* of that participant */
};

/* Rows of an argument table, for a settings variable. */
#define CLIENT_ARGUMENTS(settings)                                                                 \
    {.name = "connect",                                                                            \
     .kind = ARGUMENT_TEXT,                                                                        \
     .target = &(settings).address,                                                                \
     .value = "ADDRESS",                                                                           \
     .help = "HOST:PORT, [IPv6]:PORT or unix:PATH; else what KOUAN_CONNECT\n"                      \
             "says, else " CLIENT_ADDRESS_DEFAULT},                                                \
        {.name = "auth",                                                                           \
         .kind = ARGUMENT_TEXT,                                                                    \
         .target = &(settings).name,                                                               \
         .value = "NAME",                                                                          \
         .help = "the participant to speak for"},                                                  \
    {                                                                                              \
        .name = "secret-file", .kind = ARGUMENT_TEXT, .target = &(settings).secret_file,           \
        .value = "FILE", .help = "where its secret stands"                                         \
    }

struct client {
    const struct client_settings *settings;
    char address[256];
    redisContext *context;
};

/* Connects and authenticates. CLI_OK; CLI_USAGE for an address that is none or half an
 * authentication; CLI_UNREACHABLE; CLI_INVALID if it is refused. SIGPIPE is ignored from then on.
 */
enum cli_exit client_open(const struct client_settings *settings, struct client *out_client);
/* As client_open, without a word when nobody is there: for those who will try again. */
enum cli_exit client_reopen(struct client *client);
void client_close(struct client *client);

/* One command, and CLI_OK with its reply, to be freed by freeReplyObject. An error reply is said
 * and is CLI_INVALID; a lost connection is CLI_UNREACHABLE. */
enum cli_exit client_call(struct client *client, const struct bytes *words, uint32_t count,
                          redisReply **out_reply);

/* The same without saying what an error reply says: it is the caller's to look at. */
enum cli_exit client_ask(struct client *client, const struct bytes *words, uint32_t count,
                         redisReply **out_reply);

/* Queues a command, to be sent when its reply, or an earlier one's, is asked for. */
void client_append(struct client *client, const struct bytes *words, uint32_t count);

/* Says that the connection is lost; CLI_UNREACHABLE. */
enum cli_exit client_lost(const struct client *client);

static inline struct bytes reply_bytes(const redisReply *reply)
{
    return bytes_make(reply->str, (size_t)reply->len);
}

/* The value beside `name` in a flat array of names and values, which is what RESP2 makes of a map;
 * NULL if it is not there or the reply is no array. */
const redisReply *reply_member(const redisReply *map, const char *name);
/* Its text, empty if there is none; its number, 0 if there is none. */
struct bytes reply_text(const redisReply *map, const char *name);
uint64_t reply_number(const redisReply *map, const char *name);

#endif
