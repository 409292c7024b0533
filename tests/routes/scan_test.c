#include <criterion/criterion.h>
#include <stdio.h>

#include "routes/scan/scan_output.h"

static const char *sniff(const char *text, size_t size, int padding)
{
    static const char *const names[FORMAT_COUNT] = {"edifact", "xml", "json"};
    static char outcome[64];
    uint8_t body[256];
    enum format format = FORMAT_COUNT;
    struct scan_fault fault;
    memset(body, padding, sizeof body);
    memcpy(body, text, size);
    if (scan_sniff(bytes_make(body, size), &format, &fault) == STATUS_OK)
        return names[format];
    sprintf(outcome, "%s %u", scan_reason_word(fault.reason), fault.offset);
    return outcome;
}

Test(scan, sniffs_the_format)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"<a/>", "xml"},
        {" \r\n<a/>", "xml"},
        {"\xEF\xBB\xBF<?xml?>", "xml"},
        {"{", "json"},
        {"\t[1]", "json"},
        {"UNA:+.? 'UNB", "edifact"},
        {"\xEF\xBB\xBF\r\nUNB+", "edifact"},
        {"UNG", "edifact"},
        {"UNH+1", "edifact"},
        {"UNT+1", "UNKNOWNFORMAT 0"},
        {"UN", "UNKNOWNFORMAT 0"},
        {"\n hello", "UNKNOWNFORMAT 2"},
        {"\xEF\xBB<a/>", "UNKNOWNFORMAT 0"},
        {"", "EMPTY 0"},
        {" \t\r\n", "EMPTY 4"},
        {"\xEF\xBB\xBF ", "EMPTY 4"},
        {"\xFF\xFE<", "ENCODING 0"},
        {"\xFE\xFF", "ENCODING 0"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int padding = 0; padding < 256; padding++)
            cr_assert_str_eq(sniff(cases[i].text, strlen(cases[i].text), padding),
                             cases[i].expected, "%s, then %02X", cases[i].text, padding);
}

Test(scan, has_a_word_and_a_sentence_for_each_reason)
{
    cr_assert_str_eq(scan_reason_word(SCAN_NONE), "OK");
    cr_assert_str_eq(scan_reason_word(SCAN_CONSTRAINT), "CONSTRAINT");
    for (unsigned a = 0; a < SCAN_REASON_COUNT; a++) {
        cr_assert_gt(strlen(scan_reason_text((enum scan_reason)a)), 8);
        for (unsigned b = 0; b < a; b++)
            cr_assert_str_neq(scan_reason_word((enum scan_reason)a),
                              scan_reason_word((enum scan_reason)b));
    }
}

Test(scan, writes_captures_up_to_their_bound)
{
    static struct capture captures[SCAN_CAPTURES_MAX];
    struct scan scan = {.captures = captures};
    struct bytes value = BYTES_LITERAL("v");
    for (uint32_t i = 0; i < SCAN_CAPTURES_MAX; i++)
        cr_assert_eq(scan_push(&scan, 7, 2, 3, value, i), STATUS_OK);
    cr_assert_eq(scan_push(&scan, 7, 2, 3, value, 0), STATUS_FULL);
    cr_assert_eq(scan.capture_count, SCAN_CAPTURES_MAX);
    cr_assert(captures[9].tap == 7 && captures[9].entry == 2 && captures[9].instance == 3);
    cr_assert(captures[9].offset == 9 && bytes_equal(captures[9].value, value));
}

Test(scan, keeps_decoded_text_in_the_space)
{
    uint8_t text[8];
    struct reading_space space = {.text = text, .text_capacity = sizeof text};
    struct scan scan = {.space = &space};
    uint8_t *first = scan_reserve_text(&scan, 8);
    cr_assert_eq(first, text);
    memcpy(first, "abc", 3);
    struct bytes kept = scan_commit_text(&scan, first, 3);
    cr_assert(bytes_equal_text(kept, "abc"));
    cr_assert_eq(scan_reserve_text(&scan, 5), text + 3);
    cr_assert_null(scan_reserve_text(&scan, 6));
    cr_assert_eq(space.text_used, 3);
}
