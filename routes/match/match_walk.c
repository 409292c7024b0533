/* The way of a group of messages through the forest, one record of each after the other: what they
 * are led to next is on its way from memory meanwhile. */
#include "routes/match/match_parts.h"
#include "routes/rules/rule_time.h"

static struct match_probe *visit(const struct matcher *matcher, const struct match_group *group,
                                 struct match_step step, struct match_probe *probes);
static uint32_t follow_probes(const struct match_forest *forest, struct match_group *group,
                              uint32_t probe_count);

void match_walk(const struct matcher *matcher, struct match_group *group)
{
    uint32_t step_count = 0;
    for (uint32_t m = 0; m < group->count; m++)
        if (!group->messages[m].is_left)
            group->steps[step_count++] = (struct match_step){0, &group->messages[m]};
    while (step_count > 0) { /* ends: each probe takes of its message's work */
        struct match_probe *probes = group->probes;
        for (uint32_t i = 0; i < step_count; i++)
            probes = visit(matcher, group, group->steps[i], probes);
        step_count = follow_probes(matcher->forest, group, (uint32_t)(probes - group->probes));
    }
    for (uint32_t m = 0; m < group->count; m++)
        group->messages[m].is_left |= group->messages[m].work_left == 0;
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

/* False if the message has none left. */
static inline bool take_work(struct match_message *message, uint32_t work)
{
    bool has = work < message->work_left;
    message->work_left = has ? message->work_left - work : 0;
    return has;
}

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

static bool any_is_among(const struct match_message *message, uint32_t i, uint32_t end,
                         const uint32_t *atoms, uint32_t count)
{
    while (i < end && !has_atom(atoms, count, message->atoms[i]))
        i++;
    return i < end;
}

static inline bool condition_is_met(const struct match_field *fields,
                                    const struct match_message *message,
                                    const union forest_cell *cell)
{
    uint32_t field = cell->condition.field, atom = cell->condition.atom;
    uint32_t i = message->begins[field], end = message->begins[field + 1];
    bool met = false;
    if (cell->condition.atom_count == 1)
        for (; i < end; i++)
            met |= message->atoms[i] == atom;
    else
        met = any_is_among(message, i, end, fields[field].rule_atoms + atom,
                           cell->condition.atom_count);
    return met != cell->condition.negated;
}

static bool entry_is_valid(const struct matcher *matcher, uint32_t table, uint32_t rule,
                           uint64_t now_ms)
{
    return rule_is_valid(&matcher->tables[table]->rules[rule], now_ms);
}

/* Looks for a rule of the segment that holds and comes before the one found in its table so far. */
__attribute__((noinline)) static void try_segment(const struct matcher *matcher,
                                                  const struct match_group *group,
                                                  struct match_message *message,
                                                  const union forest_cell *segment)
{
    const struct match_field *fields = matcher->fields;
    uint32_t table = segment->segment.table, work = segment->segment.cell_count;
    uint32_t best = message->matched[table];
    const union forest_cell *cell = segment + 1;
    const union forest_cell *end =
        segment + (work < message->work_left ? work : message->work_left);
    while (cell < end && cell->entry.rule < best) {
        uint32_t rule = cell->entry.rule;
        bool has_time = cell->entry.has_time;
        const union forest_cell *next = cell + 1 + cell->entry.condition_count;
        do
            cell++;
        while (cell < next && condition_is_met(fields, message, cell));
        if (cell == next && (!has_time || entry_is_valid(matcher, table, rule, group->now_ms))) {
            message->matched[table] = rule;
            break;
        }
        cell = next;
    }
    take_work(message, (uint32_t)(cell - segment));
}

/* The record and those that follow it. Returns where further probes go. */
static struct match_probe *visit(const struct matcher *matcher, const struct match_group *group,
                                 struct match_step step, struct match_probe *probes)
{
    const struct match_forest *forest = matcher->forest;
    struct match_message *message = step.message;
    uint64_t record = step.record;
    do {
        const union forest_cell *head = &forest->cells[record], *segment = head + 1;
        uint32_t field = head->record.field;
        for (uint32_t i = head->record.segment_count; i > 0; i--) {
            try_segment(matcher, group, message, segment);
            segment += segment->segment.cell_count;
        }
        uint32_t begin = message->begins[field], end = message->begins[field + 1];
        if (!take_work(message, end - begin + 1))
            break;
        for (uint32_t i = begin; i < end; i++) {
            uint64_t key = forest_key(record, message->atoms[i]);
            uint64_t place = forest_place(forest, key);
            __builtin_prefetch(&forest->slots[place]);
            *probes++ = (struct match_probe){key, place, message};
        }
        record = head->record.next;
    } while (record != 0);
    return probes;
}
