/* Where the separators of a stretch of body stand: the terminators as a list, the separators of
 * elements and components as bits. A window of it is made at a time, and goes only forward. One way
 * of making it for each kind of machine; all of them give the same. Internal to this folder. */
#ifndef KOUAN_ROUTES_EDIFACT_INDEX_H
#define KOUAN_ROUTES_EDIFACT_INDEX_H

#include "routes/edifact/edifact_marks.h"

enum {
    EDIFACT_WINDOW_BLOCKS = 64,
    EDIFACT_WINDOW_BYTES = EDIFACT_WINDOW_BLOCKS * EDIFACT_MARKS_BYTES
};

#define EDIFACT_NO_END UINT32_MAX

struct edifact_index {
    const struct edifact_indexer *indexer;
    struct edifact_marker marker;
    uint32_t block_count_max; /* of a window: fewer than there is room for, to look at little */
    uint32_t base;            /* where in the body the window begins */
    uint32_t end;             /* of its terminators, the first that the walk has not passed */
    uint64_t specials;        /* not 0 if a release or a byte that is not ASCII is in it */
    /* Bit i of block k stands for byte base + 64 k + i; one block more is there, of zeros. */
    uint64_t elements[EDIFACT_WINDOW_BLOCKS + 1], components[EDIFACT_WINDOW_BLOCKS + 1];
    uint32_t ends[EDIFACT_WINDOW_BYTES + 4]; /* offsets in the body; EDIFACT_NO_END behind them */
};

struct edifact_indexer {
    const char *name;
    /* Fills `ends`, `elements`, `components` and `specials` from `count` blocks of 64 bytes, the
     * first of which is not released. Returns the number of terminators. */
    uint32_t (*mark)(struct edifact_index *index, const uint8_t *data, uint32_t count);
};

/* All that this machine can run, the portable one first; NULL past the last. */
const struct edifact_indexer *edifact_indexer_at(unsigned number);

/* By the fastest that this machine can run; nothing is marked yet. */
void edifact_index_init(struct edifact_index *index, const struct edifact_syntax *syntax);

/* The same with another syntax from here on. */
void edifact_index_change(struct edifact_index *index, const struct edifact_syntax *syntax);

/* The first terminator at or behind `from`, which never falls; EDIFACT_NO_END if the window has no
 * such one. */
static inline uint32_t edifact_index_end(struct edifact_index *index, uint32_t from)
{
    const uint32_t *end = &index->ends[index->end];
    while (*end < from)
        end++;
    index->end = (uint32_t)(end - index->ends);
    return *end;
}

/* Moves the window so that it begins at `from`, which nothing releases. */
void edifact_index_move(struct edifact_index *index, struct bytes body, uint32_t from);

#endif
