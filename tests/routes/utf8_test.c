#include "routes/scan/utf8.h"

#include <criterion/criterion.h>

/* Every code point there is, there and back. */
Test(utf8, encodes_each_code_point)
{
    for (uint32_t code_point = 0; code_point <= 0x10FFFF; code_point++) {
        uint8_t spelt[5] = {0};
        if (code_point >= 0xD800 && code_point <= 0xDFFF)
            continue;
        size_t size = utf8_encode(code_point, spelt);
        cr_assert_eq(size, code_point < 0x80      ? 1
                           : code_point < 0x800   ? 2
                           : code_point < 0x10000 ? 3
                                                  : 4);
        cr_assert_null(utf8_find_bad(bytes_make(spelt, size)), "%X", code_point);
        uint32_t read = size == 1 ? spelt[0] : spelt[0] & (0xFFU >> (size + 1));
        for (size_t i = 1; i < size; i++)
            read = read << 6 | (spelt[i] & 0x3FU);
        cr_assert_eq(read, code_point);
    }
}

Test(utf8, finds_the_first_bad_sequence)
{
    static const struct {
        const char *text;
        int bad;
    } cases[] = {
        {"", -1},
        {"abc", -1},
        {"\u53e3\u00e9\U0001F600", -1},
        {"\x80", 0},
        {"a\xFF", 1},
        {"\u53e3\xE5\x8F", 3},
        {"\u53e3\xE5\x8Fz\u53e3", 3},
        {"ab\xC0\x80", 2},
        {"\xED\xA0\x80", 0},
        {"a\xF8\x88\x80\x80\x80", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct bytes text = bytes_from_text(cases[i].text);
        const uint8_t *bad = utf8_find_bad(text);
        cr_assert_eq(bad == NULL ? -1 : (int)(bad - text.data), cases[i].bad, "%zu", i);
    }
}

/* By the plain check, character by character. */
static const uint8_t *pass_slowly(const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 3 && *at >= 0xE0 && *at < 0xF0 && bytes_is_utf8(bytes_make(at, 3)))
        at += 3;
    return at;
}

/* Each byte at each place of runs of such characters, of which some ask for their second byte. */
Test(utf8, passes_characters_of_three_bytes)
{
    static const char *const texts[] = {
        "\u53e3\u5cb8\u53e3\u5cb8\u53e3\u5cb8\u53e3\u5cb8\u53e3\u5cb8\u53e3\u5cb8",
        "\u0800\u1000\ucfff\ud7ff\ue000\uff0c\u0fff\ud000\u53e3\u5cb8\u53e3\u5cb8",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t size = 0; size <= strlen(texts[i]); size++)
            for (size_t at = 0; at < strlen(texts[i]); at++)
                for (unsigned byte = 0; byte < 256; byte++) {
                    uint8_t text[64];
                    memcpy(text, texts[i], strlen(texts[i]));
                    text[at] = (uint8_t)byte;
                    cr_assert_eq(utf8_pass_three_byte_characters(text, text + size),
                                 pass_slowly(text, text + size), "%zu: byte %u at %zu of %zu", i,
                                 byte, at, size);
                }
}
