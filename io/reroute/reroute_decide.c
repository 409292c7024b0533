/* The messages of a log decided once more, in the order in which they lie there. */
#include <inttypes.h>
#include <stdlib.h>

#include "io/audit/log_cursor.h"
#include "io/audit/log_walk.h"
#include "io/journal/facts.h"
#include "io/reroute/reroute_inside.h"
#include "io/shard/server_inside.h"

void reroute_close_batch(struct reroute_batch *batch)
{
    for (uint32_t i = 0; i < REROUTE_BATCH; i++)
        stored_body_close(&batch->bodies[i]);
}

/* ---- where it goes ---- */

static struct destination_set without(const struct destination_set *set,
                                      const struct destination_set *other)
{
    struct destination_set rest = *set;
    for (unsigned i = 0; i < DESTINATIONS_MAX / 64; i++)
        rest.words[i] &= ~other->words[i];
    return rest;
}

/* Leaves in the routing what is new in it. */
static void judge(const struct reroute *reroute, struct family *family, struct routing *routing)
{
    if (routing->refused || routing->part_count > 1) {
        family->stand = REROUTE_REFUSED;
        return;
    }
    if (family->rerouted_by >= reroute->number) {
        family->stand = REROUTE_ALREADY;
        return;
    }
    routing->deliver = without(&routing->deliver, &family->been);
    routing->hold = without(&routing->hold, &family->been);
    routing->hold = without(&routing->hold, &family->held);
    bool is_new =
        !destination_set_is_empty(&routing->deliver) || !destination_set_is_empty(&routing->hold);
    family->stand = is_new ? REROUTE_GOES_ON : REROUTE_STAYS;
}

/* ---- a batch ---- */

/* A hold ends with it, but where the rules hold it still. */
static void add_ends(struct reroute *reroute, const struct family *family,
                     const struct destination_set *deliver, const struct destination_set *hold,
                     struct reroute_item *item)
{
    struct reroute_batch *batch = &reroute->batch;
    item->ends = &batch->ends[batch->end_count];
    for (uint32_t i = family->last_hold; i != REROUTE_NONE; i = reroute->families.holds[i].before) {
        const struct family_hold *held = &reroute->families.holds[i];
        if (held->has_ended || destination_set_has(hold, held->destination))
            continue;
        assert(batch->end_count < REROUTE_ENDS_MAX);
        batch->ends[batch->end_count++] = facts_make_hold_end(
            held->id, held->destination,
            destination_set_has(deliver, held->destination) ? HOLD_RELEASED : HOLD_REJECTED);
        item->end_count++;
    }
}

static void take_decision(struct reroute *reroute, uint32_t index, struct routing *routing)
{
    struct reroute_batch *batch = &reroute->batch;
    struct family *family = batch->families[index];
    const struct destination_set hold = routing->hold; /* held still, too */
    judge(reroute, family, routing);
    if (!reroute->writes) {
        reroute_tally_add(&reroute->tally, reroute->settings.present, family, routing);
        return;
    }
    assert(family->stand == REROUTE_GOES_ON); /* as it was decided for the plan */
    struct reroute_item *item = &batch->items[batch->item_count++];
    *item = (struct reroute_item){.routing = routing, .first = batch->firsts[index]};
    add_ends(reroute, family, &routing->deliver, &hold, item);
}

static enum status write_items(struct reroute *reroute)
{
    struct reroute_batch *batch = &reroute->batch;
    if (batch->item_count == 0)
        return STATUS_OK;
    if (!server_reroute(reroute->settings.server, reroute->reader->log_number, batch->items,
                        batch->item_count))
        return STATUS_INCOMPLETE;
    for (uint32_t i = 0; i < batch->item_count; i++)
        reroute_tally_note(&reroute->tally, reroute->settings.present, &batch->items[i]);
    reroute->done += batch->item_count;
    batch->item_count = batch->end_count = 0;
    return STATUS_OK;
}

/* What was begun is finished: so each of them is done with, or is not. */
static enum status run_batch(struct reroute *reroute)
{
    struct reroute_batch *batch = &reroute->batch;
    enum status status = STATUS_OK;
    for (uint32_t first = 0; first < batch->count && status == STATUS_OK;) {
        uint32_t routing_count;
        uint32_t decided =
            router_decide(reroute->router, reroute->settings.present, batch->arrivals + first,
                          batch->count - first, reroute->now_ms, reroute->routings, &routing_count);
        for (uint32_t i = 0; i < routing_count; i++) {
            struct routing *routing = &reroute->routings[i];
            if (routing->part_number <= 1)
                take_decision(reroute, (uint32_t)(routing->arrival - batch->arrivals), routing);
        }
        status = write_items(reroute);
        for (uint32_t i = first; i < first + decided && status == STATUS_OK; i++)
            batch->families[i]->is_done = reroute->writes;
        first += decided;
    }
    batch->count = 0;
    batch->bytes = 0;
    return status;
}

