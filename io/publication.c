#include "io/publication.h"

#include <assert.h>
#include <stdlib.h>

enum status publication_pool_open(struct publication_pool *pool, uint32_t capacity)
{
    struct publication *items = calloc(capacity, sizeof *items);
    if (items == NULL)
        return STATUS_NO_MEMORY;
    *pool = (struct publication_pool){.items = items, .capacity = capacity};
    for (uint32_t i = capacity; i > 0; i--) {
        items[i - 1].next = pool->free;
        pool->free = &items[i - 1];
    }
    return STATUS_OK;
}

void publication_pool_close(struct publication_pool *pool)
{
    free(pool->items);
    *pool = (struct publication_pool){0};
}

struct publication *publication_take(struct publication_pool *pool)
{
    struct publication *publication = pool->free;
    if (publication == NULL)
        return NULL;
    pool->free = publication->next;
    pool->used++;
    publication->session = NULL;
    publication->next = NULL;
    publication->queued = NULL;
    publication->chunk = NULL;
    publication->park_deadline_ns = 0;
    publication->returned = false;
    publication->ready = false;
    publication->failed = false;
    return publication;
}

void publication_return(struct publication_pool *pool, struct publication *publication)
{
    assert(pool->used > 0 && publication->chunk == NULL);
    publication->next = pool->free;
    pool->free = publication;
    pool->used--;
}

void publication_drop_body(struct publication *publication)
{
    if (publication->chunk == NULL)
        return;
    chunk_return(publication->chunk);
    publication->chunk = NULL;
}
