/* One large piece of memory for a whole life: reserved and touched at start, so that no page fault
 * and no lack of memory comes later, in huge pages where the kernel gives them. Zeroed. */
#ifndef KOUAN_CORE_REGION_H
#define KOUAN_CORE_REGION_H

#include <stddef.h>

#include "core/status.h"

struct region {
    void *memory; /* aligned to REGION_ALIGNMENT */
    size_t size_bytes;
    void *mapping; /* what the kernel gave: the memory and its way to the alignment */
    size_t mapping_bytes;
};

enum { REGION_ALIGNMENT = 2 << 20 };

MUST_CHECK enum status region_open(size_t size_bytes, struct region *out_region);
void region_close(struct region *region);

#endif
