#include "routes/dialect/profile_plan.h"

#include <assert.h>
#include <stdlib.h>

#include "routes/scan/plan_index.h"

enum { NODE_ROOT = 0, NODE_ANYWHERE = 1, NODE_NONE = 0xFFFF };

static const struct path_fault fault_too_many_places = {
    "the profile names more than 256 different places", NULL, 0};
static const struct path_fault fault_too_many_steps = {
    "the profile's paths have more than 1024 different steps", NULL, 0};

static enum status add_tree_path(struct plan_builder *builder, struct bytes text, uint16_t owner,
                                 uint16_t *out_bin, struct path_fault *out_fault);
static enum status add_component(struct plan_builder *builder, struct bytes text, uint16_t *out_bin,
                                 struct path_fault *out_fault);

void plan_builder_init(struct plan_builder *builder, enum format format)
{
    builder->format = format;
    builder->nodes[NODE_ROOT] = (struct plan_node){.tap = TAP_NONE};
    builder->nodes[NODE_ANYWHERE] = (struct plan_node){.tap = TAP_NONE};
    for (uint16_t node = 0; node < 2; node++) {
        builder->parents[node] = NODE_NONE;
        builder->last_child[node] = 0;
    }
    builder->node_count = 2;
    builder->component_count = 0;
    builder->filter_count = 0;
    builder->claim_count = 0;
    builder->tap_count = 0;
    builder->root_name_tap = TAP_NONE;
    memset(builder->entry_tag, 0, sizeof builder->entry_tag);
}

enum status plan_add_path(struct plan_builder *builder, struct bytes text, uint16_t owner,
                          uint16_t *out_bin, struct path_fault *out_fault)
{
    if (builder->format == FORMAT_EDIFACT)
        return add_component(builder, text, out_bin, out_fault);
    return add_tree_path(builder, text, owner, out_bin, out_fault);
}

static bool add_tap(struct plan_builder *builder, uint16_t *tap, struct path_fault *out_fault)
{
    if (*tap != TAP_NONE)
        return true;
    if (builder->tap_count == PLAN_TAPS_MAX) {
        *out_fault = fault_too_many_places;
        return false;
    }
    *tap = builder->tap_count++;
    return true;
}

/* ---- the tries of XML and JSON --------------------------------------------------------------- */

/* The child of that name, made if it is not there. */
static bool add_child(struct plan_builder *builder, uint16_t parent, struct path_step step,
                      uint16_t *out_node, struct path_fault *out_fault)
{
    for (uint16_t node = builder->nodes[parent].first_child; node != 0;
         node = builder->nodes[node].next_sibling)
        if (builder->nodes[node].attribute == step.attribute &&
            bytes_equal(builder->nodes[node].name, step.name)) {
            *out_node = node;
            return true;
        }
    if (builder->node_count == PLAN_NODES_MAX) {
        *out_fault = fault_too_many_steps;
        return false;
    }
    uint16_t node = builder->node_count++;
    builder->nodes[node] =
        (struct plan_node){.name = step.name, .attribute = step.attribute, .tap = TAP_NONE};
    builder->parents[node] = parent;
    builder->last_child[node] = 0;
    if (builder->last_child[parent] == 0)
        builder->nodes[parent].first_child = node;
    else
        builder->nodes[builder->last_child[parent]].next_sibling = node;
    builder->last_child[parent] = node;
    *out_node = node;
    return true;
}

static bool add_steps(struct plan_builder *builder, uint16_t from, const struct path_step *steps,
                      uint8_t count, uint16_t *out_node, struct path_fault *out_fault)
{
    uint16_t node = from;
    for (uint8_t i = 0; i < count; i++)
        if (!add_child(builder, node, steps[i], &node, out_fault))
            return false;
    *out_node = node;
    return true;
}

