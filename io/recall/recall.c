#include <assert.h>
#include <stdlib.h>

#include "core/fact.h"
#include "io/recall/recall_inside.h"

enum { TURN_BYTES = 4 * 1024 * 1024 /* of blocks answered in one turn */ };

static void carry_on(struct loop *loop, struct deferral *deferral);
static void expire_pace(struct loop *loop, struct timer *timer);
static void drop_ask(struct recall *recall, struct recall_ask *ask);

enum status recall_open(const struct recall_settings *settings, struct recall **out_recall)
{
    struct recall *recall = calloc(1, sizeof *recall);
    if (recall == NULL)
        return STATUS_NO_MEMORY;
    recall->settings = *settings;
    recall->carry_on.run = carry_on;
    recall->pace_timer.expire = expire_pace;
    recall->pace = (struct pace){
        .schedstat = -1, .now_ns = loop_now_ns(settings->loop), .credit_ns = PACE_CREDIT_NS};
    enum status status = run_cache_open(&recall->cache, settings->memory_bytes, recall);
    if (status != STATUS_OK) {
        free(recall);
        return status;
    }
    *out_recall = recall;
    return STATUS_OK;
}

void recall_close(struct recall *recall)
{
    while (recall->reads > 0)
        recall->settings.disk->wait(recall->settings.disk);
    loop_undefer(recall->settings.loop, &recall->carry_on);
    loop_timer_disarm(recall->settings.loop, &recall->pace_timer);
    run_cache_close(&recall->cache);
    free(recall);
}

bool recall_is_idle(const struct recall *recall)
{
    return recall->reads == 0 && recall->first == NULL;
}

bool recall_is_reading(const struct recall *recall, uint64_t segment_number)
{
    for (uint32_t i = 0; i < recall->reads; i++)
        if (recall->in_flight[i]->start / recall->settings.segment_bytes == segment_number)
            return true;
    return false;
}

const struct recall_figures *recall_figures(const struct recall *recall)
{
    return &recall->figures;
}

/* ---- asking ---- */

void recall_ask(struct recall *recall, struct recall_ask *ask)
{
    assert(!ask->asked);
    ask->asked = true;
    ask->run = NULL;
    ask->failure = STATUS_OK;
    ask->next = NULL;
    ask->previous = recall->last;
    *(recall->last != NULL ? &recall->last->next : &recall->first) = ask;
    recall->last = ask;
    recall->figures.asks++;
    loop_defer(recall->settings.loop, &recall->carry_on);
}

void recall_withdraw(struct recall *recall, struct recall_ask *ask)
{
    if (!ask->asked)
        return;
    recall_detach(ask);
    drop_ask(recall, ask);
}

static void drop_ask(struct recall *recall, struct recall_ask *ask)
{
    if (recall->walk == ask)
        recall->walk = ask->next;
    *(ask->previous != NULL ? &ask->previous->next : &recall->first) = ask->next;
    *(ask->next != NULL ? &ask->next->previous : &recall->last) = ask->previous;
    ask->asked = false;
}

const struct record_head *recall_find(struct recall *recall, uint64_t position)
{
    struct run *run = run_cache_find(&recall->cache, position);
    if (run == NULL || run->reading)
        return NULL;
    const struct block_header *block = recall_verified_block(recall, run, position);
    if (block == NULL)
        return NULL;
    run_cache_note_use(&recall->cache, run);
    return recall_record_in(block, position);
}

void recall_read_ahead(struct recall *recall, uint64_t position, uint64_t until_position)
{
    const struct run *run;
    uint64_t start, end, middle = position + (until_position - position) / 2;
    while (position < until_position && (run = run_cache_find(&recall->cache, position)) != NULL)
        position = run->end;
    if (position > middle || recall->reads >= RECALL_READS_MAX / 2 || !recall_has_leave(recall))
        return; /* in pieces that are worth it; and half of the reads are for those who wait */
    if (recall_block_range(recall, position, &start, &end))
        (void)recall_start_read(recall, start, until_position, true, true);
}

uint64_t recall_block_end(const struct recall *recall, uint64_t position)
{
    uint64_t start, end;
    return recall_block_range(recall, position, &start, &end) ? end : position + 1;
}

/* ---- answering ---- */

