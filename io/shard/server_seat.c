#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "io/shard/server_inside.h"

enum { CONTROL_CONNECTION = 1, RESTORED_AT_ONCE = 1024 };

static void on_wake(struct loop *loop, void *context);
static bool give_away(void *context, const struct listener *listener, int descriptor);
static bool take_connection(void *context, const struct mesh_message *message);
static void note_recovering(void *context, const struct recover_figures *figures);

/* ---- meetings ----
 *
 * At the start and at the end all threads do one step after the other together. What a thread has
 * written before a meeting is seen by all behind it. */

void server_expect(struct server *server, uint16_t count)
{
    pthread_mutex_lock(&server->lock);
    server->expected = count;
    server->has_failed = true;
    pthread_mutex_unlock(&server->lock);
}

static void note(struct seat *seat, enum status status)
{
    if (status == STATUS_OK)
        seat->problem[0] = '\0';
    pthread_mutex_lock(&seat->server->lock);
    seat->server->has_failed |= status != STATUS_OK;
    pthread_mutex_unlock(&seat->server->lock);
}

/* Waits for all. False: one of them has failed. */
static bool meet(struct server *server)
{
    pthread_mutex_lock(&server->lock);
    uint64_t meeting = server->meetings;
    if (++server->arrived == server->expected) {
        server->arrived = 0;
        server->went_well = !server->has_failed;
        server->meetings++;
        pthread_cond_broadcast(&server->met);
    }
    while (server->meetings == meeting)
        pthread_cond_wait(&server->met, &server->lock);
    bool went_well = server->went_well;
    pthread_mutex_unlock(&server->lock);
    return went_well;
}

/* ---- a thread's life ---- */

void server_seat_init(struct server *server, uint16_t index)
{
    struct seat *seat = &server->seats[index];
    seat->server = server;
    seat->index = index;
    seat->settings = (struct shard_settings){
        .config = server->settings.config,
        .number = index,
        .family = server->count > 1 ? &server->family : NULL,
        .test_delay_turns = server->settings.test_delay_turns,
        .test_delay_seed = server->settings.test_delay_seed + index,
        .minutes = minutes_of(&server->minutes, index),
        .minutes_saved_ms = server->minutes.saved_ms,
        .recovering = note_recovering,
        .context = seat,
    };
    pthread_mutex_init(&seat->window_lock, NULL);
}

/* To the processor of its number among those that this process might run on when it began. */
static void pin(const struct seat *seat)
{
    const cpu_set_t *allowed = &seat->server->processors;
    size_t cpu = 0;
    int skip = seat->index % CPU_COUNT(allowed);
    while (!CPU_ISSET(cpu, allowed) || skip-- > 0)
        cpu++;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
}

static enum status reserve(struct seat *seat)
{
    struct server *server = seat->server;
    char name[16];
    if (seat->index > 0) { /* the first thread's name is the program's */
        snprintf(name, sizeof name, "kouan-%u", seat->index);
        pthread_setname_np(pthread_self(), name);
    }
    enum status status =
        shard_reserve(&seat->settings, &seat->shard, seat->problem, sizeof seat->problem);
    server->shards[seat->index] = seat->shard;
    if (status != STATUS_OK)
        return status;
    loop_on_wake(seat->shard->loop, on_wake, seat);
    if (seat->shard->mesh != NULL)
        mesh_on(seat->shard->mesh, MESH_CONTROL,
                &(struct mesh_handler){.asked = take_connection, .context = seat});
    return STATUS_OK;
}

static enum status choose_start(struct seat *seat)
{
    struct server *server = seat->server;
    return shard_log_choose_start(server->shards, server->count, &server->start, seat->problem,
                                  sizeof seat->problem);
}

/* Of this process, as the kernel counts them now; 0 also where it does not say. */
static uint64_t read_huge_page_bytes(void)
{
    char line[256];
    uint64_t kib = 0;
    FILE *file = fopen("/proc/self/smaps_rollup", "re");
    if (file == NULL)
        return 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "AnonHugePages: %" SCNu64, &kib) == 1)
            break;
    fclose(file);
    return kib * 1024;
}

