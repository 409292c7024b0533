/* A hash table from texts to numbers: built once, then immutable; open addressing, at most half
 * full, so that a look-up of any text is short. Texts of up to 16 bytes, as codes are, lie in their
 * slots; longer ones are views that must outlive the index. */
#ifndef KOUAN_ROUTES_TEXT_INDEX_H
#define KOUAN_ROUTES_TEXT_INDEX_H

#include "core/arena.h"

enum { TEXT_INDEX_NONE = UINT32_MAX, TEXT_INDEX_TEXTS_MAX = 1 << 30, TEXT_KEY_BYTES_MAX = 16 };

/* Tells texts of equal size apart, up to 16 bytes exactly: their first and last 8 bytes, which may
 * overlap. For longer ones `first` is a hash of all. */
struct text_key {
    uint64_t first, last;
};

struct text_slot {
    struct text_key key;
    const uint8_t *data;
    uint32_t size;
    uint32_t number; /* TEXT_INDEX_NONE: free */
};

struct text_index {
    struct text_slot *slots;
    uint64_t mask;
};

/* Room for `text_count` texts; all of different bytes. */
void text_index_init(struct text_index *index, struct arena *arena, size_t text_count);
void text_index_add(struct text_index *index, struct bytes text, uint32_t number);

struct text_key text_key_of_long(struct bytes text);

static inline bool text_is(const struct text_slot *slot, struct bytes text)
{
    return memcmp(slot->data, text.data, text.size) == 0;
}

static inline uint64_t text_load(const uint8_t *data, size_t size)
{
    uint64_t word = 0;
    memcpy(&word, data, size);
    return word;
}

static inline struct text_key text_key_of(struct bytes text)
{
    const uint8_t *data = text.data;
    size_t size = text.size;
    if (size > TEXT_KEY_BYTES_MAX)
        return text_key_of_long(text);
    if (size >= 8)
        return (struct text_key){text_load(data, 8), text_load(data + size - 8, 8)};
    if (size >= 4)
        return (struct text_key){text_load(data, 4), text_load(data + size - 4, 4)};
    if (size == 0)
        return (struct text_key){0};
    return (struct text_key){data[0] | (uint64_t)data[size / 2] << 8, data[size - 1]};
}

/* Multiply and fold, as wyhash does (Wang Yi); the tables are the operator's, so that no sender can
 * choose what collides. */
static inline uint64_t text_key_hash(struct text_key key, size_t size)
{
    unsigned __int128 product = (unsigned __int128)(key.first ^ UINT64_C(0x2D358DCCAA6C78A5)) *
                                (key.last ^ UINT64_C(0x8BB84B93962EACC9) ^ size);
    return (uint64_t)(product >> 64) ^ (uint64_t)product;
}

/* The number of a text, whose key and hash are these, or TEXT_INDEX_NONE. */
__attribute__((always_inline)) static inline uint32_t
text_index_find_by(const struct text_index *index, struct bytes text, struct text_key key,
                   uint64_t hash)
{
    for (uint64_t i = hash;; i++) { /* a free slot ends it */
        const struct text_slot *slot = &index->slots[i & index->mask];
        bool differs = ((slot->key.first ^ key.first) | (slot->key.last ^ key.last) |
                        (slot->size ^ text.size)) != 0;
        if (!differs && (text.size <= TEXT_KEY_BYTES_MAX || text_is(slot, text)))
            return slot->number;
        if (slot->number == TEXT_INDEX_NONE)
            return TEXT_INDEX_NONE;
    }
}

/* The number of a text, or TEXT_INDEX_NONE. */
__attribute__((always_inline)) static inline uint32_t
text_index_find(const struct text_index *index, struct bytes text)
{
    struct text_key key = text_key_of(text);
    return text_index_find_by(index, text, key, text_key_hash(key, text.size));
}

#endif
