#include <criterion/criterion.h>

#include "core/bytes.h"

static const struct bytes absent = {NULL, 0};

Test(bytes, equality_looks_at_size_and_content)
{
    cr_assert(bytes_equal(BYTES_LITERAL("abc"), bytes_from_text("abc")));
    cr_assert(!bytes_equal(BYTES_LITERAL("abc"), BYTES_LITERAL("abd")));
    cr_assert(!bytes_equal(BYTES_LITERAL("abc"), BYTES_LITERAL("ab")));
    cr_assert(bytes_equal(absent, BYTES_LITERAL("")));
    cr_assert(bytes_equal(bytes_make("a\0b", 3), bytes_make("a\0b", 3)));
    cr_assert(!bytes_equal(bytes_make("a\0b", 3), bytes_make("a\0c", 3)));
    cr_assert(bytes_equal_text(BYTES_LITERAL("abc"), "abc"));
    cr_assert(!bytes_equal_text(bytes_make("abc\0", 4), "abc"));
}

Test(bytes, prefixes)
{
    cr_assert(bytes_start_with(BYTES_LITERAL("UNH+1"), BYTES_LITERAL("UNH")));
    cr_assert(bytes_start_with(BYTES_LITERAL("UNH"), BYTES_LITERAL("UNH")));
    cr_assert(bytes_start_with(absent, absent));
    cr_assert(!bytes_start_with(BYTES_LITERAL("UN"), BYTES_LITERAL("UNH")));
    cr_assert(!bytes_start_with(BYTES_LITERAL("UNB"), BYTES_LITERAL("UNH")));
}

Test(bytes, order_is_by_unsigned_value_and_prefix_first)
{
    const struct bytes ordered[] = {absent, BYTES_LITERAL("a"), BYTES_LITERAL("ab"),
                                    BYTES_LITERAL("b"), BYTES_LITERAL("\xC3")};
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < 5; k++) {
            int order = bytes_compare(ordered[i], ordered[k]);
            cr_assert_eq((order > 0) - (order < 0), (i > k) - (i < k), "%zu and %zu", i, k);
        }
}

Test(bytes, folding_knows_ascii_letters_only)
{
    cr_assert(bytes_equal_fold(BYTES_LITERAL("XAdd-z"), BYTES_LITERAL("xaDD-Z")));
    cr_assert(!bytes_equal_fold(BYTES_LITERAL("@"), BYTES_LITERAL("`")));
    cr_assert(!bytes_equal_fold(BYTES_LITERAL("["), BYTES_LITERAL("{")));
    cr_assert(!bytes_equal_fold(BYTES_LITERAL("\xC0"), BYTES_LITERAL("\xE0")));
    cr_assert(!bytes_equal_fold(BYTES_LITERAL("ab"), BYTES_LITERAL("abc")));
}

Test(bytes, trim)
{
    cr_assert(bytes_equal_text(bytes_trim(BYTES_LITERAL(" \t\r\n a b \n")), "a b"));
    cr_assert(bytes_equal_text(bytes_trim(BYTES_LITERAL("a")), "a"));
    cr_assert_eq(bytes_trim(BYTES_LITERAL(" \n ")).size, 0);
    cr_assert_eq(bytes_trim(absent).size, 0);
    cr_assert_eq(bytes_trim(BYTES_LITERAL("\v")).size, 1); /* not a blank here */
}

Test(bytes, slice_cuts_off_what_lies_past_the_end)
{
    struct bytes text = BYTES_LITERAL("abcdef");
    cr_assert(bytes_equal_text(bytes_slice(text, 2, 3), "cde"));
    cr_assert(bytes_equal_text(bytes_slice(text, 4, 100), "ef"));
    cr_assert(bytes_equal_text(bytes_slice(text, 1, SIZE_MAX), "bcdef"));
    cr_assert_eq(bytes_slice(text, 7, 1).size, 0);
    cr_assert_eq(bytes_slice(text, SIZE_MAX, SIZE_MAX).size, 0);
}

