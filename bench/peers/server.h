/* Server programs that a run starts for itself and ends again: each in a fresh directory, which
 * goes with all that it wrote, and with both outputs in a log there. They die with this process. */
#ifndef KOUAN_BENCH_SERVER_H
#define KOUAN_BENCH_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/status.h"

enum { SERVER_PATH_BYTES = 256 };

struct server {
    pid_t process; /* 0: none */
    char directory[SERVER_PATH_BYTES];
    char address[128];
};

/* Makes its directory in `folder` (NULL: /tmp), on the disk to be measured. On failure says so on
 * stderr. */
MUST_CHECK enum status server_open(const char *folder, struct server *out_server);

/* Runs a program, found in PATH; `arguments` end with NULL. */
MUST_CHECK enum status server_spawn(struct server *server, const char *const *arguments);

/* Waits until its log has a line with `words`, and takes the address that follows them, if it is
 * still to be found. On failure prints its log to stderr. */
MUST_CHECK enum status server_await(struct server *server, const char *words);

/* Ends it. A server that was never opened must be zeroed. */
void server_stop(struct server *server);

/* A port of 127.0.0.1 that was free a moment ago; 0: none. */
uint16_t server_find_free_port(void);

/* `kouan` beside this program. */
void server_find_kouan(char *path, size_t capacity);

#endif
