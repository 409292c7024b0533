#include "io/front/reply_slot.h"

#include <assert.h>
#include <stdlib.h>

enum status reply_slot_pool_open(struct reply_slot_pool *pool, uint32_t capacity)
{
    struct reply_slot *items = calloc(capacity, sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *pool = (struct reply_slot_pool){.items = items, .capacity = capacity};
    for (uint32_t i = capacity; i > 0; i--) {
        items[i - 1].next = pool->free;
        pool->free = &items[i - 1];
    }
    return STATUS_OK;
}

void reply_slot_pool_close(struct reply_slot_pool *pool)
{
    free(pool->items);
    *pool = (struct reply_slot_pool){0};
}

struct reply_slot *reply_slot_take(struct reply_slot_pool *pool)
{
    struct reply_slot *slot = pool->free;
    if (slot == NULL)
        return NULL;
    pool->free = slot->next;
    pool->used++;
    *slot = (struct reply_slot){0};
    return slot;
}

void reply_slot_return(struct reply_slot_pool *pool, struct reply_slot *slot)
{
    assert(pool->used > 0 && !slot->is_publication);
    slot->next = pool->free;
    pool->free = slot;
    pool->used--;
}
