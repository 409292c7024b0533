/* Large tables, zeroed, in huge pages where the system grants them, and touched at once, so that no
 * page fault falls into a measurement. */
#ifndef KOUAN_BENCH_RESERVE_H
#define KOUAN_BENCH_RESERVE_H

#include <stddef.h>

struct reserve {
    void *memory; /* NULL: none */
    size_t size;
};

/* memory NULL if there is not enough. `count` and `item_bytes` are at least 1. */
struct reserve reserve_open(size_t count, size_t item_bytes);
void reserve_close(struct reserve *reserve);

#endif
