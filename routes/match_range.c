/* Ranges as a segment tree over the pieces of the line: each range lies in O(log n) nodes, so n
 * ranges take O(n log n) memory however they overlap, and a value meets at most log n nodes. */
#include <assert.h>
#include <stdlib.h>

#include "routes/damage.h"
#include "routes/match_build.h"

/* Node 1 is the root, node i's children are 2i and 2i + 1, piece p is node pieces + p (with any
 * number of pieces; Al.Cash's bottom-up form). */
struct tree {
    uint32_t pieces;
    uint32_t *counts; /* rules of each node; then where the node's rules begin */
    uint32_t *rules;
};

static int by_bytes(const void *left, const void *right)
{
    return bytes_compare(*(const struct bytes *)left, *(const struct bytes *)right);
}

static uint32_t sort_ends(struct bytes *ends, const struct ranged_rule *ranges, size_t range_count)
{
    uint32_t count = 0, kept = 0;
    for (size_t i = 0; i < range_count; i++) {
        ends[count++] = ranges[i].low;
        ends[count++] = ranges[i].high;
    }
    qsort(ends, count, sizeof *ends, by_bytes);
    for (uint32_t i = 0; i < count; i++)
        if (kept == 0 || !bytes_equal(ends[kept - 1], ends[i]))
            ends[kept++] = ends[i];
    return kept;
}

/* The piece in which a value lies; false if it lies outside of all. */
static bool find_piece(const struct bytes *ends, uint32_t end_count, struct bytes value,
                       uint32_t *out_piece)
{
    uint32_t low = 0, high = end_count; /* ends before `low` are below the value */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = bytes_compare(ends[middle], value);
        if (order == 0) {
            *out_piece = 2 * middle;
            return true;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0 || low == end_count)
        return false;
    *out_piece = 2 * low - 1;
    return true;
}

/* Calls for each node that makes up a range: counts it, or notes the rule there. */
static void visit_nodes(struct tree *tree, const struct range_tree *shape,
                        const struct ranged_rule *range, bool note)
{
    uint32_t first, last;
    bool found = find_piece(shape->ends, shape->end_count, range->low, &first) &&
                 find_piece(shape->ends, shape->end_count, range->high, &last);
    assert(found);
    uint32_t left = first + tree->pieces, right = last + tree->pieces + 1;
    for (; left < right; left /= 2, right /= 2) {
        uint32_t nodes[2], count = 0;
        if (left % 2 == 1)
            nodes[count++] = left++;
        if (right % 2 == 1)
            nodes[count++] = --right;
        for (uint32_t i = 0; i < count; i++) {
            if (note)
                tree->rules[tree->counts[nodes[i]]] = range->number;
            tree->counts[nodes[i]]++;
        }
    }
}

/* Counting sort of the rules by node: they come in ascending order, so each node's stay so. */
static void fill_tree(struct tree *tree, struct arena *scratch, const struct range_tree *shape,
                      const struct ranged_rule *ranges, size_t range_count)
{
    uint32_t nodes = 2 * tree->pieces;
    tree->counts = arena_allocate_array(scratch, nodes, sizeof *tree->counts);
    for (size_t i = 0; i < range_count; i++)
        visit_nodes(tree, shape, &ranges[i], false);
    uint32_t total = 0;
    for (uint32_t node = 0; node < nodes; node++) {
        uint32_t count = tree->counts[node];
        tree->counts[node] = total;
        total += count;
    }
    tree->rules = arena_allocate_array(scratch, total, sizeof *tree->rules);
    for (size_t i = 0; i < range_count; i++)
        visit_nodes(tree, shape, &ranges[i], true);
}

size_t match_range_links_max(size_t range_count)
{
    return 2 * (4 * range_count); /* two nodes a piece, fewer than two pieces an end */
}

static void build_tree(struct match_build *build, const struct ranged_rule *ranges,
                       size_t range_count, uint32_t digits, struct range_tree *out_tree)
{
    struct bytes *all_ends =
        arena_allocate_array(&build->scratch, 2 * range_count, sizeof *all_ends);
    uint32_t end_count = sort_ends(all_ends, ranges, range_count);
    struct bytes *ends = arena_allocate_array(build->arena, end_count, sizeof *ends);
    memcpy(ends, all_ends, end_count * sizeof *ends);
    *out_tree = (struct range_tree){.digits = digits, .end_count = end_count, .ends = ends};

    struct tree tree = {.pieces = 2 * end_count - 1};
    fill_tree(&tree, &build->scratch, out_tree, ranges, range_count);

    /* Downward, each node gets its own link, or that of the nearest node above that has rules. */
    uint32_t *links = arena_allocate_array(&build->scratch, 2 * (size_t)tree.pieces, sizeof *links);
    for (uint32_t node = 1; node < 2 * tree.pieces; node++) {
        uint32_t begin = tree.counts[node - 1], end = tree.counts[node];
        uint32_t above = links[node / 2];
        links[node] =
            begin == end ? above : match_build_link(build, tree.rules + begin, end - begin, above);
    }
    uint32_t *piece_links = arena_allocate_array(build->arena, tree.pieces, sizeof *piece_links);
    memcpy(piece_links, links + tree.pieces, tree.pieces * sizeof *piece_links);
    out_tree->links = piece_links;
}

/* By the number of digits, then by rule. */
static int by_digits(const void *left, const void *right)
{
    const struct ranged_rule *a = left, *b = right;
    if (a->low.size != b->low.size)
        return a->low.size < b->low.size ? -1 : 1;
    return (a->number > b->number) - (a->number < b->number);
}

void match_build_ranges(struct match_build *build)
{
    const struct gathered *gathered = &build->gathered;
    size_t numeric_count = gathered->numeric_count;
    if (gathered->bytewise_count > 0) {
        struct range_tree *tree = arena_allocate(build->arena, sizeof *tree);
        build_tree(build, gathered->bytewise, gathered->bytewise_count, 0, tree);
        build->field->byte_tree = tree;
    }
    if (numeric_count == 0)
        return;
    qsort(gathered->numeric, numeric_count, sizeof *gathered->numeric, by_digits);
    struct range_tree *trees =
        arena_allocate_array(build->arena, READING_VALUE_BYTES_MAX, sizeof *trees);
    uint32_t tree_count = 0;
    for (size_t begin = 0, end; begin < numeric_count; begin = end) {
        size_t digits = gathered->numeric[begin].low.size;
        for (end = begin; end < numeric_count && gathered->numeric[end].low.size == digits; end++)
            continue;
        assert(tree_count < READING_VALUE_BYTES_MAX);
        build_tree(build, gathered->numeric + begin, end - begin, (uint32_t)digits,
                   &trees[tree_count++]);
    }
    build->field->numeric_trees = trees;
    build->field->numeric_tree_count = tree_count;
}

static uint32_t find_link(const struct range_tree *tree, struct bytes value)
{
    uint32_t piece;
    return find_piece(tree->ends, tree->end_count, value, &piece) ? tree->links[piece] : 0;
}

uint32_t match_find_bytewise(const struct match_field *field, struct bytes value)
{
    return field->byte_tree == NULL ? 0 : find_link(field->byte_tree, value);
}

uint32_t match_find_numeric(const struct match_field *field, struct bytes value)
{
    for (uint32_t i = 0; i < field->numeric_tree_count; i++)
        if (field->numeric_trees[i].digits == value.size)
            return damage_is_digits(value) ? find_link(&field->numeric_trees[i], value) : 0;
    return 0;
}
