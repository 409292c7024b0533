#include "io/intake/commit.h"

#include <assert.h>
#include <stdlib.h>

#include "io/delivery/errand.h"
#include "io/delivery/outlet_watch.h"
#include "io/delivery/read.h"
#include "io/front/session.h"
#include "io/intake/intake_parts.h"
#include "io/shard/shard.h"

enum status commit_open(struct commit_queue *queue, uint32_t capacity)
{
    uint64_t places = 64;
    while (places < capacity)
        places *= 2;
    struct commit_item *items = calloc(places, sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *queue = (struct commit_queue){.items = items, .mask = places - 1};
    return STATUS_OK;
}

void commit_close(struct commit_queue *queue)
{
    free(queue->items);
    *queue = (struct commit_queue){0};
}

bool commit_has_spare_room(const struct shard *shard, uint64_t items)
{
    uint64_t slots = (uint64_t)shard->publications.capacity + shard->promises.capacity;
    return commit_count(&shard->commits) + slots + items <= shard->commits.mask + 1;
}

uint64_t commit_oldest_position(const struct commit_queue *queue)
{
    for (uint64_t i = queue->first; i < queue->end; i++)
        if (queue->items[i & queue->mask].position != WINDOW_NO_POSITION)
            return queue->items[i & queue->mask].position;
    return WINDOW_NO_POSITION;
}

void commit_add(struct shard *shard, const struct commit_item *item)
{
    struct commit_queue *queue = &shard->commits;
    assert(commit_has_room(queue));
    uint64_t due_turn = delays_pick(&shard->delays, shard->turn_number);
    if (commit_count(queue) > 0) {
        uint64_t before = queue->items[(queue->end - 1) & queue->mask].due_turn;
        if (due_turn < before)
            due_turn = before;
    }
    struct commit_item *place = &queue->items[queue->end++ & queue->mask];
    *place = *item;
    place->due_turn = due_turn;
    shard_wake(shard);
}

void commit_facts_written(struct shard *shard)
{
    struct commit_queue *queue = &shard->commits;
    uint64_t at = queue->told_facts > queue->first ? queue->told_facts : queue->first;
    for (; at < queue->end; at++) {
        struct commit_item *item = &queue->items[at & queue->mask];
        if (item->durable_from == COMMIT_WITH_FACTS)
            item->durable_from = shard->journal.end_position;
    }
    queue->told_facts = queue->end;
}

void commit_add_reply(struct shard *shard, struct reply_slot *slot)
{
    bool is_gathered = shard->facts.are_kept && facts_are_gathered(shard);
    commit_add(shard,
               &(struct commit_item){.slot = slot,
                                     .position = WINDOW_NO_POSITION,
                                     .durable_from = is_gathered ? COMMIT_WITH_FACTS
                                                                 : shard->journal.end_position,
                                     .window_entry = WINDOW_NO_ENTRY});
}

static void push_to(struct shard *shard, const struct record *record, uint16_t destination,
                    const struct commit_item *item)
{
    struct outlet *outlet = &shard->outlets[destination];
    if (record_is_decided(record))
        outlet->account.routed++;
    else
        outlet->account.emitted++;
    outlet_push_reserved(outlet, record, item->position, item->reserved_bytes);
    destination_set_add(&shard->pushed, destination);
}

static void hold_at(struct shard *shard, const struct record *record, uint16_t destination,
                    const struct commit_item *item)
{
    struct outlet *outlet = &shard->outlets[destination];
    hold_add(&shard->holds, record, item->position, destination, loop_wall_ms(shard->loop));
    if (shard->holds.room != NULL)
        hold_tell_room(&shard->holds); /* kept, before it is given back */
    hold_unreserve(&shard->holds, 1, item->reserved_bytes);
    outlet->account.routed++;
    outlet->account.held++;
}

static void confirm(struct shard *shard, const struct commit_item *item)
{
    if (shard->mesh == NULL)
        window_confirm(shard->window, item->window_entry);
    else
        claims_confirm(&shard->intake.claims,
                       journal_message(&shard->journal, item->position)->identity,
                       item->window_entry, item->position);
}

static void complete(struct shard *shard, const struct commit_item *item)
{
    if (item->position != WINDOW_NO_POSITION) {
        const struct record *record = journal_message(&shard->journal, item->position);
        const uint16_t *destinations = record_destinations(record);
        for (uint16_t i = 0; i < record->destination_count; i++) {
            uint16_t destination = destinations[i] & (uint16_t)~RECORD_HELD;
            if ((destinations[i] & RECORD_HELD) != 0)
                hold_at(shard, record, destination, item);
            else
                push_to(shard, record, destination, item);
        }
        if (shard->cases != NULL)
            cases_observe(shard->cases, cases_current_view(shard->cases), record, item->position);
        if (shard->errands != NULL)
            errands_publish(shard->errands, record->id);
    }
    if (item->window_entry != WINDOW_NO_ENTRY)
        confirm(shard, item);
    if (item->asked_by != 0)
        messages_answer(shard, item);
    else if (item->slot != NULL && item->slot->is_publication && shard->mesh != NULL)
        retire_far_settle(shard, publication_of(item->slot));
    else if (item->slot != NULL)
        session_slot_done(shard, item->slot);
}

/* Groups wake once a turn, with all that came, and not once a message. */
static void wake_groups(struct shard *shard)
{
    struct destination_set pushed = shard->pushed;
    shard->pushed = (struct destination_set){0};
    for (unsigned d = destination_set_next(&pushed, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&pushed, d + 1)) {
        read_serve_waiters(&shard->outlets[d]);
        if (shard->errands != NULL)
            errands_wake(shard->errands, (uint16_t)d);
        outlet_watch(&shard->outlets[d]);
    }
}

bool commit_run(struct shard *shard)
{
    struct commit_queue *queue = &shard->commits;
    while (queue->first < queue->end) {
        struct commit_item item = queue->items[queue->first & queue->mask];
        if (item.due_turn > shard->turn_number ||
            item.durable_from > shard->journal.durable_position ||
            claims_room(&shard->intake.claims) == 0)
            break;
        queue->first++;
        complete(shard, &item);
    }
    wake_groups(shard);
    return commit_count(queue) > 0;
}
