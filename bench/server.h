/* Servers that a comparison starts for itself and ends again: each in a fresh directory, on a free
 * port of 127.0.0.1, without persistence. They die with this process. */
#ifndef KOUAN_BENCH_SERVER_H
#define KOUAN_BENCH_SERVER_H

#include <sys/types.h>

#include "core/status.h"

struct server {
    pid_t process; /* 0: none */
    char directory[64];
    char address[128];
};

/* `program serve --listen 127.0.0.1:0`, without a disk, which says where it listens. On failure the
 * server's own words are printed to stderr. */
MUST_CHECK enum status server_start_kouan(const char *program, struct server *out_server);
MUST_CHECK enum status server_start_redis(struct server *out_server);
void server_stop(struct server *server);

#endif
