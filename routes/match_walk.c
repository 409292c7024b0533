/* The way of a group of messages through the forest, one record of each after the other: what they
 * are led to next is on its way from memory meanwhile. */
#include "routes/match_parts.h"
#include "routes/rule_time.h"

static struct match_probe *visit(const struct matcher *matcher, uint64_t now_ms,
                                 struct match_step step, struct match_probe *probes);
static uint32_t follow_probes(const struct match_forest *forest, struct match_group *group,
                              uint32_t probe_count);

void match_walk(const struct matcher *matcher, struct match_group *group)
{
    uint32_t step_count = 0;
    for (uint32_t m = 0; m < group->count; m++)
        if (!group->messages[m].is_left)
            group->steps[step_count++] = (struct match_step){0, &group->messages[m]};
    while (step_count > 0) { /* ends: each turn takes work of each message */
        struct match_probe *probes = group->probes;
        for (uint32_t i = 0; i < step_count; i++)
            probes = visit(matcher, group->now_ms, group->steps[i], probes);
        step_count = follow_probes(matcher->forest, group, (uint32_t)(probes - group->probes));
    }
}

static uint32_t follow_probes(const struct match_forest *forest, struct match_group *group,
                              uint32_t probe_count)
{
    const struct forest_slot *slots = forest->slots;
    uint64_t mask = forest_mask(forest);
    uint32_t step_count = 0;
    for (uint32_t i = 0; i < probe_count; i++) {
        const struct match_probe *probe = &group->probes[i];
        uint64_t at = probe->place;
        while (slots[at].key != probe->key && slots[at].record != 0)
            at = (at + 1) & mask;
        __builtin_prefetch(&forest->cells[slots[at].record]);
        group->steps[step_count] = (struct match_step){slots[at].record, probe->message};
        step_count += slots[at].record != 0;
    }
    return step_count;
}

/* ---- A record -------------------------------------------------------------------------------- */

/* Atoms of few by one after the other, else by halves: they ascend. */
static bool has_atom(const uint32_t *atoms, uint32_t count, uint32_t atom)
{
    uint32_t low = 0;
    while (count - low > 4) {
        uint32_t middle = low + (count - low) / 2;
        if (atoms[middle] <= atom)
            low = middle;
        else
            count = middle;
    }
    while (low < count && atoms[low] != atom)
        low++;
    return low < count;
}

static inline bool condition_is_met(const struct matcher *matcher,
                                    const struct match_message *message, union forest_cell cell)
{
    uint32_t field = cell.condition.field, count = cell.condition.atom_count;
    uint32_t i = message->begins[field], end = message->begins[field + 1];
    bool met = false;
    if (count == 1) {
        for (; i < end; i++)
            met |= message->atoms[i] == cell.condition.atom;
    } else {
        const uint32_t *atoms = matcher->fields[field].rule_atoms + cell.condition.atom;
        for (; i < end && !met; i++)
            met = has_atom(atoms, count, message->atoms[i]);
    }
    return met != cell.condition.negated;
}

/* Looks for a rule of the segment that holds and comes before the one found in its table so far.
 * Returns what work is left. */
static inline uint32_t try_segment(const struct matcher *matcher, uint64_t now_ms,
                                   struct match_message *message, const union forest_cell *segment,
                                   uint32_t work_left)
{
    const struct rule_table *table = matcher->tables[segment->segment.table];
    uint32_t *matched = &message->matched[segment->segment.table];
    const union forest_cell *end = segment + segment->segment.cell_count, *cell = segment + 1;
    while (cell < end && cell->entry.rule < *matched && work_left > 0) {
        union forest_cell entry = *cell;
        const union forest_cell *conditions_end = cell + 1 + entry.entry.condition_count;
        work_left--;
        do
            cell++;
        while (cell < conditions_end && condition_is_met(matcher, message, *cell));
        if (cell == conditions_end &&
            (!entry.entry.has_time || rule_is_valid(&table->rules[entry.entry.rule], now_ms))) {
            *matched = entry.entry.rule;
            break;
        }
        cell = conditions_end;
    }
    return work_left;
}

/* The record and those that follow it. Returns where further probes go. */
static struct match_probe *visit(const struct matcher *matcher, uint64_t now_ms,
                                 struct match_step step, struct match_probe *probes)
{
    const struct match_forest *forest = matcher->forest;
    struct match_message *message = step.message;
    uint64_t record = step.record;
    uint32_t work_left = message->work_left;
    do {
        const union forest_cell *head = &forest->cells[record], *segment = head + 1;
        uint32_t field = head->record.field;
        for (uint32_t i = 0; i < head->record.segment_count; i++) {
            work_left = try_segment(matcher, now_ms, message, segment, work_left);
            segment += segment->segment.cell_count;
        }
        uint32_t begin = message->begins[field], end = message->begins[field + 1];
        if (work_left <= end - begin) {
            work_left = 0;
            break;
        }
        work_left -= end - begin + 1;
        for (uint32_t i = begin; i < end; i++) {
            uint64_t key = forest_key(record, message->atoms[i]);
            uint64_t place = forest_place(forest, key);
            __builtin_prefetch(&forest->slots[place]);
            *probes++ = (struct match_probe){key, place, message};
        }
        record = head->record.next;
    } while (record != 0);
    message->work_left = work_left;
    message->is_left |= work_left == 0;
    return probes;
}
