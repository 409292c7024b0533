#include <criterion/criterion.h>
#include <stdlib.h>

#include "io/text.h"

/* What a function makes of bytes, in 1 KiB. */
static const char *made(char out[1024], void (*add)(struct text *, struct bytes),
                        struct bytes bytes)
{
    struct text text;
    text_init(&text, out, 1024);
    add(&text, bytes);
    cr_assert_not(text.overflowed);
    cr_assert_eq(text.size, strlen(out));
    return out;
}

#define ESCAPED(literal) made((char[1024]){0}, text_add_escaped, BYTES_LITERAL(literal))
#define JSON(literal)    made((char[1024]){0}, text_add_json, BYTES_LITERAL(literal))

Test(text, escapes_what_a_terminal_would_obey)
{
    cr_expect_str_eq(ESCAPED("plain ~ text"), "plain ~ text");
    cr_expect_str_eq(ESCAPED(""), "");
    cr_expect_str_eq(ESCAPED("a\x1b[31m\r\n\t\x7f"), "a\\x1B[31m\\x0D\\x0A\\x09\\x7F");
    cr_expect_str_eq(ESCAPED("\0b"), "\\x00b");
    cr_expect_str_eq(ESCAPED("\xC2\x80\xC2\x9B\xC2\x9F\u00a0"),
                     "\\xC2\\x80\\xC2\\x9B\\xC2\\x9F\u00a0");
}

Test(text, escapes_what_misleads)
{
    cr_expect_str_eq(ESCAPED("\u202a\u202e"), "\\xE2\\x80\\xAA\\xE2\\x80\\xAE");
    cr_expect_str_eq(ESCAPED("\u2066\u2069"), "\\xE2\\x81\\xA6\\xE2\\x81\\xA9");
    cr_expect_str_eq(ESCAPED("\u200b\u200f\u061c"), "\\xE2\\x80\\x8B\\xE2\\x80\\x8F\\xD8\\x9C");
    cr_expect_str_eq(ESCAPED("\u2028\u2029\ufeff"),
                     "\\xE2\\x80\\xA8\\xE2\\x80\\xA9\\xEF\\xBB\\xBF");
    /* Their neighbours are harmless. */
    cr_expect_str_eq(ESCAPED("\u200a\u2010\u2027\u202f\u205f\u2070\ufefe\u061b"),
                     "\u200a\u2010\u2027\u202f\u205f\u2070\ufefe\u061b");
}

Test(text, keeps_other_characters_and_shows_broken_ones)
{
    cr_expect_str_eq(ESCAPED("报关单 é 𠀀"), "报关单 é 𠀀");
    cr_expect_str_eq(ESCAPED("a\xff\xc3"), "a\\xFF\\xC3");
    cr_expect_str_eq(ESCAPED("\xe6\x8a"), "\\xE6\\x8A");
    cr_expect_str_eq(ESCAPED("\xc0\x80\xed\xa0\x80"), "\\xC0\\x80\\xED\\xA0\\x80");
}

Test(text, writes_json_strings)
{
    cr_expect_str_eq(JSON("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    cr_expect_str_eq(JSON(""), "\"\"");
    cr_expect_str_eq(JSON("\x01\n\x1f\x7f"), "\"\\u0001\\u000a\\u001f\\u007f\"");
    cr_expect_str_eq(JSON("关\xff𠀀"), "\"关\\ufffd𠀀\"");
    cr_expect_str_eq(JSON("\0"), "\"\\u0000\"");
}

Test(text, tells_the_size_of_characters)
{
    static const struct {
        const char *bytes;
        size_t size;
        bool plain;
    } cases[] = {{"a", 1, true},         {"\x1b", 1, false}, {"é", 2, true},
                 {"\xC2\x9B", 2, false}, {"关", 3, true},    {"\u202e", 3, false},
                 {"𠀀", 4, true},        {"\xff", 1, false}, {"\xe6\x8a", 1, false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool plain = !cases[i].plain;
        cr_expect_eq(text_character(bytes_from_text(cases[i].bytes), &plain), cases[i].size, "%zu",
                     i);
        cr_expect_eq(plain, cases[i].plain, "%zu", i);
    }
}

Test(text, is_sticky_when_full)
{
    /* Exactly sized, so that ASan sees a byte too much. */
    char *memory = malloc(8);
    struct text text;
    text_init(&text, memory, 8);
    text_add(&text, "%s", "1234567");
    cr_expect_not(text.overflowed);
    text_add(&text, "%s", "");
    cr_expect_not(text.overflowed);
    text_add(&text, "x");
    cr_expect(text.overflowed);
    cr_expect_str_eq(memory, "1234567");
    text_add(&text, "%s", "");
    cr_expect(text.overflowed);
    cr_expect_str_eq(memory, "1234567");
    free(memory);
}

Test(text, drops_whole_what_does_not_fit)
{
    char memory[8];
    struct text text;
    text_init(&text, memory, sizeof memory);
    text_add(&text, "123");
    text_add(&text, "45678");
    cr_expect(text.overflowed);
    cr_expect_str_eq(memory, "123");
    cr_expect_eq(text.size, 3);
}
