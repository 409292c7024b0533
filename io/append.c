#include "io/append.h"

#include <assert.h>

static bool is_recorded(const struct occurrence *occurrence)
{
    /* Session fields are known from the record's participant and profile. */
    return occurrence->slot != SLOT_PARTICIPANT && occurrence->slot != SLOT_ROLE &&
           occurrence->slot != SLOT_PROFILE;
}

static bool lies_in(struct bytes body, struct bytes value)
{
    return value.data >= body.data && value.data + value.size <= body.data + body.size;
}

static void count_values(const struct routing *routing, uint32_t *out_values, uint32_t *out_text)
{
    uint32_t values = 0, text = 0;
    for (uint16_t i = 0; i < routing->reading.count; i++) {
        const struct occurrence *occurrence = &routing->reading.occurrences[i];
        if (!is_recorded(occurrence))
            continue;
        values++;
        if (!lies_in(routing->body, occurrence->value))
            text += (uint32_t)occurrence->value.size;
    }
    *out_values = values;
    *out_text = text;
}

static uint32_t count_rules(const struct decision *decision)
{
    uint32_t count = 0;
    for (uint16_t i = 0; i < decision->table_count; i++)
        count += decision->matched[i] != DECISION_NO_RULE;
    return count;
}

static uint32_t count_destinations(const struct routing *routing)
{
    return (uint32_t)destination_set_count(&routing->deliver) +
           destination_set_count(&routing->hold);
}

uint32_t append_measure(const struct routing *routing)
{
    uint32_t values, text;
    count_values(routing, &values, &text);
    return record_size(count_destinations(routing), count_rules(&routing->decision), values,
                       (uint32_t)routing->whole.size, text);
}

/* ---- room ---- */

/* Whoever still needs the record learns where it now lies. False if nobody needed it. */
static bool is_needed(struct shard *shard, const struct record *record)
{
    uint64_t index;
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++) {
        uint16_t destination = destinations[i] & (uint16_t)~RECORD_HELD;
        if (outlet_needs(&shard->outlets[destination], record->id, &index))
            return true;
    }
    return hold_needs(&shard->holds, record->id);
}

static void relocate(struct shard *shard, const struct record *record, uint64_t position)
{
    uint64_t index;
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++) {
        uint16_t destination = destinations[i] & (uint16_t)~RECORD_HELD;
        if (outlet_needs(&shard->outlets[destination], record->id, &index))
            outlet_relocate(&shard->outlets[destination], index, position);
    }
    hold_relocate(&shard->holds, record->id, position);
}

/* What destinations without groups keep goes when its block does. */
static void drop_retained(struct shard *shard, const struct record *record)
{
    const uint16_t *destinations = record_destinations(record);
    for (uint16_t i = 0; i < record->destination_count; i++) {
        struct outlet *outlet = &shard->outlets[destinations[i] & (uint16_t)~RECORD_HELD];
        if (outlet->group_count == 0)
            outlet_drop_retained(outlet, record->id);
    }
}

static enum status copy_forward(struct shard *shard, const struct record *record)
{
    struct record_head *copy;
    uint64_t position;
    enum status status =
        journal_reserve(&shard->journal, record->head.size_bytes, &copy, &position);
    if (status != STATUS_OK)
        return status;
    memcpy(copy, record, record->head.size_bytes);
    copy->flags |= RECORD_COPIED;
    journal_commit_record(&shard->journal, copy);
    relocate(shard, record, position);
    shard->figures.copied_forward++;
    shard->figures.copied_forward_bytes += record->head.size_bytes;
    return STATUS_OK;
}

