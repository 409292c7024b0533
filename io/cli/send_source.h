/* What `kouan send` sends: the files of its arguments, whole or line by line, one after another. */
#ifndef KOUAN_IO_CLI_SEND_SOURCE_H
#define KOUAN_IO_CLI_SEND_SOURCE_H

#include "io/cli/input.h"

enum { SEND_BYTES_MAX = 64 * 1024 * 1024 }; /* of one message, to be refused by the server */

struct send_source {
    char *const *paths;
    int count, next;
    bool by_lines;
    bool is_open; /* `input` is the file whose lines are being read */
    struct input input;
    const char *path;
    uint64_t line;
};

struct send_message {
    struct input_body body;
    const char *path; /* "(stdin)" for `-` */
    uint64_t line;    /* 0: the whole file */
};

enum send_next { SEND_MESSAGE, SEND_UNREADABLE, SEND_END };

/* The next message, its body to be freed by the caller. SEND_UNREADABLE: a file that cannot be
 * read, whose path is in `*out_message` and the reason in `*out_problem`; the next call goes on
 * with the next file. */
enum send_next send_source_next(struct send_source *source, struct send_message *out_message,
                                const char **out_problem);
void send_source_close(struct send_source *source);

/* False if the next message might have to be waited for: a pipe that is silent. */
bool send_source_is_ready(struct send_source *source);

/* The size of all files together; 0 if one of them has none. */
uint64_t send_source_bytes(const struct send_source *source);

#endif
