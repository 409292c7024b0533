#include "io/reload/server_swap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "io/shard/server_inside.h"

/* Batches wait for claims, and those perhaps for the disk. */
enum { JUDGE_SECONDS_MAX = 10 };

static void begin_step(struct server *server, enum swap_step step);
static bool await_end(struct server *server);
static void collect(const struct server *server, struct swap_result *out_result);

enum status server_swap_open(struct server *server)
{
    struct swap *swap = &server->swap;
    pthread_mutex_init(&swap->lock, NULL);
    pthread_cond_init(&swap->ended, NULL);
    swap->adoptions = calloc(server->count, sizeof *swap->adoptions);
    return swap->adoptions != NULL ? STATUS_OK : STATUS_NO_MEMORY;
}

void server_swap_close(struct server *server)
{
    free(server->swap.adoptions);
    pthread_mutex_destroy(&server->swap.lock);
    pthread_cond_destroy(&server->swap.ended);
}

void server_swap_end(struct server *server)
{
    pthread_mutex_lock(&server->swap.lock);
    server->swap.is_over = true;
    pthread_cond_broadcast(&server->swap.ended);
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
    pthread_mutex_lock(&swap->lock);
    swap->has_refused = swap->is_carried_out = false;
    begin_step(server, SWAP_JUDGES);
    bool is_ended = await_end(server);
    bool is_done = swap->is_carried_out;
    bool is_torn = !is_done && swap->step == SWAP_CARRIES_OUT;
    pthread_mutex_unlock(&swap->lock);
    collect(server, out_result);
    out_result->is_torn = is_torn;
    if (!is_done && out_result->problem[0] == '\0')
        snprintf(out_result->problem, sizeof out_result->problem, "%s",
                 is_ended ? "messages under way were not finished within 10 s; the disk may be "
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

/* With the lock, as all that follows here. */
static bool is_at_rest(const struct server *server)
{
    return server->swap.step == SWAP_RESTS && server->swap.reported == server->count;
}

/* Who cannot finish what it has begun in time keeps nobody waiting. False: a shard has ended. */
static bool await_end(struct server *server)
{
    struct swap *swap = &server->swap;
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += JUDGE_SECONDS_MAX;
    while (!is_at_rest(server) && !swap->is_over) {
        if (swap->step != SWAP_JUDGES)
            pthread_cond_wait(&swap->ended, &swap->lock);
        else if (pthread_cond_timedwait(&swap->ended, &swap->lock, &deadline) == ETIMEDOUT &&
                 swap->step == SWAP_JUDGES)
            begin_step(server, SWAP_RESTS);
    }
    if (swap->step == SWAP_JUDGES) /* those that are left shall not go on to adopt */
        begin_step(server, SWAP_RESTS);
    return !swap->is_over;
}

static void begin_step(struct server *server, enum swap_step step)
{
    struct swap *swap = &server->swap;
    swap->step = step;
    swap->number++;
    swap->reported = 0;
    for (uint16_t i = 0; i < server->count && !swap->is_over; i++)
        loop_wake(server->shards[i]->loop);
}

/* ---- the shards ---- */

static void end_step(struct server *server)
{
    struct swap *swap = &server->swap;
    switch (swap->step) {
    case SWAP_JUDGES: begin_step(server, swap->has_refused ? SWAP_RESTS : SWAP_CARRIES_OUT); return;
    case SWAP_CARRIES_OUT:
        swap->is_carried_out = true;
        begin_step(server, SWAP_RESTS);
        return;
    case SWAP_RESTS: pthread_cond_broadcast(&swap->ended); return;
    }
}

static void report(struct seat *seat, uint64_t number, bool has_refused)
{
    struct swap *swap = &seat->server->swap;
    seat->swap_number = number;
    pthread_mutex_lock(&swap->lock);
    if (swap->number == number) {
        swap->has_refused |= has_refused;
        if (++swap->reported == seat->server->count)
            end_step(seat->server);
    }
    pthread_mutex_unlock(&swap->lock);
}

static void go_on(void *context)
{
    server_swap_go_on(context);
}

/* False: the step could not be taken yet. */
static bool take_step(struct seat *seat, enum swap_step step, uint64_t number)
{
    struct shard *shard = seat->shard;
    struct adoption *adoption = &seat->server->swap.adoptions[seat->index];
    enum adoption_state state = ADOPTION_READY;
    switch (step) {
    case SWAP_JUDGES:
        adoption_pause(shard);
        state = adoption_judge(shard, adoption);
        if (state == ADOPTION_WAITS)
            return false;
        break;
    case SWAP_CARRIES_OUT:
        if (!adoption_carry_out(shard, adoption))
            return false;
        break;
    case SWAP_RESTS:
        adoption_drop(shard, adoption);
        adoption_resume(shard);
        break;
    }
    report(seat, number, state == ADOPTION_REFUSED);
    return true;
}

void server_swap_go_on(struct seat *seat)
{
    struct swap *swap = &seat->server->swap;
    seat->shard->each_turn = NULL;
    for (;;) {
        pthread_mutex_lock(&swap->lock);
        enum swap_step step = swap->step;
        uint64_t number = swap->number;
        pthread_mutex_unlock(&swap->lock);
        if (seat->swap_number == number)
            return;
        if (take_step(seat, step, number))
            continue;
        seat->shard->each_turn = go_on;
        seat->shard->each_turn_context = seat;
        return;
    }
}
