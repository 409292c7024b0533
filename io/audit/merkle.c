#include "io/audit/merkle.h"

#include <assert.h>
#include <openssl/evp.h>
#include <stdlib.h>

enum { LEAF_PREFIX = 0, NODE_PREFIX = 1 };

void merkle_init(struct merkle *merkle)
{
    *merkle = (struct merkle){0};
}

void merkle_deinit(struct merkle *merkle)
{
    free(merkle->leaves);
    merkle_init(merkle);
}

void merkle_clear(struct merkle *merkle)
{
    merkle->count = 0;
}

static struct sha256 digest_of(uint8_t prefix, const struct bytes *parts, uint32_t count)
{
    struct sha256 digest;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (context == NULL || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1)
        abort();
    EVP_DigestUpdate(context, &prefix, 1);
    for (uint32_t i = 0; i < count; i++)
        EVP_DigestUpdate(context, parts[i].data, parts[i].size);
    if (EVP_DigestFinal_ex(context, digest.bytes, NULL) != 1)
        abort();
    EVP_MD_CTX_free(context);
    return digest;
}

struct sha256 merkle_leaf(const struct bytes *parts, uint32_t count)
{
    return digest_of(LEAF_PREFIX, parts, count);
}

static struct sha256 join(const struct sha256 *left, const struct sha256 *right)
{
    const struct bytes parts[] = {bytes_make(left->bytes, SHA256_BYTES),
                                  bytes_make(right->bytes, SHA256_BYTES)};
    return digest_of(NODE_PREFIX, parts, 2);
}

void merkle_add(struct merkle *merkle, struct sha256 leaf)
{
    enum { FIRST = 1024 };
    if (merkle->count == merkle->capacity) {
        merkle->capacity = merkle->capacity == 0 ? FIRST : 2 * merkle->capacity;
        merkle->leaves = realloc(merkle->leaves, merkle->capacity * sizeof leaf);
        if (merkle->leaves == NULL)
            abort();
    }
    merkle->leaves[merkle->count++] = leaf;
}

struct sha256 merkle_root(const struct merkle *merkle, uint64_t index,
                          struct sha256 path[MERKLE_PATH_MAX], uint32_t *out_count)
{
    uint32_t path_count = 0;
    if (merkle->count == 0)
        return sha256_of((struct bytes){0});
    struct sha256 *level = malloc(merkle->count * sizeof *level);
    if (level == NULL)
        abort();
    memcpy(level, merkle->leaves, merkle->count * sizeof *level);
    for (uint64_t count = merkle->count; count > 1; count = (count + 1) / 2, index /= 2) {
        if (path != NULL && (index ^ 1) < count)
            path[path_count++] = level[index ^ 1];
        for (uint64_t i = 0; i < count; i += 2)
            level[i / 2] = i + 1 < count ? join(&level[i], &level[i + 1]) : level[i];
    }
    struct sha256 root = level[0];
    free(level);
    if (path != NULL)
        *out_count = path_count;
    return root;
}

bool merkle_holds(struct sha256 leaf, uint64_t index, uint64_t count, const struct sha256 *path,
                  uint32_t path_count, const struct sha256 *root)
{
    uint32_t used = 0;
    if (index >= count)
        return false;
    for (; count > 1; count = (count + 1) / 2, index /= 2) {
        if ((index ^ 1) >= count)
            continue;
        if (used == path_count)
            return false;
        leaf = index % 2 == 0 ? join(&leaf, &path[used]) : join(&path[used], &leaf);
        used++;
    }
    return used == path_count && memcmp(leaf.bytes, root->bytes, SHA256_BYTES) == 0;
}