/* The bin of the captures of `tap` that a predicate lets pass. */
static bool add_filter(struct plan_builder *builder, struct bin_filter filter, uint16_t *out_bin,
                       struct path_fault *out_fault)
{
    uint16_t i = 0;
    for (; i < builder->filter_count; i++) {
        const struct bin_filter *known = &builder->filters[i];
        if (known->tap == filter.tap && known->predicate_tap == filter.predicate_tap &&
            known->differs == filter.differs && bytes_equal(known->value, filter.value))
            break;
    }
    if (i == PROFILE_FILTERS_MAX) {
        *out_fault = (struct path_fault){"the profile has more than 64 predicates", NULL, 0};
        return false;
    }
    if (i == builder->filter_count)
        builder->filters[builder->filter_count++] = filter;
    *out_bin = (uint16_t)(PLAN_TAPS_MAX + i);
    return true;
}

static bool add_predicate(struct plan_builder *builder, const struct tree_path *path,
                          struct plan_claim *claim, uint16_t *bin, struct path_fault *out_fault)
{
    uint16_t from = path->anywhere ? NODE_ANYWHERE : NODE_ROOT;
    uint8_t base_steps = (uint8_t)(path->predicate_step + 1);
    if (!add_steps(builder, from, path->steps, base_steps, &claim->base, out_fault) ||
        !add_steps(builder, claim->base, path->predicate, path->predicate_count,
                   &claim->predicate_leaf, out_fault))
        return false;
    struct plan_node *predicate_leaf = &builder->nodes[claim->predicate_leaf];
    if (!add_tap(builder, &predicate_leaf->tap, out_fault))
        return false;
    builder->nodes[claim->base].instance = true;
    claim->has_predicate = true;
    struct bin_filter filter = {builder->nodes[claim->leaf].tap, predicate_leaf->tap,
                                path->predicate_value, path->predicate_differs};
    return add_filter(builder, filter, bin, out_fault);
}

static enum status add_tree_path(struct plan_builder *builder, struct bytes text, uint16_t owner,
                                 uint16_t *out_bin, struct path_fault *out_fault)
{
    struct tree_path path;
    if (path_parse_tree(text, builder->format, &path, out_fault) != STATUS_OK)
        return STATUS_INVALID;
    if (path.root_name) {
        if (!add_tap(builder, &builder->root_name_tap, out_fault))
            return STATUS_INVALID;
        *out_bin = builder->root_name_tap;
        return STATUS_OK;
    }
    assert(builder->claim_count < PLAN_CLAIMS_MAX && owner < PLAN_CLAIMS_MAX);
    struct plan_claim claim = {.owner = owner, .anywhere = path.anywhere};
    uint16_t from = path.anywhere ? NODE_ANYWHERE : NODE_ROOT;
    if (!add_steps(builder, from, path.steps, path.step_count, &claim.leaf, out_fault) ||
        !add_tap(builder, &builder->nodes[claim.leaf].tap, out_fault))
        return STATUS_INVALID;
    uint16_t bin = builder->nodes[claim.leaf].tap;
    if (path.has_predicate && !add_predicate(builder, &path, &claim, &bin, out_fault))
        return STATUS_INVALID;
    builder->claims[builder->claim_count++] = claim;
    *out_bin = bin;
    return STATUS_OK;
}

static bool lies_below(const struct plan_builder *builder, uint16_t node, uint16_t ancestor)
{
    for (uint16_t at = builder->parents[node]; at != NODE_NONE; at = builder->parents[at])
        if (at == ancestor)
            return true;
    return false;
}

