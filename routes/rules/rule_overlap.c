#include "routes/rules/rule_overlap.h"

#include "routes/read/reading.h"
#include "routes/rules/rule_cover.h"

/* A value that is tried need not be one of a message: READING_VALUE_BYTES_MAX and one more. */
enum { TRIED_BYTES_MAX = READING_VALUE_BYTES_MAX + 1, SUCCESSORS_TRIED = 16 };

static enum rule_overlap meet(const struct condition *left, const struct condition *right,
                              uint64_t *steps_left);
static enum rule_overlap find_common(const struct condition *left, const struct condition *right,
                                     uint64_t *steps_left);
static enum rule_overlap find_outside(const struct condition *positive,
                                      const struct condition *negated, uint64_t *steps_left);
static enum rule_overlap find_any(const struct condition *condition);

static const struct condition *find_condition(const struct rule *rule, enum slot slot)
{
    for (uint16_t i = 0; i < rule->condition_count; i++)
        if (rule->conditions[i].slot == slot)
            return &rule->conditions[i];
    return NULL;
}

/* The worse of two fields: one without a common value decides. */
static enum rule_overlap both(enum rule_overlap one, enum rule_overlap other)
{
    if (one == OVERLAP_NONE || other == OVERLAP_NONE)
        return OVERLAP_NONE;
    return one == OVERLAP_UNSURE ? one : other;
}

enum rule_overlap rules_overlap(const struct rule *left, const struct rule *right,
                                uint64_t *steps_left)
{
    enum rule_overlap overlap = OVERLAP_SEEN;
    if (left->valid_from_ms >= right->valid_to_ms || right->valid_from_ms >= left->valid_to_ms)
        return OVERLAP_NONE;
    for (uint16_t i = 0; i < left->condition_count && overlap != OVERLAP_NONE; i++) {
        const struct condition *condition = &left->conditions[i];
        const struct condition *other = find_condition(right, condition->slot);
        overlap =
            both(overlap, other != NULL ? meet(condition, other, steps_left) : find_any(condition));
    }
    for (uint16_t i = 0; i < right->condition_count && overlap != OVERLAP_NONE; i++)
        if (find_condition(left, right->conditions[i].slot) == NULL)
            overlap = both(overlap, find_any(&right->conditions[i]));
    return overlap;
}

/* ---- one field ---- */

/* Only a list without values is met by none; an absent field meets every negation. */
static enum rule_overlap find_any(const struct condition *condition)
{
    if (condition->negated)
        return OVERLAP_SEEN;
    for (uint32_t i = 0; i < condition->alternative_count; i++)
        if (condition->alternatives[i].kind != ALTERNATIVE_LIST ||
            condition->alternatives[i].list->count > 0)
            return OVERLAP_SEEN;
    return OVERLAP_NONE;
}

static enum rule_overlap meet(const struct condition *left, const struct condition *right,
                              uint64_t *steps_left)
{
    if (left->negated && right->negated)
        return OVERLAP_SEEN; /* the field may be absent */
    if (left->negated)
        return find_outside(right, left, steps_left);
    if (right->negated)
        return find_outside(left, right, steps_left);
    return find_common(left, right, steps_left);
}

/* ---- a value that meets both ---- */

/* The least of those that have the prefix and could lie in a range of numbers. */
static struct bytes pad(struct bytes prefix, size_t size, uint8_t memory[TRIED_BYTES_MAX])
{
    memset(memory, '0', size);
    memcpy(memory, prefix.data, prefix.size);
    return bytes_make(memory, size);
}

static bool has_common_number(const struct alternative *prefix, const struct condition *other)
{
    uint8_t memory[TRIED_BYTES_MAX];
    for (uint32_t i = 0; i < other->alternative_count; i++) {
        const struct alternative *range = &other->alternatives[i];
        if (range->kind == ALTERNATIVE_RANGE && prefix->low.size <= range->low.size &&
            alternative_holds(range, pad(prefix->low, range->low.size, memory)))
            return true;
    }
    return false;
}

/* Of two sets of values that meet, one has a least value of the other's, but for numbers. */
static enum rule_overlap find_least(const struct condition *from, const struct condition *in,
                                    uint64_t *steps_left)
{
    for (uint32_t i = 0; i < from->alternative_count; i++) {
        const struct alternative *alternative = &from->alternatives[i];
        const struct value_list *list = alternative->list;
        if (alternative->kind != ALTERNATIVE_LIST) {
            if (!rule_steps_spend(steps_left, 2 * (uint64_t)in->alternative_count))
                return OVERLAP_UNSURE;
            if (condition_is_met_by(in, alternative->low) ||
                (alternative->kind == ALTERNATIVE_PREFIX && has_common_number(alternative, in)))
                return OVERLAP_SEEN;
            continue;
        }
        for (uint32_t k = 0; k < list->count; k++) {
            if (!rule_steps_spend(steps_left, in->alternative_count))
                return OVERLAP_UNSURE;
            if (condition_is_met_by(in, list->values[k]))
                return OVERLAP_SEEN;
        }
    }
    return OVERLAP_NONE;
}

