/* Rules -> the records of the forest (routes/match/match_forest.h), from the root down. At each
 * record the field is chosen that tells its rules apart best. */
#include <assert.h>

#include "routes/match/match_build.h"
#include "routes/match/match_forest.h"

/* A probe with its walk and the look at a record takes as long as trying so many rules. */
enum { PROBE_COST_RULES = 4 };

/* A rule in a record; it stands in at most FOREST_COPIES_MAX. */
struct member {
    uint32_t number, copies;
};

enum { WAY_IS_NEXT = UINT32_MAX };

/* A record to be built. */
struct planned {
    struct planned *below;  /* in the stack */
    struct member *members; /* ascending by number */
    size_t member_count;
    uint32_t tried;        /* fields by which rules were told apart on the way here ... */
    uint32_t told;         /* ... and whose condition the members therefore meet */
    uint32_t parent, atom; /* the probe that leads here; WAY_IS_NEXT: it follows the parent */
};

struct forest_build {
    struct arena *arena; /* the matcher's */
    struct arena scratch;
    const struct matcher *matcher;
    const struct forest_source *sources;
    uint32_t *positive; /* by number: the fields on which it has such a condition */
    uint32_t *counts;   /* by atom of one field: the members that have it; all 0 in between */
    uint32_t *begins;   /* by atom: where the members of its record begin */
    uint32_t *seen;     /* atoms that a member has, in the order in which they were found */
    size_t seen_count;
    union forest_cell *cells;
    size_t cell_count, cell_capacity;
    struct forest_slot *ways;
    size_t way_count, way_capacity;
    struct planned *stack;
    uint8_t field_of_slot[SLOT_FIELD_COUNT];
};

static void prepare(struct forest_build *build);
static void plan_root(struct forest_build *build);
static void build_record(struct forest_build *build, const struct planned *planned);
static const struct match_forest *finish(struct forest_build *build);

const struct match_forest *match_build_forest(struct arena *arena, const struct matcher *matcher,
                                              const struct forest_source *sources)
{
    struct forest_build build = {.arena = arena, .matcher = matcher, .sources = sources};
    arena_init(&build.scratch);
    prepare(&build);
    plan_root(&build);
    while (build.stack != NULL) {
        const struct planned *planned = build.stack;
        build.stack = planned->below;
        build_record(&build, planned);
    }
    const struct match_forest *forest = finish(&build);
    arena_deinit(&build.scratch);
    return forest;
}

static const struct rule *rule_of(const struct matcher *matcher, uint32_t number,
                                  uint16_t *out_table)
{
    uint16_t table = 0;
    while (number >= matcher->first_number[table + 1])
        table++;
    *out_table = table;
    return &matcher->tables[table]->rules[number - matcher->first_number[table]];
}

static void prepare(struct forest_build *build)
{
    const struct matcher *matcher = build->matcher;
    uint32_t numbers = matcher->first_number[matcher->table_count], atoms = 0;
    build->positive = arena_allocate_array(&build->scratch, numbers, sizeof *build->positive);
    for (uint32_t i = 0; i < matcher->field_count; i++) {
        build->field_of_slot[matcher->fields[i].slot] = (uint8_t)i;
        if (build->sources[i].atom_limit > atoms)
            atoms = build->sources[i].atom_limit;
    }
    build->counts = arena_allocate_array(&build->scratch, atoms, sizeof *build->counts);
    build->begins = arena_allocate_array(&build->scratch, atoms, sizeof *build->begins);
    build->seen = arena_allocate_array(&build->scratch, atoms, sizeof *build->seen);
    for (uint16_t i = 0; i < matcher->table_count; i++)
        for (uint32_t k = 0; k < matcher->tables[i]->rule_count; k++) {
            const struct rule *rule = &matcher->tables[i]->rules[k];
            for (uint16_t c = 0; c < rule->condition_count; c++)
                if (!rule->conditions[c].negated)
                    build->positive[matcher->first_number[i] + k] |=
                        1U << build->field_of_slot[rule->conditions[c].slot];
        }
}
static_assert((int)SLOT_FIELD_COUNT <= 32, "fields fit a mask");