static void add_to_batch(struct reroute *reroute, const struct record *record,
                         struct family *family, uint16_t participant, uint16_t channel)
{
    struct reroute_batch *batch = &reroute->batch;
    const struct generation *present = reroute->settings.present;
    uint32_t index = batch->count++;
    batch->bytes += record->head.size_bytes;
    batch->firsts[index] = *record;
    batch->families[index] = family;
    batch->arrivals[index] =
        (struct arrival){.body = stored_body_copy(&batch->bodies[index], record),
                         .channel = present->channels[channel],
                         .participant = present->directory.participants[participant]};
}

/* ---- a log ---- */

static enum status look_up(void *context, const struct block_header *block)
{
    const struct reroute *reroute = context;
    (void)block;
    return reroute->settings.is_over(reroute->settings.context) ? STATUS_INCOMPLETE : STATUS_OK;
}

static bool waits(const struct reroute *reroute, const struct family *family)
{
    return family->is_asked && family->is_there && !family->is_done &&
           family->stand == (reroute->writes ? REROUTE_GOES_ON : REROUTE_UNDECIDED);
}

static bool is_to_be_decided(const struct reroute *reroute, const struct record_head *head,
                             struct family **out_family)
{
    const struct record *record = (const struct record *)(const void *)head;
    if (head->kind != RECORD_KIND_MESSAGE || (head->flags & RECORD_COPIED) != 0 ||
        record->cause != RECORD_MESSAGE)
        return false;
    struct family *family = families_find(&reroute->families, record->id);
    *out_family = family;
    return family != NULL && waits(reroute, family) &&
           record_id_compare(family->id, record->id) == 0;
}

static void leave_out(struct reroute *reroute, struct family *family)
{
    family->stand = REROUTE_ORPHANED;
    reroute_tally_add(&reroute->tally, reroute->settings.present, family, NULL);
}

/* INCOMPLETE, and nothing is wrong, when nothing is left, or time is up. */
static enum status end_batch(struct reroute *reroute)
{
    enum status status = run_batch(reroute);
    reroute->is_paused = reroute->writes && reroute_read_ns() >= reroute->pause_ns;
    if (status == STATUS_OK && (reroute->left == 0 || reroute->is_paused))
        return STATUS_INCOMPLETE;
    return status;
}

static enum status take_record(void *context, const struct record_head *head, uint64_t position,
                               const struct block_header *block)
{
    struct reroute *reroute = context;
    struct family *family;
    uint16_t participant, channel;
    (void)position;
    (void)block;
    if (!is_to_be_decided(reroute, head, &family))
        return STATUS_OK;
    const struct record *record = (const struct record *)(const void *)head;
    reroute->left--;
    if (origins_find_sender(&reroute->origins, record, &participant, &channel))
        add_to_batch(reroute, record, family, participant, channel);
    else
        leave_out(reroute, family);
    bool is_full =
        reroute->batch.count == REROUTE_BATCH || reroute->batch.bytes >= REROUTE_BATCH_BYTES;
    return is_full || reroute->left == 0 ? end_batch(reroute) : STATUS_OK;
}

/* How many of the log wait, and the first of them. */
static uint64_t count_waiting(const struct reroute *reroute, struct record_id *out_first)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < reroute->families.count; i++) {
        const struct family *family = &reroute->families.items[i];
        if ((family->id.seq & LOG_NUMBER_MASK) != reroute->reader->log_number ||
            !waits(reroute, family))
            continue;
        if (count++ == 0 || record_id_compare(family->id, *out_first) < 0)
            *out_first = family->id;
    }
    return count;
}

enum status reroute_decide_log(struct reroute *reroute, const struct log_reader *reader)
{
    struct record_id first;
    struct log_walk walk;
    const struct log_handler handler = {
        .block = look_up, .record = take_record, .context = reroute};
    reroute->reader = reader;
    reroute->left = count_waiting(reroute, &first);
    if (reroute->left == 0 || reroute->is_paused)
        return STATUS_OK;
    enum status status = STATUS_OK;
    if (reroute->router == NULL)
        status = router_open(&reader->secret, reroute->settings.entries_max, &reroute->router);
    if (status == STATUS_OK)
        status = log_walk(reader, log_cursor_find_segment(reader, first), &handler, &walk);
    bool is_enough = reroute->batch.count == 0 && (reroute->left == 0 || reroute->is_paused);
    if (status == STATUS_INCOMPLETE && is_enough)
        return STATUS_OK;
    return status == STATUS_OK ? run_batch(reroute) : status;
}
