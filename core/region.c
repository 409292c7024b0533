#include "core/region.h"

#include <assert.h>
#include <stdint.h>
#include <sys/mman.h>

enum { PAGE_BYTES_LEAST = 4096 };

enum status region_open(size_t size_bytes, struct region *out_region)
{
    assert(size_bytes > 0);
    size_t mapping_bytes;
    if (__builtin_add_overflow(size_bytes, (size_t)REGION_ALIGNMENT, &mapping_bytes))
        return STATUS_NO_MEMORY;
    void *mapping =
        mmap(NULL, mapping_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapping == MAP_FAILED)
        return STATUS_NO_MEMORY;
    size_t beyond = (uintptr_t)mapping % REGION_ALIGNMENT;
    uint8_t *memory = (uint8_t *)mapping + (beyond > 0 ? REGION_ALIGNMENT - beyond : 0);

    /* Huge pages are a wish: a kernel without them changes the speed only. */
    madvise(memory, size_bytes, MADV_HUGEPAGE);
    for (size_t offset = 0; offset < size_bytes; offset += PAGE_BYTES_LEAST)
        *(volatile uint8_t *)(memory + offset) = 0;
    *out_region = (struct region){memory, size_bytes, mapping, mapping_bytes};
    return STATUS_OK;
}

void region_close(struct region *region)
{
    int failed = munmap(region->mapping, region->mapping_bytes);
    assert(failed == 0);
    *region = (struct region){0};
}