Test(bytes, unsigned_numbers)
{
    uint64_t value = 77;
    const char *refused[] = {"",   "-1",  "+1",  " 1",
                             "1 ", "0x1", "1e3", "18446744073709551616",
                             "1.", "x",   "/",   "000000000000000000001"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        cr_assert(!bytes_parse_u64(bytes_from_text(refused[i]), &value), "%s", refused[i]);
    cr_assert_eq(value, 77, "a failure leaves the output");
    cr_assert(bytes_parse_u64(BYTES_LITERAL("0"), &value) && value == 0);
    cr_assert(bytes_parse_u64(BYTES_LITERAL("007"), &value) && value == 7);
    cr_assert(bytes_parse_u64(BYTES_LITERAL("18446744073709551615"), &value));
    cr_assert_eq(value, UINT64_MAX);
}

Test(bytes, signed_numbers)
{
    int64_t value = 77;
    const char *refused[] = {"", "-", "--1", "+1", "9223372036854775808", "-9223372036854775809"};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        cr_assert(!bytes_parse_i64(bytes_from_text(refused[i]), &value), "%s", refused[i]);
    cr_assert_eq(value, 77, "a failure leaves the output");
    cr_assert(bytes_parse_i64(BYTES_LITERAL("-9223372036854775808"), &value));
    cr_assert_eq(value, INT64_MIN);
    cr_assert(bytes_parse_i64(BYTES_LITERAL("9223372036854775807"), &value));
    cr_assert_eq(value, INT64_MAX);
    cr_assert(bytes_parse_i64(BYTES_LITERAL("-0"), &value) && value == 0);
}

/* Encodes as RFC 3629 says, or as it forbids, with `size` bytes. */
static struct bytes encode(uint32_t code, unsigned size, uint8_t out[4])
{
    static const uint8_t leads[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    for (unsigned i = size; i-- > 1;) {
        out[i] = (uint8_t)(0x80 | (code & 0x3F));
        code >>= 6;
    }
    out[0] = (uint8_t)(leads[size] | code);
    return bytes_make(out, size);
}

Test(bytes, utf8_takes_every_scalar_value_in_its_shortest_form_only)
{
    uint8_t out[4];
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        unsigned shortest = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
        bool scalar = code < 0xD800 || code > 0xDFFF;
        cr_assert_eq(bytes_is_utf8(encode(code, shortest, out)), scalar, "U+%04X", code);
        if (shortest < 4)
            cr_assert(!bytes_is_utf8(encode(code, shortest + 1, out)), "long U+%04X", code);
        if (shortest > 1)
            cr_assert(!bytes_is_utf8(bytes_make(out, shortest - 1)), "cut U+%04X", code);
    }
    cr_assert(!bytes_is_utf8(encode(0x110000, 4, out)));
}

Test(bytes, utf8_in_context)
{
    cr_assert(bytes_is_utf8(absent));
    cr_assert(bytes_is_utf8(BYTES_LITERAL("口岸 ok")));
    cr_assert(!bytes_is_utf8(BYTES_LITERAL("ok \x80")));
    cr_assert(!bytes_is_utf8(BYTES_LITERAL("\xE5\x8F.")));
    cr_assert(!bytes_is_utf8(BYTES_LITERAL("\xFF")));
    cr_assert(!bytes_is_utf8(BYTES_LITERAL("\xBF\xDA\xB0\xB6"))); /* GB18030 */
}

Test(bytes, numbers_of_all_lengths_with_one_byte_that_is_none)
{
    static const char digits[] = "9184730265918473026";
    for (size_t size = 1; size < sizeof digits; size++)
        for (size_t at = 0; at < size; at++)
            for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
                char text[sizeof digits];
                uint64_t value = 0, expected = 0;
                memcpy(text, digits, size);
                text[at] = (char)byte;
                for (size_t i = 0; i < size; i++)
                    expected = expected * 10 + (uint64_t)(text[i] - '0');
                bool is_number = byte >= '0' && byte <= '9';
                cr_assert_eq(bytes_parse_u64(bytes_make(text, size), &value), is_number);
                cr_assert(!is_number || value == expected);
            }
}

/* By another way than the one that is tested. */
static size_t parse_slowly(const char *text, size_t size, uint64_t *out_value)
{
    __extension__ unsigned __int128 value = 0;
    size_t digits = 0;
    for (; digits < size && text[digits] >= '0' && text[digits] <= '9'; digits++) {
        if (digits == 20)
            return 0;
        value = value * 10 + (unsigned)(text[digits] - '0');
    }
    if (value > UINT64_MAX)
        return 0;
    *out_value = (uint64_t)value;
    return digits;
}

Test(bytes, numbers_with_other_bytes_behind_or_before_them)
{
    static const char texts[] = "184467440737095516151844674407370955161618446744073709551615";
    static const char ends[] = {'-', ':', '/', '\0', 'x', (char)0xB5};
    for (size_t from = 0; from < 24; from++)
        for (size_t digits = 0; digits <= 22; digits++)
            for (size_t rest = 0; rest <= 12; rest++) {
                char *text = malloc(digits + rest + 1); /* to its last byte, for ASan */
                uint64_t value = 77, expected = 77;
                memcpy(text, texts + from, digits + rest);
                text[digits] = ends[(from + digits + rest) % sizeof ends];
                struct bytes bytes = bytes_make(text, digits + rest);
                size_t count = parse_slowly(text, digits + rest, &expected);
                cr_assert_eq(bytes_parse_digits(bytes, &value), count, "%.*s", (int)(digits + rest),
                             text);
                cr_assert(count == 0 || value == expected);
                if (rest > 0) {
                    bool is_last = parse_slowly(text + digits + 1, rest - 1, &expected) == rest - 1;
                    cr_assert_eq(bytes_parse_u64_at_end(bytes, digits + 1, &value),
                                 is_last && rest > 1);
                    cr_assert(rest == 1 || value == expected);
                }
                free(text);
            }
}

Test(bytes, numbers_at_the_end_with_one_byte_that_is_none)
{
    for (size_t digits = 1; digits <= 9; digits++)
        for (size_t at = 0; at < digits; at++)
            for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
                char text[] = "1732503123456-123456789";
                uint64_t value;
                size_t from = sizeof text - 1 - digits;
                text[from + at] = (char)byte;
                cr_assert_eq(
                    bytes_parse_u64_at_end(bytes_make(text, sizeof text - 1), from, &value),
                    byte >= '0' && byte <= '9');
            }
}
