#include "routes/scan/base64.h"

enum { PADDING = 65, BLANK = 66 };

/* A digit's value and 1; 0: none of base64. */
static const uint8_t digit_values[256] = {
    ['A'] = 1,      ['B'] = 2,      ['C'] = 3,     ['D'] = 4,  ['E'] = 5,       ['F'] = 6,
    ['G'] = 7,      ['H'] = 8,      ['I'] = 9,     ['J'] = 10, ['K'] = 11,      ['L'] = 12,
    ['M'] = 13,     ['N'] = 14,     ['O'] = 15,    ['P'] = 16, ['Q'] = 17,      ['R'] = 18,
    ['S'] = 19,     ['T'] = 20,     ['U'] = 21,    ['V'] = 22, ['W'] = 23,      ['X'] = 24,
    ['Y'] = 25,     ['Z'] = 26,     ['a'] = 27,    ['b'] = 28, ['c'] = 29,      ['d'] = 30,
    ['e'] = 31,     ['f'] = 32,     ['g'] = 33,    ['h'] = 34, ['i'] = 35,      ['j'] = 36,
    ['k'] = 37,     ['l'] = 38,     ['m'] = 39,    ['n'] = 40, ['o'] = 41,      ['p'] = 42,
    ['q'] = 43,     ['r'] = 44,     ['s'] = 45,    ['t'] = 46, ['u'] = 47,      ['v'] = 48,
    ['w'] = 49,     ['x'] = 50,     ['y'] = 51,    ['z'] = 52, ['0'] = 53,      ['1'] = 54,
    ['2'] = 55,     ['3'] = 56,     ['4'] = 57,    ['5'] = 58, ['6'] = 59,      ['7'] = 60,
    ['8'] = 61,     ['9'] = 62,     ['+'] = 63,    ['/'] = 64, ['='] = PADDING, [' '] = BLANK,
    ['\t'] = BLANK, ['\r'] = BLANK, ['\n'] = BLANK};

static size_t decode_groups(const uint8_t *text, size_t size, uint8_t **to);
static const char *decode_rest(uint32_t bits, size_t digits, size_t paddings, uint8_t **to);

const char *base64_decode(uint8_t *text, size_t size, size_t *out_size, size_t *out_bad)
{
    uint8_t *to = text; /* never ahead of what is read */
    uint32_t bits = 0;
    size_t digits = 0, paddings = 0; /* of the group at hand */
    for (size_t at = 0; at < size; at++) {
        if (digits == 0 && paddings == 0)
            at += decode_groups(text + at, size - at, &to);
        if (at == size)
            break;
        uint8_t value = digit_values[text[at]];
        *out_bad = at;
        if (value == BLANK)
            continue;
        if (value == 0)
            return "no digit of base64";
        if (value == PADDING) {
            if (digits < 2 || digits + ++paddings > 4)
                return "base64 is padded here in vain";
            continue;
        }
        if (paddings > 0)
            return "base64 goes on behind its padding";
        bits = bits << 6 | (value - 1U);
        if (++digits == 4) {
            *to++ = (uint8_t)(bits >> 16);
            *to++ = (uint8_t)(bits >> 8);
            *to++ = (uint8_t)bits;
            digits = 0;
        }
    }
    *out_bad = size;
    const char *what = decode_rest(bits, digits, paddings, &to);
    if (what == NULL)
        *out_size = (size_t)(to - text);
    return what;
}

/* Decodes groups of four digits as long as they stand together; returns how many bytes they are. */
static size_t decode_groups(const uint8_t *text, size_t size, uint8_t **to)
{
    size_t at = 0;
    for (; at + 4 <= size; at += 4) {
        uint32_t bits = 0, seen = 0;
        for (unsigned i = 0; i < 4; i++) {
            uint32_t value = digit_values[text[at + i]] - 1U;
            seen |= value;
            bits = bits << 6 | value;
        }
        if (seen >= 64)
            break;
        *(*to)++ = (uint8_t)(bits >> 16);
        *(*to)++ = (uint8_t)(bits >> 8);
        *(*to)++ = (uint8_t)bits;
    }
    return at;
}

/* The bytes of the last group, which has less than four digits. */
static const char *decode_rest(uint32_t bits, size_t digits, size_t paddings, uint8_t **to)
{
    if (digits + paddings != 0 && digits + paddings != 4)
        return "base64 ends within a group of four digits";
    if ((digits == 2 && (bits & 0x0F) != 0) || (digits == 3 && (bits & 0x03) != 0))
        return "the last digit of base64 has bits to spare";
    if (digits >= 2)
        *(*to)++ = (uint8_t)(bits >> (digits == 2 ? 4 : 10));
    if (digits == 3)
        *(*to)++ = (uint8_t)(bits >> 2);
    return NULL;
}

bool base64_is_blank(uint8_t byte)
{
    return digit_values[byte] == BLANK;
}
