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

#define EIGHT_TIMES(byte) (UINT64_C(0x0101010101010101) * (byte))

static uint64_t load_word(const uint8_t *at)
{
    static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte is the lowest");
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* How many of the eight bytes are digits, before the first that is none: of those alone the value
 * and 0x76 stay below 0x80. */
static size_t count_digits(uint64_t word)
{
    uint64_t values = word ^ EIGHT_TIMES('0');
    uint64_t others = (values | (values + EIGHT_TIMES(0x76))) & EIGHT_TIMES(0x80);
    return others == 0 ? sizeof word : (size_t)__builtin_ctzll(others) / 8;
}

/* The value of eight digits, the first in the lowest byte: each byte, then each pair, then each
 * four are put together. */
static uint64_t add_up(uint64_t word)
{
    word = (word & EIGHT_TIMES(0x0F)) * (256 * 10 + 1) >> 8;
    word = (word & UINT64_C(0x00FF00FF00FF00FF)) * (65536 * 100 + 1) >> 16;
    return (word & UINT64_C(0x0000FFFF0000FFFF)) * (UINT64_C(4294967296) * 10000 + 1) >> 32;
}

enum { DIGITS_THAT_FIT = 19 };

/* Digits one by one, from number `i` on, that come behind those that make `value`. */
static size_t parse_others(struct bytes a, size_t i, uint64_t value, uint64_t *out_value)
{
    for (unsigned digit; i < a.size && (digit = (unsigned)a.data[i] - '0') <= 9; i++)
        if (i > DIGITS_THAT_FIT || __builtin_mul_overflow(value, 10U, &value) ||
            __builtin_add_overflow(value, (uint64_t)digit, &value))
            return 0;
    if (i > 0)
        *out_value = value;
    return i;
}

size_t bytes_parse_digits(struct bytes a, uint64_t *out_value)
{
    static const uint32_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
    if (a.size < 16)
        return parse_others(a, 0, 0, out_value);
    uint64_t word = load_word(a.data), next = load_word(a.data + 8);
    size_t first = count_digits(word), second = count_digits(next);
    if (first < 8 || second == 0 || second == 8)
        return parse_others(a, 0, 0, out_value);
    next <<= 64 - 8 * second; /* zeros before it */
    *out_value = add_up(word) * powers[second] + add_up(next);
    return 8 + second;
}

bool bytes_parse_u64(struct bytes a, uint64_t *out_value)
{
    uint64_t value;
    if (a.size == 0 || bytes_parse_digits(a, &value) != a.size)
        return false;
    *out_value = value;
    return true;
}

bool bytes_parse_u64_at_end(struct bytes a, size_t from, uint64_t *out_value)
{
    size_t digits = a.size - from;
    assert(from <= a.size);
    if (a.size < 8 || digits == 0 || digits > 8)
        return bytes_parse_u64(bytes_make(a.data + from, digits), out_value);
    uint64_t word = load_word(a.data + a.size - 8) >> (64 - 8 * digits);
    if (count_digits(word) < digits)
        return false;
    *out_value = add_up(word << (64 - 8 * digits));
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
