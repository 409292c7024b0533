/* Servers that a comparison starts for itself and ends again: each in a fresh directory, on a free
 * port of 127.0.0.1, in memory or durable before they answer. They die with this process. */
#ifndef KOUAN_BENCH_SERVER_H
#define KOUAN_BENCH_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/status.h"

enum { SERVER_PATH_BYTES = 256 };

struct server_settings {
    const char *program; /* NULL: redis-server */
    const char *folder;  /* its directory is made in it, on the disk to be measured; NULL: /tmp */
    bool is_durable;     /* Kouan with `sync: commit`, Redis with `appendfsync always` */
};

struct server {
    pid_t process; /* 0: none */
    char directory[SERVER_PATH_BYTES];
    char address[128];
};

/* `kouan` beside this program. */
void server_find_kouan(char *path, size_t capacity);

/* Kouan says where it listens before it is taken as started. On failure the server's own words are
 * printed to stderr. */
MUST_CHECK enum status server_start(const struct server_settings *settings,
                                    struct server *out_server);

/* Its directory goes with all that it wrote. */
void server_stop(struct server *server);

#endif