static void plan(struct forest_build *build, struct planned planned)
{
    struct planned *kept = arena_allocate(&build->scratch, sizeof *kept);
    *kept = planned;
    kept->below = build->stack;
    build->stack = kept;
}

static void plan_root(struct forest_build *build)
{
    const struct matcher *matcher = build->matcher;
    struct planned root = {.parent = 0, .atom = WAY_IS_NEXT};
    root.members =
        arena_allocate_array(&build->scratch, matcher->figures.rule_count, sizeof *root.members);
    for (uint16_t i = 0; i < matcher->table_count; i++)
        for (uint32_t k = 0; k < matcher->tables[i]->rule_count; k++)
            root.members[root.member_count++] =
                (struct member){.number = matcher->first_number[i] + k, .copies = 1};
    plan(build, root);
}

/* ---- The field that tells rules apart -------------------------------------------------------- */

struct cut {
    unsigned field;    /* one past the last: none does */
    size_t rest_count; /* rules that it does not tell apart */
    size_t atom_count; /* over those that it does */
};

static uint32_t atoms_of(const struct forest_build *build, unsigned field, uint32_t number)
{
    const uint32_t *begins = build->sources[field].begins;
    return begins[number + 1] - begins[number];
}

/* Rules with very many alternatives are not copied to so many records. */
static bool is_told_apart(const struct forest_build *build, unsigned field,
                          const struct member *member)
{
    return (build->positive[member->number] >> field & 1) != 0 &&
           atoms_of(build, field, member->number) * (uint64_t)member->copies <= FOREST_COPIES_MAX;
}

/* Counts the members that have each atom; the caller clears the counts of those seen. Returns the
 * sum of the counts' squares. */
static double count_members(struct forest_build *build, const struct planned *planned,
                            unsigned field, struct cut *out_cut)
{
    const struct forest_source *source = &build->sources[field];
    const uint32_t *atoms = build->matcher->fields[field].rule_atoms;
    double squares = 0;
    *out_cut = (struct cut){.field = field};
    build->seen_count = 0;
    for (size_t i = 0; i < planned->member_count; i++) {
        const struct member *member = &planned->members[i];
        if (!is_told_apart(build, field, member)) {
            out_cut->rest_count++;
            continue;
        }
        for (uint32_t a = source->begins[member->number]; a < source->begins[member->number + 1];
             a++) {
            uint32_t before = build->counts[atoms[a]]++;
            if (before == 0)
                build->seen[build->seen_count++] = atoms[a];
            squares += 2.0 * before + 1;
            out_cut->atom_count++;
        }
    }
    return squares;
}

static void clear_counts(struct forest_build *build)
{
    for (size_t i = 0; i < build->seen_count; i++)
        build->counts[build->seen[i]] = 0;
}

/* Messages are taken to name values as often as rules do: then a probe leads to as many rules as
 * the mean rule shares its atom with, and the rest is looked at in any case. */
static struct cut choose_cut(struct forest_build *build, const struct planned *planned)
{
    struct cut best = {.field = build->matcher->field_count, .rest_count = planned->member_count};
    double best_cost = (double)planned->member_count;
    uint32_t fields = 0;
    if (planned->member_count <= FOREST_LEAF_RULES)
        return best;
    for (size_t i = 0; i < planned->member_count; i++)
        fields |= build->positive[planned->members[i].number];
    fields &= ~planned->tried;
    for (; fields != 0; fields &= fields - 1) {
        struct cut cut;
        double squares = count_members(build, planned, (unsigned)__builtin_ctz(fields), &cut);
        clear_counts(build);
        if (cut.rest_count == planned->member_count)
            continue;
        double met = cut.atom_count > 0 ? squares / (double)cut.atom_count : 0;
        double cost = (double)cut.rest_count + PROBE_COST_RULES + met;
        if (cost < best_cost) {
            best = cut;
            best_cost = cost;
        }
    }
    return best;
}

