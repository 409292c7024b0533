#include "io/recall.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fact.h"
#include "io/pace.h"

enum {
    TURN_BYTES = 4 * 1024 * 1024, /* of blocks answered in one turn */
    ALARMS_MAX = 256              /* places that are remembered as told */
};

struct recall {
    struct recall_settings settings;
    struct run_cache cache;
    struct run *in_flight[RECALL_READS_MAX];
    uint32_t reads;
    struct recall_ask *first, *last; /* not answered, in the order in which they came */
    struct recall_ask *walk;         /* the next one to be looked at, during carry_on */
    struct deferral carry_on;
    struct pace pace; /* of the disk: how busy the log's writes keep it */
    struct timer pace_timer;
    uint32_t paced_reads; /* in flight, of those that had to wait for leave */
    uint64_t charged_ns;  /* up to here, by the clock of the log's writes */
    uint64_t alarms[ALARMS_MAX];
    uint32_t alarm_count;
    struct recall_figures figures;
};

static void carry_on(struct loop *loop, struct deferral *deferral);
static void expire_pace(struct loop *loop, struct timer *timer);
static bool has_leave(struct recall *recall);
static void drop_ask(struct recall *recall, struct recall_ask *ask);
static struct run *start_read(struct recall *recall, uint64_t start, uint64_t until, bool ahead,
                              bool waited);
static struct block_header *verified_block(struct recall *recall, struct run *run,
                                           uint64_t position);

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

