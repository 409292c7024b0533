#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "io/intake/append.h"
#include "io/journal/retention_inside.h"
#include "io/shard/shard.h"

enum {
    FAILURE_MS = 60000, /* before what could not be read is tried again */
    /* In one turn: */
    ENTRIES_MAX = 4096, /* looked at */
    COPIED_BYTES_MAX = 64 * 1024
};

/* ---- what is still needed ---- */

/* What is kept for want of a group goes with its segment. */
static void drop_retained(const struct retention *retention, struct outlet *outlet)
{
    while (outlet->group_count == 0 && outlet_length(outlet) > 0 &&
           outlet_entry(outlet, outlet->first)->position < retention->end_position)
        outlet_drop_retained(outlet, outlet_entry(outlet, outlet->first)->id);
}

enum search { FOUND, NOT_YET, NOTHING_LEFT };

/* Where `from` stands, the next record of the outlet that lies in the segment. */
static enum search search_outlet(struct retention *retention, const struct outlet *outlet,
                                 uint32_t *budget, uint64_t *out_position)
{
    struct record_id last =
        retention->last_ids[retention->segment_number % retention->segments_max];
    for (uint64_t i = outlet_lower_bound(outlet, retention->from); i < outlet->end; i++) {
        const struct outlet_entry *entry = outlet_entry(outlet, i);
        if (record_id_compare(entry->id, last) > 0)
            return NOTHING_LEFT;
        retention->from = entry->id;
        if (entry->position < retention->end_position) {
            *out_position = entry->position;
            return FOUND;
        }
        if (--*budget == 0)
            return NOT_YET;
    }
    return NOTHING_LEFT;
}

static enum search search_holds(struct retention *retention, const struct hold_list *holds,
                                uint32_t *budget, uint64_t *out_position)
{
    const struct hold *hold;
    while ((hold = hold_next(holds, retention->from, 0)) != NULL) {
        retention->from = hold->id;
        if (hold->position < retention->end_position) {
            *out_position = hold->position;
            return FOUND;
        }
        retention->from = record_id_after(hold->id);
        if (--*budget == 0)
            return NOT_YET;
    }
    return NOTHING_LEFT;
}

static enum search search(struct shard *shard, uint32_t *budget, uint64_t *out_position)
{
    struct retention *retention = &shard->retention;
    const uint16_t destinations = shard->generation->destination_count;
    while (retention->destination < destinations) {
        struct outlet *outlet = &shard->outlets[retention->destination];
        drop_retained(retention, outlet);
        enum search result = search_outlet(retention, outlet, budget, out_position);
        if (result != NOTHING_LEFT)
            return result;
        retention->destination++;
        retention->from = (struct record_id){0};
    }
    return search_holds(retention, &shard->holds, budget, out_position);
}

/* ---- copying ---- */

static bool is_held(const struct shard *shard, const struct record *record, uint64_t position,
                    uint16_t destination)
{
    const struct hold *hold = hold_next(&shard->holds, record->id, destination);
    return hold != NULL && record_id_compare(hold->id, record->id) == 0 &&
           hold->destination == destination && hold->position == position;
}

static bool is_needed(const struct shard *shard, const struct record *record, uint64_t position,
                      uint16_t i)
{
    uint64_t index;
    uint16_t destination = generation_list_destination(&shard->generations, record, i);
    if (destination == GENERATION_NO_INDEX)
        return false;
    if ((record_destinations(record)[i] & RECORD_HELD) != 0)
        return is_held(shard, record, position, destination);
    const struct outlet *outlet = &shard->outlets[destination];
    return outlet_needs(outlet, record->id, &index) &&
           outlet_entry(outlet, index)->position == position;
}

static void relocate(struct shard *shard, const struct record *record, uint64_t position)
{
    uint64_t index;
    for (uint16_t i = 0; i < record->destination_count; i++) {
        uint16_t destination = generation_list_destination(&shard->generations, record, i);
        if ((record_destinations(record)[i] & RECORD_HELD) != 0)
            hold_relocate(&shard->holds, record->id, position);
        else if (outlet_needs(&shard->outlets[destination], record->id, &index))
            outlet_relocate(&shard->outlets[destination], index, position);
    }
}

/* All of it but the destinations, which are those that need it, by the numbers of its generation.
 */
static void write_copy(const struct record *record, const uint16_t *destinations, uint16_t count,
                       uint32_t size_bytes, struct record *copy)
{
    struct bytes whole = record_whole(record);
    *copy = *record;
    copy->head.size_bytes = size_bytes;
    copy->head.flags |= RECORD_COPIED;
    copy->destination_count = count;
    memcpy(record_destinations(copy), destinations, count * sizeof *destinations);
    memcpy(record_rules(copy), record_rules(record), record->rule_count * sizeof(uint32_t));
    memcpy(record_values(copy), record_values(record),
           record->value_count * sizeof(struct record_value));
    memcpy((uint8_t *)(uintptr_t)record_whole(copy).data, whole.data,
           whole.size + record->text_bytes);
}

/* INCOMPLETE: not yet, the disk is behind; FULL: the log has no room even for this; NOT_FOUND: it
 * is in memory no longer, and to be looked for again. */