/* A copy of the statistics of all shards, by the first. */
static enum status open_redis(struct seat *seat)
{
    struct server *server = seat->server;
    const struct config *config = server->settings.config;
    struct shard *shard = seat->shard;
    if (config->redis == NULL || server->minutes.tables == NULL)
        return STATUS_OK;
    enum status status = redis_minutes_open(shard, server->minutes.tables, server->count,
                                            config->options.stats_span, &server->redis_minutes);
    if (status != STATUS_OK)
        return status;
    const struct redis_source source = redis_minutes_source(server->redis_minutes);
    status = redis_link_open(shard->loop, config->redis, shard->started_wall_ms, &source,
                             &server->redis);
    for (uint16_t i = 0; i < server->count && status == STATUS_OK; i++)
        server->shards[i]->redis = redis_link_figures(server->redis);
    return status;
}

static enum status begin_listening(struct seat *seat)
{
    uint64_t huge_page_bytes = read_huge_page_bytes();
    for (uint16_t i = 0; i < seat->server->count; i++)
        seat->server->shards[i]->huge_page_bytes = huge_page_bytes;
    const struct listener_taker taker = {give_away, seat->server};
    enum status status = shard_listen(seat->shard, seat->server->count > 1 ? &taker : NULL,
                                      seat->problem, sizeof seat->problem);
    if (status == STATUS_OK)
        status =
            control_open(&seat->server->control, seat->shard, seat->problem, sizeof seat->problem);
    return status == STATUS_OK ? open_redis(seat) : status;
}

bool server_seat_start(struct seat *seat)
{
    struct server *server = seat->server;
    size_t capacity = sizeof seat->problem;
    if (CPU_COUNT(&server->processors) > 0)
        pin(seat);
    note(seat, reserve(seat));
    if (!meet(server))
        return false;
    note(seat, shard_recover(seat->shard, seat->problem, capacity));
    if (!meet(server))
        return false;
    if (seat->index == 0)
        note(seat, choose_start(seat));
    if (!meet(server))
        return false;
    note(seat, shard_begin(seat->shard, &server->start, seat->problem, capacity));
    if (!meet(server))
        return false;
    if (seat->index == 0)
        note(seat, begin_listening(seat));
    return meet(server);
}

/* All loops have stopped: nobody asks for its figures any more. */
static void close_redis(struct server *server)
{
    redis_link_close(server->redis);
    redis_minutes_close(server->redis_minutes);
    server->redis = NULL;
    server->redis_minutes = NULL;
}

void server_seat_run(struct seat *seat)
{
    struct server *server = seat->server;
    if (!shard_run(seat->shard)) {
        atomic_store(&server->log_has_failed, true);
        for (uint16_t i = 0; i < server->count; i++)
            loop_wake(server->shards[i]->loop);
    }
    server_swap_end(server);
    server_reroute_end(server);
    meet(server);
    if (seat->index == 0)
        close_redis(server);
}

/* No loop is closed while another thread may wake it. */
void server_seat_end(struct seat *seat)
{
    meet(seat->server);
    if (seat->shard != NULL && seat->shard->mesh != NULL)
        mesh_leave(seat->shard->mesh);
    meet(seat->server);
    if (seat->shard != NULL)
        shard_close(seat->shard);
}

/* The loader wants something, or it is told to stop, by the signal or by the first shard; or a log
 * has failed. */
static void on_wake(struct loop *loop, void *context)
{
    struct seat *seat = context;
    struct server *server = seat->server;
    if (atomic_load(&server->log_has_failed)) {
        loop_stop(loop);
        return;
    }
    server_swap_go_on(seat);
    server_reroute_go_on(seat);
    if (seat->index == 0 && server->control.reload != NULL)
        control_answer(&server->control);
    if (!atomic_load(&server->is_to_stop))
        return;
    if (seat->shard->stopping)
        return; /* told again, maybe while it closes: the others may be gone */
    for (uint16_t i = 1; i < server->count && seat->index == 0; i++)
        loop_wake(server->shards[i]->loop);
    shard_stop(seat->shard);
}

