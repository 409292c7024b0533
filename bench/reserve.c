#include "bench/reserve.h"

#include <string.h>
#include <sys/mman.h>

struct reserve reserve_open(size_t count, size_t item_bytes)
{
    size_t size;
    if (__builtin_mul_overflow(count, item_bytes, &size))
        return (struct reserve){0};
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return (struct reserve){0};
    madvise(memory, size, MADV_HUGEPAGE);
    memset(memory, 0, size);
    return (struct reserve){memory, size};
}

void reserve_close(struct reserve *reserve)
{
    if (reserve->memory != NULL)
        munmap(reserve->memory, reserve->size);
    *reserve = (struct reserve){0};
}
