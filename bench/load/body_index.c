#include "bench/load/body_index.h"

#include <assert.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

struct body_index_slot {
    uint32_t tag, entry; /* the hash's upper half; message + 1, 0 in an empty slot */
};

enum status body_index_open(struct body_index *index, uint64_t count)
{
    uint64_t slot_count = 64;
    while (slot_count < 2 * count)
        slot_count *= 2;
    struct reserve reserve = reserve_open(slot_count, sizeof(struct body_index_slot));
    if (reserve.memory == NULL)
        return STATUS_NO_MEMORY;
    *index =
        (struct body_index){.reserve = reserve, .slots = reserve.memory, .mask = slot_count - 1};
    return STATUS_OK;
}

void body_index_close(struct body_index *index)
{
    reserve_close(&index->reserve);
    *index = (struct body_index){0};
}

uint64_t body_index_hash(struct bytes body)
{
    return XXH3_64bits(body.data, body.size);
}

void body_index_add(struct body_index *index, uint64_t hash, uint32_t message)
{
    if (index->add_count == BODY_INDEX_ADDS)
        body_index_settle(index);
    body_index_prefetch(index, hash);
    index->adds[index->add_count++] = (struct body_index_add){hash, message};
}

void body_index_settle(struct body_index *index)
{
    for (uint32_t i = 0; i < index->add_count; i++) {
        uint64_t hash = index->adds[i].hash, at = hash & index->mask;
        while (index->slots[at].entry != 0)
            at = (at + 1) & index->mask;
        index->slots[at] =
            (struct body_index_slot){(uint32_t)(hash >> 32), index->adds[i].message + 1};
    }
    index->add_count = 0;
}

void body_index_prefetch(const struct body_index *index, uint64_t hash)
{
    __builtin_prefetch(&index->slots[hash & index->mask]);
}

uint32_t body_index_find(const struct body_index *index, uint64_t hash)
{
    assert(index->add_count == 0);
    for (uint64_t at = hash & index->mask;; at = (at + 1) & index->mask) {
        const struct body_index_slot *slot = &index->slots[at];
        if (slot->entry == 0)
            return BODY_INDEX_NONE;
        if (slot->tag == (uint32_t)(hash >> 32))
            return slot->entry - 1;
    }
}
