#include "routes/rules/rule_cover.h"

#include "routes/match/match.h"
#include "routes/rules/sheet.h"

enum { COVER_ROW_BYTES_PER_RULE = 512 }; /* of the sets, while the check is made */

/* A reading of one value for each positive condition of a rule, which the rule therefore matches,
 * and each rule that covers it. */
struct sample {
    struct reading reading;
    struct occurrence occurrences[SLOT_FIELD_COUNT];
};

static bool sample_make(const struct rule *rule, struct sample *out_sample);
static bool is_implied(const struct condition *earlier, const struct rule *later,
                       uint64_t *steps_left);

static uint32_t find_cover(const struct rule_table *table, const struct rule_meeting *meeting,
                           uint64_t *steps_left)
{
    for (uint32_t k = 0; k < meeting->count && meeting->neighbours[k] < meeting->rule; k++)
        if (rule_covers(&table->rules[meeting->neighbours[k]], &table->rules[meeting->rule],
                        steps_left))
            return meeting->neighbours[k];
    return RULE_NONE;
}

/* More earlier rules meet it than were compared. */
static bool is_cut(const struct rule_meeting *meeting)
{
    return meeting->count == RULE_COVER_CANDIDATES_MAX &&
           meeting->neighbours[RULE_COVER_CANDIDATES_MAX - 1] < meeting->rule;
}

bool rule_cover_visit(const struct rule_table *table,
                      void (*meet)(void *context, const struct rule_meeting *meeting,
                                   uint32_t covered_by),
                      void *context)
{
    struct match_scratch *scratch;
    if (match_scratch_open(&scratch) != STATUS_OK)
        return false;
    struct arena arena;
    arena_init(&arena);
    const struct matcher *matcher = matcher_compile_sets(
        &arena, &table, 1, (size_t)COVER_ROW_BYTES_PER_RULE * table->rule_count);
    uint64_t steps_left = RULE_COVER_STEPS_MAX;
    bool all = true;
    for (uint32_t i = 0; i < table->rule_count; i++) {
        struct sample sample;
        struct rule_meeting meeting = {.rule = i};
        if (!sample_make(&table->rules[i], &sample))
            continue;
        meeting.count = match_list(matcher, scratch, &sample.reading, table->rules[i].valid_from_ms,
                                   0, meeting.neighbours, RULE_COVER_CANDIDATES_MAX);
        uint32_t covered_by = find_cover(table, &meeting, &steps_left);
        all &= covered_by != RULE_NONE || (!is_cut(&meeting) && steps_left > 0);
        meet(context, &meeting, covered_by);
    }
    arena_deinit(&arena);
    match_scratch_close(scratch);
    return all;
}

struct warner {
    const struct rule_table *table;
    struct diagnostics *diagnostics;
};

static void warn(void *context, const struct rule_meeting *meeting, uint32_t covered_by)
{
    const struct warner *warner = context;
    const struct rule_table *table = warner->table;
    if (covered_by == RULE_NONE)
        return;
    const struct rule *later = &table->rules[meeting->rule], *earlier = &table->rules[covered_by];
    diagnostics_add(warner->diagnostics, SEVERITY_WARNING, "R130",
                    (struct place){table->file, later->line, later->column},
                    "put the narrower rule first, give it a higher priority, or drop it",
                    "the rule `%s` never matches: `%s` in line %u comes first and holds "
                    "whenever it does",
                    later->id, earlier->id, earlier->line);
}

void rule_cover_warn(const struct rule_table *table, struct diagnostics *diagnostics)
{
    struct warner warner = {table, diagnostics};
    if (table->rule_count >= 2)
        (void)rule_cover_visit(table, warn, &warner); /* what is not found is not warned of */
}

bool rule_covers(const struct rule *earlier, const struct rule *later, uint64_t *steps_left)
{
    if (earlier->valid_from_ms > later->valid_from_ms || earlier->valid_to_ms < later->valid_to_ms)
        return false;
    for (uint16_t i = 0; i < earlier->condition_count; i++)
        if (!is_implied(&earlier->conditions[i], later, steps_left))
            return false;
    return true;
}

/* A value that meets the alternative; an absent one if none does. */
static struct bytes some_value(const struct alternative *alternative)
{
    if (alternative->kind != ALTERNATIVE_LIST)
        return alternative->low;
    return alternative->list->count > 0 ? alternative->list->values[0] : (struct bytes){0};
}

