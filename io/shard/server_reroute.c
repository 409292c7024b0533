#include "io/shard/server_reroute.h"

#include "io/shard/server_inside.h"

void server_reroute_open(struct server *server)
{
    pthread_mutex_init(&server->rerouting.lock, NULL);
    pthread_cond_init(&server->rerouting.is_done, NULL);
}

void server_reroute_close(struct server *server)
{
    pthread_mutex_destroy(&server->rerouting.lock);
    pthread_cond_destroy(&server->rerouting.is_done);
}

void server_reroute_end(struct server *server)
{
    pthread_mutex_lock(&server->rerouting.lock);
    server->rerouting.is_over = true;
    pthread_cond_broadcast(&server->rerouting.is_done);
    pthread_mutex_unlock(&server->rerouting.lock);
}

/* ---- the loader ---- */

bool server_reroute(struct server *server, uint16_t log, struct reroute_item *items, uint32_t count)
{
    struct rerouting *rerouting = &server->rerouting;
    assert(log < server->count);
    pthread_mutex_lock(&rerouting->lock);
    rerouting->items = items;
    rerouting->count = count;
    rerouting->next = 0;
    rerouting->log = log;
    if (!rerouting->is_over)
        loop_wake(server->shards[log]->loop);
    while (rerouting->items != NULL && !rerouting->is_over)
        pthread_cond_wait(&rerouting->is_done, &rerouting->lock);
    bool is_done = rerouting->items == NULL;
    rerouting->items = NULL;
    pthread_mutex_unlock(&rerouting->lock);
    return is_done;
}

/* ---- the shard ---- */

static void go_on(void *context)
{
    server_reroute_go_on(context);
}

/* False: some wait. */
static bool write_all(struct shard *shard, struct rerouting *rerouting)
{
    while (rerouting->next < rerouting->count) {
        if (!reroute_write(shard, &rerouting->items[rerouting->next]))
            return false;
        if (++rerouting->next == rerouting->count)
            rerouting->commit_end = shard->commits.end;
    }
    return true;
}

void server_reroute_go_on(struct seat *seat)
{
    struct rerouting *rerouting = &seat->server->rerouting;
    struct shard *shard = seat->shard;
    pthread_mutex_lock(&rerouting->lock);
    if (rerouting->items != NULL && rerouting->log == seat->index) {
        bool is_done = write_all(shard, rerouting) && shard->commits.first >= rerouting->commit_end;
        if (is_done) {
            rerouting->items = NULL;
            pthread_cond_signal(&rerouting->is_done);
        }
        shard->each_turn = is_done ? NULL : go_on;
        shard->each_turn_context = seat;
    }
    pthread_mutex_unlock(&rerouting->lock);
}
