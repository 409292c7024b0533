#include "bench/peers/peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const struct peer *const peers[] = {&peer_kouan, &peer_redis,     &peer_redis_everysec,
                                    &peer_nats,  &peer_jetstream, &peer_null};
const uint32_t peer_count = sizeof peers / sizeof *peers;

const struct peer *peer_find(const char *name)
{
    for (uint32_t i = 0; i < peer_count; i++)
        if (strcmp(peers[i]->name, name) == 0)
            return peers[i];
    return NULL;
}

/* As execvp looks for it. */
static bool is_in_path(const char *program)
{
    const char *path = getenv("PATH");
    for (const char *at = path != NULL ? path : "/bin:/usr/bin"; *at != '\0';) {
        char file[512];
        const char *end = strchrnul(at, ':');
        snprintf(file, sizeof file, "%.*s/%s", (int)(end - at), at, program);
        if (access(file, X_OK) == 0)
            return true;
        at = *end == ':' ? end + 1 : end;
    }
    return false;
}

bool peer_is_installed(const struct peer *peer)
{
    if (peer->program == NULL || is_in_path(peer->program))
        return true;
    fprintf(stderr, "kouan-bench: --against %s: there is no %s here: apt-get install %s\n",
            peer->name, peer->program, peer->package);
    return false;
}

void peer_name_destination(uint32_t number, char name[DESTINATION_NAME_BYTES])
{
    if (number == 0)
        strcpy(name, "all");
    else
        snprintf(name, DESTINATION_NAME_BYTES, "all-%u", number + 1);
}