static enum status recycle_oldest(struct shard *shard)
{
    const struct journal_block *block = journal_oldest(&shard->journal);
    if (block == NULL || commit_oldest_position(&shard->commits) < journal_block_end(block))
        return STATUS_FULL;
    for (uint16_t i = 0; i < shard->generation->destination_count; i++) {
        outlet_trim(&shard->outlets[i]);
        outlet_squeeze(&shard->outlets[i]);
    }
    const uint64_t end = journal_records_end(block), next = journal_block_end(block);
    for (uint64_t p = journal_first_record(block); p < end;) {
        const struct record *record = journal_message(&shard->journal, p);
        if (is_needed(shard, record)) {
            enum status status = copy_forward(shard, record);
            if (status != STATUS_OK)
                return status; /* what was copied so far has moved; the block stays */
        }
        drop_retained(shard, record);
        p += record->head.size_bytes;
    }
    window_forget_before(shard->window, next);
    journal_keep_from(&shard->journal, next);
    return STATUS_OK;
}

/* The largest blocks that must find room at any time: two for the live records of the oldest block
 * while it is recycled, since what is copied may begin another block; one for the next record; and
 * one that the end of a segment may leave unused. */
enum { SPARE_BLOCKS = 4 };

static enum status make_room(struct shard *shard, uint32_t block_bytes)
{
    const struct journal *journal = &shard->journal;
    uint64_t tries_max = journal->end_block - journal->kept_block;
    if (block_bytes < journal->largest_block_bytes)
        block_bytes = journal->largest_block_bytes;
    for (uint64_t i = 0; i <= tries_max; i++) {
        if (journal_room_bytes(journal) >= SPARE_BLOCKS * (uint64_t)block_bytes)
            return STATUS_OK;
        enum status status = recycle_oldest(shard);
        if (status != STATUS_OK)
            return status;
    }
    return STATUS_FULL;
}

enum status append_make_room(struct shard *shard)
{
    return make_room(shard, 0);
}

/* Record and head are one: a message begins with its head. */
static enum status reserve(struct shard *shard, uint32_t size_bytes, struct record **out_record,
                           uint64_t *out_position)
{
    struct record_head *head;
    enum status status = journal_reserve(&shard->journal, size_bytes, &head, out_position);
    if (status == STATUS_OK)
        *out_record = (struct record *)(void *)head;
    return status;
}

/* ---- messages ---- */

static void write_destinations(const struct routing *routing, uint16_t *out)
{
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1))
        *out++ = (uint16_t)d;
    for (unsigned d = destination_set_next(&routing->hold, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->hold, d + 1))
        *out++ = (uint16_t)(d | RECORD_HELD);
}

static void write_rules(const struct decision *decision, uint32_t *out)
{
    for (uint32_t i = 0; i < decision->table_count; i++)
        if (decision->matched[i] != DECISION_NO_RULE)
            *out++ = i << 24 | decision->matched[i];
}

static void write_values(const struct routing *routing, struct record *record)
{
    struct record_value *values = record_values(record);
    struct bytes body = record_body(record), text = record_text(record);
    uint8_t *text_end = (uint8_t *)(uintptr_t)text.data;
    for (uint16_t i = 0; i < routing->reading.count; i++) {
        const struct occurrence *occurrence = &routing->reading.occurrences[i];
        if (!is_recorded(occurrence))
            continue;
        size_t offset;
        if (lies_in(routing->body, occurrence->value)) {
            offset = (size_t)(occurrence->value.data - routing->body.data);
        } else {
            memcpy(text_end, occurrence->value.data, occurrence->value.size);
            offset = (size_t)(text_end - body.data);
            text_end += occurrence->value.size;
        }
        *values++ = (struct record_value){
            .offset = (uint32_t)offset,
            .size = (uint16_t)occurrence->value.size,
            .entry = occurrence->entry,
            .slot = occurrence->slot,
        };
    }
}

