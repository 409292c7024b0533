/* Which message a body is: a table from the XXH3 hashes of bodies to message numbers. Eight bytes a
 * slot, half of them empty at most; fixed capacity, reserved at open. Two bodies are taken for one
 * with a chance of about 2^-50. */
#ifndef KOUAN_BENCH_BODY_INDEX_H
#define KOUAN_BENCH_BODY_INDEX_H

#include "bench/reserve.h"
#include "core/bytes.h"
#include "core/status.h"

#define BODY_INDEX_NONE UINT32_MAX

enum { BODY_INDEX_ADDS = 16 };

struct body_index {
    struct reserve reserve;
    struct body_index_slot *slots;
    uint64_t mask;
    /* Added, but not yet in the table, so that their cache misses overlap. */
    struct body_index_add {
        uint64_t hash;
        uint32_t message;
    } adds[BODY_INDEX_ADDS];
    uint32_t add_count;
};

/* Room for `count` bodies. NO_MEMORY or OK. */
MUST_CHECK enum status body_index_open(struct body_index *index, uint64_t count);
void body_index_close(struct body_index *index);

uint64_t body_index_hash(struct bytes body);
void body_index_add(struct body_index *index, uint64_t hash, uint32_t message);

/* Look-ups of a batch overlap their cache misses: first settle, then all prefetches, then all
 * finds.
 */
void body_index_settle(struct body_index *index);
void body_index_prefetch(const struct body_index *index, uint64_t hash);
uint32_t body_index_find(const struct body_index *index, uint64_t hash);

#endif
