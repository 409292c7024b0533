/* Atoms (routes/match/match_forest.h): what each known value meets, and what each rule asks for. */
#include <assert.h>
#include <stdlib.h>

#include "routes/match/match_build.h"

/* Atoms of one value; false if there is no room for one more. */
struct met_atoms {
    uint32_t count;
    uint32_t atoms[MATCH_ATOMS_MAX];
};

static bool add_atom(struct met_atoms *met, uint32_t atom)
{
    if (met->count == MATCH_ATOMS_MAX)
        return false;
    met->atoms[met->count++] = atom;
    return true;
}

static bool add_chain(struct met_atoms *met, const struct set_link *links, uint32_t link)
{
    for (; link != 0; link = links[link].next)
        if (!add_atom(met, link))
            return false;
    return true;
}

/* Of the value whose sets are those from `begin` to `end`. */
static bool collect_met(const struct match_build *build, size_t begin, size_t end,
                        struct met_atoms *out_met)
{
    const struct match_field *field = build->field;
    struct bytes text = build->sets[begin].text;
    out_met->count = 0;
    for (size_t i = begin; i < end; i++)
        if (!add_atom(out_met, build->sets[i].atom))
            return false;
    return add_chain(out_met, build->links, match_find_prefix(field, text)) &&
           add_chain(out_met, build->links, match_find_numeric(field, text)) &&
           add_chain(out_met, build->links, match_find_bytewise(field, text));
}

static void copy_link_nexts(struct match_build *build)
{
    uint32_t *nexts = arena_allocate_array(build->arena, build->link_count, sizeof *nexts);
    for (uint32_t i = 1; i < build->link_count; i++)
        nexts[i] = build->links[i].next;
    build->field->link_nexts = nexts;
}

void match_build_met(struct match_build *build, uint32_t first)
{
    struct match_field *field = build->field;
    size_t used = 0, capacity = 2 * (size_t)build->value_count + 2 * build->set_count;
    uint32_t *words = NULL, number = first;
    copy_link_nexts(build);
    for (size_t begin = 0, end; begin < build->set_count; begin = end, number++) {
        struct met_atoms met;
        end = match_build_value_end(build, begin);
        bool fits = collect_met(build, begin, end, &met);
        if (words == NULL || used + 2 + met.count > capacity) {
            uint32_t *more =
                arena_allocate_array(&build->scratch, 2 * capacity + met.count, sizeof *more);
            if (used > 0)
                memcpy(more, words, used * sizeof *more);
            capacity = 2 * capacity + met.count;
            words = more;
        }
        assert(used < TEXT_INDEX_NONE);
        text_index_add(&field->values, build->sets[begin].text, (uint32_t)used);
        words[used++] = number;
        words[used++] = fits ? met.count : MATCH_MET_TOO_MANY;
        for (uint32_t i = 0; fits && i < met.count; i++)
            words[used++] = met.atoms[i];
    }
    uint32_t *met = arena_allocate_array(build->arena, used, sizeof *met);
    if (used > 0)
        memcpy(met, words, used * sizeof *met);
    field->met = met;
}

/* ---- What rules ask for ---------------------------------------------------------------------- */

void match_build_note(struct match_build *build, uint32_t atom, const uint32_t *numbers,
                      size_t count)
{
    if (!build->for_forest)
        return;
    if (build->note_count + count > build->note_capacity) {
        size_t capacity = 2 * (build->note_count + count) + 1024;
        struct atom_note *notes = arena_allocate_array(&build->scratch, capacity, sizeof *notes);
        if (build->note_count > 0)
            memcpy(notes, build->notes, build->note_count * sizeof *notes);
        build->notes = notes;
        build->note_capacity = capacity;
    }
    for (size_t i = 0; i < count; i++)
        build->notes[build->note_count++] = (struct atom_note){numbers[i], atom};
}

static int by_atom(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    return (*a > *b) - (*a < *b);
}

/* A rule's atoms in ascending order, each once; returns how many. */
static uint32_t sort_atoms(uint32_t *atoms, uint32_t count)
{
    uint32_t kept = 0;
    if (count > 1)
        qsort(atoms, count, sizeof *atoms, by_atom);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || atoms[kept - 1] != atoms[i])
            atoms[kept++] = atoms[i];
    return kept;
}

struct forest_source match_build_source(struct match_build *build, struct arena *sources)
{
    uint32_t numbers = build->matcher->first_number[build->matcher->table_count];
    uint32_t *ends = arena_allocate_array(&build->scratch, (size_t)numbers + 1, sizeof *ends);
    uint32_t *begins = arena_allocate_array(sources, (size_t)numbers + 1, sizeof *begins);
    uint32_t *atoms = arena_allocate_array(build->arena, build->note_count, sizeof *atoms);
    assert(build->note_count < UINT32_MAX);
    for (size_t i = 0; i < build->note_count; i++)
        ends[build->notes[i].number + 1]++;
    for (uint32_t i = 0; i < numbers; i++)
        ends[i + 1] += ends[i];
    /* ends[n] is where rule n begins, until its atoms are placed. */
    for (size_t i = 0; i < build->note_count; i++)
        atoms[ends[build->notes[i].number]++] = build->notes[i].atom;
    uint32_t begin = 0, kept = 0;
    for (uint32_t i = 0; i < numbers; i++) {
        uint32_t count = sort_atoms(atoms + begin, ends[i] - begin);
        begins[i] = kept;
        if (kept != begin)
            memmove(atoms + kept, atoms + begin, count * sizeof *atoms);
        begin = ends[i];
        kept += count;
    }
    begins[numbers] = kept;
    build->field->rule_atoms = atoms;
    return (struct forest_source){.begins = begins, .atom_limit = build->atom_count};
}
