#include "io/shard/server_inside.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "io/delivery/errand.h"

static enum status open_family(struct server *server, char *out_problem, size_t problem_capacity);
static enum status start_threads(struct server *server, char *out_problem, size_t problem_capacity);

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
        status = server_swap_open(server);
    server_reroute_open(server);
    if (status == STATUS_OK)
        status = count > 1 ? open_family(server, out_problem, problem_capacity) : STATUS_OK;
    if (status == STATUS_OK)
        status = minutes_open(&server->minutes, settings->config);
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
    family->restore = server_restore_identities;
    enum status status = mesh_open(server->count, &family->mesh);
    if (status == STATUS_OK)
        status = rooms_open(server->count, DESTINATIONS_MAX, &family->rooms);
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
    if (server_seat_start(seat))
        server_seat_run(seat);
    server_seat_end(seat);
    return NULL;
}

/* The first shard's is this one. */
static enum status start_threads(struct server *server, char *out_problem, size_t problem_capacity)
{
    for (uint16_t i = 0; i < server->count; i++)
        server_seat_init(server, i);
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
            server_expect(server, i);
        }
    }
    if (server_seat_start(&server->seats[0])) {
        enum status status = reload_open(server, &server->control.reload);
        if (status != STATUS_OK)
            snprintf(out_problem, problem_capacity, "the loader cannot be started: %s",
                     status_text(status));
        return status;
    }
    for (uint16_t i = server->count; i > 0; i--)
        if (server->seats[i - 1].problem[0] != '\0')
            snprintf(out_problem, problem_capacity, "%s", server->seats[i - 1].problem);
    return STATUS_IO;
}

bool server_run(struct server *server)
{
    server_seat_run(&server->seats[0]);
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
    atomic_store(&server->is_to_stop, true);
    loop_wake(server->shards[0]->loop);
}

void server_reload(struct server *server)
{
    reload_ask_by_signal(server->control.reload);
}

void server_wake_first(struct server *server)
{
    loop_wake(server->shards[0]->loop);
}

/* All that was counted, with the last record's time: clocks may have gone back. */
static void save_minutes(struct server *server)
{
    uint64_t last_ms = loop_wall_ms(server->shards[0]->loop);
    for (uint16_t i = 0; i < server->count; i++)
        if (server->shards[i]->journal.last_id.ms > last_ms)
            last_ms = server->shards[i]->journal.last_id.ms;
    minutes_save(&server->minutes, last_ms + 1);
}

void server_close(struct server *server)
{
    reload_stop(server->control.reload);
    if (server->control.reload != NULL && !atomic_load(&server->log_has_failed))
        save_minutes(server);
    if (server->expected > 0)
        server_seat_end(&server->seats[0]);
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
    reload_close(server->control.reload);
    server_swap_close(server);
    server_reroute_close(server);
    pthread_mutex_destroy(&server->lock);
    pthread_cond_destroy(&server->met);
    minutes_close(&server->minutes);
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