/* The node of a plain path; `.` is the root of JSON: each object of a root array. */
static enum status find_entry_node(struct plan_builder *builder, struct bytes text,
                                   struct plan_claim *claim, struct path_fault *out_fault)
{
    struct tree_path path;
    if (builder->format == FORMAT_JSON && bytes_equal_text(text, ".")) {
        claim->leaf = NODE_ROOT;
        return STATUS_OK;
    }
    if (path_parse_tree(text, builder->format, &path, out_fault) != STATUS_OK)
        return STATUS_INVALID;
    if (path.root_name || path.has_predicate || path.steps[path.step_count - 1].attribute) {
        *out_fault = (struct path_fault){"entries are named by a plain path",
                                         "as in `Declaration/Consignment`", 0};
        return STATUS_INVALID;
    }
    claim->anywhere = path.anywhere;
    uint16_t from = path.anywhere ? NODE_ANYWHERE : NODE_ROOT;
    return add_steps(builder, from, path.steps, path.step_count, &claim->leaf, out_fault)
               ? STATUS_OK
               : STATUS_INVALID;
}

static enum status add_entry_node(struct plan_builder *builder, struct bytes text, uint16_t owner,
                                  struct path_fault *out_fault)
{
    assert(builder->claim_count < PLAN_CLAIMS_MAX && owner < PLAN_CLAIMS_MAX);
    struct plan_claim claim = {.owner = owner, .leaf = NODE_ROOT};
    if (find_entry_node(builder, text, &claim, out_fault) != STATUS_OK)
        return STATUS_INVALID;
    builder->claims[builder->claim_count++] = claim;
    uint16_t node = claim.leaf;
    for (uint16_t other = 0; other < builder->node_count; other++)
        if (builder->nodes[other].entry &&
            (lies_below(builder, node, other) || lies_below(builder, other, node))) {
            *out_fault = (struct path_fault){"entries lie inside of each other",
                                             "name the outer or the inner ones", 0};
            return STATUS_INVALID;
        }
    builder->nodes[node].entry = true;
    return STATUS_OK;
}

enum status plan_add_entries(struct plan_builder *builder, struct bytes text, uint16_t owner,
                             struct path_fault *out_fault)
{
    if (builder->format != FORMAT_EDIFACT)
        return add_entry_node(builder, text, owner, out_fault);
    if (!path_is_tag(text) || builder->entry_tag[0] != 0) {
        *out_fault = (struct path_fault){
            "the entries of EDIFACT begin with one segment, by its tag", "as in `entries: CNI`", 0};
        return STATUS_INVALID;
    }
    memcpy(builder->entry_tag, text.data, sizeof builder->entry_tag);
    return STATUS_OK;
}

enum status plan_add_payload(struct plan_builder *builder, struct bytes text,
                             struct path_fault *out_fault)
{
    struct tree_path path;
    assert(builder->format != FORMAT_EDIFACT);
    if (path_parse_tree(text, builder->format, &path, out_fault) != STATUS_OK)
        return STATUS_INVALID;
    if (path.root_name || path.anywhere || path.has_predicate ||
        path.steps[path.step_count - 1].attribute) {
        *out_fault =
            (struct path_fault){"a payload is named by a plain path", "as in `open: Data`", 0};
        return STATUS_INVALID;
    }
    uint16_t node;
    if (!add_steps(builder, NODE_ROOT, path.steps, path.step_count, &node, out_fault))
        return STATUS_INVALID;
    builder->nodes[node].payload = builder->nodes[node].instance = true;
    return STATUS_OK;
}

/* An instance node between the predicate's and `leaf` would give the captures at `leaf` numbers of
 * its own, and the predicate would never find its partner. */
static bool is_cut_off(const struct plan_builder *builder, uint16_t base, uint16_t leaf)
{
    for (uint16_t at = leaf; at != base; at = builder->parents[at])
        if (builder->nodes[at].instance)
            return true;
    return false;
}

/* The child of NODE_ANYWHERE that the path of `leaf` begins with. */
static uint16_t head_of(const struct plan_builder *builder, uint16_t leaf)
{
    uint16_t head = leaf;
    while (builder->parents[head] != NODE_ANYWHERE)
        head = builder->parents[head];
    return head;
}

