/* The null router (bench/peers/null_router.h), which this program is itself when it is called so.
 */
#include <stdio.h>
#include <string.h>

#include "bench/peers/peer.h"

enum { PATH_BYTES = 4096 };

/* `kouan-bench` beside `kouan`. */
static enum status find_program(const char *kouan, char *path, size_t capacity)
{
    const char *slash = strrchr(kouan, '/');
    int folder = slash != NULL ? (int)(slash + 1 - kouan) : 0;
    int size = snprintf(path, capacity, "%.*skouan-bench", folder, kouan);
    return size > 0 && (size_t)size < capacity ? STATUS_OK : STATUS_TOO_BIG;
}

static enum status start(const struct peer_settings *settings, struct server *out_server)
{
    struct server server;
    char program[PATH_BYTES];
    const char *const arguments[] = {program, "null", NULL};
    enum status status = server_open(settings->folder, &server);
    if (status != STATUS_OK)
        return status;
    status = find_program(settings->kouan, program, sizeof program);
    if (status == STATUS_OK)
        status = server_spawn(&server, arguments);
    if (status == STATUS_OK)
        status = server_await(&server, "listening on ");
    if (status == STATUS_OK)
        *out_server = server;
    else
        server_stop(&server);
    return status;
}

static const char *tell(const struct scenario *scenario)
{
    (void)scenario;
    return "none: passed on as received, not read, not kept, not acknowledged";
}

const struct peer peer_null = {
    .name = "null",
    .durability = tell,
    .client = &client_resp,
    .promise = {.has_receipts = true},
    .is_pushing = true,
    .start = start,
};