static bool has_range(const struct condition *condition, bool numeric)
{
    for (uint32_t i = 0; i < condition->alternative_count; i++)
        if (condition->alternatives[i].kind == ALTERNATIVE_RANGE &&
            alternative_is_numeric(&condition->alternatives[i]) == numeric)
            return true;
    return false;
}

static enum rule_overlap find_common(const struct condition *left, const struct condition *right,
                                     uint64_t *steps_left)
{
    enum rule_overlap overlap = find_least(left, right, steps_left);
    if (overlap == OVERLAP_NONE)
        overlap = find_least(right, left, steps_left);
    if (overlap != OVERLAP_NONE)
        return overlap;
    /* `10..99` and `1A..2B` have 20 in common, which is an end of neither. */
    bool is_mixed = (has_range(left, true) && has_range(right, false)) ||
                    (has_range(left, false) && has_range(right, true));
    return is_mixed ? OVERLAP_UNSURE : OVERLAP_NONE;
}

/* ---- a value that meets one, and not the other ---- */

static bool has_longer_outside(struct bytes prefix, const struct condition *negated)
{
    static const char ends[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
    uint8_t memory[TRIED_BYTES_MAX];
    memcpy(memory, prefix.data, prefix.size);
    for (const char *end = ends; *end != '\0'; end++) {
        memory[prefix.size] = (uint8_t)*end;
        if (!condition_is_met_by(negated, bytes_make(memory, prefix.size + 1)))
            return true;
    }
    return false;
}

/* The next number of as many digits; false: there is none. */
static bool count_up(uint8_t *digits, size_t size)
{
    while (size > 0 && digits[size - 1] == '9')
        digits[--size] = '0';
    if (size == 0)
        return false;
    digits[size - 1]++;
    return true;
}

static bool has_number_outside(const struct alternative *range, const struct condition *negated)
{
    uint8_t memory[TRIED_BYTES_MAX];
    struct bytes value = bytes_make(memory, range->low.size);
    memcpy(memory, range->low.data, range->low.size);
    for (unsigned i = 0; i < SUCCESSORS_TRIED && count_up(memory, range->low.size) &&
                         alternative_holds(range, value);
         i++)
        if (!condition_is_met_by(negated, value))
            return true;
    return false;
}

static bool has_pattern_outside(const struct alternative *pattern, const struct condition *negated)
{
    if (!condition_is_met_by(negated, pattern->low))
        return true;
    if (pattern->kind == ALTERNATIVE_PREFIX)
        return has_longer_outside(pattern->low, negated);
    return !condition_is_met_by(negated, pattern->high) ||
           (alternative_is_numeric(pattern) && has_number_outside(pattern, negated));
}

static enum rule_overlap find_outside(const struct condition *positive,
                                      const struct condition *negated, uint64_t *steps_left)
{
    enum { TRIED_MAX = 64 }; /* values of one pattern */
    enum rule_overlap overlap = OVERLAP_NONE;
    for (uint32_t i = 0; i < positive->alternative_count; i++) {
        const struct alternative *alternative = &positive->alternatives[i];
        const struct condition alone = {.alternatives = alternative, .alternative_count = 1};
        const struct value_list *list = alternative->list;
        uint64_t tried = alternative->kind == ALTERNATIVE_LIST    ? list->count
                         : alternative->kind == ALTERNATIVE_EXACT ? 1
                                                                  : TRIED_MAX;
        if (!rule_steps_spend(steps_left, tried * negated->alternative_count))
            return OVERLAP_UNSURE;
        if (alternative->kind == ALTERNATIVE_LIST) {
            for (uint32_t k = 0; k < list->count; k++)
                if (!condition_is_met_by(negated, list->values[k]))
                    return OVERLAP_SEEN;
        } else if (alternative->kind == ALTERNATIVE_EXACT) {
            if (!condition_is_met_by(negated, alternative->low))
                return OVERLAP_SEEN;
        } else if (has_pattern_outside(alternative, negated)) {
            return OVERLAP_SEEN;
        } else if (!rule_condition_contains(negated, &alone, steps_left)) {
            overlap = OVERLAP_UNSURE;
        }
    }
    return overlap;
}
