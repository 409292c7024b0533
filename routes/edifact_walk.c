#include "routes/edifact_walk.h"

#include <assert.h>

enum { NO_WINDOW = UINT32_MAX };

static_assert(EDIFACT_BLOCK_BYTES <= BYTES_PADDING, "the last block may reach past the body");

void edifact_walk_init(struct edifact_walk *walk, const struct edifact_indexer *indexer,
                       const struct edifact_syntax *syntax, struct bytes body)
{
    assert(body.size < UINT32_MAX - EDIFACT_BLOCK_BYTES);
    walk->indexer = indexer;
    walk->syntax = syntax;
    walk->body = body;
    walk->block_count = (uint32_t)((body.size + EDIFACT_BLOCK_BYTES - 1) / EDIFACT_BLOCK_BYTES);
    walk->window = NO_WINDOW;
    walk->released = false;
}

void edifact_walk_leap(struct edifact_walk *walk)
{
    walk->window = NO_WINDOW;
    walk->released = false;
}

static void enter_window(struct edifact_walk *walk, uint32_t window)
{
    /* Whoever leaps over a window has leapt over blanks only, which release nothing. */
    assert(window == walk->window + 1 || !walk->released);
    uint32_t first = window * EDIFACT_WINDOW_BLOCKS;
    uint32_t count = walk->block_count - first;
    bool last = count <= EDIFACT_WINDOW_BLOCKS;
    if (!last)
        count = EDIFACT_WINDOW_BLOCKS;
    walk->indexer->mark(walk->syntax, walk->body.data + (size_t)first * EDIFACT_BLOCK_BYTES, count,
                        &walk->released, walk->blocks);
    walk->window = window;

    uint32_t tail = (uint32_t)walk->body.size % EDIFACT_BLOCK_BYTES;
    if (last && tail != 0) {
        uint64_t inside = (UINT64_C(1) << tail) - 1;
        walk->blocks[count - 1].terminators &= inside;
        walk->blocks[count - 1].elements &= inside;
        walk->blocks[count - 1].components &= inside;
    }
}

static inline const struct edifact_block *enter_block(struct edifact_walk *walk, uint32_t number)
{
    uint32_t window = number / EDIFACT_WINDOW_BLOCKS;
    if (window != walk->window)
        enter_window(walk, window);
    return &walk->blocks[number % EDIFACT_WINDOW_BLOCKS];
}

uint32_t edifact_walk_terminator(struct edifact_walk *walk, uint32_t from)
{
    uint64_t ahead = UINT64_MAX << from % EDIFACT_BLOCK_BYTES;
    for (uint32_t number = from / EDIFACT_BLOCK_BYTES; number < walk->block_count; number++) {
        uint64_t terminators = enter_block(walk, number)->terminators & ahead;
        if (terminators != 0)
            return number * EDIFACT_BLOCK_BYTES + (uint32_t)__builtin_ctzll(terminators);
        ahead = UINT64_MAX;
    }
    return (uint32_t)walk->body.size;
}

/* Notes the separators of one block, those of elements and those of components in turn. */
static void note_separators(uint64_t element_bits, uint64_t component_bits, uint32_t base,
                            struct edifact_elements *elements, uint32_t *component_count)
{
    uint32_t count = elements->count, components = *component_count;
    for (uint64_t left = element_bits | component_bits; left != 0; left &= left - 1) {
        uint32_t at = base + (uint32_t)__builtin_ctzll(left);
        if (count > EDIFACT_ELEMENTS_MAX)
            break;
        if ((element_bits & left & (0 - left)) != 0) {
            elements->first_components[count] = (uint16_t)components;
            elements->starts[count++] = at + 1;
        } else if (components < EDIFACT_COMPONENTS_MAX) {
            elements->components[components] = at;
            components += count > 0; /* before the first element they mean nesting */
        } else {
            elements->crowded = true;
        }
    }
    elements->count = count;
    *component_count = components;
}

uint32_t edifact_walk_elements(struct edifact_walk *walk, uint32_t from,
                               struct edifact_elements *out_elements)
{
    uint32_t end = (uint32_t)walk->body.size, component_count = 0;
    uint64_t ahead = UINT64_MAX << from % EDIFACT_BLOCK_BYTES;
    out_elements->count = 0;
    out_elements->crowded = false;
    for (uint32_t number = from / EDIFACT_BLOCK_BYTES; number < walk->block_count; number++) {
        const struct edifact_block *block = enter_block(walk, number);
        uint32_t base = number * EDIFACT_BLOCK_BYTES;
        uint64_t terminators = block->terminators & ahead;
        if (terminators != 0)
            ahead &= (terminators & (0 - terminators)) - 1; /* up to the first of them */
        note_separators(block->elements & ahead, block->components & ahead, base, out_elements,
                        &component_count);
        if (terminators != 0) {
            end = base + (uint32_t)__builtin_ctzll(terminators);
            break;
        }
        ahead = UINT64_MAX;
    }
    if (out_elements->count <= EDIFACT_ELEMENTS_MAX) {
        out_elements->first_components[out_elements->count] = (uint16_t)component_count;
        out_elements->starts[out_elements->count] = end + 1;
    } else {
        out_elements->count = EDIFACT_ELEMENTS_MAX;
    }
    return end;
}
