#include "io/intake/publication.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum status publication_pool_open(struct publication_pool *pool, uint32_t capacity)
{
    struct publication *items = calloc(capacity, sizeof *items);
    *pool = (struct publication_pool){
        .items = items,
        .errors = calloc(capacity, sizeof *pool->errors),
        .capacity = capacity,
    };
    if (items == NULL || pool->errors == NULL) {
        publication_pool_close(pool);
        return STATUS_NO_MEMORY;
    }
    for (uint32_t i = capacity; i > 0; i--) {
        items[i - 1].slot.next = pool->free;
        pool->free = &items[i - 1].slot;
    }
    return STATUS_OK;
}

void publication_pool_close(struct publication_pool *pool)
{
    free(pool->items);
    free(pool->errors);
    *pool = (struct publication_pool){0};
}

/* The next one is taken soon, and all of it is written then. */
static void fetch(const struct publication_pool *pool)
{
    if (pool->free == NULL)
        return;
    const char *at = (const char *)pool->free;
    for (size_t offset = 0; offset < sizeof(struct publication); offset += 64)
        __builtin_prefetch(at + offset, 1);
}

struct publication *publication_take(struct publication_pool *pool)
{
    if (pool->free == NULL)
        return NULL;
    struct publication *publication = publication_of(pool->free);
    pool->free = publication->slot.next;
    pool->used++;
    fetch(pool);
    publication->slot = (struct reply_slot){.kind = REPLY_ID, .is_publication = true};
    publication->queued = NULL;
    publication->chunk = NULL;
    publication->park_deadline_ns = 0;
    publication->returned = false;
    publication->awaited = 0;
    publication->is_denied = false;
    return publication;
}

void publication_return(struct publication_pool *pool, struct publication *publication)
{
    assert(pool->used > 0 && publication->chunk == NULL);
    publication->participant = NULL; /* it may go before this place is taken again */
    publication->slot.next = pool->free;
    pool->free = &publication->slot;
    pool->used--;
}

void publication_pool_adopt(struct publication_pool *pool, const struct generation *generation)
{
    for (uint32_t i = 0; i < pool->capacity && pool->used > 0; i++) {
        struct publication *publication = &pool->items[i];
        if (publication->participant == NULL)
            continue;
        publication->participant =
            generation->directory.participants[publication->participant->index];
        publication->channel = generation->channels[publication->channel->index];
    }
}

void publication_fail(struct publication_pool *pool, struct publication *publication,
                      const char *word, const char *text)
{
    struct publication_error *error = publication_error_of(pool, publication);
    snprintf(error->text, sizeof error->text, "%s%s%s", word, word[0] != '\0' ? " " : "", text);
    publication->slot.kind = REPLY_ERROR;
    publication->slot.error = error->text;
}

void publication_drop_body(struct publication *publication)
{
    if (publication->chunk == NULL)
        return;
    chunk_return(publication->chunk);
    publication->chunk = NULL;
}
