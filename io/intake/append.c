#include "io/intake/append.h"

#include <assert.h>

#include "io/shard/shard.h"
#include "io/state/minute_count.h"

static bool is_recorded(const struct occurrence *occurrence)
{
    /* Session fields are known from the record's participant and profile. */
    static const uint64_t not_recorded =
        UINT64_C(1) << SLOT_PARTICIPANT | UINT64_C(1) << SLOT_ROLE | UINT64_C(1) << SLOT_PROFILE;
    static_assert(SLOT_COUNT <= 64, "a bit each");
    return (not_recorded >> occurrence->slot & 1) == 0;
}

/* Where in the body the value lies, if it does and was not decoded. */
static size_t offset_in(struct bytes body, struct bytes value)
{
    return (size_t)((uintptr_t)value.data - (uintptr_t)body.data);
}

static bool lies_in(struct bytes body, struct bytes value)
{
    size_t offset = offset_in(body, value);
    return offset < body.size && value.size <= body.size - offset;
}

static uint16_t count_rules(const struct decision *decision)
{
    uint16_t count = 0;
    for (uint16_t i = 0; i < decision->table_count; i++)
        count = (uint16_t)(count + (decision->matched[i] != DECISION_NO_RULE));
    return count;
}

struct append_shape append_measure(const struct routing *routing)
{
    const struct bytes body = routing->body;
    const struct occurrence *occurrence = routing->reading.occurrences;
    const struct occurrence *end = occurrence + routing->reading.count;
    uint32_t values = 0, text = 0;
    for (; occurrence < end; occurrence++) {
        if (!is_recorded(occurrence))
            continue;
        values++;
        if (!lies_in(body, occurrence->value))
            text += (uint32_t)occurrence->value.size;
    }
    struct append_shape shape = {
        .text_bytes = text,
        .value_count = (uint16_t)values,
        .destination_count = (uint16_t)(destination_set_count(&routing->deliver) +
                                        destination_set_count(&routing->hold)),
        .rule_count = count_rules(&routing->decision),
    };
    shape.size_bytes = record_size(shape.destination_count, shape.rule_count, values,
                                   (uint32_t)routing->whole.size, text);
    return shape;
}

/* ---- messages: what follows a record's head, part by part, each giving where the next begins */

static uint8_t *write_destinations(const struct routing *routing, struct record *record)
{
    uint16_t *out = record_destinations(record);
    for (unsigned d = destination_set_next(&routing->deliver, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->deliver, d + 1))
        *out++ = (uint16_t)d;
    for (unsigned d = destination_set_next(&routing->hold, 0); d < DESTINATIONS_MAX;
         d = destination_set_next(&routing->hold, d + 1))
        *out++ = (uint16_t)(d | RECORD_HELD);
    return (uint8_t *)record_rules(record);
}

/* And counts them: the record is as good as written. */
static uint8_t *write_rules(const struct decision *decision, struct rule_hits *hits,
                            uint64_t now_ms, uint8_t *at)
{
    uint32_t *out = (uint32_t *)(void *)at;
    for (uint32_t i = 0; i < decision->table_count; i++)
        if (decision->matched[i] != DECISION_NO_RULE) {
            *out++ = i << 24 | decision->matched[i];
            rule_hit_count(&hits->tables[i][decision->matched[i]], now_ms);
        }
    return (uint8_t *)out;
}

static uint8_t *write_whole(const struct routing *routing, uint8_t *at)
{
    memcpy(at, routing->whole.data, routing->whole.size);
    return at + routing->whole.size;
}

/* And the text behind the body, if some do not lie in it. */
static const uint8_t *write_values(const struct routing *routing, bool has_text, uint8_t *at,
                                   uint8_t *text)
{
    const struct bytes body = routing->body;
    const struct occurrence *occurrence = routing->reading.occurrences;
    const struct occurrence *end = occurrence + routing->reading.count;
    struct record_value *value = (struct record_value *)(void *)at;
    size_t text_offset = body.size;
    for (; occurrence < end; occurrence++) {
        if (!is_recorded(occurrence))
            continue;
        size_t offset = offset_in(body, occurrence->value);
        if (has_text && !lies_in(body, occurrence->value)) {
            memcpy(text, occurrence->value.data, occurrence->value.size);
            offset = text_offset;
            text += occurrence->value.size;
            text_offset += occurrence->value.size;
        }
        *value++ = (struct record_value){
            .offset = (uint32_t)offset,
            .size = (uint16_t)occurrence->value.size,
            .entry = occurrence->entry,
            .slot = occurrence->slot,
        };
    }
    return text;
}

