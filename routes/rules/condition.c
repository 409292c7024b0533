#include <assert.h>

#include "routes/read/reading.h"
#include "routes/rules/rule_time.h"
#include "routes/scan/damage.h"

bool alternative_is_numeric(const struct alternative *range)
{
    return range->low.size == range->high.size && damage_is_digits(range->low) &&
           damage_is_digits(range->high);
}

static bool range_holds(const struct alternative *range, struct bytes value)
{
    if (alternative_is_numeric(range) &&
        (value.size != range->low.size || !damage_is_digits(value)))
        return false;
    return bytes_compare(range->low, value) <= 0 && bytes_compare(value, range->high) <= 0;
}

bool alternative_holds(const struct alternative *alternative, struct bytes value)
{
    switch (alternative->kind) {
    case ALTERNATIVE_EXACT: return bytes_equal(value, alternative->low);
    case ALTERNATIVE_PREFIX: return bytes_start_with(value, alternative->low);
    case ALTERNATIVE_RANGE: return range_holds(alternative, value);
    case ALTERNATIVE_LIST: return value_list_has(alternative->list, value);
    }
    assert(false);
    return false;
}

bool condition_is_met_by(const struct condition *condition, struct bytes value)
{
    for (uint32_t i = 0; i < condition->alternative_count; i++)
        if (alternative_holds(&condition->alternatives[i], value))
            return true;
    return false;
}

bool condition_holds(const struct condition *condition, const struct reading *reading)
{
    bool met = false;
    uint16_t i = reading_first(reading, condition->slot);
    for (; i != READING_NO_OCCURRENCE && !met; i = reading->occurrences[i].next)
        met = condition_is_met_by(condition, reading->occurrences[i].value);
    return met != condition->negated;
}

bool rule_holds(const struct rule *rule, const struct reading *reading, uint64_t now_ms)
{
    if (!rule_is_valid(rule, now_ms))
        return false;
    for (uint16_t i = 0; i < rule->condition_count; i++)
        if (!condition_holds(&rule->conditions[i], reading))
            return false;
    return true;
}
