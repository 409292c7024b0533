#include "io/state/minute_count.h"

#include "core/minute_table.h"

static enum minute_verdict translate(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_REPLAY: return MINUTE_REPLAY;
    case VERDICT_CONFLICT: return MINUTE_CONFLICT;
    case VERDICT_AMENDMENT: return MINUTE_AMENDMENT;
    default: return MINUTE_FRESH;
    }
}

static struct minute_key key_of(const struct routing *routing, enum minute_verdict verdict)
{
    return minute_key_make(reading_value(&routing->reading, SLOT_MESSAGE_TYPE),
                           reading_value(&routing->reading, SLOT_CUSTOMS_OFFICE),
                           routing->arrival->participant->index, verdict);
}

void minute_count_message(struct shard *shard, const struct routing *routing, enum verdict verdict,
                          uint64_t now_ms)
{
    if (shard->minutes == NULL)
        return;
    const struct destination_set *sets[] = {&routing->deliver, &routing->hold};
    struct minute_key key = key_of(routing, translate(verdict));
    bool is_first = true;
    for (int i = 0; i < 2; i++)
        for (unsigned d = destination_set_next(sets[i], 0); d < DESTINATIONS_MAX;
             d = destination_set_next(sets[i], d + 1)) {
            key.destination = (uint16_t)d;
            minute_table_count(shard->minutes, now_ms, &key, routing->whole.size, is_first);
            is_first = false;
        }
}

void minute_count_replay(struct shard *shard, const struct routing *routing)
{
    if (shard->minutes == NULL)
        return;
    const struct minute_key key = key_of(routing, MINUTE_REPLAY);
    minute_table_count(shard->minutes, loop_wall_ms(shard->loop), &key, routing->whole.size, true);
}

void minute_count_refused(struct shard *shard, uint16_t participant, uint32_t count, uint64_t bytes)
{
    if (shard->minutes == NULL)
        return;
    const struct bytes none = {0};
    const struct minute_key key = minute_key_make(none, none, participant, MINUTE_REFUSED);
    for (uint32_t i = 0; i < count; i++)
        minute_table_count(shard->minutes, loop_wall_ms(shard->loop), &key, i == 0 ? bytes : 0,
                           true);
}

static struct bytes find_value(const struct record *record, enum slot slot)
{
    const struct record_value *values = record_values(record);
    for (uint16_t i = 0; i < record->value_count; i++)
        if (values[i].slot == slot)
            return record_value_bytes(record, &values[i]);
    return (struct bytes){0};
}

static uint16_t name_now(const struct shard *shard, const struct record *record,
                         enum generation_name kind, uint16_t index)
{
    uint16_t now = generation_list_now(&shard->generations, record->generation, kind, index);
    return now == GENERATION_NO_INDEX ? MINUTE_NOBODY : now;
}

void minute_count_recovered(struct shard *shard, const struct record *record)
{
    if (shard->minutes == NULL || record->cause != RECORD_MESSAGE ||
        (record->head.flags & RECORD_COPIED) != 0 || record->id.ms <= shard->minutes_saved_ms)
        return;
    struct minute_key key = minute_key_make(
        find_value(record, SLOT_MESSAGE_TYPE), find_value(record, SLOT_CUSTOMS_OFFICE),
        name_now(shard, record, NAME_PARTICIPANT, record->participant),
        translate((enum verdict)record->verdict));
    uint64_t bytes = (uint64_t)record->envelope_bytes + record->body_bytes;
    for (uint16_t i = 0; i < record->destination_count; i++) {
        uint16_t destination = record_destinations(record)[i] & (uint16_t)~RECORD_HELD;
        key.destination = name_now(shard, record, NAME_DESTINATION, destination);
        minute_table_count(shard->minutes, record->id.ms, &key, bytes, i == 0);
    }
}