/* ---- Records --------------------------------------------------------------------------------- */

/* Another cell at the end. Cells move as they become more. */
static union forest_cell *add_cell(struct forest_build *build)
{
    if (build->cell_count == build->cell_capacity) {
        size_t capacity = 2 * build->cell_capacity + 4096;
        union forest_cell *cells = arena_allocate_array(&build->scratch, capacity, sizeof *cells);
        if (build->cell_count > 0)
            memcpy(cells, build->cells, build->cell_count * sizeof *cells);
        build->cells = cells;
        build->cell_capacity = capacity;
    }
    return &build->cells[build->cell_count++];
}

static void add_condition(struct forest_build *build, uint32_t number,
                          const struct condition *condition)
{
    uint8_t field = build->field_of_slot[condition->slot];
    uint32_t begin = build->sources[field].begins[number], count = atoms_of(build, field, number);
    assert(count <= UINT16_MAX);
    union forest_cell *cell = add_cell(build);
    cell->condition.atom = count == 1 ? build->matcher->fields[field].rule_atoms[begin] : begin;
    cell->condition.atom_count = (uint16_t)count;
    cell->condition.field = field;
    cell->condition.negated = condition->negated;
}

/* The rule with the conditions that are open yet. */
static void add_entry(struct forest_build *build, uint32_t number, const struct rule *rule,
                      uint16_t table, uint32_t told)
{
    size_t at = build->cell_count;
    uint8_t count = 0;
    add_cell(build)->entry.rule = number - build->matcher->first_number[table];
    for (uint16_t i = 0; i < rule->condition_count; i++) {
        const struct condition *condition = &rule->conditions[i];
        uint8_t field = build->field_of_slot[condition->slot];
        if ((told >> field & 1) != 0 && !condition->negated)
            continue;
        add_condition(build, number, condition);
        count++;
    }
    build->cells[at].entry.condition_count = count;
    build->cells[at].entry.has_time = rule->valid_from_ms > 0 || rule->valid_to_ms < UINT64_MAX;
}

/* A record of those members that the cut does not tell apart, if they are few or there is none. */
static uint32_t add_record(struct forest_build *build, const struct planned *planned,
                           const struct cut *cut)
{
    bool none = cut->field == build->matcher->field_count;
    size_t head = build->cell_count, segment = 0;
    uint16_t last = RULE_TABLES_MAX, table;
    uint8_t segments = 0;
    add_cell(build);
    for (size_t i = 0; i < planned->member_count; i++) {
        const struct member *member = &planned->members[i];
        if (!none &&
            (cut->rest_count > FOREST_LEAF_RULES || is_told_apart(build, cut->field, member)))
            continue;
        const struct rule *rule = rule_of(build->matcher, member->number, &table);
        if (table != last) {
            segment = build->cell_count;
            add_cell(build)->segment.table = (uint8_t)table;
            segments++;
        }
        last = table;
        add_entry(build, member->number, rule, table, planned->told);
        build->cells[segment].segment.cell_count = (uint32_t)(build->cell_count - segment);
    }
    build->cells[head].record.field = (uint8_t)cut->field;
    build->cells[head].record.segment_count = segments;
    assert(build->cell_count < UINT32_MAX);
    return (uint32_t)head;
}

static void lead_to(struct forest_build *build, const struct planned *planned, uint32_t record)
{
    if (planned->atom == WAY_IS_NEXT) {
        build->cells[planned->parent].record.next = record; /* of the root: 0 */
        return;
    }
    if (build->way_count == build->way_capacity) {
        size_t capacity = 2 * build->way_capacity + 1024;
        struct forest_slot *ways = arena_allocate_array(&build->scratch, capacity, sizeof *ways);
        if (build->way_count > 0)
            memcpy(ways, build->ways, build->way_count * sizeof *ways);
        build->ways = ways;
        build->way_capacity = capacity;
    }
    build->ways[build->way_count++] =
        (struct forest_slot){.key = forest_key(planned->parent, planned->atom), .record = record};
}

