#include "io/shard/mesh.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/core/random.h"

/* ---- what one end sees ---- */

struct seen {
    struct mesh_end *end;
    uint32_t asked, answered, refuses; /* refuses: so many times not now */
    uint32_t last_number;
    bool answers;
};

static bool take_ask(void *context, const struct mesh_message *message)
{
    struct seen *seen = context;
    if (seen->refuses > 0) {
        seen->refuses--;
        return false;
    }
    seen->asked++;
    seen->last_number = message->number;
    if (seen->answers && message->has_answer)
        mesh_answer(seen->end, message->from, MESH_CLAIMS, message);
    return true;
}

static void take_answer(void *context, const struct mesh_message *message)
{
    struct seen *seen = context;
    cr_assert_eq(message->context, seen);
    seen->answered++;
    seen->last_number = message->number;
}

struct pair {
    struct mesh *mesh;
    struct seen first, second;
};

static struct pair *open_pair(void)
{
    struct pair *pair = calloc(1, sizeof *pair);
    cr_assert_eq(mesh_open(2, &pair->mesh), STATUS_OK);
    struct seen *seen[] = {&pair->first, &pair->second};
    for (uint16_t i = 0; i < 2; i++) {
        seen[i]->end = mesh_end(pair->mesh, i);
        seen[i]->answers = true;
        for (int lane = 0; lane < MESH_LANES; lane++)
            mesh_on(seen[i]->end, (enum mesh_lane)lane,
                    &(struct mesh_handler){take_ask, take_answer, seen[i]});
    }
    return pair;
}

static void close_pair(struct pair *pair)
{
    mesh_close(pair->mesh);
    free(pair);
}

static bool ask(struct seen *from, uint32_t number)
{
    return mesh_ask(from->end, 1, MESH_CLAIMS,
                    &(struct mesh_message){.number = number, .context = from});
}

Test(mesh, asks_and_answers)
{
    struct pair *pair = open_pair();
    cr_assert(ask(&pair->first, 9));
    cr_assert_not(mesh_receive(pair->second.end), "it is not shown before the flush");
    mesh_flush(pair->first.end);
    cr_assert_eq(mesh_unanswered(pair->first.end), 1);
    cr_assert(mesh_receive(pair->second.end));
    cr_assert_not(mesh_receive(pair->second.end));
    cr_assert_eq(pair->second.last_number, 9);
    cr_assert_eq(pair->first.answered, 0);
    mesh_flush(pair->second.end);
    cr_assert(mesh_receive(pair->first.end));
    cr_assert_eq(pair->first.answered, 1);
    cr_assert_eq(mesh_unanswered(pair->first.end), 0);
    close_pair(pair);
}

Test(mesh, refuses_what_could_not_be_answered_and_answers_all_it_took)
{
    struct pair *pair = open_pair();
    pair->second.answers = false;
    uint32_t capacity = mesh_capacity(pair->first.end, MESH_CLAIMS);
    for (uint32_t i = 0; i < capacity; i++) {
        cr_assert_eq(mesh_room(pair->first.end, 1, MESH_CLAIMS), capacity - i);
        cr_assert(ask(&pair->first, i));
        mesh_flush(pair->first.end);
        mesh_receive(pair->second.end);
    }
    cr_assert_eq(pair->second.asked, capacity);
    cr_assert_eq(mesh_room(pair->first.end, 1, MESH_CLAIMS), 0);
    cr_assert_not(ask(&pair->first, 0), "its answer would have no place");
    const struct mesh_message notice = {.number = 77};
    cr_assert(mesh_tell(pair->first.end, 1, MESH_CLAIMS, &notice), "a notice needs none");
    mesh_flush(pair->first.end);
    mesh_receive(pair->second.end);
    cr_assert_eq(pair->second.last_number, 77);
    for (uint32_t i = 0; i < capacity; i++)
        mesh_answer(pair->second.end, 0, MESH_CLAIMS,
                    &(struct mesh_message){.context = &pair->first});
    mesh_flush(pair->second.end);
    mesh_receive(pair->first.end);
    cr_assert_eq(pair->first.answered, capacity);
    cr_assert(ask(&pair->first, 0));
    close_pair(pair);
}

