/* Memory that is freed as a whole: one arena holds one generation, one configuration, one table.
 * Allocations never move, are zeroed, and are aligned for any type. Not for the data path: it may
 * call the allocator. One thread at a time. */
#ifndef KOUAN_CORE_ARENA_H
#define KOUAN_CORE_ARENA_H

#include <stddef.h>

#include "core/bytes.h"

struct arena {
    struct arena_chunk *chunks;
    size_t used_bytes; /* over all chunks, for reports */
};

void arena_init(struct arena *arena);
void arena_deinit(struct arena *arena);

/* `size_bytes` zeroed bytes. Never NULL: without memory the program ends with one line, which is
 * right at start and on reload, the only times when arenas grow. */
void *arena_allocate(struct arena *arena, size_t size_bytes);
void *arena_allocate_array(struct arena *arena, size_t count, size_t item_bytes);

/* Copies into the arena; the text is followed by a NUL and by BYTES_PADDING readable bytes. */
struct bytes arena_copy(struct arena *arena, struct bytes source);
const char *arena_copy_text(struct arena *arena, struct bytes source);
const char *arena_format(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
