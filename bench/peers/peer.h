/* The servers that a race is run between: one row each in peer.c, one file each. A peer is started
 * fresh for a run, in a directory of its own on a free port of 127.0.0.1, and configured before it
 * answers. */
#ifndef KOUAN_BENCH_PEER_H
#define KOUAN_BENCH_PEER_H

#include "bench/peers/server.h"
#include "bench/race/client.h"
#include "bench/race/scenario.h"

enum { PEERS_MAX = 8 };

struct peer_settings {
    const struct scenario *scenario;
    const char *kouan;  /* the program */
    const char *folder; /* its directory is made in it, on the disk to be measured; NULL: /tmp */
};

struct peer {
    const char *name;    /* as --against has it */
    const char *program; /* looked for in PATH; NULL: settings->kouan */
    const char *package; /* Debian's */
    /* In words, for the scenario: `appendfsync always: on disk before each reply`. */
    const char *(*durability)(const struct scenario *scenario);
    const struct client *client;
    struct proof_promise promise;
    bool has_unix;      /* listens on Unix sockets where the scenario says so */
    bool is_one_stream; /* destinations are groups of the channel itself; else destinations */
    bool is_pushing;    /* who subscribes gets all commands as they came; nobody acknowledges */
    bool is_read_far;   /* PEER_FAR_GROUP reads while it is driven */
    bool is_reloaded;   /* it is told to reload all the while */
    /* On failure the server's own words are printed to stderr. */
    enum status (*start)(const struct peer_settings *settings, struct server *out_server);
    /* Before each run: away with what the last one left, and the groups made. NULL: nothing to do.
     */
    enum status (*prepare)(const struct peer_settings *settings, const struct server *server);
    /* After a run, what the server itself has to say: false with words on stderr if its own books
     * do not balance. NULL: it keeps none. */
    bool (*audit)(const struct server *server);
};

/* `kouan` is the first. */
extern const struct peer *const peers[];
extern const uint32_t peer_count;

const struct peer *peer_find(const char *name);

/* Whether its program is there; if not, says on stderr which package brings it. */
bool peer_is_installed(const struct peer *peer);

/* What the n-th destination is called, and its group: `all`, `all-2`, ... */
enum { DESTINATION_NAME_BYTES = 16 };
void peer_name_destination(uint32_t number, char name[DESTINATION_NAME_BYTES]);

#define PEER_CHANNEL   "in"
#define PEER_FAR_GROUP "far"

extern const struct peer peer_kouan, peer_redis, peer_redis_everysec, peer_nats, peer_jetstream,
    peer_null;
/* Kouan once more, which a scenario with a far group, or with reloads, has at its side, and no
 * command line names. */
extern const struct peer peer_read_far, peer_reloaded;

#endif