Test(mesh, is_full_when_nobody_receives_and_the_other_lanes_are_not)
{
    struct pair *pair = open_pair();
    const struct mesh_message notice = {0};
    uint32_t told = 0;
    while (mesh_tell(pair->first.end, 1, MESH_MESSAGES, &notice))
        told++;
    cr_assert_eq(told, mesh_capacity(pair->first.end, MESH_MESSAGES));
    mesh_flush(pair->first.end);
    cr_assert_not(mesh_tell(pair->first.end, 1, MESH_MESSAGES, &notice));
    cr_assert(mesh_tell(pair->first.end, 1, MESH_CONTROL, &notice));
    uint64_t index = mesh_asked(pair->first.end, 1, MESH_MESSAGES);
    cr_assert_not(mesh_is_consumed(pair->first.end, 1, MESH_MESSAGES, index));
    mesh_receive(pair->second.end);
    cr_assert(mesh_is_consumed(pair->first.end, 1, MESH_MESSAGES, index));
    cr_assert(mesh_tell(pair->first.end, 1, MESH_MESSAGES, &notice));
    struct mesh_figures figures;
    mesh_figures(pair->first.end, &figures);
    cr_assert_eq(figures.refusals, 2);
    close_pair(pair);
}

Test(mesh, offers_again_what_was_not_accepted)
{
    struct pair *pair = open_pair();
    for (uint32_t i = 1; i <= 3; i++)
        cr_assert(ask(&pair->first, i));
    mesh_flush(pair->first.end);
    pair->second.refuses = 2;
    mesh_receive(pair->second.end);
    cr_assert_eq(pair->second.asked, 0);
    cr_assert_not(mesh_is_consumed(pair->first.end, 1, MESH_CLAIMS, 1));
    mesh_receive(pair->second.end);
    cr_assert_eq(pair->second.asked, 0);
    mesh_receive(pair->second.end);
    cr_assert_eq(pair->second.asked, 3, "nothing new came, and it is offered again");
    cr_assert_eq(pair->second.last_number, 3);
    close_pair(pair);
}

Test(mesh, takes_memory_for_few_large_and_many_small_rings)
{
    for (uint16_t shards = 1; shards <= MESH_SHARDS_MAX; shards++) {
        struct mesh *mesh = NULL;
        cr_assert_eq(mesh_open(shards, &mesh), STATUS_OK);
        struct mesh_end *end = mesh_end(mesh, (uint16_t)(shards - 1));
        cr_assert_eq(mesh_shards(end), shards);
        cr_assert_eq(mesh_self(end), shards - 1);
        cr_assert_geq(mesh_capacity(end, MESH_CLAIMS), 128);
        cr_assert_leq(mesh_memory_bytes(mesh), UINT64_C(192) << 20, "%u shards", shards);
        mesh_close(mesh);
    }
}

/* ---- threads ----
 *
 * Each thread asks every other a number of times on two lanes, in bursts of random size, and tells
 * notices in between. Asks point to memory that is written before, compared by the peer, which
 * writes its answer beside it. Some are answered at once, some in a later turn, some are not
 * accepted at first. Who has nothing to do sleeps in its loop. */

enum { THREADS_MAX = 3, ASKS = 4000, LATER_MAX = 4096, LANES = 2 };

static const enum mesh_lane lanes[LANES] = {MESH_CLAIMS, MESH_ERRANDS};

struct question {
    uint64_t value, answer;
};

struct member {
    struct mesh_end *end;
    struct loop *loop;
    pthread_barrier_t *barrier;
    _Atomic uint32_t *running;
    struct random random;
    bool without_messages, finished;
    struct loop **loops; /* of all */
    struct loop_figures figures;

    struct question *questions[THREADS_MAX][LANES]; /* of ASKS */
    uint32_t asked[THREADS_MAX][LANES], answered[THREADS_MAX][LANES], told[THREADS_MAX];
    uint32_t heard[THREADS_MAX][LANES], noticed[THREADS_MAX];
    struct {
        enum mesh_lane lane;
        struct mesh_message message;
    } later[LATER_MAX];
    uint32_t later_count;
    struct deferral work;
    struct timer retry;
    uint64_t wrong;
};

struct lane_of {
    struct member *member;
    int lane;
};

