/* A Merkle tree over a sequence of leaves, as RFC 6962 (section 2.1) makes it: SHA-256, with 0x00
 * before what a leaf is of and 0x01 before two nodes, so that neither passes for the other; a node
 * without a neighbour goes up as it is. */
#ifndef KOUAN_IO_MERKLE_H
#define KOUAN_IO_MERKLE_H

#include "io/reload/sha256.h"

enum { MERKLE_PATH_MAX = 64 };

struct merkle {
    struct sha256 *leaves;
    uint64_t count, capacity;
};

void merkle_init(struct merkle *merkle);
void merkle_deinit(struct merkle *merkle);
void merkle_clear(struct merkle *merkle);

struct sha256 merkle_leaf(const struct bytes *parts, uint32_t count);
/* Without memory the program ends: for tools. */
void merkle_add(struct merkle *merkle, struct sha256 leaf);

/* Of no leaves: the digest of nothing. With `path`, the nodes that lead from the leaf `index` up to
 * the root, `*out_count` of them; may be NULL. */
struct sha256 merkle_root(const struct merkle *merkle, uint64_t index,
                          struct sha256 path[MERKLE_PATH_MAX], uint32_t *out_count);

/* Does this path lead from leaf `index` of `count` to the root? */
bool merkle_holds(struct sha256 leaf, uint64_t index, uint64_t count, const struct sha256 *path,
                  uint32_t path_count, const struct sha256 *root);

#endif
