/* The server: its shards, each on a thread of its own, and what they share: the journal's folder,
 * the mesh, the configuration. The first shard runs on the thread that opens the server, and
 * accepts; each socket goes to the shard that has the fewest connections. With one shard there is
 * neither mesh nor thread.
 *
 * All logs are read, at the same time, before any goes on, and all go on before anybody can
 * connect. Told to stop, each shard finishes what its clients have sent and what the others need of
 * it. When a log fails, all shards end at once. */
#ifndef KOUAN_IO_SERVER_H
#define KOUAN_IO_SERVER_H

#include "io/shard/shard.h"

struct server;

struct server_settings {
    struct config *config;
    uint32_t test_delay_turns; /* as of struct shard_settings */
    uint64_t test_delay_seed;
    /* Every now and then while the logs are read: sums. One thread at a time, but any. NULL: nobody
     * looks. */
    void (*recovering)(void *context, const struct recover_figures *figures);
    void *context;
};

/* Recovers and listens. On failure one line. */
MUST_CHECK enum status server_open(const struct server_settings *settings,
                                   struct server **out_server, char *out_problem,
                                   size_t problem_capacity);
/* Serves until it is told to stop. False: a log failed; server_failure says why. */
MUST_CHECK bool server_run(struct server *server);
const char *server_failure(const struct server *server);
/* From a signal handler or any thread: it shall stop. Not before server_open or after server_close.
 */
void server_stop(struct server *server);
/* Likewise: it shall load the configuration's files. */
void server_reload(struct server *server);
/* After server_run. */
void server_close(struct server *server);

/* Before server_run and after it anything of a shard may be looked at. */
uint16_t server_shard_count(const struct server *server);
const struct shard *server_shard(const struct server *server, uint16_t index);

#endif