static void answer(struct member *member, enum mesh_lane lane, const struct mesh_message *message)
{
    struct question *question = (struct question *)(uintptr_t)message->words[0];
    member->wrong += question->value != message->words[1];
    question->answer = ~question->value;
    mesh_answer(member->end, message->from, lane,
                &(struct mesh_message){.number = message->number,
                                       .context = message->context,
                                       .words[0] = message->from});
}

static bool hear(void *context, const struct mesh_message *message)
{
    struct lane_of *of = context;
    struct member *member = of->member;
    if (!message->has_answer) {
        member->wrong += message->number != member->noticed[message->from]++;
        loop_defer(member->loop, &member->work);
        return true;
    }
    uint32_t chance = random_below(&member->random, 16);
    if (chance == 0) { /* not now: a timer wakes the loop, as a disk would */
        loop_timer_arm(member->loop, &member->retry, loop_now_ns(member->loop) + 20000);
        return false;
    }
    member->wrong += message->number != member->heard[message->from][of->lane]++;
    if (chance < 4 && member->later_count < LATER_MAX) {
        member->later[member->later_count].lane = lanes[of->lane];
        member->later[member->later_count++].message = *message;
    } else {
        answer(member, lanes[of->lane], message);
    }
    loop_defer(member->loop, &member->work);
    return true;
}

static void be_answered(void *context, const struct mesh_message *message)
{
    struct lane_of *of = context;
    struct member *member = of->member;
    struct question *question = message->context;
    member->wrong += message->words[0] != mesh_self(member->end);
    member->wrong += question->answer != ~question->value;
    question->answer = 0;
    member->answered[message->from][of->lane]++;
    loop_defer(member->loop, &member->work);
}

static void ask_some(struct member *member, uint16_t to, int lane)
{
    uint32_t *asked = &member->asked[to][lane];
    uint32_t burst = random_below(&member->random, 600);
    for (; burst > 0 && *asked < ASKS; burst--) {
        struct question *question = &member->questions[to][lane][*asked];
        question->value = random_u64(&member->random);
        if (!mesh_ask(member->end, to, lanes[lane],
                      &(struct mesh_message){.number = *asked,
                                             .context = question,
                                             .words = {(uintptr_t)question, question->value}}))
            return;
        (*asked)++;
    }
    if (*asked < ASKS)
        loop_defer(member->loop, &member->work);
}

static void tell_some(struct member *member, uint16_t to)
{
    uint32_t *told = &member->told[to];
    for (uint32_t burst = 1 + random_below(&member->random, 600); burst > 0 && *told < ASKS;
         burst--) {
        if (!mesh_tell(member->end, to, MESH_CLAIMS, &(struct mesh_message){.number = *told}))
            return;
        (*told)++;
    }
    if (*told < ASKS) /* nothing was refused, so nobody will wake us */
        loop_defer(member->loop, &member->work);
}

static bool has_finished(const struct member *member)
{
    uint16_t shards = mesh_shards(member->end), self = mesh_self(member->end);
    for (uint16_t i = 0; i < shards; i++)
        for (int lane = 0; lane < LANES && i != self; lane++)
            if (member->answered[i][lane] < ASKS || member->heard[i][lane] < ASKS ||
                member->told[i] < ASKS || member->noticed[i] < ASKS)
                return false;
    return member->later_count == 0;
}

static bool has_sent_all(const struct member *member)
{
    for (uint16_t i = 0; i < mesh_shards(member->end); i++)
        for (int lane = 0; lane < LANES && i != mesh_self(member->end); lane++)
            if (member->asked[i][lane] < ASKS || member->told[i] < ASKS)
                return false;
    return true;
}

static void work(struct loop *loop, struct deferral *deferral)
{
    (void)loop;
    struct member *member =
        (struct member *)(void *)((char *)deferral - offsetof(struct member, work));
    for (uint32_t i = 0; i < member->later_count; i++)
        answer(member, member->later[i].lane, &member->later[i].message);
    member->later_count = 0;
    for (uint16_t to = 0; to < mesh_shards(member->end); to++) {
        if (to == mesh_self(member->end))
            continue;
        for (int lane = 0; lane < LANES; lane++)
            ask_some(member, to, lane);
        tell_some(member, to);
    }
    if (!has_sent_all(member))
        mesh_await_consumption(member->end);
    else if (has_finished(member) && !member->finished) {
        member->finished = true;
        if (atomic_fetch_sub(member->running, 1) == 1)
            for (uint16_t i = 0; i < mesh_shards(member->end); i++)
                loop_wake(member->loops[i]);
    }
}