/* All of the record, as of a message that came in. */
static void write_message(struct shard *shard, const struct routing *routing,
                          const struct append_shape *shape, enum verdict verdict,
                          struct record *record)
{
    *record = (struct record){
        .id = journal_next_id(&shard->journal, loop_wall_ms(shard->loop)),
        .identity = routing->identity,
        .generation = shard->generation->number,
        .head = {.size_bytes = shape->size_bytes,
                 .kind = RECORD_KIND_MESSAGE,
                 .period = routing->period},
        .envelope_bytes = (uint32_t)(routing->whole.size - routing->body.size),
        .body_bytes = (uint32_t)routing->body.size,
        .text_bytes = shape->text_bytes,
        .value_count = shape->value_count,
        .entry_count = routing->reading.entry_count,
        .participant = routing->arrival->participant->index,
        .channel = routing->arrival->channel->index,
        .profile = routing->reading.profile->index,
        .destination_count = shape->destination_count,
        .rule_count = shape->rule_count,
        .verdict = (uint8_t)verdict,
        .cause = RECORD_MESSAGE,
        .part_number = routing->part_number,
        .part_count = routing->part_count,
    };
    uint8_t *rules = write_destinations(routing, record);
    uint8_t *values = write_rules(&routing->decision, shard->rule_hits, record->id.ms, rules);
    uint8_t *text = write_whole(routing, values + shape->value_count * sizeof(struct record_value));
    const uint8_t *end = write_values(routing, shape->text_bytes > 0, values, text);
    assert(end == text + shape->text_bytes && end <= (uint8_t *)record + shape->size_bytes);
}

enum status append_message(struct shard *shard, const struct routing *routing,
                           const struct append_shape *shape, enum verdict verdict,
                           struct record **out_record, uint64_t *out_position)
{
    struct record_head *head;
    enum status status = append_make_room(shard, shape->size_bytes);
    if (status == STATUS_OK)
        status = append_reserve(shard, shape->size_bytes, &head, out_position);
    if (status != STATUS_OK)
        return status;
    struct record *record = (struct record *)(void *)head; /* it begins with its head */
    write_message(shard, routing, shape, verdict, record);
    journal_commit_record(&shard->journal, &record->head);
    minute_count_message(shard, routing, verdict, record->id.ms);
    shard_log_wake(shard);
    *out_record = record;
    return STATUS_OK;
}

/* ---- decided once more ---- */

enum status append_rerouted(struct shard *shard, const struct routing *routing,
                            const struct append_shape *shape, const struct record *first,
                            const struct fact_hold_end *ends, uint32_t end_count,
                            uint64_t *out_position)
{
    struct record_head *head;
    uint32_t size = shape->size_bytes + end_count * (uint32_t)sizeof *ends;
    enum status status = append_make_room(shard, size);
    if (status == STATUS_OK)
        status = append_reserve(shard, size, &head, out_position);
    if (status != STATUS_OK)
        return status;
    struct record *record = (struct record *)(void *)head;
    write_message(shard, routing, shape, (enum verdict)first->verdict, record);
    record->cause = RECORD_REROUTED;
    record->origin = first->id;
    record->identity = first->identity;
    record->part_number = first->part_number;
    record->part_count = first->part_count;
    journal_commit_record(&shard->journal, &record->head);
    for (uint32_t i = 0; i < end_count; i++) {
        head =
            journal_record(&shard->journal, *out_position + shape->size_bytes + i * sizeof *ends);
        memcpy(head, &ends[i], sizeof *ends);
        append_fact_end(shard, head);
    }
    shard_log_wake(shard);
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

/* Opening a block may have taken the memory of a source that the log did not have to keep. */
static bool was_overwritten(const struct journal *journal, const struct record *source)
{
    const struct journal_block *block =
        &journal->blocks[(journal->end_block - 1) & journal->block_mask];
    bool is_new = journal->end_position == journal_first_record(block);
    uint64_t from = is_new ? block->position : journal->end_position;
    size_t offset = (size_t)((const uint8_t *)source - journal->memory);
    size_t begin = (size_t)(from % journal->capacity);
    size_t end = begin + (size_t)(journal->reach_position - from);
    return (const uint8_t *)source >= journal->memory && offset < journal->capacity &&
           offset + source->head.size_bytes > begin && offset < end;
}

enum status append_repeat(struct shard *shard, const struct record *source, enum record_cause cause,
                          uint16_t destination, const struct record_head *companion)
{
    struct bytes whole = record_whole(source);
    uint32_t rules[RECORD_RULES_MAX];
    uint16_t rule_count = map_rules(&shard->generations, source, rules);
    uint32_t size =
        record_size(1, rule_count, source->value_count, (uint32_t)whole.size, source->text_bytes);
    struct outlet *outlet = &shard->outlets[destination];
    if (shard->intake.is_paused || !commit_has_spare_room(shard, 1) ||
        !outlet_try_reserve(outlet, size))
        return STATUS_FULL;
    struct record_head *head;
    uint64_t position;
    uint32_t companion_bytes = shard->facts.are_kept ? companion->size_bytes : 0;
    enum status status = append_reserve(shard, size + companion_bytes, &head, &position);
    if (status != STATUS_OK || was_overwritten(&shard->journal, source)) {
        outlet_unreserve(outlet, size);
        return STATUS_FULL;
    }
    struct record *record = (struct record *)(void *)head;
    struct record_id source_id = source->id;

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
    if (companion_bytes > 0) {
        head = journal_record(&shard->journal, position + size);
        memcpy(head, companion, companion_bytes);
        append_fact_end(shard, head);
    }
    shard_log_wake(shard);
    commit_add(shard, &(struct commit_item){.position = position,
                                            .durable_from = shard->journal.end_position,
                                            .window_entry = WINDOW_NO_ENTRY,
                                            .reserved_bytes = size});
    return STATUS_OK;
}