/* Those that no probe leads to go on together. */
static void plan_rest(struct forest_build *build, const struct planned *planned,
                      const struct cut *cut, uint32_t record)
{
    struct planned rest = {
        .members = arena_allocate_array(&build->scratch, cut->rest_count, sizeof *rest.members),
        .tried = planned->tried | 1U << cut->field,
        .told = planned->told,
        .parent = record,
        .atom = WAY_IS_NEXT,
    };
    for (size_t i = 0; i < planned->member_count; i++)
        if (!is_told_apart(build, cut->field, &planned->members[i]))
            rest.members[rest.member_count++] = planned->members[i];
    plan(build, rest);
}

/* One record for each atom. */
static void plan_ways(struct forest_build *build, const struct planned *planned,
                      const struct cut *cut, uint32_t record)
{
    struct cut again;
    const struct forest_source *source = &build->sources[cut->field];
    const uint32_t *atoms = build->matcher->fields[cut->field].rule_atoms;
    struct member *members =
        arena_allocate_array(&build->scratch, cut->atom_count, sizeof *members);
    (void)count_members(build, planned, cut->field, &again);
    uint32_t begin = 0;
    for (size_t i = 0; i < build->seen_count; i++) {
        build->begins[build->seen[i]] = begin;
        begin += build->counts[build->seen[i]];
        build->counts[build->seen[i]] = 0;
    }
    for (size_t i = 0; i < planned->member_count; i++) {
        struct member member = planned->members[i];
        if (!is_told_apart(build, cut->field, &member))
            continue;
        member.copies *= atoms_of(build, cut->field, member.number);
        for (uint32_t a = source->begins[member.number]; a < source->begins[member.number + 1]; a++)
            members[build->begins[atoms[a]] + build->counts[atoms[a]]++] = member;
    }
    for (size_t i = 0; i < build->seen_count; i++)
        plan(build, (struct planned){
                        .members = members + build->begins[build->seen[i]],
                        .member_count = build->counts[build->seen[i]],
                        .tried = planned->tried | 1U << cut->field,
                        .told = planned->told | 1U << cut->field,
                        .parent = record,
                        .atom = build->seen[i],
                    });
    clear_counts(build);
}

static void build_record(struct forest_build *build, const struct planned *planned)
{
    struct cut cut = choose_cut(build, planned);
    uint32_t record = add_record(build, planned, &cut);
    lead_to(build, planned, record);
    if (cut.field == build->matcher->field_count)
        return;
    if (cut.rest_count > FOREST_LEAF_RULES)
        plan_rest(build, planned, &cut, record);
    if (cut.atom_count > 0)
        plan_ways(build, planned, &cut, record);
}

static const struct match_forest *finish(struct forest_build *build)
{
    struct match_forest *forest = arena_allocate(build->arena, sizeof *forest);
    union forest_cell *cells = arena_allocate_array(build->arena, build->cell_count, sizeof *cells);
    memcpy(cells, build->cells, build->cell_count * sizeof *cells);
    forest->cells = cells;
    forest->cell_count = (uint32_t)build->cell_count;
    uint32_t bits = 1;
    while (UINT64_C(1) << bits < 2 * build->way_count)
        bits++;
    forest->slot_shift = 64 - bits;
    struct forest_slot *slots =
        arena_allocate_array(build->arena, (size_t)1 << bits, sizeof *slots);
    forest->slots = slots;
    for (size_t i = 0; i < build->way_count; i++) {
        uint64_t at = forest_place(forest, build->ways[i].key);
        while (slots[at].record != 0)
            at = (at + 1) & forest_mask(forest);
        slots[at] = build->ways[i];
    }
    return forest;
}
