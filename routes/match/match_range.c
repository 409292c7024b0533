/* Ranges as a segment tree over the pieces of the line: each range lies in O(log n) nodes, so n
 * ranges take O(n log n) memory however they overlap, and a value meets at most log n nodes. */
#include <assert.h>
#include <stdlib.h>

#include "routes/match/match_build.h"
#include "routes/scan/damage.h"

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

/* Orders values as their bytes do, but for what comes behind the 8th, and zeros at the end. */
static uint64_t head_of(struct bytes value)
{
    uint64_t head = 0;
    memcpy(&head, value.data, value.size < sizeof head ? value.size : sizeof head);
    return __builtin_bswap64(head);
}

/* How many heads are below one. Without a branch that depends on them, since those are taken or not
 * at random. */
static uint32_t count_below(const uint64_t *heads, uint32_t count, uint64_t head)
{
    const uint64_t *from = heads;
    for (uint32_t left = count; left > 0;) {
        uint32_t half = (left + 1) / 2;
        from += from[half - 1] < head ? half : 0;
        left -= half;
    }
    return (uint32_t)(from - heads);
}

/* The piece in which a value lies; false if it lies outside of all. */
static bool find_piece(const struct range_tree *tree, struct bytes value, uint32_t *out_piece)
{
    uint64_t head = head_of(value);
    uint32_t low = count_below(tree->heads, tree->end_count, head);
    uint32_t high = low; /* ends before `low` are below the value, and from `high` on above */
    if (low < tree->end_count && tree->heads[low] == head)
        high = tree->end_count;
    for (uint32_t at = low; low < high; at = low + (high - low) / 2) {
        int order = bytes_compare(tree->ends[at], value); /* most have one with such a head */
        if (order == 0) {
            *out_piece = 2 * at;
            return true;
        }
        if (order < 0)
            low = at + 1;
        else
            high = at;
    }
    if (low == 0 || low == tree->end_count)
        return false;
    *out_piece = 2 * low - 1;
    return true;
}

/* Calls for each node that makes up a range: counts it, or notes the rule there. */
static void visit_nodes(struct tree *tree, const struct range_tree *shape,
                        const struct ranged_rule *range, bool note)
{
    uint32_t first, last;
    bool found = find_piece(shape, range->low, &first) && find_piece(shape, range->high, &last);
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
    uint64_t *heads = arena_allocate_array(build->arena, end_count, sizeof *heads);
    for (uint32_t i = 0; i < end_count; i++) {
        ends[i] = all_ends[i];
        heads[i] = head_of(ends[i]);
    }
    *out_tree =
        (struct range_tree){.digits = digits, .end_count = end_count, .ends = ends, .heads = heads};

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
    return find_piece(tree, value, &piece) ? tree->links[piece] : 0;
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
