/* Reads of io/recall/recall.h, and whether what they brought is right. Part of it, cut out for its
 * length.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "io/recall/recall_inside.h"

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

bool recall_has_leave(struct recall *recall)
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
           recall_block_range(recall, end, &next_start, &next_end) && next_start == end &&
           next_end > end && next_end <= bound && next_end - start <= RECALL_READ_BYTES)
        end = next_end;
    return end;
}

static void read_done(struct disk_request *request, int32_t result);

struct run *recall_start_read(struct recall *recall, uint64_t start, uint64_t until, bool ahead,
                              bool waited)
{
    uint64_t segment_bytes = recall->settings.segment_bytes, block_start, end;
    struct segment *segment = segments_find(recall->settings.segments, start / segment_bytes);
    if (recall->reads == RECALL_READS_MAX || segment == NULL ||
        !recall_block_range(recall, start, &block_start, &end))
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

static void alarm_once(struct recall *recall, uint64_t position, const char *reason)
{
    recall->figures.failures++;
    uint32_t known =
        recall->alarm_count < RECALL_ALARMS_MAX ? recall->alarm_count : RECALL_ALARMS_MAX;
    for (uint32_t i = 0; i < known; i++)
        if (recall->alarms[i] == position)
            return;
    recall->alarms[recall->alarm_count++ % RECALL_ALARMS_MAX] = position;
    if (recall->settings.alarm != NULL)
        recall->settings.alarm(recall->settings.context, position, reason);
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
        recall_detach(ask);
        ask->until_position = 0;
        if (!recall_block_range(recall, ask->position, &start, &end) || start != run->start ||
            end != run->end)
            continue;
        ask->failure = STATUS_IO;
        alarm_once(recall, start, reason);
    }
    run_cache_drop(&recall->cache, run);
}

/* ---- what was read ---- */

struct block_header *recall_verified_block(struct recall *recall, struct run *run,
                                           uint64_t position)
{
    uint64_t start, end;
    if (!recall_block_range(recall, position, &start, &end) || start < run->start || end > run->end)
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
