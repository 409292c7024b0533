#include "routes/text_index.h"

#include <assert.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

void text_index_init(struct text_index *index, struct arena *arena, size_t text_count)
{
    assert(text_count <= TEXT_INDEX_TEXTS_MAX);
    size_t slot_count = 2;
    while (slot_count < 2 * text_count)
        slot_count *= 2;
    index->slots = arena_allocate_array(arena, slot_count, sizeof *index->slots);
    index->mask = slot_count - 1;
    for (size_t i = 0; i < slot_count; i++)
        index->slots[i].number = TEXT_INDEX_NONE;
}

void text_index_add(struct text_index *index, struct bytes text, uint32_t number)
{
    uint64_t hash = XXH3_64bits(text.data, text.size);
    uint64_t slot = hash & index->mask;
    assert(number != TEXT_INDEX_NONE);
    while (index->slots[slot].number != TEXT_INDEX_NONE)
        slot = (slot + 1) & index->mask;
    index->slots[slot] =
        (struct text_slot){.tag = (uint32_t)(hash >> 32), .number = number, .text = text};
}

uint32_t text_index_find(const struct text_index *index, struct bytes text)
{
    uint64_t hash = XXH3_64bits(text.data, text.size);
    uint32_t tag = (uint32_t)(hash >> 32);
    for (uint64_t i = hash & index->mask;; i = (i + 1) & index->mask) { /* a free slot ends it */
        const struct text_slot *slot = &index->slots[i];
        if (slot->number == TEXT_INDEX_NONE)
            return TEXT_INDEX_NONE;
        if (slot->tag == tag && bytes_equal(slot->text, text))
            return slot->number;
    }
}
