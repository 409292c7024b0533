/* Readers that wait, over several shards. Nobody waits at another shard: the reader's own marks on
 * the board, at each shard and destination, that it wants to be told once of anything new there,
 * and looks then; the mark is made before the look, so that what comes behind the look is told.
 *
 * All that wait stand in one line. Of those that wait for the same (errand_read's signature) one at
 * a time looks, the first; when it has found something, the next does. */
#include "io/delivery/errand_inside.h"

enum { LOOKERS_MAX = 64 };

/* ---- waiting ---- */

static void time_out(struct loop *loop, struct timer *timer)
{
    struct session *session =
        (struct session *)(void *)((char *)timer - offsetof(struct session, blocked.timer));
    struct errand *errand = session->errand;
    (void)loop;
    errand->has_timed_out = true;
    if (errand->is_looking)
        return; /* what it finds is still its own */
    errand->is_looking = true;
    errand_make_due(errand);
}

static void stand_in_line(struct errand *errand)
{
    struct errands *errands = errand->errands;
    struct session *session = errand->session;
    errand->is_blocked = true;
    errand->ahead = errands->blocked_last;
    errand->back = NULL;
    if (errands->blocked_last != NULL)
        errands->blocked_last->back = errand;
    else
        errands->blocked_first = errand;
    errands->blocked_last = errand;
    if (errand->read.block_ms == 0)
        return;
    session->blocked.timer.expire = time_out;
    loop_timer_arm(errands->shard->loop, &session->blocked.timer,
                   loop_now_ns(errands->shard->loop) + errand->read.block_ms * UINT64_C(1000000));
}

static void want_news(const struct errand *errand)
{
    const struct errands *errands = errand->errands;
    for (uint32_t s = 0; s < errand->read.stream_count; s++) {
        if (errand->read.destinations[s] == NO_DESTINATION)
            continue;
        for (uint16_t shard = 0; shard < errands->count; shard++)
            /* Relaxed: the ask that goes to that shard then, through its ring, shows it there. */
            atomic_store_explicit(errand_board_wanted(errands->board, shard, errands->self,
                                                      errand->read.destinations[s]),
                                  1, memory_order_relaxed);
    }
}

void errand_look(struct errand *errand)
{
    if (!errand->is_blocked)
        stand_in_line(errand);
    errand->is_looking = true;
    errand->looks_again = false;
    want_news(errand);
}

bool errand_block(struct errand *errand)
{
    struct session *session = errand->session;
    if (errand->looks_again)
        return false;
    errand->is_looking = false;
    if ((session->waits & SESSION_WAIT_READ) == 0) {
        session_wait_for(session, SESSION_WAIT_READ);
        connection_watch(session->connection, true);
    }
    return true;
}

/* What woke it may be there for others still. */
static void pass_on(struct errand *errand)
{
    for (uint32_t s = 0; s < errand->read.stream_count; s++)
        if (errand->read.destinations[s] != NO_DESTINATION)
            destination_set_add(&errand->errands->news, errand->read.destinations[s]);
    shard_wake(errand->errands->shard);
}

void errand_unblock(struct errand *errand)
{
    struct errands *errands = errand->errands;
    struct session *session = errand->session;
    if (!errand->is_blocked)
        return;
    errand->is_blocked = false;
    if (errand->ahead != NULL)
        errand->ahead->back = errand->back;
    else
        errands->blocked_first = errand->back;
    if (errand->back != NULL)
        errand->back->ahead = errand->ahead;
    else
        errands->blocked_last = errand->ahead;
    if (errand->is_looking)
        pass_on(errand);
    errand->is_looking = false;
    if (session->blocked.timer.heap_index != 0)
        loop_timer_disarm(errands->shard->loop, &session->blocked.timer);
}

/* ---- being woken ---- */

static bool concerns(const struct errand *errand, const struct destination_set *news)
{
    for (uint32_t s = 0; s < errand->read.stream_count; s++)
        if (errand->read.destinations[s] != NO_DESTINATION &&
            destination_set_has(news, errand->read.destinations[s]))
            return true;
    return false;
}

struct lookers {
    uint64_t signatures[LOOKERS_MAX];
    uint32_t count;
};

static void note_looker(struct lookers *lookers, const struct errand *errand)
{
    if (errand->read.signature != 0 && lookers->count < LOOKERS_MAX)
        lookers->signatures[lookers->count++] = errand->read.signature;
}

static bool has_looker(const struct lookers *lookers, const struct errand *errand)
{
    for (uint32_t i = 0; i < lookers->count; i++)
        if (lookers->signatures[i] == errand->read.signature)
            return true;
    return false;
}

void errands_run_blocked(struct errands *errands)
{
    struct lookers lookers = {.count = 0};
    struct destination_set news = errands->news;
    if (destination_set_is_empty(&news))
        return;
    errands->news = (struct destination_set){0};
    for (struct errand *errand = errands->blocked_first; errand != NULL; errand = errand->back)
        if (errand->is_looking && concerns(errand, &news)) {
            errand->looks_again = true;
            note_looker(&lookers, errand);
        }
    for (struct errand *errand = errands->blocked_first; errand != NULL; errand = errand->back) {
        if (errand->is_looking || !concerns(errand, &news) || has_looker(&lookers, errand) ||
            connection_is_closing(errand->session->connection))
            continue;
        note_looker(&lookers, errand);
        errand->is_looking = true;
        errand_make_due(errand);
    }
}

/* ---- telling ---- */

static bool tell(struct errands *errands, uint16_t peer, uint16_t destination)
{
    const struct mesh_message message = {.kind = ERRAND_NEW, .words = {destination}};
    return mesh_tell(errands->mesh, peer, MESH_ERRANDS, &message);
}

void errands_wake(struct errands *errands, uint16_t destination)
{
    for (uint16_t peer = 0; peer < errands->count; peer++) {
        _Atomic uint8_t *wanted =
            errand_board_wanted(errands->board, errands->self, peer, destination);
        /* Relaxed: it was made before the look, which came through the ring. */
        if (atomic_load_explicit(wanted, memory_order_relaxed) == 0)
            continue;
        atomic_store_explicit(wanted, 0, memory_order_relaxed);
        if (peer == errands->self)
            destination_set_add(&errands->news, destination);
        else if (!tell(errands, peer, destination))
            destination_set_add(&errands->untold[peer], destination);
    }
}

void errands_tell_again(struct errands *errands)
{
    for (uint16_t peer = 0; peer < errands->count; peer++) {
        struct destination_set *untold = &errands->untold[peer];
        for (unsigned d = destination_set_next(untold, 0);
             d < DESTINATIONS_MAX && tell(errands, peer, (uint16_t)d);
             d = destination_set_next(untold, d + 1))
            destination_set_remove(untold, (uint16_t)d);
    }
}

void errands_publish(struct errands *errands, struct record_id id)
{
    errand_board_publish(errands->board, errands->self, id);
}
