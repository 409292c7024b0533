#include "routes/scan/plan_index.h"

#include <assert.h>

static_assert(PLAN_TAPS_MAX * 2 <= PLAN_TAG_SLOTS, "the tags of a plan fit their table");

/* Of a free slot: no name is so long. */
#define PLACE_NONE UINT64_MAX

static void add_children(struct plan_index *index, const struct plan *plan, uint16_t parent)
{
    const struct plan_node *nodes = plan->nodes;
    for (uint16_t node = nodes[parent].first_child; node != 0; node = nodes[node].next_sibling) {
        uint8_t padded[sizeof(uint64_t)] = {0};
        struct bytes text = nodes[node].name;
        if (text.size < sizeof padded) { /* whoever wrote the plan need not have padded it */
            memcpy(padded, text.data, text.size);
            text.data = padded;
        }
        struct plan_key key = plan_key_of(parent, text, nodes[node].attribute);
        uint32_t slot = plan_index_slot(index, key);
        while (index->children[slot].node != PLAN_NODE_NONE)
            slot = (slot + 1) & index->mask;
        index->children[slot] = (struct plan_child){key, node};
        index->filters[parent] |= plan_filter_bit(text);
    }
}

static void build_children(struct arena *arena, struct plan_index *index, const struct plan *plan)
{
    assert(plan->node_count <= PLAN_NODES_MAX);
    unsigned bits = 1;
    while ((1U << bits) < 4U * plan->node_count)
        bits++;
    index->shift = 64 - bits;
    index->mask = (1U << bits) - 1;
    index->children = arena_allocate_array(arena, index->mask + 1, sizeof *index->children);
    index->filters = arena_allocate_array(arena, plan->node_count + 1U, sizeof *index->filters);
    for (uint32_t slot = 0; slot <= index->mask; slot++)
        index->children[slot] = (struct plan_child){{.place = PLACE_NONE}, PLAN_NODE_NONE};
    for (uint16_t node = 0; node < plan->node_count; node++)
        add_children(index, plan, node);
}

static bool is_by_first(const struct plan_component *row)
{
    return row->qualifier_element == 1 && row->qualifier_component == 1 && row->qualifier.size > 0;
}

static void build_beginnings(struct arena *arena, struct plan_index *index, const struct plan *plan)
{
    index->beginnings =
        arena_allocate_array(arena, plan->component_count + 1, sizeof *index->beginnings);
    for (uint16_t i = 0; i < plan->component_count; i++) {
        struct bytes qualifier = plan->components[i].qualifier;
        uint8_t text[sizeof(uint64_t)] = {0}, used[sizeof(uint64_t)] = {0};
        for (size_t k = 0; k < qualifier.size && k < sizeof text; k++) {
            text[k] = qualifier.data[k];
            used[k] = 0xFF;
        }
        index->beginnings[i] = (struct plan_beginning){plan_load_word(text), plan_load_word(used)};
    }
}

static void add_to_sets(struct plan_row_sets *sets, const struct plan_component *row, uint32_t bit)
{
    bool by_first = is_by_first(row), has_second = by_first && row->qualifier.size > 1;
    for (unsigned key = 0; key < PLAN_ROW_KEYS; key++) {
        if (!by_first || key == row->qualifier.data[0] % PLAN_ROW_KEYS)
            sets->first[key] |= bit;
        if (!has_second || key == row->qualifier.data[1] % PLAN_ROW_KEYS)
            sets->second[key] |= bit;
    }
}

static const struct plan_row_sets *build_sets(struct arena *arena,
                                              const struct plan_component *rows, uint32_t count)
{
    uint32_t qualified = 0;
    for (uint32_t i = 0; i < count; i++)
        qualified += is_by_first(&rows[i]);
    if (qualified == 0)
        return NULL;
    struct plan_row_sets *sets = arena_allocate(arena, sizeof *sets);
    for (uint32_t i = 0; i < count; i++)
        add_to_sets(sets, &rows[i], UINT32_C(1) << i % PLAN_ROW_BITS);
    return sets;
}

static void build_rows(struct arena *arena, struct plan_index *index, const struct plan *plan)
{
    assert(plan->component_count <= PLAN_TAPS_MAX);
    for (uint16_t first = 0, end; first < plan->component_count; first = end) {
        uint32_t tag = plan_tag(plan->components[first].tag), slot = plan_tag_slot(tag);
        end = first;
        while (end < plan->component_count && plan_tag(plan->components[end].tag) == tag)
            end++;
        for (; index->rows[slot].end != 0; slot = (slot + 1) % PLAN_TAG_SLOTS)
            assert(plan_tag(plan->components[index->rows[slot].first].tag) != tag &&
                   "rows of one tag stand together");
        index->rows[slot] = (struct plan_rows){
            tag, first, end, build_sets(arena, &plan->components[first], (uint32_t)end - first)};
    }
}

void plan_index_build(struct arena *arena, struct plan *plan)
{
    struct plan_index *index = arena_allocate(arena, sizeof *index);
    build_children(arena, index, plan);
    build_rows(arena, index, plan);
    build_beginnings(arena, index, plan);
    plan->index = index;
}
