#include "routes/scan/text_index.h"

#include <assert.h>

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
    struct text_key key = text_key_of(text);
    uint64_t i = text_key_hash(key, text.size) & index->mask;
    assert(number != TEXT_INDEX_NONE && text.size <= UINT32_MAX);
    while (index->slots[i].number != TEXT_INDEX_NONE)
        i = (i + 1) & index->mask;
    index->slots[i] = (struct text_slot){
        .key = key,
        .data = text.data,
        .size = (uint32_t)text.size,
        .number = number,
    };
}

struct text_key text_key_of_long(struct bytes text)
{
    const uint8_t *end = text.data + text.size;
    return (struct text_key){XXH3_64bits(text.data, text.size), text_load(end - 8, 8)};
}
