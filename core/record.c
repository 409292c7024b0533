#include "core/record.h"

const char *record_cause_name(enum record_cause cause)
{
    static const char *const names[RECORD_CAUSE_COUNT] = {
        [RECORD_MESSAGE] = "message",
        [RECORD_RELEASED] = "released",
        [RECORD_DEAD_LETTER] = "dead-letter",
        [RECORD_REROUTED] = "rerouted",
    };
    return cause < RECORD_CAUSE_COUNT ? names[cause] : "unknown";
}

uint32_t record_size(uint32_t destination_count, uint32_t rule_count, uint32_t value_count,
                     uint32_t whole_bytes, uint32_t text_bytes)
{
    size_t size =
        record_whole_offset(destination_count, rule_count, value_count) + whole_bytes + text_bytes;
    size = (size + RECORD_ALIGNMENT - 1) & ~(size_t)(RECORD_ALIGNMENT - 1);
    return (uint32_t)size;
}