enum status append_message(struct shard *shard, const struct routing *routing, enum verdict verdict,
                           struct record **out_record, uint64_t *out_position)
{
    uint32_t values, text;
    count_values(routing, &values, &text);
    uint32_t destinations = count_destinations(routing), rules = count_rules(&routing->decision);
    uint32_t size = record_size(destinations, rules, values, (uint32_t)routing->whole.size, text);
    struct record *record;
    enum status status = make_room(shard, journal_block_bytes_for(size));
    if (status == STATUS_OK)
        status = reserve(shard, size, &record, out_position);
    if (status != STATUS_OK)
        return status;
    *record = (struct record){
        .id = journal_next_id(&shard->journal, loop_wall_ms(shard->loop)),
        .identity = routing->identity,
        .generation = shard->generation->number,
        .head = {.size_bytes = size, .kind = RECORD_KIND_MESSAGE},
        .envelope_bytes = (uint32_t)(routing->whole.size - routing->body.size),
        .body_bytes = (uint32_t)routing->body.size,
        .text_bytes = text,
        .value_count = (uint16_t)values,
        .entry_count = routing->reading.entry_count,
        .participant = routing->arrival->participant->index,
        .channel = routing->arrival->channel->index,
        .profile = routing->reading.profile->index,
        .destination_count = (uint16_t)destinations,
        .rule_count = (uint16_t)rules,
        .verdict = (uint8_t)verdict,
        .cause = RECORD_MESSAGE,
        .part_number = routing->part_number,
        .part_count = routing->part_count,
    };
    write_destinations(routing, record_destinations(record));
    write_rules(&routing->decision, record_rules(record));
    memcpy((uint8_t *)(uintptr_t)record_whole(record).data, routing->whole.data,
           routing->whole.size);
    write_values(routing, record);
    journal_commit_record(&shard->journal, &record->head);
    *out_record = record;
    return STATUS_OK;
}

/* ---- records that Kouan makes ---- */

/* The source's rules that there still are, as they are numbered now. */
static uint16_t map_rules(const struct generation_list *generations, const struct record *source,
                          uint32_t out_rules[RECORD_RULES_MAX])
{
    uint16_t count = 0;
    const uint32_t *rules = record_rules(source);
    for (uint16_t i = 0; i < source->rule_count && count < RECORD_RULES_MAX; i++)
        if (generation_list_rule_now(generations, source->generation, rules[i], &out_rules[count]))
            count++;
    return count;
}

/* A new record is one of the current generation, whichever decided its source. */
static void number_anew(const struct generation_list *generations, struct record *record)
{
    uint64_t before = record->generation;
    record->generation = generation_list_current(generations);
    record->participant =
        generation_list_now(generations, before, NAME_PARTICIPANT, record->participant);
    record->channel = generation_list_now(generations, before, NAME_CHANNEL, record->channel);
    record->profile = generation_list_now(generations, before, NAME_PROFILE, record->profile);
}

enum status append_repeat(struct shard *shard, const struct record *source, enum record_cause cause,
                          uint16_t destination, struct record_id *out_id)
{
    struct bytes whole = record_whole(source);
    uint32_t rules[RECORD_RULES_MAX];
    uint16_t rule_count = map_rules(&shard->generations, source, rules);
    uint32_t size =
        record_size(1, rule_count, source->value_count, (uint32_t)whole.size, source->text_bytes);
    struct outlet *outlet = &shard->outlets[destination];
    if (!outlet_make_room(outlet, size) || !commit_has_spare_room(shard, 1))
        return STATUS_FULL;
    struct record_id source_id = source->id;
    struct record *record;
    uint64_t position;
    enum status status = reserve(shard, size, &record, &position);
    if (status != STATUS_OK)
        return status;

    *record = *source;
    record->id = journal_next_id(&shard->journal, loop_wall_ms(shard->loop));
    record->origin = source_id;
    record->cause = (uint8_t)cause;
    record->head = (struct record_head){.size_bytes = size, .kind = RECORD_KIND_MESSAGE};
    number_anew(&shard->generations, record);
    record->destination_count = 1;
    record->rule_count = rule_count;
    record_destinations(record)[0] = destination;
    memcpy(record_rules(record), rules, rule_count * sizeof *rules);
    memcpy(record_values(record), record_values(source),
           source->value_count * sizeof(struct record_value));
    memcpy((uint8_t *)(uintptr_t)record_whole(record).data, whole.data,
           whole.size + source->text_bytes);
    journal_commit_record(&shard->journal, &record->head);
    outlet_reserve(outlet, size);
    commit_add(shard, (struct commit_item){.position = position,
                                           .window_entry = WINDOW_NO_ENTRY,
                                           .reserved_bytes = size});
    *out_id = record->id;
    return STATUS_OK;
}