/* ---- connections ---- */

static uint32_t count_connections(const struct server *server, uint16_t index)
{
    const struct shard *shard = server->shards[index];
    if (index == 0)
        return transport_connection_count(shard->transport);
    return server->seats[index].connections_given -
           atomic_load_explicit(&shard->connections_closed, memory_order_relaxed);
}

/* On the first shard's thread. The first of those with the fewest has it. */
static bool give_away(void *context, const struct listener *listener, int descriptor)
{
    struct server *server = context;
    uint32_t fewest = count_connections(server, 0);
    uint16_t to = 0;
    for (uint16_t i = 1; i < server->count; i++) {
        uint32_t connections = count_connections(server, i);
        if (connections < fewest) {
            fewest = connections;
            to = i;
        }
    }
    const struct mesh_message message = {.kind = CONTROL_CONNECTION,
                                         .words = {(uint64_t)descriptor, (uintptr_t)listener}};
    if (to == 0 || !mesh_tell(server->shards[0]->mesh, to, MESH_CONTROL, &message))
        return false;
    server->seats[to].connections_given++;
    return true;
}

/* On the thread of the shard that it was given to. */
static bool take_connection(void *context, const struct mesh_message *message)
{
    const struct seat *seat = context;
    struct shard *shard = seat->shard;
    int descriptor = (int)message->words[0];
    const struct listener *listener = (const struct listener *)(uintptr_t)message->words[1];
    char peer[128];
    listener_peer_text(listener, descriptor, peer, sizeof peer);
    if (shard->stopping || transport_adopt(shard->transport, descriptor, peer) != STATUS_OK) {
        close(descriptor);
        atomic_fetch_add_explicit(&shard->connections_closed, 1, memory_order_relaxed);
    }
    return true;
}

/* ---- while logs are read ---- */

/* Each log's come in their order; between logs any order will do, since the window lets the oldest
 * of all logs go first. */
void server_restore_identities(struct shard_family *family, const struct window_restored *items,
                               uint32_t count)
{
    struct server *server =
        (struct server *)(void *)((char *)family - offsetof(struct server, family));
    struct window_restored own[RESTORED_AT_ONCE];
    uint32_t latest_s = items[count - 1].time_s;
    assert(count <= RESTORED_AT_ONCE);
    for (uint16_t owner = 0; owner < server->count; owner++) {
        struct seat *seat = &server->seats[owner];
        uint32_t own_count = 0;
        for (uint32_t i = 0; i < count; i++)
            if (shard_of_identity(items[i].identity, server->count) == owner)
                own[own_count++] = items[i];
        pthread_mutex_lock(&seat->window_lock);
        if (latest_s > seat->window_time_s)
            seat->window_time_s = latest_s;
        if (own_count > 0)
            window_restore(seat->shard->window, own, own_count, seat->window_time_s);
        pthread_mutex_unlock(&seat->window_lock);
    }
}

static void note_recovering(void *context, const struct recover_figures *figures)
{
    struct seat *seat = context;
    struct server *server = seat->server;
    struct recover_figures sum = {0};
    pthread_mutex_lock(&server->lock);
    seat->recovered = *figures;
    for (uint16_t i = 0; i < server->count; i++) {
        const struct recover_figures *one = &server->seats[i].recovered;
        sum.bytes += one->bytes;
        sum.total_bytes += one->total_bytes;
        sum.messages += one->messages;
        sum.identities += one->identities;
    }
    if (server->settings.recovering != NULL)
        server->settings.recovering(server->settings.context, &sum);
    pthread_mutex_unlock(&server->lock);
}