static void expire_retry(struct loop *loop, struct timer *timer)
{
    (void)timer;
    (void)loop; /* the turn itself offers again what was not accepted */
}

static void work_again(void *member)
{
    loop_defer(((struct member *)member)->loop, &((struct member *)member)->work);
}

static void stop(struct loop *loop, void *context)
{
    (void)context;
    loop_stop(loop);
}

static void *live(void *context)
{
    struct member *member = context;
    const struct loop_settings settings = {.submission_entries = 256,
                                           .completion_entries = 1024,
                                           .receive_buffer_count = 4,
                                           .files_max = 64,
                                           .timers_max = 64,
                                           .without_messages = member->without_messages};
    char problem[512];
    struct lane_of of[LANES];
    member->wrong += loop_open(&settings, &member->loop, problem, sizeof problem) != STATUS_OK;
    member->loops[mesh_self(member->end)] = member->loop;
    member->work.run = work;
    member->retry.expire = expire_retry;
    loop_on_wake(member->loop, stop, NULL);
    for (int lane = 0; lane < LANES; lane++) {
        of[lane] = (struct lane_of){member, lane};
        mesh_on(member->end, lanes[lane], &(struct mesh_handler){hear, be_answered, &of[lane]});
    }
    mesh_on_consumption(member->end, work_again, member);
    mesh_begin(member->end, member->loop);
    pthread_barrier_wait(member->barrier);
    loop_defer(member->loop, &member->work);
    loop_run(member->loop);
    pthread_barrier_wait(member->barrier); /* nobody nudges a loop that is closed */
    loop_figures(member->loop, &member->figures);
    loop_close(member->loop);
    return NULL;
}

static void run_threads(uint16_t count, uint64_t seed, bool without_messages)
{
    struct mesh *mesh = NULL;
    cr_assert_eq(mesh_open(count, &mesh), STATUS_OK);
    struct member *members = calloc(count, sizeof *members);
    struct loop *loops[THREADS_MAX] = {0};
    pthread_barrier_t barrier;
    pthread_barrier_init(&barrier, NULL, count);
    _Atomic uint32_t running = count;
    pthread_t threads[THREADS_MAX];
    for (uint16_t i = 0; i < count; i++) {
        members[i] = (struct member){.end = mesh_end(mesh, i),
                                     .loops = loops,
                                     .barrier = &barrier,
                                     .running = &running,
                                     .random = {seed + i},
                                     .without_messages = without_messages};
        for (uint16_t to = 0; to < count; to++)
            for (int lane = 0; lane < LANES; lane++)
                members[i].questions[to][lane] = calloc(ASKS, sizeof(struct question));
    }
    for (uint16_t i = 0; i < count; i++)
        cr_assert_eq(pthread_create(&threads[i], NULL, live, &members[i]), 0);
    for (uint16_t i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    uint64_t nudges = 0;
    for (uint16_t i = 0; i < count; i++) {
        cr_assert(members[i].finished);
        cr_assert_eq(members[i].wrong, 0);
        cr_assert_eq(mesh_unanswered(members[i].end), 0);
        cr_assert_eq(members[i].figures.sends_messages, !without_messages);
        nudges += members[i].figures.nudges;
        for (uint16_t to = 0; to < count; to++)
            for (int lane = 0; lane < LANES; lane++)
                free(members[i].questions[to][lane]);
    }
    cr_assert_gt(nudges, 0, "nobody ever slept");
    pthread_barrier_destroy(&barrier);
    free(members);
    mesh_close(mesh);
}

Test(mesh, two_threads_lose_nothing)
{
    for (uint64_t seed = 1; seed <= 3; seed++)
        run_threads(2, seed, false);
}

Test(mesh, three_threads_lose_nothing)
{
    run_threads(3, 11, false);
}

Test(mesh, threads_wake_each_other_without_messages_between_rings)
{
    run_threads(2, 21, true);
}