bool plan_claim_holds(const struct plan_builder *builder, const struct plan_claim *claim,
                      struct path_fault *out_fault)
{
    if (claim->has_predicate && (is_cut_off(builder, claim->base, claim->leaf) ||
                                 is_cut_off(builder, claim->base, claim->predicate_leaf))) {
        *out_fault =
            (struct path_fault){"another path has a predicate further inside of this one's element",
                                "let the paths into one element test the same step", 0};
        return false;
    }
    if (!claim->anywhere)
        return true;
    uint16_t head = head_of(builder, claim->leaf);
    for (uint16_t node = 2; node < builder->node_count; node++)
        if (node != head && !builder->nodes[node].attribute &&
            bytes_equal(builder->nodes[node].name, builder->nodes[head].name)) {
            *out_fault = (struct path_fault){
                "another path spells out the name that this one looks for at any depth",
                "use `//` in both, or the whole path in both", 0};
            return false;
        }
    return true;
}

/* ---- the components of EDIFACT --------------------------------------------------------------- */

static int compare_places(const struct plan_component *a, const struct plan_component *b)
{
    int order = memcmp(a->tag, b->tag, sizeof a->tag);
    if (order == 0)
        order = (int)a->element - (int)b->element;
    if (order == 0)
        order = (int)a->component - (int)b->component;
    if (order == 0)
        order = (int)a->qualifier_element - (int)b->qualifier_element;
    if (order == 0)
        order = (int)a->qualifier_component - (int)b->qualifier_component;
    return order != 0 ? order : bytes_compare(a->qualifier, b->qualifier);
}

static int compare_rows(const void *a, const void *b)
{
    return compare_places(a, b);
}

static enum status add_component(struct plan_builder *builder, struct bytes text, uint16_t *out_bin,
                                 struct path_fault *out_fault)
{
    struct plan_component path;
    if (path_parse_edifact(text, &path, out_fault) != STATUS_OK)
        return STATUS_INVALID;
    for (uint16_t i = 0; i < builder->component_count; i++)
        if (compare_places(&builder->components[i], &path) == 0) {
            *out_bin = builder->components[i].tap;
            return STATUS_OK;
        }
    if (!add_tap(builder, &path.tap, out_fault))
        return STATUS_INVALID;
    static_assert(PLAN_TAPS_MAX == sizeof builder->components / sizeof builder->components[0],
                  "each component has a tap of its own");
    builder->components[builder->component_count++] = path;
    *out_bin = path.tap;
    return STATUS_OK;
}

/* ---- the result ------------------------------------------------------------------------------ */

static const void *copy_rows(struct arena *arena, const void *rows, size_t count, size_t row_bytes)
{
    void *copy = arena_allocate_array(arena, count, row_bytes);
    if (count > 0)
        memcpy(copy, rows, count * row_bytes);
    return copy;
}

void plan_finish(const struct plan_builder *builder, struct arena *arena, struct plan *out_plan,
                 const struct bin_filter **out_filters, uint16_t *out_filter_count)
{
    *out_plan = (struct plan){.format = builder->format, .root_name_tap = TAP_NONE};
    out_plan->tap_count = builder->tap_count;
    if (builder->format == FORMAT_EDIFACT) {
        struct plan_component *components =
            arena_allocate_array(arena, builder->component_count, sizeof *components);
        memcpy(components, builder->components, builder->component_count * sizeof *components);
        qsort(components, builder->component_count, sizeof *components, compare_rows);
        out_plan->components = components;
        out_plan->component_count = builder->component_count;
        memcpy(out_plan->entry_tag, builder->entry_tag, sizeof out_plan->entry_tag);
    } else {
        out_plan->nodes =
            copy_rows(arena, builder->nodes, builder->node_count, sizeof *builder->nodes);
        out_plan->node_count = builder->node_count;
        out_plan->root_name_tapped = builder->root_name_tap != TAP_NONE;
        out_plan->root_name_tap = builder->root_name_tap;
    }
    plan_index_build(arena, out_plan);
    *out_filters =
        copy_rows(arena, builder->filters, builder->filter_count, sizeof *builder->filters);
    *out_filter_count = builder->filter_count;
}
