#include "io/server.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <unistd.h>

#include "io/errand.h"

enum { PROBLEM_BYTES = 1024, CONTROL_CONNECTION = 1, RESTORED_AT_ONCE = 1024 };

/* A shard and its thread. */
struct seat {
    struct server *server;
    uint16_t index;
    pthread_t thread;
    bool has_thread;
    struct shard *shard;
    struct shard_settings settings;
    char problem[PROBLEM_BYTES];
    uint32_t connections_given; /* by the first shard's thread */
    struct recover_figures recovered;
    pthread_mutex_t window_lock; /* while logs are read: several bring identities back */
    uint32_t window_time_s;      /* under it */
};

struct server {
    struct server_settings settings;
    struct shard_family family; /* of several shards */
    struct journal_folders folders;
    struct shard_log_start start;
    cpu_set_t processors; /* to be pinned to; none: threads are not */
    struct seat *seats;
    struct shard **shards; /* in the same order */
    uint16_t count;
    pthread_mutex_t lock; /* of what follows, down to the blank line, and of `recovered` */
    pthread_cond_t met;
    uint16_t expected, arrived; /* at the next meeting */
    uint64_t meetings;
    bool has_failed; /* the start, of one of them */
    bool went_well;  /* until the last meeting */

    _Atomic bool log_has_failed;
};

static enum status open_family(struct server *server, char *out_problem, size_t problem_capacity);
static enum status start_threads(struct server *server, char *out_problem, size_t problem_capacity);
static void init_seat(struct server *server, uint16_t index);
static void expect(struct server *server, uint16_t count);
static bool start_seat(struct seat *seat);
static void run_seat(struct seat *seat);
static void end_seat(struct seat *seat);
static void on_wake(struct loop *loop, void *context);
static bool give_away(void *context, const struct listener *listener, int descriptor);
static bool take_connection(void *context, const struct mesh_message *message);
static void restore_identities(struct shard_family *family, const struct window_restored *items,
                               uint32_t count);
static void note_recovering(void *context, const struct recover_figures *figures);

/* ---- open, run and close ---- */

enum status server_open(const struct server_settings *settings, struct server **out_server,
                        char *out_problem, size_t problem_capacity)
{
    struct server *server = calloc(1, sizeof *server);
    uint16_t count = (uint16_t)settings->config->whole.shards;
    snprintf(out_problem, problem_capacity, "out of memory");
    if (server == NULL)
        return STATUS_NO_MEMORY;
    server->settings = *settings;
    server->count = count;
    /* Before any thread is pinned: they inherit what their maker may run on. */
    if (settings->config->pin == PIN_AUTO &&
        sched_getaffinity(0, sizeof server->processors, &server->processors) != 0)
        CPU_ZERO(&server->processors);
    server->folders = journal_folders_none;
    server->seats = calloc(count, sizeof *server->seats);
    server->shards = calloc(count, sizeof *server->shards);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->met, NULL);
    enum status status = STATUS_NO_MEMORY;
    if (server->seats != NULL && server->shards != NULL)
        status = count > 1 ? open_family(server, out_problem, problem_capacity) : STATUS_OK;
    if (status == STATUS_OK)
        status = start_threads(server, out_problem, problem_capacity);
    if (status != STATUS_OK) {
        server_close(server);
        return status;
    }
    *out_server = server;
    return STATUS_OK;
}

static enum status open_family(struct server *server, char *out_problem, size_t problem_capacity)
{
    struct shard_family *family = &server->family;
    const struct config *config = server->settings.config;
    family->count = server->count;
    family->restore = restore_identities;
    enum status status = mesh_open(server->count, &family->mesh);
    if (status == STATUS_OK)
        status = rooms_open(server->count, config->generation->destination_count, &family->rooms);
    if (status == STATUS_OK)
        status = errand_board_open(server->count, &family->board);
    if (status != STATUS_OK)
        return status;
    if (config->sync == SYNC_MEMORY)
        return getrandom(&family->secret, sizeof family->secret, 0) == sizeof family->secret
                   ? STATUS_OK
                   : STATUS_IO;
    status = journal_folders_open(config->journal_path, config->spare_path, &server->folders,
                                  out_problem, problem_capacity);
    if (status != STATUS_OK)
        return status;
    family->folders = &server->folders;
    family->secret = server->folders.own.secret;
    return STATUS_OK;
}

