#include "core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHUNK_BYTES = 64 * 1024, ALIGNMENT = 16 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t capacity, used;
    _Alignas(ALIGNMENT) uint8_t data[];
};

void arena_init(struct arena *arena)
{
    *arena = (struct arena){0};
}

void arena_deinit(struct arena *arena)
{
    struct arena_chunk *chunk = arena->chunks;
    while (chunk != NULL) {
        struct arena_chunk *next = chunk->next;
        free(chunk);
        chunk = next;
    }
    arena_init(arena);
}

static void fail_without_memory(size_t size_bytes)
{
    fprintf(stderr, "kouan: out of memory (%zu bytes asked for)\n", size_bytes);
    exit(1);
}

static struct arena_chunk *add_chunk(struct arena *arena, size_t size_bytes)
{
    size_t capacity = size_bytes > CHUNK_BYTES ? size_bytes : CHUNK_BYTES;
    struct arena_chunk *chunk = calloc(1, sizeof *chunk + capacity);
    if (chunk == NULL)
        fail_without_memory(capacity);
    chunk->capacity = capacity;
    chunk->next = arena->chunks;
    arena->chunks = chunk;
    return chunk;
}

void *arena_allocate(struct arena *arena, size_t size_bytes)
{
    size_t size = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size < size_bytes)
        fail_without_memory(size_bytes);
    struct arena_chunk *chunk = arena->chunks;
    if (chunk == NULL || chunk->capacity - chunk->used < size)
        chunk = add_chunk(arena, size);
    void *memory = chunk->data + chunk->used;
    chunk->used += size;
    arena->used_bytes += size;
    return memory;
}

void *arena_allocate_array(struct arena *arena, size_t count, size_t item_bytes)
{
    size_t size;
    if (__builtin_mul_overflow(count, item_bytes, &size))
        fail_without_memory(SIZE_MAX);
    return arena_allocate(arena, size);
}

struct bytes arena_copy(struct arena *arena, struct bytes source)
{
    uint8_t *copy = arena_allocate(arena, source.size + 1 + BYTES_PADDING);
    if (source.size > 0)
        memcpy(copy, source.data, source.size);
    return bytes_make(copy, source.size);
}

const char *arena_copy_text(struct arena *arena, struct bytes source)
{
    return (const char *)arena_copy(arena, source).data;
}

const char *arena_format(struct arena *arena, const char *format, ...)
{
    va_list measured, written;
    va_start(measured, format);
    va_copy(written, measured);
    int size = vsnprintf(NULL, 0, format, measured);
    va_end(measured);
    char *text = arena_allocate(arena, size < 0 ? 1 : (size_t)size + 1);
    if (size >= 0)
        vsnprintf(text, (size_t)size + 1, format, written);
    va_end(written);
    return text;
}
