#include "io/intake/reject.h"

#include <stdlib.h>

enum status reject_open(struct reject_ring *ring, uint32_t capacity, uint32_t bytes_max)
{
    *ring = (struct reject_ring){.capacity = capacity, .bytes_max = bytes_max};
    if (capacity == 0)
        return STATUS_OK;
    ring->items = calloc(capacity, sizeof *ring->items);
    ring->bodies = calloc(capacity, bytes_max);
    if (ring->items != NULL && ring->bodies != NULL)
        return STATUS_OK;
    reject_close(ring);
    return STATUS_NO_MEMORY;
}

void reject_close(struct reject_ring *ring)
{
    free(ring->items);
    free(ring->bodies);
    *ring = (struct reject_ring){0};
}

void reject_add(struct reject_ring *ring, struct reject reject, struct bytes body)
{
    if (ring->capacity == 0)
        return;
    size_t place = ring->count % ring->capacity;
    reject.number = ++ring->count;
    reject.body_bytes = (uint32_t)body.size;
    reject.kept_bytes = (uint32_t)(body.size < ring->bytes_max ? body.size : ring->bytes_max);
    ring->items[place] = reject;
    if (reject.kept_bytes > 0)
        memcpy(ring->bodies + place * ring->bytes_max, body.data, reject.kept_bytes);
}

const struct reject *reject_get(const struct reject_ring *ring, uint64_t back,
                                struct bytes *out_body)
{
    if (back >= ring->count || back >= ring->capacity)
        return NULL;
    size_t place = (ring->count - 1 - back) % ring->capacity;
    *out_body = bytes_make(ring->bodies + place * ring->bytes_max, ring->items[place].kept_bytes);
    return &ring->items[place];
}
