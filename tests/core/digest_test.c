#include <criterion/criterion.h>

#include "core/digest.h"

static struct digest_secret secret_from(uint8_t seed)
{
    struct digest_secret secret;
    uint32_t state = seed;
    for (size_t i = 0; i < sizeof secret.bytes; i++) {
        state = state * 1664525 + 1013904223;
        secret.bytes[i] = (uint8_t)(state >> 24);
    }
    return secret;
}

static void fill(uint8_t *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(i * 131 + (i >> 8));
}

/* Digests go to disk: they must be the same tomorrow, and on another processor. */
Test(digest, known_values)
{
    static const struct {
        size_t size;
        struct digest digest;
    } known[] = {
        {0, {0xC3D2D7E8F553C8F7, 0xFB4E62EAEE46683D}},
        {1, {0x1C24D8E3B4A8C678, 0x8AE8F38BA0EBB01B}},
        {8, {0xCA25302124CDE19F, 0x44646FE90724BFAB}},
        {16, {0x7D4CD1660A3356B4, 0x14720F814D0F8DE5}},
        {64, {0xEABC11549234A09C, 0x8B3065EE45411D0E}},
        {128, {0x5564582879D730BE, 0x51FA4CAC91D33F5E}},
        {240, {0xE6CA5B504A146548, 0x7F9EE739DE38663D}},
        {241, {0xA4C6E01CF53D2008, 0xD828811E53BEFD2F}},
        {256, {0xF06B73001DD4F780, 0x8BE840AF05CD5337}},
        {257, {0x9CBA46E14183A5E6, 0x152698181715B6CF}},
        {300, {0x671F66C0DE826056, 0xC8C7047DF239A4EC}},
        {1000, {0xC76B7366248D8ED3, 0xE33AD28F2C484E1F}},
        {1024, {0x3967319C775E2044, 0x91E3149660C86D8B}},
        {1025, {0x3C238BDF31E2E688, 0xF4DF9CD3A0612C1C}},
        {4096, {0x9B3D37BE9A32A81A, 0x44C941FD064F4338}},
    };
    struct digest_secret secret = secret_from(1);
    uint8_t data[4096];
    fill(data, sizeof data);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        struct digest digest = digest_bytes(&secret, bytes_make(data, known[i].size));
        cr_assert(digest_equal(digest, known[i].digest), "size %zu: 0x%016lX, 0x%016lX",
                  known[i].size, (unsigned long)digest.low, (unsigned long)digest.high);
    }
}

Test(digest, every_byte_and_the_secret_count)
{
    struct digest_secret secret = secret_from(1), other = secret_from(2);
    uint8_t data[700];
    fill(data, sizeof data);
    for (size_t size = 1; size <= sizeof data; size += size < 300 ? 1 : 57) {
        struct digest digest = digest_bytes(&secret, bytes_make(data, size));
        cr_assert(!digest_equal(digest, digest_bytes(&other, bytes_make(data, size))));
        cr_assert(!digest_equal(digest, digest_bytes(&secret, bytes_make(data, size - 1))));
        for (size_t i = 0; i < size; i++) {
            data[i] ^= 0x10;
            cr_assert(!digest_equal(digest, digest_bytes(&secret, bytes_make(data, size))),
                      "byte %zu of %zu", i, size);
            data[i] ^= 0x10;
        }
    }
}

Test(digest, absent_and_empty_are_the_same)
{
    struct digest_secret secret = secret_from(1), other = secret_from(2);
    struct digest absent = digest_bytes(&secret, bytes_make(NULL, 0));
    cr_assert(digest_equal(absent, digest_bytes(&secret, BYTES_LITERAL(""))));
    cr_assert(!digest_equal(absent, digest_bytes(&other, BYTES_LITERAL(""))));
}

Test(digest, the_borders_between_parts_count)
{
    struct digest_secret secret = secret_from(1);
    const struct bytes a[] = {BYTES_LITERAL("ab"), BYTES_LITERAL("c")};
    const struct bytes b[] = {BYTES_LITERAL("a"), BYTES_LITERAL("bc")};
    const struct bytes c[] = {BYTES_LITERAL("abc")};
    const struct bytes d[] = {BYTES_LITERAL("ab"), BYTES_LITERAL("c"), BYTES_LITERAL("")};
    struct digest all[] = {digest_parts(&secret, a, 2), digest_parts(&secret, b, 2),
                           digest_parts(&secret, c, 1), digest_parts(&secret, d, 3),
                           digest_parts(&secret, a, 0)};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < i; k++)
            cr_assert(!digest_equal(all[i], all[k]), "%zu and %zu", i, k);
    cr_assert(digest_equal(all[0], digest_parts(&secret, a, 2)));
}

/* What the parts are as one sequence, written by hand: 8 bytes of length, little-endian, each. */
Test(digest, parts_of_any_size_are_the_digest_of_their_sequence)
{
    struct digest_secret secret = secret_from(3);
    static uint8_t data[3000], sequence[3016];
    fill(data, sizeof data);
    for (size_t total = 0; total <= 3000; total += total < 1040 ? 1 : 271) {
        size_t first = total / 3, second = total - first;
        const struct bytes parts[] = {bytes_make(data, first), bytes_make(data + first, second)};
        memset(sequence, 0, sizeof sequence);
        sequence[0] = (uint8_t)first;
        sequence[1] = (uint8_t)(first >> 8);
        memcpy(sequence + 8, data, first);
        sequence[8 + first] = (uint8_t)second;
        sequence[9 + first] = (uint8_t)(second >> 8);
        memcpy(sequence + 16 + first, data + first, second);
        cr_assert(digest_equal(digest_parts(&secret, parts, 2),
                               digest_bytes(&secret, bytes_make(sequence, total + 16))),
                  "total %zu", total);
    }
}
