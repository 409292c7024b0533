/* Which message a body is: a table from the XXH3 hashes of bodies to message numbers. Eight bytes a
 * slot, half of them empty at most; fixed capacity, reserved at open. Two bodies are taken for one
 * with a chance of about 2^-50. */
#ifndef KOUAN_BENCH_BODY_INDEX_H
#define KOUAN_BENCH_BODY_INDEX_H

#include "core/bytes.h"
#include "core/status.h"

#define BODY_INDEX_NONE UINT32_MAX

struct body_index {
    struct body_index_slot *slots;
    uint64_t mask;
};

/* Room for `count` bodies. NO_MEMORY or OK. */
MUST_CHECK enum status body_index_open(struct body_index *index, uint64_t count);
void body_index_close(struct body_index *index);

uint64_t body_index_hash(struct bytes body);
void body_index_add(struct body_index *index, uint64_t hash, uint32_t message);

/* Look-ups of a batch overlap their cache misses: first all prefetches, then all finds. */
void body_index_prefetch(const struct body_index *index, uint64_t hash);
uint32_t body_index_find(const struct body_index *index, uint64_t hash);

#endif