static void *live(void *context)
{
    struct seat *seat = context;
    if (start_seat(seat))
        run_seat(seat);
    end_seat(seat);
    return NULL;
}

/* The first shard's is this one. */
static enum status start_threads(struct server *server, char *out_problem, size_t problem_capacity)
{
    for (uint16_t i = 0; i < server->count; i++)
        init_seat(server, i);
    server->expected = server->count;
    bool has_all = true;
    for (uint16_t i = 1; i < server->count && has_all; i++) {
        struct seat *seat = &server->seats[i];
        has_all = seat->has_thread = pthread_create(&seat->thread, NULL, live, seat) == 0;
        if (!has_all) {
            snprintf(seat->problem, sizeof seat->problem,
                     "thread %u of %u cannot be started: raise the limit on processes (`ulimit "
                     "-u`, TasksMax= in systemd), or lower `shards`",
                     i + 1U, server->count);
            expect(server, i);
        }
    }
    if (start_seat(&server->seats[0]))
        return STATUS_OK;
    for (uint16_t i = server->count; i > 0; i--)
        if (server->seats[i - 1].problem[0] != '\0')
            snprintf(out_problem, problem_capacity, "%s", server->seats[i - 1].problem);
    return STATUS_IO;
}

bool server_run(struct server *server)
{
    run_seat(&server->seats[0]);
    return !atomic_load(&server->log_has_failed);
}

const char *server_failure(const struct server *server)
{
    for (uint16_t i = 0; i < server->count; i++)
        if (server->shards[i]->log.failure[0] != '\0')
            return server->shards[i]->log.failure;
    return "";
}

void server_stop(struct server *server)
{
    loop_wake(server->shards[0]->loop);
}

void server_close(struct server *server)
{
    if (server->expected > 0)
        end_seat(&server->seats[0]);
    for (uint16_t i = 0; i < server->count && server->expected > 0; i++) {
        if (server->seats[i].has_thread)
            pthread_join(server->seats[i].thread, NULL);
        pthread_mutex_destroy(&server->seats[i].window_lock);
    }
    if (server->family.mesh != NULL)
        mesh_close(server->family.mesh);
    rooms_close(&server->family.rooms);
    errand_board_close(server->family.board);
    journal_folders_close(&server->folders);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->met);
    free(server->seats);
    free(server->shards);
    free(server);
}

uint16_t server_shard_count(const struct server *server)
{
    return server->count;
}

const struct shard *server_shard(const struct server *server, uint16_t index)
{
    return server->shards[index];
}

/* ---- meetings ----
 *
 * At the start and at the end all threads do one step after the other together. What a thread has
 * written before a meeting is seen by all behind it. */

static void expect(struct server *server, uint16_t count)
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

static void init_seat(struct server *server, uint16_t index)
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

static enum status begin_listening(struct seat *seat)
{
    uint64_t huge_page_bytes = read_huge_page_bytes();
    for (uint16_t i = 0; i < seat->server->count; i++)
        seat->server->shards[i]->huge_page_bytes = huge_page_bytes;
    const struct listener_taker taker = {give_away, seat->server};
    return shard_listen(seat->shard, seat->server->count > 1 ? &taker : NULL, seat->problem,
                        sizeof seat->problem);
}

static bool start_seat(struct seat *seat)
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

static void run_seat(struct seat *seat)
{
    struct server *server = seat->server;
    if (!shard_run(seat->shard)) {
        atomic_store(&server->log_has_failed, true);
        for (uint16_t i = 0; i < server->count; i++)
            loop_wake(server->shards[i]->loop);
    }
    meet(server);
}

/* No loop is closed while another thread may wake it. */
static void end_seat(struct seat *seat)
{
    meet(seat->server);
    if (seat->shard != NULL && seat->shard->mesh != NULL)
        mesh_leave(seat->shard->mesh);
    meet(seat->server);
    if (seat->shard != NULL)
        shard_close(seat->shard);
}

/* Told to stop, by the signal or by the first shard; or a log has failed. */
static void on_wake(struct loop *loop, void *context)
{
    struct seat *seat = context;
    struct server *server = seat->server;
    if (atomic_load(&server->log_has_failed)) {
        loop_stop(loop);
        return;
    }
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
static void restore_identities(struct shard_family *family, const struct window_restored *items,
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