/* Calls who asked; `run` is what answers it, NULL when nothing does. The size of the block. */
static uint64_t answer(struct recall *recall, struct recall_ask *ask, enum status status,
                       struct run *run)
{
    struct block_header *block = NULL;
    const struct record_head *record = NULL;
    if (run != NULL) {
        block = recall_verified_block(recall, run, ask->position);
        status = block != NULL ? STATUS_OK : run->bad ? STATUS_CORRUPT : STATUS_NOT_FOUND;
    }
    if (block != NULL && ask->position != block->position) {
        record = recall_record_in(block, ask->position);
        status = record != NULL ? STATUS_OK : STATUS_NOT_FOUND;
    }
    drop_ask(recall, ask);
    ask->run = NULL; /* it waits on until `done` has seen the bytes */
    uint64_t bytes = block != NULL ? block->size_bytes : 0;
    ask->done(ask, status, status == STATUS_OK ? block : NULL, record);
    if (run == NULL)
        return 0;
    run->waiters--;
    run_cache_note_use(&recall->cache, run);
    if (run->bad && run->waiters == 0)
        run_cache_drop(&recall->cache, run);
    return bytes;
}

/* Finds the run that will answer, or begins to read it. OK with none: later. */
static enum status attach(struct recall *recall, struct recall_ask *ask, bool may_read)
{
    uint64_t start, end;
    if (ask->run != NULL)
        return STATUS_OK;
    if (ask->failure != STATUS_OK)
        return ask->failure;
    if (!recall_block_range(recall, ask->position, &start, &end))
        return STATUS_NOT_FOUND;
    struct run *run = run_cache_find(&recall->cache, start);
    if (run != NULL && !run->reading)
        recall->figures.hits++;
    if (run == NULL && !page_pool_could_hold(&recall->cache.pool, end - start))
        return STATUS_NO_MEMORY;
    if (run == NULL && may_read)
        run = recall_start_read(recall, start, ask->until_position, false, ask->may_wait);
    if (run != NULL)
        run->waiters++;
    ask->run = run;
    return STATUS_OK;
}

/* Looks at all that were asked: begins reads in their order, and answers what is there. */
static void carry_on(struct loop *loop, struct deferral *deferral)
{
    struct recall *recall =
        (struct recall *)(void *)((char *)deferral - offsetof(struct recall, carry_on));
    uint64_t budget_bytes = TURN_BYTES, started_ns = pace_clock_ns();
    bool may_read = true, answered = false, leave = recall_has_leave(recall), waits = false;
    struct recall_ask *ask;
    for (recall->walk = recall->first; (ask = recall->walk) != NULL;) {
        recall->walk = ask->next;
        bool may_ask = leave || !ask->may_wait;
        enum status status = attach(recall, ask, may_read && may_ask);
        struct run *run = ask->run;
        waits |= !may_ask && run == NULL;
        may_read &= status != STATUS_OK || run != NULL || !may_ask; /* none overtakes who cannot */
        if (status != STATUS_OK) {
            answer(recall, ask, status, NULL);
            continue;
        }
        if (run == NULL || run->reading)
            continue;
        if (budget_bytes == 0) {
            loop_defer(loop, deferral);
            break;
        }
        uint64_t bytes = answer(recall, ask, STATUS_OK, run);
        budget_bytes -= bytes < budget_bytes ? bytes : budget_bytes;
        answered = true;
    }
    recall->walk = NULL;
    recall->figures.busy_ns += pace_clock_ns() - started_ns;
    if (waits)
        loop_timer_arm(loop, &recall->pace_timer, loop_now_ns(loop) + pace_wait_ns(&recall->pace));
    if (!may_read && answered) /* there may be room now for one that was passed */
        loop_defer(loop, deferral);
}

static void expire_pace(struct loop *loop, struct timer *timer)
{
    struct recall *recall =
        (struct recall *)(void *)((char *)timer - offsetof(struct recall, pace_timer));
    loop_defer(loop, &recall->carry_on);
}

const struct record_head *recall_record_in(const struct block_header *block, uint64_t position)
{
    uint64_t offset = position - block->position;
    if (offset < sizeof *block || offset % RECORD_ALIGNMENT != 0 || offset >= block->used_bytes)
        return NULL;
    const struct record_head *record =
        (const struct record_head *)(const void *)((const char *)block + offset);
    return record_check(record, block->used_bytes - offset) == STATUS_OK ? record : NULL;
}
