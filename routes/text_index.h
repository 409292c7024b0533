/* A hash table from texts to numbers: built once, then immutable; open addressing, at most half
 * full, so that a look-up of any text is short. Texts are views that must outlive it. */
#ifndef KOUAN_ROUTES_TEXT_INDEX_H
#define KOUAN_ROUTES_TEXT_INDEX_H

#include "core/arena.h"

enum { TEXT_INDEX_NONE = UINT32_MAX, TEXT_INDEX_TEXTS_MAX = 1 << 30 };

struct text_slot {
    uint32_t tag;    /* bits of the hash other than those that choose the slot */
    uint32_t number; /* TEXT_INDEX_NONE: free */
    struct bytes text;
};

struct text_index {
    struct text_slot *slots;
    uint64_t mask;
};

/* Room for `text_count` texts; all of different bytes. */
void text_index_init(struct text_index *index, struct arena *arena, size_t text_count);
void text_index_add(struct text_index *index, struct bytes text, uint32_t number);

/* The number of a text, or TEXT_INDEX_NONE. */
uint32_t text_index_find(const struct text_index *index, struct bytes text);

#endif