/* False for a rule that can never match, as all its lists for a field are empty. */
static bool sample_make(const struct rule *rule, struct sample *out_sample)
{
    struct reading *reading = &out_sample->reading;
    *reading = (struct reading){.occurrences = out_sample->occurrences};
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        reading->first[slot] = reading->last[slot] = READING_NO_OCCURRENCE;
    for (uint16_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];
        struct bytes value = {0};
        if (condition->negated)
            continue; /* an absent field meets it */
        for (uint32_t k = 0; k < condition->alternative_count && value.data == NULL; k++)
            value = some_value(&condition->alternatives[k]);
        if (value.data == NULL)
            return false;
        out_sample->occurrences[reading->count] = (struct occurrence){
            .value = value,
            .next = READING_NO_OCCURRENCE,
            .slot = (uint8_t)condition->slot,
        };
        reading->first[condition->slot] = reading->last[condition->slot] = reading->count++;
    }
    return true;
}

static bool all_values_hold(const struct condition *condition, const struct value_list *list,
                            uint64_t *steps_left)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (!rule_steps_spend(steps_left, condition->alternative_count) ||
            !condition_is_met_by(condition, list->values[i]))
            return false;
    return true;
}

/* True if every value that meets `inner` surely meets `outer`. */
static bool alternative_contains(const struct alternative *outer, const struct alternative *inner)
{
    if (outer->kind == ALTERNATIVE_PREFIX)
        return (inner->kind == ALTERNATIVE_PREFIX || inner->kind == ALTERNATIVE_RANGE) &&
               bytes_start_with(inner->low, outer->low) &&
               (inner->kind == ALTERNATIVE_PREFIX || bytes_start_with(inner->high, outer->low));
    if (outer->kind == ALTERNATIVE_RANGE && inner->kind == ALTERNATIVE_RANGE)
        return outer->low.size == inner->low.size &&
               alternative_is_numeric(outer) == alternative_is_numeric(inner) &&
               bytes_compare(outer->low, inner->low) <= 0 &&
               bytes_compare(inner->high, outer->high) <= 0;
    return outer->kind == ALTERNATIVE_LIST && inner->kind == ALTERNATIVE_LIST &&
           outer->list == inner->list;
}

bool rule_condition_contains(const struct condition *outer, const struct condition *inner,
                             uint64_t *steps_left)
{
    for (uint32_t i = 0; i < inner->alternative_count; i++) {
        if (!rule_steps_spend(steps_left, 2 * (uint64_t)outer->alternative_count))
            return false;
        const struct alternative *alternative = &inner->alternatives[i];
        bool contained = false;
        for (uint32_t k = 0; k < outer->alternative_count && !contained; k++)
            contained = alternative_contains(&outer->alternatives[k], alternative);
        if (!contained && alternative->kind == ALTERNATIVE_EXACT)
            contained = condition_is_met_by(outer, alternative->low);
        else if (!contained && alternative->kind == ALTERNATIVE_LIST)
            contained = all_values_hold(outer, alternative->list, steps_left);
        if (!contained)
            return false;
    }
    return true;
}

/* True if no value that meets `a` meets `b`, which is decided only where `a` is single values. */
static bool is_disjoint(const struct condition *a, const struct condition *b, uint64_t *steps_left)
{
    for (uint32_t i = 0; i < a->alternative_count; i++) {
        if (!rule_steps_spend(steps_left, b->alternative_count))
            return false;
        const struct alternative *alternative = &a->alternatives[i];
        if (alternative->kind != ALTERNATIVE_EXACT || condition_is_met_by(b, alternative->low))
            return false;
    }
    return true;
}

/* True if the earlier rule's condition holds whenever the later rule does. */
static bool is_implied(const struct condition *earlier, const struct rule *later,
                       uint64_t *steps_left)
{
    for (uint16_t i = 0; i < later->condition_count; i++) {
        const struct condition *condition = &later->conditions[i];
        if (condition->slot != earlier->slot)
            continue;
        if (earlier->negated && condition->negated)
            return rule_condition_contains(condition, earlier, steps_left);
        if (earlier->negated) /* other values of the field may meet what is negated */
            return !slot_takes_all(condition->slot) && is_disjoint(condition, earlier, steps_left);
        return !condition->negated && rule_condition_contains(earlier, condition, steps_left);
    }
    return false;
}
