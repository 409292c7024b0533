#include "core/bytes.h"

#include <assert.h>

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t shorter = a.size < b.size ? a.size : b.size;
    int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);
    if (order != 0)
        return order;
    return (a.size > b.size) - (a.size < b.size);
}

static uint8_t fold(uint8_t byte)
{
    return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte + ('a' - 'A')) : byte;
}

bool bytes_equal_fold(struct bytes a, struct bytes b)
{
    if (a.size != b.size)
        return false;
    for (size_t i = 0; i < a.size; i++)
        if (fold(a.data[i]) != fold(b.data[i]))
            return false;
    return true;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

struct bytes bytes_trim(struct bytes a)
{
    while (a.size > 0 && is_blank(a.data[0])) {
        a.data++;
        a.size--;
    }
    while (a.size > 0 && is_blank(a.data[a.size - 1]))
        a.size--;
    return a;
}

struct bytes bytes_slice(struct bytes a, size_t offset, size_t count)
{
    if (offset > a.size)
        offset = a.size;
    if (count > a.size - offset)
        count = a.size - offset;
    return bytes_make(offset > 0 ? a.data + offset : a.data, count); /* an absent one stays so */
}

/* Eight digits at once, the first in the lowest byte: each byte, then each pair, then each four are
 * put together. False if one is none. */
static bool parse_eight(const uint8_t *text, uint64_t *out_value)
{
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first digit is the lowest byte");
    uint64_t word;
    memcpy(&word, text, sizeof word);
    uint64_t highs = word & (word + UINT64_C(0x0606060606060606)); /* of ':' and beyond: 4 and 3 */
    if ((highs & UINT64_C(0xF0F0F0F0F0F0F0F0)) != UINT64_C(0x3030303030303030))
        return false;
    word = (word & UINT64_C(0x0F0F0F0F0F0F0F0F)) * (256 * 10 + 1) >> 8;
    word = (word & UINT64_C(0x00FF00FF00FF00FF)) * (65536 * 100 + 1) >> 16;
    word = (word & UINT64_C(0x0000FFFF0000FFFF)) * (UINT64_C(4294967296) * 10000 + 1) >> 32;
    *out_value = word;
    return true;
}

bool bytes_parse_u64(struct bytes a, uint64_t *out_value)
{
    enum { DIGITS_THAT_FIT = 19 };
    uint64_t value = 0;
    size_t i = 0;
    if (a.size == 0 || a.size > DIGITS_THAT_FIT + 1)
        return false;
    for (uint64_t eight; i + 8 <= a.size && i + 8 <= DIGITS_THAT_FIT; i += 8) {
        if (!parse_eight(a.data + i, &eight))
            return false;
        value = value * 100000000 + eight;
    }
    for (; i < a.size && i < DIGITS_THAT_FIT; i++) {
        unsigned digit = (unsigned)a.data[i] - '0';
        if (digit > 9)
            return false;
        value = value * 10 + digit;
    }
    for (; i < a.size; i++) {
        if (a.data[i] < '0' || a.data[i] > '9')
            return false;
        if (__builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)(a.data[i] - '0'), &value))
            return false;
    }
    *out_value = value;
    return true;
}

bool bytes_parse_i64(struct bytes a, int64_t *out_value)
{
    bool negative = a.size > 0 && a.data[0] == '-';
    uint64_t magnitude;
    if (!bytes_parse_u64(negative ? bytes_slice(a, 1, a.size) : a, &magnitude))
        return false;
    if (magnitude > (uint64_t)INT64_MAX + (negative ? 1 : 0))
        return false;
    *out_value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
    return true;
}

/* The number of continuation bytes after a lead byte, and the least code point they may spell. */
static int utf8_tail(uint8_t lead, uint32_t *out_bits, uint32_t *out_least)
{
    if (lead >= 0xC2 && lead <= 0xDF) {
        *out_bits = lead & 0x1FU, *out_least = 0x80;
        return 1;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        *out_bits = lead & 0x0FU, *out_least = 0x800;
        return 2;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        *out_bits = lead & 0x07U, *out_least = 0x10000;
        return 3;
    }
    return -1;
}

bool bytes_is_utf8(struct bytes a)
{
    for (size_t i = 0; i < a.size;) {
        uint32_t code, least;
        if (a.data[i] < 0x80) {
            i++;
            continue;
        }
        int tail = utf8_tail(a.data[i], &code, &least);
        if (tail < 0 || a.size - i <= (size_t)tail)
            return false;
        for (int k = 1; k <= tail; k++) {
            uint8_t byte = a.data[i + (size_t)k];
            if ((byte & 0xC0) != 0x80)
                return false;
            code = code << 6 | (byte & 0x3FU);
        }
        if (code < least || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF))
            return false;
        i += (size_t)tail + 1;
    }
    return true;
}