/* The block that holds the position. False: there is none, or not any more. */
static bool block_range(const struct recall *recall, uint64_t position, uint64_t *out_start,
                        uint64_t *out_end)
{
    return segments_block_range(recall->settings.segments, position, 1, out_start, out_end);
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

static void detach(struct recall_ask *ask)
{
    if (ask->run != NULL)
        ask->run->waiters--;
    ask->run = NULL;
}

void recall_withdraw(struct recall *recall, struct recall_ask *ask)
{
    if (!ask->asked)
        return;
    detach(ask);
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
    const struct block_header *block = verified_block(recall, run, position);
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
    if (position > middle || recall->reads >= RECALL_READS_MAX / 2 || !has_leave(recall))
        return; /* in pieces that are worth it; and half of the reads are for those who wait */
    if (block_range(recall, position, &start, &end))
        (void)start_read(recall, start, until_position, true, true);
}

uint64_t recall_block_end(const struct recall *recall, uint64_t position)
{
    uint64_t start, end;
    return block_range(recall, position, &start, &end) ? end : position + 1;
}

/* ---- answering ---- */

static void alarm_once(struct recall *recall, uint64_t position, const char *reason)
{
    recall->figures.failures++;
    uint32_t known = recall->alarm_count < ALARMS_MAX ? recall->alarm_count : ALARMS_MAX;
    for (uint32_t i = 0; i < known; i++)
        if (recall->alarms[i] == position)
            return;
    recall->alarms[recall->alarm_count++ % ALARMS_MAX] = position;
    if (recall->settings.alarm != NULL)
        recall->settings.alarm(recall->settings.context, position, reason);
}

/* Calls who asked; `run` is what answers it, NULL when nothing does. The size of the block. */
static uint64_t answer(struct recall *recall, struct recall_ask *ask, enum status status,
                       struct run *run)
{
    struct block_header *block = NULL;
    const struct record_head *record = NULL;
    if (run != NULL) {
        block = verified_block(recall, run, ask->position);
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
    if (!block_range(recall, ask->position, &start, &end))
        return STATUS_NOT_FOUND;
    struct run *run = run_cache_find(&recall->cache, start);
    if (run != NULL && !run->reading)
        recall->figures.hits++;
    if (run == NULL && !page_pool_could_hold(&recall->cache.pool, end - start))
        return STATUS_NO_MEMORY;
    if (run == NULL && may_read)
        run = start_read(recall, start, ask->until_position, false, ask->may_wait);
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
    bool may_read = true, answered = false, leave = has_leave(recall), waits = false;
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

/* ---- reading ---- */

static uint64_t writes_ns(const struct recall *recall)
{
    const struct recall_settings *settings = &recall->settings;
    return settings->writes_ns != NULL ? settings->writes_ns(settings->context) : 0;
}

/* What reads take is the time that the log's writes are in flight beside them. */
static void charge(struct recall *recall)
{
    uint64_t now_ns = writes_ns(recall);
    if (recall->paced_reads > 0)
        pace_spend(&recall->pace, now_ns - recall->charged_ns);
    recall->charged_ns = now_ns;
}

/* May reads go that may wait? */
static bool has_leave(struct recall *recall)
{
    charge(recall);
    pace_account(&recall->pace, loop_now_ns(recall->settings.loop), writes_ns(recall));
    return recall->pace.credit_ns > 0;
}

/* How far to read on from a block at [start, end): over whole neighbours that are wanted and not
 * here yet. */
static uint64_t extend(const struct recall *recall, uint64_t start, uint64_t end, uint64_t until)
{
    uint64_t next_start, next_end;
    uint64_t bound = run_cache_next_start(&recall->cache, start);
    uint64_t segment_bytes = recall->settings.segment_bytes;
    while (end < until && end < bound && end / segment_bytes == start / segment_bytes &&
           block_range(recall, end, &next_start, &next_end) && next_start == end &&
           next_end > end && next_end <= bound && next_end - start <= RECALL_READ_BYTES)
        end = next_end;
    return end;
}

static void read_done(struct disk_request *request, int32_t result);

/* Begins to read the block at `start`, and those behind it that begin before `until`. NULL: not
 * now. */
static struct run *start_read(struct recall *recall, uint64_t start, uint64_t until, bool ahead,
                              bool waited)
{
    uint64_t segment_bytes = recall->settings.segment_bytes, block_start, end;
    struct segment *segment = segments_find(recall->settings.segments, start / segment_bytes);
    if (recall->reads == RECALL_READS_MAX || segment == NULL ||
        !block_range(recall, start, &block_start, &end))
        return NULL;
    assert(block_start == start && end > start);
    end = extend(recall, start, end, until);
    struct run *run = run_cache_add(&recall->cache, start, end, ahead);
    if (run == NULL)
        return NULL;
    recall->in_flight[recall->reads++] = run;
    recall->figures.reads++;
    charge(recall);
    run->waited = waited;
    recall->paced_reads += waited;
    run->request = (struct disk_request){
        .action = DISK_READ,
        .file = segment->file,
        .memory = run->memory,
        .offset = start % segment_bytes,
        .size_bytes = (uint32_t)(end - start),
        .done = read_done,
    };
    disk_submit(recall->settings.disk, &run->request);
    return run;
}

static void fail_run(struct recall *recall, struct run *run, int32_t result);

static void read_done(struct disk_request *request, int32_t result)
{
    struct run *run = (struct run *)(void *)((char *)request - offsetof(struct run, request));
    struct recall *recall = run->owner;
    uint32_t i = 0;
    while (recall->in_flight[i] != run)
        i++;
    recall->in_flight[i] = recall->in_flight[--recall->reads];
    run->reading = false;
    charge(recall);
    recall->paced_reads -= run->waited;
    if (result >= 0 && (uint32_t)result == run->request.size_bytes)
        recall->figures.read_bytes += run->end - run->start;
    else
        fail_run(recall, run, result);
    if (recall->first != NULL)
        loop_defer(recall->settings.loop, &recall->carry_on);
}

/* One bad place must not spoil its neighbours: what was read together is read again, each block by
 * itself, and only what fails then has failed. */
static void fail_run(struct recall *recall, struct run *run, int32_t result)
{
    char reason[128];
    uint64_t start, end;
    if (result < 0)
        snprintf(reason, sizeof reason, "cannot be read: %s", strerror(-result));
    else
        snprintf(reason, sizeof reason, "cannot be read: the file gives %d of %u bytes", result,
                 run->request.size_bytes);
    for (struct recall_ask *ask = recall->first; ask != NULL; ask = ask->next) {
        if (ask->run != run)
            continue;
        detach(ask);
        ask->until_position = 0;
        if (!block_range(recall, ask->position, &start, &end) || start != run->start ||
            end != run->end)
            continue;
        ask->failure = STATUS_IO;
        alarm_once(recall, start, reason);
    }
    run_cache_drop(&recall->cache, run);
}

/* ---- what was read ---- */

/* The block that holds the position, once its checksum was found right; NULL: it is not. */
static struct block_header *verified_block(struct recall *recall, struct run *run,
                                           uint64_t position)
{
    uint64_t start, end;
    if (!block_range(recall, position, &start, &end) || start < run->start || end > run->end)
        return NULL; /* its segment went meanwhile */
    struct block_header *block =
        (struct block_header *)(void *)(run->memory + (start - run->start));
    uint64_t page = (start - run->start) / JOURNAL_PAGE_BYTES;
    uint64_t *word = &run->checked[page / 64], bit = UINT64_C(1) << page % 64;
    if ((*word & bit) != 0)
        return block;
    recall->figures.blocks++;
    if (block_check(recall->settings.secret, block, end - start, start) != STATUS_OK ||
        block->size_bytes != end - start) {
        run->bad = true;
        alarm_once(recall, start, "is not as it was written: its checksum does not fit");
        return NULL;
    }
    *word |= bit;
    return block;
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
