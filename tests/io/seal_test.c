#include <criterion/criterion.h>
#include <stdio.h>

#include "io/audit/merkle.h"
#include "io/audit/seal.h"

static struct sha256 leaf_of(uint64_t i)
{
    return seal_leaf(i * 64, bytes_make(&i, sizeof i));
}

/* RFC 6962 as it is written, by recursion: the split is at the largest power of two below. */
static struct sha256 reference(uint64_t first, uint64_t count)
{
    if (count == 1)
        return leaf_of(first);
    uint64_t split = 1;
    while (split * 2 < count)
        split *= 2;
    struct sha256 left = reference(first, split), right = reference(first + split, count - split);
    uint8_t bytes[1 + 2 * SHA256_BYTES] = {1};
    memcpy(bytes + 1, left.bytes, SHA256_BYTES);
    memcpy(bytes + 1 + SHA256_BYTES, right.bytes, SHA256_BYTES);
    return sha256_of(bytes_make(bytes, sizeof bytes));
}

Test(merkle, trees_of_every_size_are_those_of_the_rfc_and_every_leaf_is_proved)
{
    struct merkle merkle;
    merkle_init(&merkle);
    for (uint64_t count = 1; count <= 70; count++) {
        merkle_add(&merkle, leaf_of(count - 1));
        struct sha256 wanted = reference(0, count);
        for (uint64_t i = 0; i < count; i++) {
            struct sha256 path[MERKLE_PATH_MAX];
            uint32_t path_count;
            struct sha256 root = merkle_root(&merkle, i, path, &path_count);
            cr_assert_eq(memcmp(root.bytes, wanted.bytes, SHA256_BYTES), 0);
            cr_assert(merkle_holds(leaf_of(i), i, count, path, path_count, &root));
            cr_assert_not(merkle_holds(leaf_of(i + 1), i, count, path, path_count, &root));
            cr_assert_not(merkle_holds(leaf_of(i), i, count, path, path_count + 1, &root));
            if (count > 1) {
                cr_assert_not(merkle_holds(leaf_of(i), i ^ 1, count, path, path_count, &root));
                path[0].bytes[5] ^= 1;
                cr_assert_not(merkle_holds(leaf_of(i), i, count, path, path_count, &root));
            }
            cr_assert_not(merkle_holds(leaf_of(i), count, count, path, path_count, &root));
        }
    }
    merkle_deinit(&merkle);
}

static struct seal make(void)
{
    return (struct seal){.segment = 7,
                         .start = 29364224,
                         .end = 33550336,
                         .records = 1234,
                         .begun_ms = 1772357400000,
                         .sealed_ms = 1772360000000,
                         .root = leaf_of(1),
                         .previous = leaf_of(2)};
}

Test(seal, what_is_written_is_read)
{
    struct seal seal = make(), read;
    struct bytes key = BYTES_LITERAL("0123456789abcdef");
    struct seal_text text = seal_write(&seal, key);
    struct bytes bytes = bytes_make(text.text, text.size);
    cr_assert_eq(seal_parse(bytes, &read), STATUS_OK);
    cr_assert_eq(read.segment, 7);
    cr_assert_eq(read.end, 33550336);
    cr_assert_eq(read.records, 1234);
    cr_assert_eq(memcmp(read.root.bytes, seal.root.bytes, SHA256_BYTES), 0);
    cr_assert_eq(memcmp(read.previous.bytes, seal.previous.bytes, SHA256_BYTES), 0);
    cr_assert(seal_is_of(bytes, key));
    cr_assert(seal_names_key(&read, key));
    cr_assert_not(seal_is_of(bytes, BYTES_LITERAL("0123456789abcdeg")));
    cr_assert_not(seal_names_key(&read, BYTES_LITERAL("0123456789abcdeg")));
}

Test(seal, no_byte_of_it_may_change)
{
    struct seal seal = make();
    struct bytes key = BYTES_LITERAL("0123456789abcdef");
    struct seal_text text = seal_write(&seal, key);
    for (size_t i = 0; i < text.size; i++) {
        text.text[i] ^= 1;
        cr_assert_not(seal_is_of(bytes_make(text.text, text.size), key), "byte %zu", i);
        text.text[i] ^= 1;
    }
    for (size_t size = 0; size < text.size; size++)
        cr_assert_not(seal_is_of(bytes_make(text.text, size), key), "%zu bytes", size);
    cr_assert(seal_is_of(bytes_make(text.text, text.size), key));
}
