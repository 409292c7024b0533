/* The first half of reading EDIFACT: where the separators stand, as bits, 64 bytes at a time. One
 * way of doing it for each kind of machine; all of them give the same bits. */
#ifndef KOUAN_ROUTES_EDIFACT_INDEX_H
#define KOUAN_ROUTES_EDIFACT_INDEX_H

#include "routes/edifact_syntax.h"

enum { EDIFACT_BLOCK_BYTES = 64 };

/* Bit i stands for byte i. A released character is no separator. */
struct edifact_block {
    uint64_t terminators, elements, components;
};

struct edifact_indexer {
    const char *name;
    /* Marks `count` whole blocks from `data` on. `released` says whether the first byte is released
     * by the one before it; and then, whether the first byte behind the blocks is. */
    void (*mark)(const struct edifact_syntax *syntax, const uint8_t *data, uint32_t count,
                 bool *released, struct edifact_block *out_blocks);
};

/* The fastest that this machine can run. */
const struct edifact_indexer *edifact_indexer_best(void);

/* All that this machine can run, the portable one first; NULL past the last. For tests. */
const struct edifact_indexer *edifact_indexer_at(unsigned index);

#endif
