#include "io/server_swap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/server_inside.h"

/* Batches wait for claims, and those perhaps for the disk. */
enum { JUDGE_SECONDS_MAX = 10 };

static bool ask(struct server *server, enum swap_step step, bool may_time_out);
static void collect(const struct server *server, struct swap_result *out_result);

enum status server_swap_open(struct server *server)
{
    struct swap *swap = &server->swap;
    pthread_mutex_init(&swap->lock, NULL);
    pthread_cond_init(&swap->reported_all, NULL);
    swap->adoptions = calloc(server->count, sizeof *swap->adoptions);
    return swap->adoptions != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void server_swap_close(struct server *server)
{
    free(server->swap.adoptions);
    pthread_mutex_destroy(&server->swap.lock);
    pthread_cond_destroy(&server->swap.reported_all);
}

void server_swap_end(struct server *server)
{
    pthread_mutex_lock(&server->swap.lock);
    server->swap.is_over = true;
    pthread_cond_broadcast(&server->swap.reported_all);
    pthread_mutex_unlock(&server->swap.lock);
}

/* ---- the loader ---- */

bool server_swap(struct server *server, const struct generation *generation,
                 const struct generation_names *names, const struct fact_generation *fact,
                 struct swap_result *out_result)
{
    struct swap *swap = &server->swap;
    for (uint16_t i = 0; i < server->count; i++)
        swap->adoptions[i] =
            (struct adoption){.generation = generation, .names = names, .fact = *fact};
    bool is_ready = ask(server, SWAP_JUDGES, true) && !swap->has_refused;
    bool is_done = is_ready && ask(server, SWAP_CARRIES_OUT, false);
    collect(server, out_result);
    out_result->is_torn = is_ready && !is_done;
    bool is_resumed = ask(server, SWAP_RESTS, false);
    if (!is_done && out_result->problem[0] == '\0')
        snprintf(out_result->problem, sizeof out_result->problem, "%s",
                 is_resumed ? "messages under way were not finished within 10 s; the disk may be "
                              "full or slow (`kouan health`). Try again"
                            : "the server ends");
    return is_done;
}

/* What was refused comes before what was not asked any more. */
static void collect(const struct server *server, struct swap_result *out_result)
{
    *out_result = (struct swap_result){0};
    for (uint16_t i = 0; i < server->count; i++) {
        const struct adoption *adoption = &server->swap.adoptions[i];
        out_result->cut_sessions += adoption->cut_sessions;
        if (out_result->problem[0] == '\0')
            memcpy(out_result->problem, adoption->problem, sizeof out_result->problem);
    }
}

/* Waits for all. False: they did not come to it in time, or the server ends. */
static bool ask(struct server *server, enum swap_step step, bool may_time_out)
{
    struct swap *swap = &server->swap;
    struct timespec deadline;
    int error = 0;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += JUDGE_SECONDS_MAX;
    pthread_mutex_lock(&swap->lock);
    swap->step = step;
    swap->number++;
    swap->reported = 0;
    swap->has_refused = false;
    for (uint16_t i = 0; i < server->count && !swap->is_over; i++)
        loop_wake(server->shards[i]->loop);
    while (swap->reported < server->count && !swap->is_over && error == 0)
        error = may_time_out ? pthread_cond_timedwait(&swap->reported_all, &swap->lock, &deadline)
                             : pthread_cond_wait(&swap->reported_all, &swap->lock);
    bool have_all = swap->reported == server->count;
    pthread_mutex_unlock(&swap->lock);
    return have_all;
}

/* ---- the shards ---- */

static void report(struct seat *seat, uint64_t number, bool has_refused)
{
    struct swap *swap = &seat->server->swap;
    pthread_mutex_lock(&swap->lock);
    if (swap->number == number) {
        swap->has_refused |= has_refused;
        if (++swap->reported == seat->server->count)
            pthread_cond_broadcast(&swap->reported_all);
    }
    pthread_mutex_unlock(&swap->lock);
    seat->swap_number = number;
}

static void go_on(void *context)
{
    server_swap_go_on(context);
}

void server_swap_go_on(struct seat *seat)
{
    struct swap *swap = &seat->server->swap;
    struct shard *shard = seat->shard;
    struct adoption *adoption = &swap->adoptions[seat->index];
    pthread_mutex_lock(&swap->lock);
    enum swap_step step = swap->step;
    uint64_t number = swap->number;
    pthread_mutex_unlock(&swap->lock);
    if (seat->swap_number == number)
        return;
    shard->each_turn = go_on;
    shard->each_turn_context = seat;
    switch (step) {
    case SWAP_JUDGES: {
        adoption_pause(shard);
        enum adoption_state state = adoption_judge(shard, adoption);
        if (state == ADOPTION_WAITS)
            return;
        report(seat, number, state == ADOPTION_REFUSED);
        break;
    }
    case SWAP_CARRIES_OUT:
        if (!adoption_carry_out(shard, adoption))
            return;
        report(seat, number, false);
        break;
    case SWAP_RESTS:
        adoption_drop(shard, adoption);
        adoption_resume(shard);
        report(seat, number, false);
        break;
    }
    shard->each_turn = NULL;
}