static enum status copy_record(struct shard *shard, const struct record *record, uint64_t position)
{
    uint16_t destinations[2 * DESTINATIONS_MAX], count = 0;
    bool was_in_memory = journal_has(&shard->journal, position);
    struct record_head *head;
    uint64_t copy_position;
    for (uint16_t i = 0; i < record->destination_count; i++)
        if (is_needed(shard, record, position, i))
            destinations[count++] = record_destinations(record)[i];
    if (count == 0)
        return STATUS_OK; /* it was settled while it was read */
    uint32_t size = record_size(count, record->rule_count, record->value_count,
                                (uint32_t)record_whole(record).size, record->text_bytes);
    enum status status = append_has_fact_room(shard, size);
    if (status == STATUS_OK)
        status = append_reserve(shard, size, &head, &copy_position);
    if (status != STATUS_OK)
        return status;
    if (was_in_memory && !journal_has(&shard->journal, position))
        return STATUS_NOT_FOUND; /* the room was the record's own */
    write_copy(record, destinations, count, size, (struct record *)(void *)head);
    journal_commit_record(&shard->journal, head);
    shard_log_wake(shard);
    relocate(shard, (const struct record *)(const void *)head, copy_position);
    shard->figures.copied_forward++;
    shard->figures.copied_forward_bytes += size;
    return STATUS_OK;
}

static const struct record *find_record(struct shard *shard, uint64_t position)
{
    if (journal_has(&shard->journal, position))
        return journal_message(&shard->journal, position);
    const struct record_head *head = recall_find(shard->recall, position);
    return head != NULL && head->kind == RECORD_KIND_MESSAGE
               ? (const struct record *)(const void *)head
               : NULL;
}

void retention_note_read(struct recall_ask *ask, enum status status,
                         const struct block_header *block, const struct record_head *record)
{
    struct shard *shard =
        (struct shard *)(void *)((char *)ask - offsetof(struct shard, retention.ask));
    (void)block;
    (void)record; /* retention_copy finds it */
    shard->retention.failure = status;
    shard_wake(shard);
}

/* A record that cannot be read cannot be copied: its segment stays until it can. */
static void complain(struct shard *shard, uint64_t position)
{
    struct retention *retention = &shard->retention;
    fprintf(stderr,
            "kouan: segment %" PRIu64 " of the journal cannot go, since the record at position "
            "%" PRIu64
            " is still needed and cannot be read (%s); `kouan journal verify` says more\n",
            retention->segment_number, position, status_text(retention->failure));
    retention->failure = STATUS_OK;
    retention->state = RETENTION_LOOKS;
    retention_look_again(shard, FAILURE_MS);
}

/* What was written and sealed, or is about to be. */
static uint64_t written_position(const struct journal *journal)
{
    if (journal_has_open_records(journal))
        return journal->end_position;
    const struct journal_block *last = journal->end_block > journal->first_block
                                           ? journal_sealed_block(journal, journal->end_block - 1)
                                           : NULL;
    return last != NULL ? journal_block_end(last) : journal->durable_position;
}

static void end_copying(struct shard *shard)
{
    facts_flush(shard);
    if (facts_are_gathered(shard)) { /* there was no room for all */
        retention_look_again(shard, RETENTION_LOOK_MS);
        return;
    }
    shard->retention.wait_position = written_position(&shard->journal);
    shard->retention.state = RETENTION_WAITS;
    shard_log_wake(shard);
}

/* Said once, and again after it was well. */
static void note_stuck(struct shard *shard, bool is_stuck)
{
    struct retention *retention = &shard->retention;
    if (is_stuck && !retention->is_stuck && shard->log.segment_error == EDQUOT)
        fprintf(stderr, "kouan: groups need all that journal_size has room for; messages get "
                        "TRYAGAIN until some of it is acknowledged, or journal_size is raised\n");
    if (retention->is_stuck && !is_stuck)
        fprintf(stderr, "kouan: the journal makes room again; messages are taken\n");
    retention->is_stuck = is_stuck;
}

void retention_copy(struct shard *shard)
{
    struct retention *retention = &shard->retention;
    uint32_t budget = ENTRIES_MAX;
    uint64_t position, until = shard->figures.copied_forward_bytes + COPIED_BYTES_MAX;
    if (retention->failure != STATUS_OK) {
        complain(shard, retention->ask.position);
        return;
    }
    while (shard->figures.copied_forward_bytes < until) {
        enum search result = search(shard, &budget, &position);
        if (result == NOTHING_LEFT) {
            end_copying(shard);
            return;
        }
        if (result == NOT_YET)
            break;
        const struct record *record = find_record(shard, position);
        if (record == NULL) {
            retention->ask.position = position;
            retention->ask.until_position = retention->end_position;
            recall_ask(shard->recall, &retention->ask);
            return;
        }
        enum status status = copy_record(shard, record, position);
        note_stuck(shard, status == STATUS_FULL);
        if (status == STATUS_FULL || status == STATUS_INCOMPLETE) {
            retention_look_again(shard,
                                 RETENTION_LOOK_MS); /* or when the disk has written something */
            return;
        }
        if (status == STATUS_OK)
            retention->from = record_id_after(retention->from);
    }
    shard_wake(shard);
}
