#include "core/fact.h"

static uint32_t aligned(size_t bytes)
{
    return (uint32_t)((bytes + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1));
}

uint32_t fact_group_size(size_t name_bytes)
{
    assert(name_bytes <= FACT_GROUP_NAME_BYTES_MAX);
    return aligned(sizeof(struct fact_group) + name_bytes);
}

uint32_t fact_settled_size(uint32_t range_count)
{
    assert(range_count <= FACT_SETTLED_RANGES_MAX);
    return aligned(sizeof(struct fact_settled) + range_count * sizeof(struct settled_range));
}

struct bytes fact_group_name(const struct fact_group *fact)
{
    return bytes_make(fact + 1, fact->name_bytes);
}

void fact_group_set_name(struct fact_group *fact, struct bytes name)
{
    assert(name.size > 0 && name.size <= FACT_GROUP_NAME_BYTES_MAX);
    fact->name_bytes = (uint8_t)name.size;
    memcpy(fact + 1, name.data, name.size);
}

/* ---- checks ---- */

/* All values lie in body and text, which lie in the record. */
static bool values_are_inside(const struct record *record)
{
    const struct record_value *values = record_values(record);
    uint64_t room = (uint64_t)record->body_bytes + record->text_bytes;
    for (uint32_t i = 0; i < record->value_count; i++)
        if ((uint64_t)values[i].offset + values[i].size > room)
            return false;
    return true;
}

static bool destinations_exist(const struct record *record)
{
    const uint16_t *destinations = record_destinations(record);
    for (uint32_t i = 0; i < record->destination_count; i++)
        if ((destinations[i] & (uint16_t)~RECORD_HELD) >= DESTINATIONS_MAX)
            return false;
    return true;
}

static bool message_is_sound(const struct record *record)
{
    uint32_t size = record->head.size_bytes;
    if (size < sizeof *record)
        return false;
    uint64_t whole = (uint64_t)record->envelope_bytes + record->body_bytes;
    if (whole + record->text_bytes > size || record->cause >= RECORD_CAUSE_COUNT ||
        record->verdict > VERDICT_AMENDMENT || record->part_number > record->part_count)
        return false;
    /* No sum overflows: what counts of 16 bits stand for is less than 2 MiB. */
    return record_size(record->destination_count, record->rule_count, record->value_count,
                       (uint32_t)whole, record->text_bytes) == size &&
           destinations_exist(record) && values_are_inside(record);
}

static bool group_is_sound(const struct fact_group *fact)
{
    uint32_t size = fact->head.size_bytes;
    return size >= sizeof *fact && fact->name_bytes > 0 && fact->event <= GROUP_STANDS &&
           fact->destination < DESTINATIONS_MAX && size == fact_group_size(fact->name_bytes);
}

static bool ranges_are_in_order(const struct fact_settled *fact)
{
    const struct settled_range *ranges = fact_settled_ranges(fact);
    for (uint32_t i = 0; i < fact->range_count; i++)
        if (record_id_compare(ranges[i].from, ranges[i].to) > 0 ||
            (i > 0 && record_id_compare(ranges[i - 1].to, ranges[i].from) >= 0))
            return false;
    return true;
}

static bool settled_is_sound(const struct fact_settled *fact)
{
    uint32_t size = fact->head.size_bytes;
    return size >= sizeof *fact && fact->range_count <= FACT_SETTLED_RANGES_MAX &&
           size == fact_settled_size(fact->range_count) && fact->how < SETTLED_HOW_COUNT &&
           fact->standing <= 1 && fact->destination < DESTINATIONS_MAX && ranges_are_in_order(fact);
}

static bool hold_end_is_sound(const struct fact_hold_end *fact)
{
    return fact->head.size_bytes == sizeof *fact && fact->how <= HOLD_REJECTED &&
           fact->destination < DESTINATIONS_MAX;
}

static bool outlet_is_sound(const struct fact_outlet *fact)
{
    return fact->head.size_bytes == sizeof *fact && fact->destination < DESTINATIONS_MAX;
}

static bool is_sound(const struct record_head *head)
{
    const void *whole = head;
    switch ((enum record_kind)head->kind) {
    case RECORD_KIND_MESSAGE: return message_is_sound(whole);
    case RECORD_KIND_GENERATION: return head->size_bytes == sizeof(struct fact_generation);
    case RECORD_KIND_GROUP: return group_is_sound(whole);
    case RECORD_KIND_SETTLED: return settled_is_sound(whole);
    case RECORD_KIND_HOLD_END: return hold_end_is_sound(whole);
    case RECORD_KIND_INTAKE: return head->size_bytes == sizeof(struct fact_intake);
    case RECORD_KIND_OUTLET: return outlet_is_sound(whole);
    case RECORD_KIND_END: break;
    }
    return false;
}

enum status record_check(const struct record_head *head, size_t available_bytes)
{
    assert((uintptr_t)head % RECORD_ALIGNMENT == 0);
    if (available_bytes < sizeof *head || head->size_bytes < sizeof *head ||
        head->size_bytes > available_bytes || head->size_bytes > RECORD_BYTES_MAX ||
        head->size_bytes % RECORD_ALIGNMENT != 0 || (head->flags & ~RECORD_COPIED) != 0)
        return STATUS_INVALID;
    return is_sound(head) ? STATUS_OK : STATUS_INVALID;
}
