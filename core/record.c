#include "core/record.h"

const char *record_cause_name(enum record_cause cause)
{
    static const char *const names[RECORD_CAUSE_COUNT] = {
        [RECORD_MESSAGE] = "message",
        [RECORD_RELEASED] = "released",
        [RECORD_DEAD_LETTER] = "dead-letter",
    };
    return cause < RECORD_CAUSE_COUNT ? names[cause] : "unknown";
}

/* Destinations are 2 bytes each; the rules after them want 4. */
static size_t destinations_bytes(uint32_t count)
{
    return (count * sizeof(uint16_t) + 3) & ~(size_t)3;
}

static size_t whole_offset(uint32_t destination_count, uint32_t rule_count, uint32_t value_count)
{
    return sizeof(struct record) + destinations_bytes(destination_count) +
           rule_count * sizeof(uint32_t) + value_count * sizeof(struct record_value);
}

uint32_t record_size(uint32_t destination_count, uint32_t rule_count, uint32_t value_count,
                     uint32_t whole_bytes, uint32_t text_bytes)
{
    size_t size =
        whole_offset(destination_count, rule_count, value_count) + whole_bytes + text_bytes;
    size = (size + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1);
    return (uint32_t)size;
}

static uint8_t *at(const struct record *record, size_t offset)
{
    return (uint8_t *)(uintptr_t)record + offset;
}

uint32_t *record_rules(const struct record *record)
{
    return (uint32_t *)(void *)at(record, whole_offset(record->destination_count, 0, 0));
}

struct record_value *record_values(const struct record *record)
{
    return (struct record_value *)(void *)at(
        record, whole_offset(record->destination_count, record->rule_count, 0));
}

struct bytes record_whole(const struct record *record)
{
    size_t offset =
        whole_offset(record->destination_count, record->rule_count, record->value_count);
    return bytes_make(at(record, offset), (size_t)record->envelope_bytes + record->body_bytes);
}

struct bytes record_envelope(const struct record *record)
{
    return bytes_slice(record_whole(record), 0, record->envelope_bytes);
}

struct bytes record_body(const struct record *record)
{
    return bytes_make(record_whole(record).data + record->envelope_bytes, record->body_bytes);
}

struct bytes record_text(const struct record *record)
{
    struct bytes body = record_body(record);
    return bytes_make(body.data + body.size, record->text_bytes);
}
